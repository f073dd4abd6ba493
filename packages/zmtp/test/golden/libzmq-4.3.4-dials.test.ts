import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import type { Inproc } from "@msg-ts/transports/inproc";
import { DealerSocket, PairSocket, RouterSocket, XPubSocket, XSubSocket, zmtp } from "@msg-ts/zmtp";
import { describe, expect } from "vitest";
import { greeting, RawPeer, readyOf } from "../raw-peer.ts";
import { closing, inproc } from "../rig.ts";
import type { AnySocket } from "./capture.ts";
import { Capture, dial } from "./capture.ts";
import { allOf, meaning } from "./golden-log.ts";

const protocol = zmtp();

/** By their types: who is talked to, and what is made. */
const sockets: readonly (readonly [string, string, (transport: Inproc) => AnySocket])[] = [
  ["PUB", "SUB", (transport) => new PubSocket(transport, { protocol })],
  ["SUB", "PUB", subscribed],
  ["XPUB", "SUB", (transport) => new XPubSocket(transport)],
  ["REQ", "REP", (transport) => new ReqSocket(transport, { protocol })],
  ["REP", "REQ", (transport) => new RepSocket(transport, { protocol })],
  ["DEALER", "ROUTER", (transport) => new DealerSocket(transport)],
  ["ROUTER", "DEALER", (transport) => new RouterSocket(transport)],
  ["PUSH", "PULL", (transport) => new PushSocket(transport, { protocol })],
  ["PULL", "PUSH", (transport) => new PullSocket(transport, { protocol })],
  ["PAIR", "PAIR", (transport) => new PairSocket(transport)],
];

function subscribed(transport: Inproc): SubSocket {
  const sub = new SubSocket(transport, { protocol });
  void sub.subscribe("news.");
  return sub;
}

describe("libzmq 4.3.4 that dials: what it said, ours says", () => {
  const capture = new Capture("libzmq-4.3.4-dials.log");

  for (const [type, peer, make] of sockets) {
    capture.replay(type, async (steps) => {
      const expected = allOf(steps, "C");
      const transport = inproc();
      const accept = await RawPeer.accept(transport, "here");
      await closing(make(transport)).connect("here");
      const raw = await accept();
      raw.hex(greeting() + readyOf(peer));
      const heard = Buffer.from(await raw.take(expected.length), "hex");
      expect(meaning(heard)).toBe(meaning(expected));
    });
  }

  capture.replay(
    "REQ correlate + X- metadata",
    async (steps) => {
      const { heard } = await dial(steps, {
        make: (transport) =>
          new ReqSocket(transport, { protocol: zmtp({ metadata: { "X-hello": "world" } }) }),
        act: (req) => req.request("q", { timeoutMs: 1_000 }),
      });
      const expected = meaning(allOf(steps, "C"));
      const number = expected.length - 2 * 9;
      expect(heard.slice(0, number)).toBe(expected.slice(0, number));
      expect(heard.slice(number + 8)).toBe(expected.slice(number + 8));
    },
    "for the number itself, which is any",
  );

  capture.replay(
    "XSUB",
    async (steps) => {
      const transport = inproc();
      const accept = await RawPeer.accept(transport, "here");
      const xsub = closing(new XSubSocket(transport));
      await xsub.connect("here");
      const raw = await accept();
      raw.hex(greeting({ minor: 0 }) + readyOf("XPUB"));
      await xsub.ready();
      await xsub.send("\u0001xs");
      const expected = allOf(steps, "C");
      const heard = Buffer.from(await raw.take(expected.length), "hex");
      expect(meaning(heard)).toBe(meaning(expected));
    },
    "ours tells a subscription in the style of the peer's version: that is 3.0 here",
  );

  // An empty message once it is connected: with ours the application sends it.
  capture.replay("DEALER probe_router", async (steps) => {
    const { heard } = await dial(steps, {
      make: (transport) => new DealerSocket(transport),
      act: async (dealer) => {
        await dealer.ready();
        await dealer.send("");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  capture.leavesNothingOut();
});
