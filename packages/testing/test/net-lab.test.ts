import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { DatagramFaults, LabCounts, LabHost, WayCounts } from "@msg-ts/testing";
import { expectNoLeaks, NetLab, netLabMissing } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";

expectNoLeaks();

const missing = netLabMissing();

/** Echoes datagrams of both families; says `ready`. */
const echo = `
import select, socket
sockets = []
for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    each = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6: each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    each.bind((host, 4444))
    sockets.append(each)
print("ready", flush=True)
while True:
    for each in select.select(sockets, [], [])[0]:
        data, sender = each.recvfrom(65535)
        each.sendto(data, sender)
`;

/** Sends numbered datagrams and prints those that came back, and the milliseconds of the first. */
const ask = `
import socket, sys, time
host, count = sys.argv[1], int(sys.argv[2])
each = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
each.settimeout(1)
start, first, heard = time.monotonic(), 0, []
for number in range(count): each.sendto(b"%d" % number, (host, 4444))
try:
    while len(heard) < count * 3:
        heard.append(each.recv(65535).decode())
        first = first or time.monotonic() - start
        if len(heard) >= count: each.settimeout(0.1)
except OSError: pass
print(first * 1000, *heard)
`;

interface Answers {
  readonly firstMs: number;
  readonly numbers: readonly number[];
}

function onHost({ prefix }: LabHost, script: string, ...args: string[]): ChildProcess {
  const [command = "", ...rest] = prefix;
  const child = spawn(command, [...rest, "python3", "-c", script, ...args]);
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

/** Hosts a, b and c; b echoes. */
async function scene(faults: DatagramFaults = {}) {
  const lab = await NetLab.create({ hosts: ["a", "b", "c"], seed: 7, faults });
  onTestFinished(() => lab.close());
  const server = onHost(lab.host("b"), echo);
  if (server.stdout !== null) await once(server.stdout, "data");
  const { ipv4, ipv6 } = lab.host("b");
  const askFrom = async (name: string, count = 100, to: string = ipv4): Promise<Answers> => {
    const client = onHost(lab.host(name), ask, to, String(count));
    let text = "";
    client.stdout?.on("data", (chunk) => (text += String(chunk)));
    await once(client, "close");
    const [firstMs = 0, ...numbers] = text.trim().split(" ").map(Number);
    return { firstMs, numbers };
  };
  return { lab, askFrom, ipv6 };
}

function way({ ways }: LabCounts, from: string, to: string): WayCounts {
  const found = ways.find((each) => each.from === from && each.to === to);
  if (found === undefined) throw new Error(`there is no way from ${from} to ${to}`);
  return found;
}

function names(): string {
  return spawnSync("ip", ["netns", "list"], { encoding: "utf8" }).stdout;
}

const hundred = Array.from({ length: 100 }, (_, number) => number);

describe.skipIf(missing !== undefined)(`a network lab ${missing ?? ""}`, () => {
  it("carries packets of both families between its hosts, all and in order", async () => {
    const { lab, askFrom, ipv6 } = await scene();
    expect((await askFrom("a")).numbers).toEqual(hundred);
    expect((await askFrom("c")).numbers).toEqual(hundred);
    // Twice over IPv4 where the kernel has no IPv6.
    expect((await askFrom("a", 100, ipv6)).numbers).toEqual(hundred);
    const counts = await lab.counts();
    expect(counts.deviceDrops).toBe(0);
    expect(way(counts, "a", "b")).toMatchObject({ sent: 200, lost: 0, waiting: 0 });
    expect(way(counts, "a", "c").received).toBe(0);
  });

  it("delays and loses, and counts what it lost", async () => {
    const { lab, askFrom } = await scene({ delayMs: 20, jitterMs: 5, lossPercent: 10 });
    const { firstMs, numbers } = await askFrom("a");
    expect(firstMs).toBeGreaterThanOrEqual(39);
    const counts = await lab.counts();
    const lost = way(counts, "a", "b").lost + way(counts, "b", "a").lost;
    expect(numbers).toHaveLength(100 - lost);
    expect(lost).toBeGreaterThan(5);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it("duplicates and reorders", async () => {
    const { lab, askFrom } = await scene();
    await lab.setFaults(
      { duplicatePercent: 20, reorderPercent: 20 },
      { from: "a", to: "b", isOneWay: true },
    );
    const { numbers } = await askFrom("a");
    const { duplicated, reordered } = way(await lab.counts(), "a", "b");
    expect(duplicated).toBeGreaterThan(5);
    expect(reordered).toBeGreaterThan(5);
    expect(numbers).toHaveLength(100 + duplicated);
    expect(new Set(numbers).size).toBe(100);
    expect(numbers).not.toEqual(numbers.toSorted((a, b) => a - b));
  });

  it("damages: the host drops what has a wrong checksum", async () => {
    const { lab, askFrom } = await scene();
    await lab.setFaults({ corruptPercent: 30 }, { from: "a", to: "b", isOneWay: true });
    const { numbers } = await askFrom("a");
    const { corrupted, sent } = way(await lab.counts(), "a", "b");
    expect(sent).toBe(100);
    expect(corrupted).toBeGreaterThan(10);
    expect(numbers).toHaveLength(100 - corrupted);
  });

  it("carries no more than its rate", async () => {
    const { lab, askFrom } = await scene();
    await lab.setFaults({ bytesPerSecond: 10_000 }, { from: "a", to: "b", isOneWay: true });
    const startMs = performance.now();
    expect((await askFrom("a", 200)).numbers).toHaveLength(200);
    const { sentBytes } = way(await lab.counts(), "a", "b");
    expect(sentBytes / ((performance.now() - startMs) / 1_000)).toBeLessThan(11_000);
  });

  it("parts two hosts and not the third, both ways or one, and heals", async () => {
    const { lab, askFrom } = await scene();
    await lab.partition({ from: "a", to: "b" });
    const [parted, third] = await Promise.all([askFrom("a"), askFrom("c")]);
    expect([parted.numbers.length, third.numbers.length]).toEqual([0, 100]);
    await lab.heal({ from: "a", to: "b" });
    await lab.partition({ from: "b", to: "a", isOneWay: true });
    expect((await askFrom("a")).numbers).toEqual([]);
    expect(way(await lab.counts(), "b", "a").blocked).toBe(100);
    await lab.heal();
    expect((await askFrom("a")).numbers).toEqual(hundred);
  });

  it("leaves nothing behind, and removes what a process that was killed left", async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    spawnSync("ip", ["netns", "add", `msgts-${gone}-1-0`]);
    const lab = await NetLab.create({ hosts: ["a", "b"] });
    const own = `msgts-${process.pid}-`;
    expect(names()).not.toContain(`msgts-${gone}-`);
    expect(names()).toContain(own);
    await lab.close();
    expect(names()).not.toContain(own);
    expect(() => lab.host("c")).toThrow("there is no host c");
  });
});
