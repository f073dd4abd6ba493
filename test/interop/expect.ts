import type { ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { isDeepStrictEqual } from "node:util";

/** @throws Error that shows both, when they differ. */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: ${shown(actual)}, expected ${shown(expected)}`);
}

/** @throws Error with `what`, when the condition is false. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`not so: ${what}`);
}

/** Rejects unless the promise rejects with an error of this code. */
export async function expectRejection(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (MsgError.is(error, code)) return;
  throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
}

function shown(value: unknown): string {
  return value === undefined ? "undefined" : JSON.stringify(value);
}
