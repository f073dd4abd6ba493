import type { Claims, HandshakeLink } from "../contracts/authenticator.ts";
import type { Handshake, HandshakeContext, Protocol, Welcome } from "../contracts/protocol.ts";
import { MsgError } from "../errors.ts";

/**
 * Several protocols on one port: the first byte of a connection tells which one it speaks.
 *
 * - Nothing is written before that byte: a protocol whose acceptor would speak first waits for its
 *   peer here.
 * - A peer whose protocol needs no handshake may stay silent for as long as it likes.
 * - A protocol gets the authenticator like the others; a first byte is no way around it.
 */
export function toldApart(protocols: readonly Protocol[]): Protocol {
  return {
    name: protocols.map(({ name }) => name).join("+"),
    topics: "patterns",
    recognises: (firstByte) => protocols.some((protocol) => protocol.recognises(firstByte)),
    handshake: (context) => tellApart(protocols, context),
    open: () => {
      throw new MsgError("MSG_INVALID_STATE", "no protocol was told by a first byte");
    },
  };
}

function tellApart(protocols: readonly Protocol[], context: HandshakeContext): Handshake {
  const { hook, ...rest } = context;
  const isUnhurried =
    hook === undefined && protocols.some((protocol) => protocol.handshake(context) === undefined);
  const perform = async (link: HandshakeLink): Promise<Welcome> => {
    const claims = hook === undefined ? undefined : await askHook(hook, link);
    const [firstByte = 0] = await link.peek(1);
    const protocol = protocols.find((each) => each.recognises(firstByte));
    if (protocol === undefined) throw unknownTo(protocols, firstByte);
    const welcome = (await protocol.handshake(rest)?.(link)) ?? { claims: {}, name: "" };
    return { protocol, ...welcome, claims: claims ?? welcome.claims };
  };
  return Object.assign(perform, { isUnhurried });
}

/**
 * Has a hook decide on a peer.
 *
 * Rejects with `MSG_AUTH_REJECTED` when it says no instead of throwing: its type forbids that, but
 * one in JavaScript that does must not let anybody in.
 */
export async function askHook(
  hook: NonNullable<HandshakeContext["hook"]>,
  link: HandshakeLink,
): Promise<Claims> {
  const verdict: unknown = await hook(link);
  if (verdict === false) throw new MsgError("MSG_AUTH_REJECTED", "hook refused the peer");
  return (verdict as Claims | undefined) ?? {};
}

function unknownTo(protocols: readonly Protocol[], firstByte: number): MsgError {
  const names = protocols.map(({ name }) => name).join(", ");
  const byte = firstByte.toString(16).padStart(2, "0");
  return new MsgError("MSG_PROTOCOL", `peer's first byte is 0x${byte}, spoken here: ${names}`);
}
