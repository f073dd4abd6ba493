import { copyOf } from "@msg-ts/core/building";
import type { Claims, HandshakeContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { CurveCrypto } from "../crypto/curve-crypto.ts";
import { nodeCrypto } from "../crypto/node-crypto.ts";
import { encodeZ85 } from "../crypto/z85.ts";
import { commandName, encodeError } from "../wire/command.ts";
import type { CommandLink } from "./command-link.ts";
import type { CurveKey } from "./curve-keys.ts";
import { keyBytes } from "./curve-keys.ts";
import {
  curve as wire,
  CurveCipher,
  isSameKey,
  joined,
  noncePrefix,
  nonceOf,
  readShortNonce,
  shortNonce,
} from "./curve-parts.ts";
import type { Ask, Mechanism, Secured } from "./mechanism.ts";
import { authRequest, decide, expectCommand, failedStatus, refusedStatus } from "./mechanism.ts";

/** Who this server is, and whom it lets in. */
export interface CurveServerOptions {
  /** The secret key, whose public one clients know. */
  readonly secretKey: CurveKey;
  /**
   * Whether a client is let in, by the public key that it proved to have the secret one of: its 32
   * bytes, and as Z85. True means as `{ identity }` with the Z85.
   *
   * @defaultValue the socket's `authenticator`, which is asked with the key's bytes as the token;
   *   where there is none, everybody who knows the server's key
   */
  readonly authenticate?:
    | Ask<{ readonly publicKey: Uint8Array; readonly publicKeyText: string }>
    | undefined;
  /** @defaultValue X25519 of Node.js, Salsa20 and Poly1305 of `@noble/ciphers` */
  readonly crypto?: CurveCrypto | undefined;
}

interface Server {
  readonly mechanism: Mechanism;
  readonly crypto: CurveCrypto;
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly authenticate: CurveServerOptions["authenticate"];
}

/**
 * The server's side of CURVE (RFC 26), whichever side dials.
 *
 * @throws MsgError `MSG_INVALID_OPTION`
 */
export function curveServer(options: CurveServerOptions): Mechanism {
  const { authenticate, crypto = nodeCrypto } = options;
  if (authenticate !== undefined && typeof authenticate !== "function") {
    throw new MsgError("MSG_INVALID_OPTION", "authenticate must be a function");
  }
  const secretKey = keyBytes("secretKey", options.secretKey);
  const publicKey = crypto.publicKeyOf(secretKey);
  const mechanism: Mechanism = {
    name: "CURVE",
    isServer: true,
    provesPeer: true,
    hasAuthenticator: authenticate !== undefined,
    run: (link, metadata, context) => {
      return run(
        { mechanism, crypto, secretKey, publicKey, authenticate },
        link,
        metadata,
        context,
      );
    },
  };
  return mechanism;
}

async function run(
  server: Server,
  link: CommandLink,
  metadata: Uint8Array,
  context: HandshakeContext,
): Promise<Secured> {
  const { crypto } = server;
  const hello = copyOf(expectCommand(await link.read(), commandName.hello));
  const clientTransient = hello.subarray(wire.helloKeyAt, wire.helloNonceAt);
  const toClient = openHello(server, hello, clientTransient);
  const transient = crypto.keyPair();
  const cookieKey = crypto.randomBytes(wire.keyBytes);
  const cookie = cookieOf(crypto, clientTransient, transient.secretKey, cookieKey);
  const welcomeNonce = crypto.randomBytes(wire.longNonceBytes);
  const welcome = crypto.seal(
    joined(transient.publicKey, cookie),
    nonceOf(noncePrefix.welcome, welcomeNonce),
    toClient,
  );
  link.write(commandName.welcome, joined(welcomeNonce, welcome));
  const key = crypto.sharedKey(clientTransient, transient.secretKey);
  const initiate = copyOf(expectCommand(await link.read(), commandName.initiate));
  const opened = openInitiate(server, initiate, cookie, key);
  const clientKey = opened.plain.subarray(0, wire.keyBytes);
  checkVouch(server, opened.plain, clientKey, clientTransient, transient.secretKey);
  const claims = await admit(server, link, clientKey, context);
  const count = shortNonce(1);
  const ready = crypto.seal(metadata, nonceOf(noncePrefix.ready, count), key);
  link.write(commandName.ready, joined(count, ready));
  const counts = { sentCount: 1, receivedCount: opened.count };
  return {
    metadata: opened.plain.subarray(wire.initiateMetadataAt),
    claims,
    cipher: new CurveCipher({ crypto, key, isServer: true, ...counts }),
  };
}

/** Gives the key shared with the client's transient one. */
function openHello(
  { crypto, secretKey }: Server,
  hello: Uint8Array,
  clientTransient: Uint8Array,
): Uint8Array {
  if (hello.length !== wire.helloBytes || hello[0] !== 1) {
    throw new MsgError("MSG_PROTOCOL", "client's HELLO is malformed, or of another version");
  }
  const shared = sharedWith(crypto, clientTransient, secretKey);
  const nonce = nonceOf(noncePrefix.hello, hello.subarray(wire.helloNonceAt, wire.helloBoxAt));
  const opened = crypto.open(hello.subarray(wire.helloBoxAt), nonce, shared);
  if (opened !== undefined && opened.length === wire.helloSignedBytes) return shared;
  const text = "client's HELLO cannot be opened: it was made for another server's key";
  throw new MsgError("MSG_AUTH_REJECTED", text);
}

function cookieOf(
  crypto: CurveCrypto,
  clientTransient: Uint8Array,
  transientSecret: Uint8Array,
  cookieKey: Uint8Array,
): Uint8Array {
  const cookieNonce = crypto.randomBytes(wire.longNonceBytes);
  const plain = joined(clientTransient, transientSecret);
  return joined(
    cookieNonce,
    crypto.seal(plain, nonceOf(noncePrefix.cookie, cookieNonce), cookieKey),
  );
}

/** The connection is kept meanwhile, so that a cookie is right when it is the one that was given. */
function openInitiate(
  { crypto }: Server,
  initiate: Uint8Array,
  cookie: Uint8Array,
  key: Uint8Array,
): { plain: Uint8Array; count: number } {
  const least = wire.initiateBoxAt + wire.macBytes + wire.initiateMetadataAt;
  if (initiate.length < least || !isSameKey(cookie, initiate.subarray(0, wire.cookieBytes))) {
    throw new MsgError("MSG_PROTOCOL", "client's INITIATE is malformed, or has another's cookie");
  }
  const count = readShortNonce(initiate, wire.initiateNonceAt);
  const nonce = nonceOf(
    noncePrefix.initiate,
    initiate.subarray(wire.initiateNonceAt, wire.initiateBoxAt),
  );
  const plain = crypto.open(initiate.subarray(wire.initiateBoxAt), nonce, key);
  if (plain === undefined) throw new MsgError("MSG_PROTOCOL", "client's INITIATE cannot be opened");
  return { plain, count };
}

/** The client's long-term key vouches for its transient one, towards this server only. */
function checkVouch(
  { crypto, publicKey }: Server,
  plain: Uint8Array,
  clientKey: Uint8Array,
  clientTransient: Uint8Array,
  transientSecret: Uint8Array,
): void {
  const vouchNonce = nonceOf(noncePrefix.vouch, plain.subarray(wire.vouchNonceAt, wire.vouchAt));
  const vouch = crypto.open(
    plain.subarray(wire.vouchAt, wire.initiateMetadataAt),
    vouchNonce,
    sharedWith(crypto, clientKey, transientSecret),
  );
  if (vouch !== undefined && isSameKey(joined(clientTransient, publicKey), vouch)) return;
  throw new MsgError("MSG_AUTH_REJECTED", "client does not prove that its key is its own");
}

async function admit(
  { authenticate, mechanism }: Server,
  link: CommandLink,
  clientKey: Uint8Array,
  { authenticator }: HandshakeContext,
): Promise<Claims> {
  const publicKey = copyOf(clientKey);
  const publicKeyText = encodeZ85(publicKey);
  const { peer, signal } = link;
  try {
    return await decide(
      () => {
        if (authenticate !== undefined) {
          return authenticate({ publicKey, publicKeyText, peer, signal });
        }
        return authenticator?.(authRequest(mechanism, publicKey, link)) ?? true;
      },
      "the client's key",
      { identity: publicKeyText },
    );
  } catch (error) {
    const status = MsgError.is(error, "MSG_AUTH_REJECTED") ? refusedStatus : failedStatus;
    link.writeBody(encodeError(status));
    throw error;
  }
}

function sharedWith(crypto: CurveCrypto, key: Uint8Array, secretKey: Uint8Array): Uint8Array {
  try {
    return crypto.sharedKey(key, secretKey);
  } catch (error) {
    throw new MsgError("MSG_PROTOCOL", "client's key is no key", { cause: error });
  }
}
