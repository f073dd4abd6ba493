import { PushSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import type { SocketEvents } from "@msg-ts/core";
import { hex, waitFor } from "@msg-ts/testing";
import { DealerSocket, PairSocket, zmtp } from "@msg-ts/zmtp";
import { describe, expect } from "vitest";
import { greeting } from "../raw-peer.ts";
import { record } from "../rig.ts";
import { Capture, dial } from "./capture.ts";
import { allOf, meaning } from "./golden-log.ts";

const protocol = zmtp();
const signatureBytes = 10;

describe("libzmq 4.3.5 that dials: what it said, ours says", () => {
  const capture = new Capture("libzmq-dials.log");

  capture.replay(
    "silent server: DEALER connect",
    async (steps) => {
      const { heard, raw } = await dial(steps, {
        make: (transport) => new DealerSocket(transport),
      });
      expect(heard).toBe(meaning(allOf(steps, "C")));
      // Trap 1: a peer that waits for our whole greeting is no reason to wait for it.
      expect(await raw.take(64 - signatureBytes)).toBe(greeting().slice(2 * signatureBytes));
      expect(raw.received).toHaveLength(0);
      raw.hex(greeting());
      expect((await raw.takeText()).slice(1, 6)).toBe("READY");
    },
    "ours says the rest of its greeting at once, and nothing more",
  );

  capture.replay('REQ connect, send "hello"', async (steps) => {
    const { heard } = await dial(steps, {
      make: (transport) => new ReqSocket(transport, { protocol: zmtp({ correlate: false }) }),
      act: (req) => req.request("hello", { timeoutMs: 1_000 }),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  capture.replay('DEALER routingId=abc, send ["a","",300B]', async (steps) => {
    const { heard } = await dial(steps, {
      make: (transport) => new DealerSocket(transport, { identity: "abc" }),
      act: (dealer) => dealer.send(["a", "", "A".repeat(300)]),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  capture.replay('PUSH send "x"', async (steps) => {
    const { heard } = await dial(steps, {
      make: (transport) => new PushSocket(transport, { protocol }),
      act: (push) => push.send("x"),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  capture.replay(
    'SUB 3.1: subscribe A, A, ""; unsubscribe A x1, x2',
    async (all) => {
      const twice = all.findIndex(
        (step, i) => i > 0 && hex(step.bytes) === hex(all[i - 1]?.bytes ?? new Uint8Array(0)),
      );
      const steps = all.filter((_step, i) => i !== twice);
      const { heard } = await dial(steps, {
        make: (transport) => new SubSocket(transport, { protocol }),
        act: async (sub) => {
          await sub.ready();
          void sub.subscribe("A");
          void sub.subscribe("A");
          void sub.subscribe("");
          sub.unsubscribe("A");
          sub.unsubscribe("A");
        },
      });
      expect(twice).toBeGreaterThan(0);
      expect(heard).toBe(meaning(allOf(steps, "C")));
    },
    "for the second SUBSCRIBE: libzmq tells each, ours counts and tells the first",
  );

  capture.replay("SUB to 3.0 peer: subscribe A; unsubscribe A", async (steps) => {
    const { heard } = await dial(steps, {
      make: (transport) => new SubSocket(transport, { protocol }),
      act: async (sub) => {
        await sub.ready();
        void sub.subscribe("A");
        sub.unsubscribe("A");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  capture.replay(
    "PAIR with heartbeat 100 ms ttl 1000, server answers nothing (timeout 300)",
    async (all) => {
      // The capture goes on with a second connection.
      const steps = all.slice(0, 5);
      const heartbeat = { intervalMs: 100, timeoutMs: 300, ttlMs: 1_000 };
      const { heard, raw } = await dial(steps, {
        make: (transport) => new PairSocket(transport, { heartbeat }),
      });
      expect(heard).toBe(meaning(allOf(steps, "C")));
      expect(heard.endsWith("04070450494e47000a")).toBe(true);
      await raw.over();
    },
  );

  // The capture has no byte of the PING itself: what it was answered stands in libzmq-listens.log.
  capture.replay("PAIR, we PING with ctx", async (steps) => {
    const { heard, raw } = await dial(steps, { make: (transport) => new PairSocket(transport) });
    expect(heard).toBe(meaning(allOf(steps, "C")));
    raw.hex("040b0450494e47000063747821");
    expect(await raw.take(11)).toBe("040904504f4e4763747821");
  });

  for (const [title, code] of [
    ["incompatible socket type: REQ to SUB", "MSG_WRONG_SOCKET_TYPE"],
    ['server sends ERROR "no good"', "MSG_AUTH_REJECTED"],
  ] as const) {
    capture.replay(title, async (steps) => {
      let retrying: SocketEvents["retrying"][] = [];
      const { heard, raw } = await dial(steps, {
        make: (transport) => new ReqSocket(transport, { protocol }),
        act: (req) => {
          retrying = record(req, "retrying");
        },
      });
      expect(heard).toBe(meaning(allOf(steps, "C")));
      // As libzmq did; but it never dials again, and says nothing.
      await raw.over();
      await waitFor(() => retrying.length > 0, { what: "it is told" });
      expect(retrying[0]?.error.code).toBe(code);
    });
  }

  for (const [title, text] of [
    [
      "mechanism mismatch: NULL client, PLAIN server greeting",
      "peer's security mechanism is PLAIN, ours is NULL",
    ],
    [
      "server is ZMTP 2.0 (major 1)",
      "peer speaks ZMTP 2.0, 3.0 and later are spoken here: that is libzmq 4.0 or later",
    ],
  ] as const) {
    const isOld = title.includes("2.0");
    capture.replay(
      title,
      async (all) => {
        // What libzmq says as a peer of ZMTP 2.0 we do not speak.
        const steps = isOld ? all.slice(0, 2) : all;
        let retrying: SocketEvents["retrying"][] = [];
        const { heard, raw } = await dial(steps, {
          make: (transport) => new ReqSocket(transport, { protocol }),
          act: (req) => {
            retrying = record(req, "retrying");
          },
        });
        expect(heard).toBe(meaning(allOf(steps, "C")));
        await raw.over();
        await waitFor(() => retrying.length > 0, { what: "it is told" });
        expect(retrying[0]?.error).toMatchObject({ code: "MSG_PROTOCOL", message: text });
        // Behind the signature there is the rest of our greeting, and no command.
        expect(hex(raw.received)).toBe(greeting().slice(2 * signatureBytes));
      },
      isOld ? "ours ends it: versions before 3 are not spoken" : "ours tells it",
    );
  }

  capture.leavesNothingOut();
});
