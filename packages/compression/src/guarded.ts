import type { MsgError } from "@msg-ts/core";

/**
 * Makes a call that gives bytes at once or later, and hands them to `check`. Whatever either throws,
 * at once or later, becomes what `toError` makes of it.
 */
export function guarded(
  call: () => Uint8Array | Promise<Uint8Array>,
  check: (result: Uint8Array) => Uint8Array,
  toError: (error: unknown) => MsgError,
): Uint8Array | Promise<Uint8Array> {
  try {
    const result = call();
    if (result instanceof Uint8Array) return check(result);
    return later(result, check, toError);
  } catch (error) {
    throw toError(error);
  }
}

async function later(
  result: Promise<Uint8Array>,
  check: (result: Uint8Array) => Uint8Array,
  toError: (error: unknown) => MsgError,
): Promise<Uint8Array> {
  try {
    return check(await result);
  } catch (error) {
    throw toError(error);
  }
}
