import { allocate, copyOf, decodeText, emptyBytes, encodeText } from "@msg-ts/core/building";
import type { Claims, HandshakeContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { commandName, encodeMisspeltError } from "../wire/command.ts";
import type { CommandLink } from "./command-link.ts";
import type { Ask, Mechanism, Secured } from "./mechanism.ts";
import { authRequest, decide, expectCommand, failedStatus, refusedStatus } from "./mechanism.ts";

/** Who this side is, to a PLAIN server. Both go over the connection as they are: use TLS below. */
export interface PlainOptions {
  /** At most 255 bytes. */
  readonly username: string;
  /** At most 255 bytes. */
  readonly password: string;
}

/** How a PLAIN server decides. */
export interface PlainServerOptions {
  /**
   * Whether a peer is let in. True means as `{ identity: username }`.
   *
   * @defaultValue the socket's `authenticator`, which is asked with the password as the token
   */
  readonly authenticate?: Ask<{ readonly username: string; readonly password: string }> | undefined;
}

const maxBytes = 255;

/**
 * The client's side of PLAIN (RFC 24), whichever side dials.
 *
 * @throws MsgError `MSG_INVALID_OPTION`
 */
export function plain({ username, password }: PlainOptions): Mechanism {
  const hello = encodeHello(username, password);
  return {
    name: "PLAIN",
    isServer: false,
    provesPeer: false,
    hasAuthenticator: false,
    run: (link, metadata) => runClient(link, metadata, hello),
  };
}

/** The server's side of PLAIN, whichever side dials. */
export function plainServer({ authenticate }: PlainServerOptions = {}): Mechanism {
  if (authenticate !== undefined && typeof authenticate !== "function") {
    throw new MsgError("MSG_INVALID_OPTION", "authenticate must be a function");
  }
  const mechanism: Mechanism = {
    name: "PLAIN",
    isServer: true,
    provesPeer: true,
    hasAuthenticator: authenticate !== undefined,
    run: (link, metadata, context) => runServer(mechanism, link, metadata, context, authenticate),
  };
  return mechanism;
}

async function runClient(
  link: CommandLink,
  metadata: Uint8Array,
  hello: Uint8Array,
): Promise<Secured> {
  link.write(commandName.hello, hello);
  expectCommand(await link.read(), commandName.welcome);
  link.write(commandName.initiate, metadata);
  return { metadata: expectCommand(await link.read(), commandName.ready), claims: {} };
}

async function runServer(
  mechanism: Mechanism,
  link: CommandLink,
  metadata: Uint8Array,
  { authenticator }: HandshakeContext,
  authenticate: PlainServerOptions["authenticate"],
): Promise<Secured> {
  const hello = copyOf(expectCommand(await link.read(), commandName.hello));
  const { username, password } = decodeHello(hello);
  const { peer, signal } = link;
  const name = decodeText(username);
  let claims: Claims;
  try {
    claims = await decide(
      () => {
        if (authenticate !== undefined) {
          return authenticate({ username: name, password: decodeText(password), peer, signal });
        }
        return authenticator?.(authRequest(mechanism, password, link, name)) ?? false;
      },
      "the peer's username and password",
      { identity: name },
    );
  } catch (error) {
    const status = MsgError.is(error, "MSG_AUTH_REJECTED") ? refusedStatus : failedStatus;
    // As libzmq spells it: its clients take nothing else for a refusal.
    link.writeBody(encodeMisspeltError(status));
    throw error;
  }
  link.write(commandName.welcome, emptyBytes);
  const initiate = copyOf(expectCommand(await link.read(), commandName.initiate));
  link.write(commandName.ready, metadata);
  return { metadata: initiate, claims };
}

/** HELLO: length of the name (1), name, length of the password (1), password. */
function encodeHello(username: string, password: string): Uint8Array {
  const name = checked("username", username);
  const secret = checked("password", password);
  const data = allocate(2 + name.length + secret.length);
  data[0] = name.length;
  data.set(name, 1);
  data[1 + name.length] = secret.length;
  data.set(secret, 2 + name.length);
  return data;
}

function checked(option: string, text: unknown): Uint8Array {
  if (typeof text === "string") {
    const bytes = encodeText(text);
    if (bytes.length <= maxBytes) return bytes;
    const found = `${option} has ${bytes.length} bytes, must be at most ${maxBytes}`;
    throw new MsgError("MSG_INVALID_OPTION", found);
  }
  throw new MsgError("MSG_INVALID_OPTION", `${option} must be a string`);
}

function decodeHello(data: Uint8Array): { username: Uint8Array; password: Uint8Array } {
  const [nameLength = 0] = data;
  const passwordOffset = 2 + nameLength;
  const passwordLength = data[passwordOffset - 1];
  if (passwordLength === undefined || passwordOffset + passwordLength !== data.length) {
    throw new MsgError("MSG_PROTOCOL", "peer's HELLO is not a username and a password");
  }
  return {
    username: data.subarray(1, 1 + nameLength),
    password: data.subarray(passwordOffset),
  };
}
