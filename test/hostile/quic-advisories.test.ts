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

interface Victim {
  readonly child: Child;
  readonly port: number;
  /** Fails unless it still answers. */
  expectAnswer(): Promise<void>;
}

async function startVictim(compat?: "msg-rs"): Promise<Victim> {
  const child = new Child(listenerFile, { args: [compat ?? "own"] });
  const { address, pin } = await child.hear<{ address: string; pin: string }>("where it listens");
  const expectAnswer = async (): Promise<void> => {
    const req = closing(new ReqSocket(new Quic({ pins: pin, compat }), { timeoutMs: patienceMs }));
    await req.connect(address);
    expect((await req.request("still there?")).text()).toBe("still there?");
  };
  return { child, port: Number(address.split(":").at(-1)), expectAnswer };
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
    const { port, expectAnswer } = await startVictim(kind.compat);
    const attacker = await attack(port, kind);
    attacker.send([frames.ping()], 1);
    await expectAnswer();
    attacker.send([frames.newConnectionId(1, 1), frames.newConnectionId(0, 0)], 1);
    await expectAnswer();
  });
});

describe("a listener of our own protocol", { timeout: 60_000 }, () => {
  it("takes no dialer that has connection ids, which are what can be retired", async () => {
    const { port, expectAnswer } = await startVictim();
    const [own] = kinds;
    await expect(attack(port, { ...own, sourceIdBytes: 8 })).rejects.toThrow("turned away");
    await expectAnswer();
  });
});
