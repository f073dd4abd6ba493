import type { HandshakeContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { commandName, encodeError } from "../wire/command.ts";
import type { CommandLink } from "./command-link.ts";
import type { Mechanism, Secured } from "./mechanism.ts";
import { expectCommand, refusedStatus } from "./mechanism.ts";

/** No security: each side says READY (RFC 37, "The NULL mechanism"). */
export const nullMechanism: Mechanism = {
  name: "NULL",
  isServer: false,
  provesPeer: false,
  hasAuthenticator: false,
  run: runNull,
};

async function runNull(
  link: CommandLink,
  metadata: Uint8Array,
  { authenticator, isDialer }: HandshakeContext,
): Promise<Secured> {
  if (authenticator !== undefined && !isDialer) {
    link.writeBody(encodeError(refusedStatus));
    const text =
      "peer speaks NULL, which carries nothing that the authenticator could be asked about";
    throw new MsgError("MSG_AUTH_REJECTED", text);
  }
  link.write(commandName.ready, metadata);
  const ready = expectCommand(await link.read(), commandName.ready);
  return { metadata: ready, claims: {} };
}
