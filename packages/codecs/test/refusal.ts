import type { ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";

/** The message of what `action` throws, if that is of this code; every other end is an error. */
export function refusal(code: ErrorCode, action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (MsgError.is(error, code)) return error.message;
    throw new Error(`threw something else than ${code}`, { cause: error });
  }
  throw new Error(`threw nothing instead of ${code}`);
}
