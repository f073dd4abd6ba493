import { readFileSync } from "node:fs";
import { bytes, hex } from "@msg-ts/testing";
import { curve, curveServer, decodeZ85, encodeZ85, nodeCrypto } from "@msg-ts/zmtp/curve";
import type { CurveCrypto } from "@msg-ts/zmtp/curve";
import { describe, expect, it } from "vitest";
import { CommandLink } from "../../src/mechanisms/command-link.ts";
import { CurveCipher } from "../../src/mechanisms/curve-parts.ts";
import { decodeMetadata } from "../../src/wire/metadata.ts";
import { contextOf, linkPair, TestHandshakeLink } from "../handshake-scene.ts";

/** A session of libzmq 4.3.5 with a client of fixed keys; the bytes of S are libzmq's own. */
const vector = JSON.parse(readFileSync(new URL("curve-vector.json", import.meta.url), "utf8")) as {
  readonly server: Record<"secret" | "public" | "secretZ85" | "publicZ85", string>;
  readonly client: Record<
    "secret" | "public" | "publicZ85" | "transientSecret" | "transientPublic",
    string
  >;
  readonly C_HELLO: string;
  readonly S_WELCOME: string;
  readonly S_transientPublic: string;
  readonly precomputedKey: string;
  readonly vouchNonce: string;
  readonly C_INITIATE: string;
  readonly S_READY: string;
  readonly S_READY_plain: string;
  readonly C_MESSAGE_part1_more: string;
  readonly C_MESSAGE_part2: string;
  readonly S_MESSAGE: string;
  readonly S_MESSAGE_plain: readonly string[];
};

/** The client's random choices of the session. */
const fixedCrypto: CurveCrypto = {
  ...nodeCrypto,
  keyPair: () => ({
    secretKey: bytes(vector.client.transientSecret),
    publicKey: bytes(vector.client.transientPublic),
  }),
  randomBytes: () => bytes(vector.vouchNonce),
};

/** What the client said is metadata of a DEALER called "me", as it was sent. */
const clientMetadata = bytes(
  "0b 536f636b65742d54797065 00000006 4445414c4552 08 4964656e74697479 00000002 6d65",
);

const key = bytes(vector.precomputedKey);

function bodyOf(frame: string): Uint8Array {
  const all = bytes(frame);
  return all.subarray((all[0] as number) & 2 ? 9 : 2);
}

describe("keys of the vector", () => {
  it("are the public ones of their secrets", () => {
    for (const { secret, public: publicKey } of [vector.server, vector.client]) {
      expect(hex(nodeCrypto.publicKeyOf(bytes(secret)))).toBe(publicKey);
    }
    const { transientSecret, transientPublic } = vector.client;
    expect(hex(nodeCrypto.publicKeyOf(bytes(transientSecret)))).toBe(transientPublic);
  });

  it("are the same in Z85", () => {
    expect(encodeZ85(bytes(vector.server.public))).toBe(vector.server.publicZ85);
    expect(encodeZ85(bytes(vector.client.public))).toBe(vector.client.publicZ85);
    expect(hex(decodeZ85(vector.server.secretZ85))).toBe(vector.server.secret);
  });

  it("give the shared key, as NaCl's beforenm does", () => {
    const shared = nodeCrypto.sharedKey(
      bytes(vector.S_transientPublic),
      bytes(vector.client.transientSecret),
    );
    expect(hex(shared)).toBe(vector.precomputedKey);
  });
});

describe("our client with the choices of the session", () => {
  it("says what that client said, and opens all that libzmq answered", async () => {
    const link = new TestHandshakeLink();
    const mechanism = curve({
      serverKey: vector.server.publicZ85,
      secretKey: bytes(vector.client.secret),
      crypto: fixedCrypto,
    });
    link.push(bytes(vector.S_WELCOME));
    link.push(bytes(vector.S_READY));
    const secured = await mechanism.run(new CommandLink(link), clientMetadata, contextOf("DEALER"));
    expect(link.written.map(hex)).toEqual([vector.C_HELLO, vector.C_INITIATE]);
    expect(hex(secured.metadata)).toBe(vector.S_READY_plain);
    const { cipher } = secured;
    expect(hex(cipher?.seal(true, false, bytes("7061727431")) ?? bytes(""))).toBe(
      vector.C_MESSAGE_part1_more.slice(4),
    );
    expect(hex(cipher?.seal(false, false, bytes("7061727432")) ?? bytes(""))).toBe(
      vector.C_MESSAGE_part2.slice(4),
    );
    const opened = cipher?.open(bodyOf(vector.S_MESSAGE));
    expect(opened).toMatchObject({ isMore: false, isCommand: false });
    expect(`00${hex(opened?.body ?? bytes(""))}`).toBe(vector.S_MESSAGE_plain[0]);
  });
});

describe("the server's side of the session", () => {
  it("opens what the client sealed, and seals what libzmq sealed", () => {
    const cipher = new CurveCipher({
      crypto: nodeCrypto,
      key,
      isServer: true,
      sentCount: 1,
      receivedCount: 2,
    });
    const first = cipher.open(bodyOf(vector.C_MESSAGE_part1_more));
    const second = cipher.open(bodyOf(vector.C_MESSAGE_part2));
    expect([first.isMore, hex(first.body)]).toEqual([true, "7061727431"]);
    expect([second.isMore, hex(second.body)]).toEqual([false, "7061727432"]);
    expect(hex(cipher.seal(false, false, bytes("7265706c79")))).toBe(vector.S_MESSAGE.slice(4));
  });

  it("lets the client of the session in with its HELLO, and reads its metadata", async () => {
    // The cookie and the transient key of that server are not known: ours go on from its HELLO.
    const [link, other] = linkPair();
    const seen: string[] = [];
    const server = curveServer({
      secretKey: bytes(vector.server.secret),
      authenticate: ({ publicKeyText }) => {
        seen.push(publicKeyText);
        return true;
      },
    });
    const client = curve({
      serverKey: bytes(vector.server.public),
      secretKey: bytes(vector.client.secret),
      crypto: fixedCrypto,
    });
    const [secured] = await Promise.all([
      server.run(new CommandLink(link), bytes(vector.S_READY_plain), contextOf("ROUTER")),
      client.run(new CommandLink(other), clientMetadata, contextOf("DEALER")),
    ]);
    expect(hex(other.written[0] ?? bytes(""))).toBe(vector.C_HELLO);
    expect(seen).toEqual([vector.client.publicZ85]);
    expect(secured.claims).toEqual({ identity: vector.client.publicZ85 });
    expect(hex(decodeMetadata(secured.metadata).get("identity") ?? bytes(""))).toBe("6d65");
  });
});
