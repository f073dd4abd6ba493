import { RepSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import { joinBytes, waitFor } from "@msg-ts/testing";
import { DealerSocket, plain, plainServer, RouterSocket, XPubSocket, zmtp } from "@msg-ts/zmtp";
import type { Mechanism } from "@msg-ts/zmtp";
import { curve, curveServer, decodeZ85, nodeCrypto } from "@msg-ts/zmtp/curve";
import { describe, expect } from "vitest";
import { CommandLink } from "../../src/mechanisms/command-link.ts";
import { contextOf, TestHandshakeLink } from "../handshake-scene.ts";
import { closing, texts } from "../rig.ts";
import type { Shape } from "./bridge.ts";
import { bridge, shapesOf } from "./bridge.ts";
import { Capture, dial, listen } from "./capture.ts";
import type { Step } from "./golden-log.ts";
import { allOf, meaning } from "./golden-log.ts";

/** The keys of the capture, as its first lines tell them. */
const keys = {
  server: {
    publicKey: "q4t$*)[OaVa?{XMXvh@U&=+>t!AfZNN[o:5!cHsF",
    secretKey: "@Z{k4i7i&BeN(R@wNh{[5GsVdlq+S}i=%#Tgg1b?",
  },
  client: {
    publicKey: ">4.:xW9zxPt#@SCU<b+l..nQTgqw^&yAOdDfxzH<",
    secretKey: "c9(TMQHZg#esOAEZ9##)y3+qP>]dDc55or)7ce2S",
  },
} as const;

function authenticate({ password }: { readonly password: string }): boolean {
  return password === "secret";
}

const server: Mechanism = curveServer({
  secretKey: keys.server.secretKey,
  authenticate: ({ publicKeyText }) => publicKeyText === keys.client.publicKey,
});
const client: Mechanism = curve({
  serverKey: keys.server.publicKey,
  secretKey: keys.client.secretKey,
});

const shapes = (steps: readonly Step[], by: "C" | "S"): readonly Shape[] =>
  shapesOf(allOf(steps, by));

/** When a message comes between the PINGs, only the clock knows. */
function withoutTurns(all: readonly Shape[]): unknown {
  return {
    handshake: all.slice(0, 2),
    numbers: all.slice(2).map(({ flags, clear }) => ({ flags, clear })),
    lengths: [...new Set(all.slice(2).map(({ length }) => length))].toSorted((a, b) => a - b),
  };
}

/** HELLO and WELCOME of a capture are opened by the server's key: that is as far as keys are known. */
async function opensHelloAndWelcome(steps: readonly Step[]): Promise<void> {
  const hello = allOf(steps, "C").subarray(64, 64 + 202);
  const link = new TestHandshakeLink();
  link.push(hello);
  const run = server.run(new CommandLink(link), new Uint8Array(0), contextOf("REP"));
  await waitFor(() => link.written.length > 0, { what: "HELLO is answered" });
  expect(link.written[0]).toHaveLength(170);
  link.end();
  await expect(run).rejects.toMatchObject({ code: "MSG_PEER_LOST" });

  const welcome = allOf(steps, "S").subarray(64 + 2 + 8, 64 + 170);
  const clientTransient = hello.subarray(2 + 80, 2 + 112);
  const key = nodeCrypto.sharedKey(clientTransient, decodeZ85(keys.server.secretKey));
  const nonce = joinBytes([new TextEncoder().encode("WELCOME-"), welcome.subarray(0, 16)]);
  expect(nodeCrypto.open(welcome.subarray(16), nonce, key)).toHaveLength(32 + 96);
}

describe("PLAIN and CURVE between two libzmq: what either said, ours says", () => {
  const capture = new Capture("libzmq-plain-curve.log");

  for (const [title, password] of [
    ["PLAIN ok: REQ->REP", "secret"],
    ["PLAIN bad password (ZAP 400)", "wrong"],
  ] as const) {
    capture.replay(title, async (steps) => {
      const asClient = await dial(steps, {
        make: (transport) => {
          const security = plain({ username: "admin", password });
          return new ReqSocket(transport, { protocol: zmtp({ security, correlate: false }) });
        },
        act: (req) => req.request("hi", { timeoutMs: 1_000 }),
      });
      expect(asClient.heard).toBe(meaning(allOf(steps, "C")));
      const asServer = await listen(steps, {
        make: (transport) => {
          const security = plainServer({ authenticate });
          return new RepSocket(transport, { protocol: zmtp({ security }) });
        },
        act: (rep) => rep.serve(() => "yo"),
      });
      expect(asServer.heard).toBe(meaning(allOf(steps, "S")));
    });
  }

  // Every connection has keys and nonces of its own, which no capture tells, so that what is sealed is
  // never the same again. The length and the clear part of every frame are; the sealed bytes of a session
  // whose keys are known are those of curve-vector.test.ts.
  const but = "for what is sealed";

  capture.replay(
    'CURVE ok: DEALER->ROUTER sends "hi", 2 parts',
    async (steps) => {
      await opensHelloAndWelcome(steps);
      const { inner, outer, said } = await bridge();
      const router = closing(new RouterSocket(inner, { security: server }));
      const dealer = closing(new DealerSocket(outer, { security: client, identity: "me" }));
      await router.bind("here");
      await dealer.connect("here");
      await dealer.ready();
      await dealer.send(["hi", "2"]);
      expect(texts((await router.receive()).parts)).toEqual(["me", "hi", "2"]);
      await router.send(["me", "yo"]);
      expect(texts((await dealer.receive()).parts)).toEqual(["yo"]);
      expect(shapesOf(joinBytes(said.C))).toEqual(shapes(steps, "C"));
      expect(shapesOf(joinBytes(said.S))).toEqual(shapes(steps, "S"));
    },
    but,
  );

  capture.replay(
    "CURVE SUB->PUB subscribe A",
    async (steps) => {
      await opensHelloAndWelcome(steps);
      const { inner, outer, said } = await bridge();
      // The publisher of the capture sends a PING every 100 ms, and a message of one part.
      const heartbeat = { intervalMs: 100, timeoutMs: 30_000 };
      const pub = closing(new XPubSocket(inner, { security: server, heartbeat }));
      const sub = closing(new SubSocket(outer, { protocol: zmtp({ security: client }) }));
      await pub.bind("here");
      await sub.connect("here");
      void sub.subscribe("A");
      expect(texts((await pub.receive()).parts)).toEqual(["\u0001A"]);
      await pub.send("A1");
      expect((await sub.receive()).topic).toBe("A1");
      const wanted = { C: shapes(steps, "C"), S: shapes(steps, "S") };
      const found = (by: "C" | "S"): readonly Shape[] => shapesOf(joinBytes(said[by]));
      await waitFor(() => found("C").length >= wanted.C.length, { what: "PINGs are answered" });
      await waitFor(() => found("S").length >= wanted.S.length, { what: "PINGs are sent" });
      // READY of an XPUB, which can send the message, has one letter more than that of a PUB.
      const asXpub = wanted.S.map((shape) =>
        shape.clear.startsWith("READY") ? { ...shape, length: shape.length + 1 } : shape,
      );
      expect(found("C").slice(0, wanted.C.length)).toEqual(wanted.C);
      expect(withoutTurns(found("S").slice(0, wanted.S.length))).toEqual(withoutTurns(asXpub));
    },
    but,
  );

  capture.leavesNothingOut();
});
