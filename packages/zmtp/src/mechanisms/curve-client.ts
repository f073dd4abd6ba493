import { copyOf } from "@msg-ts/core/building";
import { MsgError } from "@msg-ts/core";
import type { CurveCrypto, CurveKeys } from "../crypto/curve-crypto.ts";
import { nodeCrypto } from "../crypto/node-crypto.ts";
import { commandName } from "../wire/command.ts";
import type { CommandLink } from "./command-link.ts";
import type { CurveKey } from "./curve-keys.ts";
import { keyBytes } from "./curve-keys.ts";
import {
  curve as wire,
  CurveCipher,
  joined,
  noncePrefix,
  nonceOf,
  readShortNonce,
  shortNonce,
} from "./curve-parts.ts";
import type { Mechanism, Secured } from "./mechanism.ts";
import { expectCommand } from "./mechanism.ts";

/** Who the server is, and who this side is. */
export interface CurveOptions {
  /** The server's public key: nothing is told to anybody who has not its secret one. */
  readonly serverKey: CurveKey;
  /**
   * The secret key of this side, whose public one the server may know.
   *
   * @defaultValue a new one: this side is nobody in particular
   */
  readonly secretKey?: CurveKey | undefined;
  /** @defaultValue X25519 of Node.js, Salsa20 and Poly1305 of `@noble/ciphers` */
  readonly crypto?: CurveCrypto | undefined;
}

interface Client {
  readonly crypto: CurveCrypto;
  readonly serverKey: Uint8Array;
  readonly keys: CurveKeys;
}

/**
 * The client's side of CURVE (RFC 26), whichever side dials: the server proves who it is, and
 * everything is sealed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`
 */
export function curve(options: CurveOptions): Mechanism {
  const crypto = options.crypto ?? nodeCrypto;
  const serverKey = keyBytes("serverKey", options.serverKey);
  const client: Client = { crypto, serverKey, keys: keysOf(crypto, options.secretKey) };
  return {
    name: "CURVE",
    isServer: false,
    provesPeer: false,
    hasAuthenticator: false,
    run: (link, metadata) => run(client, link, metadata),
  };
}

function keysOf(crypto: CurveCrypto, given: CurveKey | undefined): CurveKeys {
  if (given === undefined) return crypto.keyPair();
  const secretKey = keyBytes("secretKey", given);
  return { secretKey, publicKey: crypto.publicKeyOf(secretKey) };
}

async function run(client: Client, link: CommandLink, metadata: Uint8Array): Promise<Secured> {
  const { crypto, serverKey } = client;
  const transient = crypto.keyPair();
  const toServer = crypto.sharedKey(serverKey, transient.secretKey);
  link.write(commandName.hello, hello(crypto, transient.publicKey, toServer));
  const welcome = await answer(link, commandName.welcome, "its secret key may be another's");
  const { serverTransient, cookie } = openWelcome(crypto, welcome, toServer);
  const key = sharedWith(crypto, serverTransient, transient.secretKey);
  link.write(
    commandName.initiate,
    initiate(client, transient, serverTransient, cookie, key, metadata),
  );
  const ready = await answer(link, commandName.ready, "it may not let our key in");
  const readyCount = readyNonce(ready);
  const nonce = nonceOf(noncePrefix.ready, shortNonce(readyCount));
  const opened = crypto.open(ready.subarray(wire.readyBoxAt), nonce, key);
  if (opened === undefined) throw unopened(commandName.ready);
  const counts = { sentCount: 2, receivedCount: readyCount };
  return {
    metadata: opened,
    claims: {},
    cipher: new CurveCipher({ crypto, key, isServer: false, ...counts }),
  };
}

/** libzmq ends the connection without a word when it dislikes what it got. */
async function answer(link: CommandLink, name: string, why: string): Promise<Uint8Array> {
  const command = await link.read((cause) => {
    const text = `server ended the connection instead of its ${name}: ${why}`;
    return new MsgError("MSG_AUTH_REJECTED", text, { cause });
  });
  return copyOf(expectCommand(command, name));
}

function hello(crypto: CurveCrypto, transientKey: Uint8Array, toServer: Uint8Array): Uint8Array {
  const count = shortNonce(1);
  const zeros = new Uint8Array(wire.helloSignedBytes);
  const data = new Uint8Array(wire.helloBytes);
  data[0] = 1;
  data.set(transientKey, wire.helloKeyAt);
  data.set(count, wire.helloNonceAt);
  data.set(crypto.seal(zeros, nonceOf(noncePrefix.hello, count), toServer), wire.helloBoxAt);
  return data;
}

function openWelcome(
  crypto: CurveCrypto,
  welcome: Uint8Array,
  toServer: Uint8Array,
): { serverTransient: Uint8Array; cookie: Uint8Array } {
  if (welcome.length !== wire.welcomeBytes) throw unopened(commandName.welcome);
  const nonce = nonceOf(noncePrefix.welcome, welcome.subarray(0, wire.longNonceBytes));
  const opened = crypto.open(welcome.subarray(wire.longNonceBytes), nonce, toServer);
  if (opened === undefined) throw unopened(commandName.welcome);
  return {
    serverTransient: opened.subarray(0, wire.keyBytes),
    cookie: opened.subarray(wire.keyBytes),
  };
}

function initiate(
  { crypto, serverKey, keys }: Client,
  transient: CurveKeys,
  serverTransient: Uint8Array,
  cookie: Uint8Array,
  key: Uint8Array,
  metadata: Uint8Array,
): Uint8Array {
  const vouchNonce = crypto.randomBytes(wire.longNonceBytes);
  const vouch = crypto.seal(
    joined(transient.publicKey, serverKey),
    nonceOf(noncePrefix.vouch, vouchNonce),
    sharedWith(crypto, serverTransient, keys.secretKey),
  );
  const count = shortNonce(2);
  const plain = joined(keys.publicKey, vouchNonce, vouch, metadata);
  return joined(cookie, count, crypto.seal(plain, nonceOf(noncePrefix.initiate, count), key));
}

function readyNonce(ready: Uint8Array): number {
  if (ready.length < wire.readyBoxAt + wire.macBytes) throw unopened(commandName.ready);
  return readShortNonce(ready, 0);
}

function sharedWith(crypto: CurveCrypto, key: Uint8Array, secretKey: Uint8Array): Uint8Array {
  try {
    return crypto.sharedKey(key, secretKey);
  } catch (error) {
    throw new MsgError("MSG_PROTOCOL", "server's transient key is no key", { cause: error });
  }
}

function unopened(name: string): MsgError {
  return new MsgError("MSG_AUTH_REJECTED", `server's ${name} cannot be opened with serverKey`);
}
