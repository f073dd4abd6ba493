import { MsgError } from "@msg-ts/core";
import type { ErrorCode } from "@msg-ts/core";

/** What a {@link CompatError} may say, as zeromq.js does, by the names of errno. */
export type CompatErrorCode =
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "EAGAIN"
  | "EBADF"
  | "ECONNRESET"
  | "EFSM"
  | "EHOSTUNREACH"
  | "EINVAL"
  | "EMSGSIZE"
  | "ENOENT"
  | "ENOTSUP"
  | "EPROTO"
  | "EPROTONOSUPPORT";

/**
 * What this layer throws: `code` is the name that zeromq.js would give, `message` says what happened,
 * and `cause` is the error of our socket, where there is one.
 */
export class CompatError extends Error {
  override readonly name = "CompatError";
  readonly code: CompatErrorCode;

  constructor(code: CompatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codes: Partial<Record<ErrorCode, CompatErrorCode>> = {
  MSG_CLOSED: "EBADF",
  MSG_HIGH_WATER_MARK: "EAGAIN",
  MSG_INVALID_ADDRESS: "EINVAL",
  MSG_INVALID_ARGUMENT: "EINVAL",
  MSG_INVALID_OPTION: "EINVAL",
  MSG_INVALID_STATE: "EINVAL",
  MSG_LISTEN_FAILED: "EADDRNOTAVAIL",
  MSG_NO_PEER: "EHOSTUNREACH",
  MSG_PAYLOAD_TOO_LARGE: "EMSGSIZE",
  MSG_PEER_LOST: "ECONNRESET",
  MSG_TIMEOUT: "EAGAIN",
};

/** An error of our sockets, as this layer tells it. Any other error stays what it is. */
export function compatError(error: unknown): unknown {
  if (!MsgError.is(error)) return error;
  const isTaken = error.code === "MSG_LISTEN_FAILED" && errnoOf(error.cause) === "EADDRINUSE";
  const code = isTaken ? "EADDRINUSE" : (codes[error.code] ?? "EPROTO");
  return new CompatError(code, error.message, { cause: error });
}

/** Runs a call of our sockets. @throws CompatError */
export function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw compatError(error);
  }
}

/** What zeromq.js has and this layer has not. */
export function notOffered(what: string, why: string): CompatError {
  return new CompatError("ENOTSUP", `${what} is not offered by @msg-ts/zmtp/compat: ${why}`);
}

function errnoOf(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
}
