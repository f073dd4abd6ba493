/** What came of a call, in words that both sides can share. */

/**
 * How long a call or a process is looked at that may wait for ever. One that has to come to its end,
 * on a machine that may be busy, is given longer.
 */
export const patience: { ms: number } = { ms: 1_500 };

const shortMs = patience.ms;
const longMs = 20_000;

/** Sets {@link patience} for a play whose outcome is to be this; nobody knows it of zeromq.js. */
export function expectOutcome(outcome: string | undefined): void {
  patience.ms = outcome === undefined || outcome.includes("waits") ? shortMs : longMs;
}

/** The code of an error, or what it says. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name;
}

/** A message in one word for each part; `done` for nothing. */
export function textOf(value: unknown): string {
  if (value === undefined) return "done";
  if (Array.isArray(value)) return value.map(String).join(" ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a call gives, the code of what it throws or rejects with, or that it still waits. */
export async function outcomeOf(call: () => unknown): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const waits = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("waits"), patience.ms);
  });
  try {
    return await Promise.race([Promise.resolve(call()).then(textOf), waits]);
  } catch (error) {
    return codeOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/** What several calls give, made at the same time. */
export async function outcomesOf(...calls: readonly (() => unknown)[]): Promise<string> {
  return (await Promise.all(calls.map(outcomeOf))).join(", ");
}
