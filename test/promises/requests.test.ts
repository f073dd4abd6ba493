import { getEventListeners } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { MsgError, RepSocket, ReqSocket, Tcp } from "msg-ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { transports } from "../e2e/matrix.ts";
import { closing, patienceMs } from "../e2e/sockets.ts";

const timeoutMs = patienceMs;

/** A port on which nobody listens, and which nobody is given soon. */
async function desertedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

/** Reads all, and never answers. */
async function silentServer(): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("requests", { timeout: 120_000 }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("50 concurrent IPC clients of one REP", async () => {
    const network = transports.find(({ name }) => name === "ipc")?.network();
    if (network === undefined) throw new Error("there is no transport ipc");
    const rep = closing(new RepSocket(network.create()));
    const address = await rep.bind(network.address());
    const clients = Array.from({ length: 50 }, () =>
      closing(new ReqSocket(network.create(), { timeoutMs })),
    );
    // Nobody is answered before everybody has asked: one at a time would never end.
    const everybody = new Set<number>();
    const held: (() => void)[] = [];
    rep.serve(
      (request) => {
        everybody.add(request.peer.id);
        if (everybody.size === clients.length) for (const go of held.splice(0)) go();
        if (everybody.size === clients.length) return request.payload;
        return new Promise<Uint8Array>((resolve) => held.push(() => resolve(request.payload)));
      },
      { concurrency: Infinity },
    );
    const replies = await Promise.all(
      clients.map(async (client, index) => {
        await client.connect(address);
        const asked = Array.from({ length: 100 }, (_, i) => client.request(`${index}.${i}`));
        return (await Promise.all(asked)).map((reply) => reply.text());
      }),
    );
    expect(replies).toEqual(
      clients.map((_, index) => Array.from({ length: 100 }, (_unused, i) => `${index}.${i}`)),
    );
    expect(rep.stats()).toMatchObject({ connects: 50, pending: 0 });
  });

  it("1,000,000 aborted or timed-out requests leave every table empty", async () => {
    const unconnected = closing(new ReqSocket(new Tcp(), { maxQueued: Infinity }));
    const unanswered = closing(
      new ReqSocket(new Tcp(), { maxQueued: Infinity, maxInFlight: 1_048_576 }),
    );
    await unanswered.connect(await silentServer());
    await unanswered.ready({ timeoutMs });
    const reason = new Error("no more");
    const { stackTraceLimit } = Error;
    // A stack for each of half a million errors is most of the time, and nobody reads it.
    Error.stackTraceLimit = 0;
    onTestFinished(() => void (Error.stackTraceLimit = stackTraceLimit));
    const counts = { aborted: 0, timedOut: 0, other: 0 };
    const onError = (error: unknown): void => {
      if (error === reason) counts.aborted++;
      else if (MsgError.is(error, "MSG_TIMEOUT")) counts.timedOut++;
      else counts.other++;
    };
    const neverAborted = new AbortController().signal;
    const payload = new Uint8Array(8);
    const batch = 5_000;
    for (let round = 0; round < 50; round++) {
      const ends: Promise<void>[] = [];
      const abort = new AbortController();
      for (let i = 0; i < batch; i++) {
        for (const req of [unconnected, unanswered]) {
          const aborted = req.request(payload, { signal: abort.signal, timeoutMs: Infinity });
          const late = req.request(payload, { signal: neverAborted, timeoutMs: 1 + (i % 5) });
          ends.push(aborted.then(undefinedly, onError), late.then(undefinedly, onError));
        }
      }
      await new Promise((resolve) => void setImmediate(resolve));
      abort.abort(reason);
      await Promise.all(ends);
      expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    }
    expect(counts).toEqual({ aborted: 500_000, timedOut: 500_000, other: 0 });
    for (const req of [unconnected, unanswered]) {
      const { pending, queued, queuedBytes, inFlight, timeouts } = req.stats();
      expect({ pending, queued, queuedBytes, inFlight, timeouts }).toEqual({
        pending: 0,
        queued: 0,
        queuedBytes: 0,
        inFlight: 0,
        timeouts: 250_000,
      });
    }
    expect(getEventListeners(neverAborted, "abort")).toEqual([]);
  });

  it("a request issued before any server exists is answered when one appears", async () => {
    const address = `127.0.0.1:${await desertedPort()}`;
    const req = closing(
      new ReqSocket(new Tcp(), { timeoutMs, reconnect: { minDelayMs: 10, maxDelayMs: 50 } }),
    );
    const retried = req.once("retrying", { timeoutMs });
    await req.connect(address);
    const replies = ["first", "second"].map((text) => req.request(text));
    await retried;
    await req.once("retrying", { timeoutMs });
    const rep = closing(new RepSocket(new Tcp()));
    rep.serve((request) => `you said ${request.text()}`);
    await rep.bind(address);
    const texts = (await Promise.all(replies)).map((reply) => reply.text());
    expect(texts).toEqual(["you said first", "you said second"]);
  });

  it("a request times out on time when no server ever exists", async () => {
    const req = closing(new ReqSocket(new Tcp()));
    await req.connect(`127.0.0.1:${await desertedPort()}`);
    const startMs = performance.now();
    const ends = [50, 300].map(async (ms) => {
      const error: unknown = await req.request("hello", { timeoutMs: ms }).catch((e: unknown) => e);
      return { error, tookMs: performance.now() - startMs };
    });
    const [early, late] = await Promise.all(ends);
    expect(early?.error).toMatchObject({ code: "MSG_TIMEOUT" });
    expect(late?.error).toMatchObject({ code: "MSG_TIMEOUT" });
    // Never early; how late depends on who else uses the machine.
    expect(early?.tookMs).toBeGreaterThanOrEqual(49);
    expect(late?.tookMs).toBeGreaterThanOrEqual(299);
    expect(late?.tookMs).toBeLessThan(3_000);
    expect(req.stats()).toMatchObject({ pending: 0, timeouts: 2 });
    await waitFor(() => req.stats().retries > 0, { what: "it goes on dialing" });
  });
});

function undefinedly(): void {}
