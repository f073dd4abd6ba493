import { MsgError } from "@msg-ts/core";

/** The host's word for a failure, such as `ECONNREFUSED`. */
export function hostCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

/** The error of a dial that its owner gave up. */
export function dialAborted(target: string, signal: AbortSignal): MsgError {
  return new MsgError("MSG_DIAL_FAILED", `dial of ${target} was aborted`, {
    cause: signal.reason,
  });
}

/** What a listen fails by where another socket listens, for a reader of codes: as a host has it. */
export function addressInUse(): Error {
  return Object.assign(new Error("address already in use"), { code: "EADDRINUSE" });
}

/** The error of a listen that the host refused. */
export function listenFailed(target: string, error: unknown): MsgError {
  const text = `cannot listen on ${target}: ${hostCodeOf(error)}`;
  return new MsgError("MSG_LISTEN_FAILED", text, { cause: error });
}
