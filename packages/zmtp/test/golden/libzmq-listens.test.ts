import { PubSocket, PullSocket, RepSocket } from "@msg-ts/core";
import type { SocketEvents } from "@msg-ts/core";
import { bytes, hex, waitFor } from "@msg-ts/testing";
import { PairSocket, RouterSocket, XPubSocket, zmtp } from "@msg-ts/zmtp";
import { describe, expect } from "vitest";
import { greeting, RawPeer, readyOf } from "../raw-peer.ts";
import { closing, inproc, record, texts } from "../rig.ts";
import { Capture, listen } from "./capture.ts";
import type { Step } from "./golden-log.ts";
import { allOf, meaning, play } from "./golden-log.ts";

const protocol = zmtp();

/** The same said by an XPUB: one of ours can send the messages of one part that the capture has. */
function asXpub({ by, bytes: said }: Step): Step {
  const ofPub = ["04190552454144590b536f636b65742d54797065", "00000003505542"];
  const ofXpub = ["041a0552454144590b536f636b65742d54797065", "0000000458505542"];
  return { by, bytes: bytes(hex(said).replace(ofPub.join(""), ofXpub.join(""))) };
}

const pullSays = meaning(bytes(greeting() + readyOf("PULL")));

describe("libzmq 4.3.5 that listens: what it answered, ours answers", () => {
  const capture = new Capture("libzmq-listens.log");

  capture.replay(
    'ROUTER bind; raw DEALER with id "me"; ping with ctx; message; reply',
    async (steps) => {
      let got: string[] = [];
      const { heard } = await listen(steps, {
        make: (transport) => new RouterSocket(transport),
        act: async (router) => {
          got = texts((await router.receive()).parts);
          await router.send([got[0] ?? "", "pong", ""]);
        },
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
      expect(got).toEqual(["me", "part1", "part2"]);
    },
  );

  for (const title of [
    "ROUTER bind; raw DEALER without Identity",
    "ROUTER bind; lower-case property names",
  ]) {
    const isLower = title.includes("lower-case");
    capture.replay(
      title,
      async (steps) => {
        const { heard, socket } = await listen(steps, {
          make: (transport) => new RouterSocket(transport),
        });
        expect(heard).toBe(meaning(allOf(steps, "S")));
        const { parts } = await socket.receive();
        const [id = new Uint8Array(0), body] = parts;
        expect(String(body)).toBe("x");
        expect(isLower ? String(id) : [id.length, id[0]]).toEqual(isLower ? "me" : [5, 0]);
      },
      isLower ? "ours knows the peer by its name: libzmq reads names in one case only" : "",
    );
  }

  for (const [title, expected] of [
    ["REP bind; raw REQ: correct envelope, then message without delimiter", ["q", "q2"]],
    ["REP bind; raw DEALER two-hop envelope [A][B][][body]", ["q"]],
  ] as const) {
    capture.replay(title, async (steps) => {
      const got: string[] = [];
      const { heard } = await listen(steps, {
        make: (transport) => new RepSocket(transport, { protocol }),
        act: (rep) =>
          rep.serve((request) => {
            got.push(request.text());
            return request.text().replace("q", "a");
          }),
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
      expect(got).toEqual(expected);
    });
  }

  for (const title of [
    'PUB bind; raw SUB 3.1 SUBSCRIBE cmd "A" x2, one CANCEL, publish',
    "PUB bind; raw SUB announcing 3.0 using SUBSCRIBE command",
    "PUB bind; peer greeting major 4 minor 0",
  ]) {
    capture.replay(title, async (all) => {
      const steps = all.map(asXpub);
      const { heard } = await listen(steps, {
        make: (transport) => new XPubSocket(transport),
        act: async (pub) => {
          await pub.receive();
          await pub.send("A1");
        },
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
    });
  }

  capture.replay(
    "PUB bind; raw SUB announcing 3.1 but using old style 01 prefix",
    async (steps) => {
      const { heard } = await listen(steps, {
        make: (transport) => new PubSocket(transport, { protocol }),
        act: async (pub) => {
          await pub.waitForSubscriber("A1");
          await pub.publish("A1", "body");
        },
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
    },
  );

  for (const [title, expected] of [
    ["PULL bind; reserved flag bits set 0x08; then unknown command FOO; then msg", ["r", "m"]],
    ["PULL bind; short message sent with LONG frame (non-canonical)", ["A"]],
    ["PING with 20 byte context", []],
  ] as const) {
    capture.replay(title, async (steps) => {
      const got: string[] = [];
      const { heard } = await listen(steps, {
        make: (transport) => new PullSocket(transport, { protocol }),
        act: async (pull) => {
          for await (const job of pull) got.push(job.text());
        },
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
      await waitFor(() => got.length === expected.length, { what: "all arrived" });
      expect(got).toEqual(expected);
    });
  }

  capture.replay("PING TTL=1 s then silence", async (steps) => {
    let ends: SocketEvents["disconnected"][] = [];
    const { heard, raw } = await listen(steps, {
      make: (transport) => new PullSocket(transport, { protocol }),
      act: (pull) => {
        ends = record(pull, "disconnected");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
    await raw.over();
    await waitFor(() => ends.length > 0, { what: "it is told" });
    expect(ends[0]?.reason?.code).toBe("MSG_PEER_LOST");
    expect(ends[0]?.reason?.message).toContain("nothing for 1000 ms");
  });

  capture.replay(
    "PING TTL=70 s (700 ds) overflow?",
    async (steps) => {
      const { heard, raw } = await listen(steps, {
        make: (transport) => new PullSocket(transport, { protocol }),
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
      expect(raw.isOver).toBe(false);
    },
    "ours waits for 70 s, where libzmq's count overflows and it waits for 4.5 s",
  );

  // What libzmq said before it closed: as much of ours is compared, and then what follows.
  capture.replay(
    "PULL bind maxMessageSize 10; frame 11",
    async (steps) => {
      let ends: SocketEvents["disconnected"][] = [];
      const { heard, raw } = await listen(steps, {
        make: (transport) => new PullSocket(transport, { protocol, maxMessageBytes: 10 }),
        act: (pull) => {
          ends = record(pull, "disconnected");
        },
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
      await raw.over();
      expect(heard + hex(raw.received)).toBe(pullSays);
      await waitFor(() => ends.length > 0, { what: "it is told" });
      expect(ends[0]?.reason).toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: "peer announced a message of 11 bytes, maxMessageBytes is 10",
      });
    },
    "ours ends it at the frame: the limit is none of the handshake's",
  );

  capture.replay(
    "PULL bind maxMessageSize 10; READY itself > 10",
    async (steps) => {
      const { heard, raw, socket } = await listen(steps, {
        make: (transport) => new PullSocket(transport, { protocol, maxMessageBytes: 10 }),
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
      expect((await socket.receive()).text()).toBe("x");
      expect(raw.isOver).toBe(false);
    },
    "ours lets it in: the limit is none of the handshake's",
  );

  capture.replay("handshakeInterval 300: silent client", async (steps) => {
    let refused: SocketEvents["refused"][] = [];
    const { heard, raw } = await listen(steps, {
      make: (transport) => new PullSocket(transport, { protocol, handshakeTimeoutMs: 300 }),
      act: (pull) => {
        refused = record(pull, "refused");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
    await raw.over();
    await waitFor(() => refused.length > 0, { what: "it is told" });
    expect(refused[0]?.error).toMatchObject({ code: "MSG_HANDSHAKE_TIMEOUT" });
    expect(heard + hex(raw.received)).toBe(greeting());
  });

  capture.replay(
    "PAIR bind: second peer refused",
    async (steps) => {
      const transport = inproc();
      const pair = closing(new PairSocket(transport));
      const refused = record(pair, "refused");
      await pair.bind("here");
      const first = await RawPeer.dial(transport, "here");
      expect(await play(steps, "C", first)).toBe(meaning(allOf(steps, "S")));
      // libzmq says all of this to the second one too, and never hears it.
      const second = await RawPeer.dial(transport, "here");
      const said = await play(steps, "C", second);
      expect(meaning(allOf(steps, "S")).startsWith(said)).toBe(true);
      await second.over();
      await waitFor(() => refused.length > 0, { what: "it is told" });
      expect(refused[0]?.error.code).toBe("MSG_TOO_MANY_PEERS");
      expect([first.isOver, pair.peers.length]).toEqual([false, 1]);
    },
    "ours ends the connection and tells",
  );

  capture.leavesNothingOut();
});
