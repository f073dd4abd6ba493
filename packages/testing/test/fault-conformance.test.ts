import { randomUUID } from "node:crypto";
import { FaultTransport, testTransport } from "@msg-ts/testing";
import type { LinkFaults } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { Tcp } from "@msg-ts/transports/tcp";
import { describe } from "vitest";

describe("a fault transport that injects nothing", () => {
  testTransport({
    name: "inproc",
    create: () => new FaultTransport(new Inproc(new InprocHub())),
    listenAddress: () => randomUUID(),
  });

  testTransport({
    name: "tcp",
    create: () => new FaultTransport(new Tcp()),
    listenAddress: () => "127.0.0.1:0",
  });
});

/** What changes when bytes arrive, and in which pieces, but loses none. */
const benign: Record<string, () => LinkFaults> = {
  "short reads": () => ({ incoming: { pieceBytes: 40_000 } }),
  "short writes": () => ({ outgoing: { pieceBytes: 40_000, capacityBytes: 100_000 } }),
  "late events": () => ({
    incoming: { extraTurns: 1 },
    outgoing: { extraTurns: 1 },
    drainDelayMs: 1,
    closeDelayMs: 1,
  }),
};

for (const [name, faults] of Object.entries(benign)) {
  describe(`a fault transport with ${name}`, () => {
    testTransport({
      name: "inproc",
      create: () => new FaultTransport(new Inproc(new InprocHub()), { faults }),
      listenAddress: () => randomUUID(),
    });
  });
}
