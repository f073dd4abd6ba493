import type { Transport } from "../contracts/transport.ts";
import { MsgError } from "../errors.ts";

/** @throws MsgError `MSG_INVALID_ARGUMENT` when what was given first is none. */
export function checkTransport(transport: Transport): void {
  const given: unknown = transport;
  if (typeof given === "object" && given !== null && "dial" in given && "listen" in given) return;
  throw new MsgError(
    "MSG_INVALID_ARGUMENT",
    "the first argument of a socket is its transport, such as new Tcp()",
  );
}
