import { readFileSync } from "node:fs";
import { SubSocket } from "@msg-ts/core";
import { bytes, hex, joinBytes, waitFor } from "@msg-ts/testing";
import { XPubSocket, zmtp } from "@msg-ts/zmtp";
import type { CurveCrypto } from "@msg-ts/zmtp/curve";
import { curve, curveKeyPair, curveServer, nodeCrypto } from "@msg-ts/zmtp/curve";
import { describe, expect, it } from "vitest";
import { closing } from "../rig.ts";
import { bridge, shapesOf } from "./bridge.ts";

const keys = curveKeyPair();
const line = /^4\.3\.4 SUB, server minor (\d) : outer flags (\d+) inner flags (\d+) ("[^"]*")$/;

interface Sealed {
  readonly outer: number;
  readonly inner: number;
  readonly text: string;
}

/** By the minor version of the server. */
function captured(): ReadonlyMap<number, readonly Sealed[]> {
  const found = new Map<number, Sealed[]>();
  const text = readFileSync(new URL("libzmq-4.3.4-curve-sub.log", import.meta.url), "utf8");
  for (const each of text.split("\n").filter((some) => some !== "")) {
    const [, minor, outer, inner, json = ""] = line.exec(each) ?? [];
    const said = found.get(Number(minor)) ?? [];
    found.set(Number(minor), said);
    said.push({
      outer: Number(outer),
      inner: Number(inner),
      text: JSON.parse(json) as string,
    });
  }
  return found;
}

/** Node's, which writes down what is sealed as a client's message. */
function listening(): { readonly crypto: CurveCrypto; readonly plains: string[] } {
  const plains: string[] = [];
  const seal: CurveCrypto["seal"] = (plain, nonce, key) => {
    if (hex(nonce).startsWith(hex(new TextEncoder().encode("CurveZMQMESSAGEC")))) {
      plains.push(hex(plain));
    }
    return nodeCrypto.seal(plain, nonce, key);
  };
  return { crypto: { ...nodeCrypto, seal }, plains };
}

describe("a SUB of libzmq 4.3.4 over CURVE: what it seals, ours seals", () => {
  for (const [minor, expected] of captured()) {
    it(`to a publisher of 3.${minor}`, async () => {
      const { inner, outer, said } = await bridge({
        // Ours is of 3.1: the version is changed on the way.
        alter: (chunk, at) => {
          if (at === 0 && chunk.length >= 12) chunk[11] = minor;
          return chunk;
        },
      });
      const pub = closing(
        new XPubSocket(inner, { security: curveServer({ secretKey: keys.secretKey }) }),
      );
      const { crypto, plains } = listening();
      const security = curve({ serverKey: keys.publicKey, crypto });
      const sub = closing(new SubSocket(outer, { protocol: zmtp({ security }) }));
      await pub.bind("here");
      await sub.connect("here");
      await sub.ready();
      void sub.subscribe("A");
      sub.unsubscribe("A");
      await waitFor(() => plains.length >= expected.length, { what: "both are sealed" });
      const messages = (): readonly { readonly flags: number }[] =>
        shapesOf(joinBytes(said.C)).filter(({ clear }) => clear.startsWith("MESSAGE"));
      await waitFor(() => messages().length >= expected.length, { what: "both are sent" });
      const found = messages().map(({ flags }, i): Sealed => {
        const plain = bytes(plains[i] ?? "");
        const text = Buffer.from(plain.subarray(1)).toString("latin1");
        return { outer: flags, inner: plain[0] ?? -1, text };
      });
      expect(found).toEqual(expected);
    });
  }

  it("is two versions, each of two lines", () => {
    expect([...captured()].map(([minor, said]) => [minor, said.length])).toEqual([
      [1, 2],
      [0, 2],
    ]);
  });
});
