/**
 * What is known to be wrong with the QUIC engine (SECURITY.md), tried on a listener in a process of
 * its own: a loop in native code would stop the test as well.
 */
import { Quic, ReqSocket } from "msg-ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import { Child } from "../promises/child.ts";
import { frames, QuicAttacker } from "./quic-attacker.ts";

const listenerFile = new URL("children/quic-listener.ts", import.meta.url);

/** How a listener is attacked: of each kind as its own clients come to it. */
const kinds = [
  { name: "our own protocol", compat: undefined, protocol: "msg-ts/1", sourceIdBytes: 0 },
  { name: "msg-rs", compat: "msg-rs", protocol: "msg", sourceIdBytes: 8 },
] as const;

const question = "still there?";

interface Victim {
  readonly child: Child;
  readonly port: number;
  /** Asks it something; rejects when it does not answer. */
  readonly ask: () => Promise<string>;
}

async function startVictim(compat?: "msg-rs"): Promise<Victim> {
  const child = new Child(listenerFile, { args: [compat ?? "own"] });
  const { address, pin } = await child.hear<{ address: string; pin: string }>("where it listens");
  const ask = async (): Promise<string> => {
    const req = closing(new ReqSocket(new Quic({ pins: pin, compat }), { timeoutMs: patienceMs }));
    await req.connect(address);
    return (await req.request(question)).text();
  };
  return { child, port: Number(address.split(":").at(-1)), ask };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Waits until the listener knows nothing of the attacker any more. It says so when it can; one whose
 * acknowledgements do not come may say nothing any more, and just does not answer.
 */
async function expectThrownOut(attacker: QuicAttacker): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!attacker.isClosed && performance.now() < deadlineMs) {
    const [before] = attacker.answers;
    attacker.send([frames.ping()]);
    // There is no event for an answer that does not come.
    await pause(500);
    if (attacker.answers[0] === before) return;
  }
  expect(attacker.isClosed).toBe(true);
}

async function attack(
  port: number,
  kind: { readonly protocol: string; readonly sourceIdBytes: number },
): Promise<QuicAttacker> {
  const attacker = await QuicAttacker.connect(port, kind);
  onTestFinished(() => attacker.close());
  return attacker;
}

describe.each(kinds)("a listener of $name", { timeout: 60_000 }, (kind) => {
  it("answers on when connection ids are retired across two paths (CVE-2025-7054)", async () => {
    const { port, ask } = await startVictim(kind.compat);
    const attacker = await attack(port, kind);
    attacker.send([frames.ping()], 1);
    expect(await ask()).toBe(question);
    attacker.send([frames.newConnectionId(1, 1), frames.newConnectionId(0, 0)], 1);
    expect(await ask()).toBe(question);
  });
});

/** What the engine keeps, or answers, without a bound of its own. */
const floods = [
  {
    name: "pieces of a handshake that is over (CVE-2024-1765)",
    packet: (count: number) => frames.crypto(100_000 + count * 2_000, 1_150),
  },
  {
    name: "questions whether it is there (CVE-2023-6193)",
    packet: () => manyChallenges,
  },
  { name: "signs of life", packet: () => Buffer.alloc(1_100, frames.ping()) },
] as const;

const manyChallenges = Buffer.concat(Array.from({ length: 100 }, () => frames.pathChallenge()));

/** More than enough of any of them: the bound is at about 4,100 datagrams. */
const maxPackets = 20_000;

describe.each(kinds)("a listener of $name", { timeout: 120_000 }, (kind) => {
  it.each(floods)("ends a connection that brings nothing but $name", async ({ packet }) => {
    const { port, ask } = await startVictim(kind.compat);
    const attacker = await attack(port, kind);
    for (let count = 0; count < maxPackets && !attacker.isClosed; count++) {
      attacker.send([packet(count)]);
      // So that the kernel's buffer takes them, and the word that it is over comes back.
      if (count % 10 === 0) await pause(1);
    }
    await expectThrownOut(attacker);
    expect(await ask()).toBe(question);
  });

  it("ends a connection whose peer gives and retires ids for ever (CVE-2024-1410)", async () => {
    const { port, ask } = await startVictim(kind.compat);
    const attacker = await attack(port, kind);
    for (let count = 1; count < maxPackets && !attacker.isClosed; count++) {
      attacker.send([frames.newConnectionId(count, count)]);
      if (count % 10 === 0) await pause(1);
    }
    await expectThrownOut(attacker);
    expect(await ask()).toBe(question);
  });
});

describe("a listener of our own protocol", { timeout: 60_000 }, () => {
  it("takes no dialer that has connection ids, which are what can be retired", async () => {
    const { port, ask } = await startVictim();
    const [own] = kinds;
    await expect(attack(port, { ...own, sourceIdBytes: 8 })).rejects.toThrow("turned away");
    expect(await ask()).toBe(question);
  });
});
