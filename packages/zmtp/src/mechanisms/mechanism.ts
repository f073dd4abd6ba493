import type { AuthRequest, CandidatePeer, Claims, HandshakeContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Cipher } from "../wire/frame-writer.ts";
import type { Command } from "../wire/command.ts";
import { commandName, reasonOf } from "../wire/command.ts";
import type { CommandLink } from "./command-link.ts";

/** What a mechanism found out about its peer. */
export interface Secured {
  /** The peer's metadata, as it is on the wire. */
  readonly metadata: Uint8Array;
  readonly claims: Claims;
  /** Seals everything from now on. */
  readonly cipher?: Cipher;
}

/** What runs between the greeting and the first message (RFC 37, "security"). */
export interface Mechanism {
  /** As in the greeting: `NULL`, `PLAIN` or `CURVE`. */
  readonly name: string;
  /** Whether this side is the one that is asked for access; not the same as who dialed. */
  readonly isServer: boolean;
  /** Whether it proves to this side who the peer is. */
  readonly provesPeer: boolean;
  /** Whether it decides itself about peers, so that the socket's authenticator cannot. */
  readonly hasAuthenticator: boolean;
  /**
   * Runs the handshake behind the greetings.
   *
   * @param metadata - ours, as it is to be on the wire.
   *
   * Rejects with `MSG_AUTH_REJECTED`, `MSG_AUTH_FAILED` or `MSG_PROTOCOL`.
   */
  run(link: CommandLink, metadata: Uint8Array, context: HandshakeContext): Promise<Secured>;
}

/** Who is asked about a peer, and with what. */
export type Ask<Proof> = (
  proof: Proof & { readonly peer: CandidatePeer; readonly signal: AbortSignal },
) => boolean | Claims | Promise<boolean | Claims>;

/** The status of a refusal that libzmq knows (RFC 27). */
export const refusedStatus = "400";

/** The status of an authenticator that failed. */
export const failedStatus = "500";

/**
 * Has a peer decided upon. Anything but a clear yes is a no.
 *
 * Rejects with `MSG_AUTH_REJECTED` or, when who was asked failed, with `MSG_AUTH_FAILED`.
 */
export async function decide(
  ask: () => boolean | Claims | Promise<boolean | Claims>,
  who: string,
  claimsOfYes: Claims,
): Promise<Claims> {
  let verdict: unknown;
  try {
    verdict = await ask();
  } catch (error) {
    throw new MsgError("MSG_AUTH_FAILED", "authenticator failed", { cause: error });
  }
  if (verdict === true) return claimsOfYes;
  if (typeof verdict === "object" && verdict !== null) return verdict as Claims;
  throw new MsgError("MSG_AUTH_REJECTED", `authenticator rejected ${who}`);
}

/** What the authenticator of a socket is asked about a peer that proved something by a mechanism. */
export function authRequest(
  mechanism: Mechanism,
  token: Uint8Array,
  link: CommandLink,
  username?: string,
): AuthRequest {
  const { peer, signal } = link;
  return { token, mechanism: mechanism.name, peer, signal, username };
}

/** The command that is due. @throws MsgError `MSG_AUTH_REJECTED` for an ERROR, `MSG_PROTOCOL` for another. */
export function expectCommand(command: Command, name: string): Uint8Array {
  if (command.name === name) return command.data;
  if (command.name === commandName.error) throw refusedByPeer(command);
  const shown = command.name.replaceAll(/[^A-Za-z0-9_-]/g, "?").slice(0, 40);
  throw new MsgError("MSG_PROTOCOL", `peer sent ${shown} in its handshake, ${name} is due`);
}

function refusedByPeer(command: Command): MsgError {
  const reason = reasonOf(command);
  const meaning = reason === refusedStatus ? " (not authenticated)" : "";
  return new MsgError("MSG_AUTH_REJECTED", `peer refused the handshake: ${reason}${meaning}`);
}
