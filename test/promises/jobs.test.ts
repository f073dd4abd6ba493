import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@msg-ts/testing";
import { PushSocket, Tcp } from "msg-ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { closing } from "../e2e/sockets.ts";
import { Child } from "./child.ts";

const jobs = 10_000;

describe("workers that die", { timeout: 120_000 }, () => {
  it("a worker killed with SIGKILL mid-job and 10,000 jobs all done", async () => {
    const folder = mkdtempSync(join(tmpdir(), "msg-jobs-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const push = closing(new PushSocket(new Tcp()));
    const address = await push.bind("127.0.0.1:0");
    const files = [0, 1, 2].map((index) => join(folder, `${index}`));
    const start = (index: number, ...more: string[]): Child =>
      new Child("worker", { args: [address, files[index] ?? "", ...more] });
    const victims = [start(0, "200"), start(1, "900")];
    const survivor = start(2);
    for (const child of [...victims, survivor]) await child.hear("that it is ready");
    await waitFor(() => push.peers.length === 3, { what: "all are connected", withinMs: 30_000 });
    const sending = (async () => {
      for (let i = 0; i < jobs; i++) await push.send(`${i}`);
    })();
    for (const victim of victims) {
      await victim.hear("that it is in the middle");
      await victim.kill();
    }
    await sending;
    await waitFor(() => push.stats().acknowledged === jobs, {
      what: "every job is acknowledged",
      withinMs: 60_000,
    });
    const done = files
      .filter((file) => existsSync(file))
      .flatMap((file) => readFileSync(file, "utf8").trim().split("\n").map(Number));
    expect(new Set(done).size).toBe(jobs);
    // At least once: what a dead worker had done and not acknowledged was done again, and no more.
    const { redelivered, unacknowledged, returned, waiting } = push.stats();
    expect({ unacknowledged, returned, waiting }).toEqual({
      unacknowledged: 0,
      returned: 0,
      waiting: 0,
    });
    expect(redelivered).toBeGreaterThan(0);
    expect(done.length - jobs).toBeLessThanOrEqual(redelivered);
  });
});
