import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import type { SocketOptions } from "msg-ts";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import { codesOf } from "./bystanders.ts";

const kinds = {
  REQ: () => closing(new ReqSocket(new Tcp(), options)),
  REP: () => closing(new RepSocket(new Tcp(), options)),
  PUB: () => closing(new PubSocket(new Tcp(), options)),
  SUB: () => closing(new SubSocket(new Tcp(), options)),
  PUSH: () => closing(new PushSocket(new Tcp(), options)),
  PULL: () => closing(new PullSocket(new Tcp(), options)),
} as const;

type Kind = keyof typeof kinds;

const names = Object.keys(kinds) as Kind[];

const partners: Readonly<Record<Kind, Kind>> = {
  REQ: "REP",
  REP: "REQ",
  PUB: "SUB",
  SUB: "PUB",
  PUSH: "PULL",
  PULL: "PUSH",
};

const options: SocketOptions = { reconnect: { minDelayMs: 1, maxDelayMs: 50 } };

/** These say what they are; a dialing REQ or SUB may be talking to msg-rs, and does not. */
function saysHello(dialer: Kind): boolean {
  return dialer !== "REQ" && dialer !== "SUB";
}

/** These let in whoever connects, and see by the first frame. */
function admitsAtOnce(acceptor: Kind): boolean {
  return acceptor === "REP" || acceptor === "PUB";
}

describe("every socket type dials every other over TCP", { timeout: 120_000 }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  for (const acceptor of names) {
    const dialer = partners[acceptor];
    it(`${dialer} dials ${acceptor}: they pair`, async () => {
      const bound = kinds[acceptor]();
      const dialing = kinds[dialer]();
      const told = codesOf(bound, "refused", "disconnected");
      await dialing.connect(await bound.bind("127.0.0.1:0"));
      await Promise.all([
        bound.ready({ timeoutMs: patienceMs }),
        dialing.ready({ timeoutMs: patienceMs }),
      ]);
      expect([bound.peers.length, dialing.peers.length, told]).toEqual([1, 1, []]);
    });
  }

  for (const acceptor of names) {
    for (const dialer of names.filter((name) => name !== partners[acceptor])) {
      const code = saysHello(dialer) ? "MSG_WRONG_SOCKET_TYPE" : "MSG_PROTOCOL";
      const event = admitsAtOnce(acceptor) ? "disconnected" : "refused";
      it(`${dialer} dials ${acceptor}: ${event} ${code}; a ${partners[acceptor]} is served`, async () => {
        const bound = kinds[acceptor]();
        const told = codesOf(bound, "refused", "disconnected");
        const address = await bound.bind("127.0.0.1:0");
        const partner = kinds[partners[acceptor]]();
        const lost = codesOf(partner, "refused", "disconnected");
        await partner.connect(address);
        await partner.ready({ timeoutMs: patienceMs });
        const wrong = kinds[dialer]();
        const refused = codesOf(wrong, "refused");
        await wrong.connect(address);
        // A REQ is silent, and seen for what it is, only when it asks.
        if (wrong instanceof ReqSocket) {
          void wrong.request("who are you?", { retry: true, timeoutMs: patienceMs });
        }
        await waitFor(() => told.includes(`${event} ${code}`), {
          what: `"${event} ${code}" is told, not only ${told.join(", ")}`,
          withinMs: patienceMs,
        });
        if (saysHello(dialer)) {
          await waitFor(() => refused.length > 0, {
            what: "the dialer knows why",
            withinMs: patienceMs,
          });
        }
        expect(new Set(refused)).toEqual(new Set(saysHello(dialer) ? [`refused ${code}`] : []));
        await waitFor(() => bound.peers.length === 1, {
          what: "only the partner is left",
          withinMs: patienceMs,
        });
        expect([partner.peers.length, lost]).toEqual([1, []]);
        expect(new Set(told)).toEqual(new Set([`${event} ${code}`]));
      });
    }
  }
});
