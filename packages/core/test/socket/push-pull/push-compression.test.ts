import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { Compressor } from "../../../src/contracts/compressor.ts";
import type { MsgError } from "../../../src/errors.ts";
import type { PushOptions } from "../../../src/socket/push-pull/push-options.ts";
import type { RawPeer } from "./push-pull-rig.ts";
import { flowHex, jobHex, rejection, Rig, turns } from "./push-pull-rig.ts";

/** Id 6: drops all but the first byte, when told to: nothing has to undo it here. */
class Squeezer implements Compressor {
  readonly id = 6;
  readonly name: string = "squeezer";
  /** Those under way: undefined finishes one, an error fails it. */
  readonly pending: ((error?: Error) => void)[] = [];
  calls = 0;
  readonly #isLate: boolean;

  constructor(isLate = true) {
    this.#isLate = isLate;
  }

  compress(payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    this.calls++;
    if (payload[0] === 0x21) throw new Error("no !");
    const squeezed = payload.slice(0, 1);
    if (!this.#isLate) return squeezed;
    return new Promise((resolve, reject) => {
      this.pending.push((error) => (error === undefined ? resolve(squeezed) : reject(error)));
    });
  }

  decompress(payload: Uint8Array): Uint8Array {
    return payload;
  }
}

async function scene(
  options: PushOptions,
  window = 100,
): Promise<{ rig: Rig; push: Rig["push"]; pull: RawPeer }> {
  const rig = await Rig.start({ minCompressBytes: 3, ...options });
  const pull = await rig.rawPull();
  pull.write(flowHex("window", 0, window));
  await turns();
  return { rig, push: rig.push, pull };
}

function squeezedHex(sequence: number, first: string, earlierDeliveries = 0): string {
  const flags = ((earlierDeliveries << 3) | 6).toString(16).padStart(2, "0");
  return jobHex(sequence, first).replace(/^04 00/, `04 ${flags}`);
}

describe("PUSH with a compressor that answers at once", () => {
  it("throws its failure, and does not take the job", async () => {
    const { push, pull } = await scene({ compressor: new Squeezer(false) });
    expect(() => push.send("!!!")).toThrow(
      expect.objectContaining({ code: "MSG_COMPRESS_FAILED" }) as Error,
    );
    expect(() => push.trySend("!!!")).toThrow("squeezer could not compress");
    expect(push.send("abc")).toBeUndefined();
    await pull.expect(squeezedHex(0, "a"));
    expect(push.stats()).toMatchObject({ waiting: 0, unacknowledged: 1 });
  });

  it("counts bytes before and after", async () => {
    const { push } = await scene({ compressor: new Squeezer(false) });
    void push.send("abcdefgh");
    expect(push.stats()).toMatchObject({
      payloadBytesSent: 8,
      compressedBytesSent: 1,
      unacknowledgedBytes: 8,
    });
  });
});

describe("PUSH with a compressor that takes its time", () => {
  it("rejects the send of a job it could not compress, and that one only", async () => {
    const compressor = new Squeezer();
    const { push, pull } = await scene({ compressor });
    const sends = ["abc", "def", "ghi"].map((payload) => push.send(payload));
    const [first, second, third] = compressor.pending;
    third?.();
    second?.(new Error("out of memory"));
    const error = await rejection(sends[1]);
    expect(error).toMatchObject({ code: "MSG_COMPRESS_FAILED" });
    expect((error as MsgError).cause).toMatchObject({ message: "out of memory" });
    first?.();
    await sends[0];
    await sends[2];
    await pull.expect(squeezedHex(0, "a") + squeezedHex(1, "g"));
  });

  it("tells of a job that trySend() gave it and it could not compress", async () => {
    const compressor = new Squeezer();
    const { push } = await scene({ compressor });
    expect(push.trySend("abc")).toBe(true);
    const failed = push.once("error");
    compressor.pending[0]?.(new Error("out of memory"));
    expect((await failed).error.code).toBe("MSG_COMPRESS_FAILED");
    expect(push.stats()).toMatchObject({ waiting: 0, waitingBytes: 0 });
  });

  it("does not ask it when the job cannot be taken anyway", async () => {
    const compressor = new Squeezer();
    const { push } = await scene({ compressor, maxWaiting: 1 }, 0);
    void push.send("abc");
    expect(() => push.send("def")).toThrow("maxWaiting is 1");
    expect(push.trySend("ghi")).toBe(false);
    expect(compressor.calls).toBe(1);
  });

  it("keeps the order: a job that is being compressed is not overtaken", async () => {
    const compressor = new Squeezer();
    const { push, pull } = await scene({ compressor });
    const sends = [push.send("abc"), push.send("x"), push.send("def"), push.send("y")];
    expect(push.trySend("z")).toBe(false);
    compressor.pending[1]?.();
    await turns();
    expect(pull.hex).toBe("");
    compressor.pending[0]?.();
    for (const sending of sends) await sending;
    await pull.expect(squeezedHex(0, "a") + jobHex(1, "x") + squeezedHex(2, "d") + jobHex(3, "y"));
  });

  it("lets those behind go when the one it works at is aborted", async () => {
    const compressor = new Squeezer();
    const { push, pull } = await scene({ compressor });
    const abort = new AbortController();
    const first = push.send("abc", { signal: abort.signal });
    const second = push.send("x");
    abort.abort(new Error("enough"));
    expect(await rejection(first)).toMatchObject({ message: "enough" });
    await second;
    compressor.pending[0]?.();
    await pull.expect(jobHex(0, "x"));
  });

  it("keeps the job when its PULL is lost meanwhile", async () => {
    const compressor = new Squeezer();
    const { push, pull, rig } = await scene({ compressor });
    const sending = push.send("abc");
    pull.destroy();
    await waitFor(() => push.peers.length === 0, { what: "the PULL is gone" });
    compressor.pending[0]?.();
    await turns();
    expect(push.stats().waiting).toBe(1);
    const other = await rig.rawPull();
    other.write(flowHex("window", 0, 1));
    await sending;
    await other.expect(squeezedHex(0, "a"));
  });

  it("compresses once, however often the job is sent", async () => {
    const compressor = new Squeezer();
    const { push, pull, rig } = await scene({ compressor });
    const sending = push.send("abc");
    compressor.pending[0]?.();
    await sending;
    await pull.received(11);
    pull.destroy();
    const other = await rig.rawPull();
    other.write(flowHex("window", 0, 1));
    await other.expect(squeezedHex(0, "a", 1));
    expect(compressor.calls).toBe(1);
  });

  it("gives the plain payload in the event of a job that is given up", async () => {
    const compressor = new Squeezer();
    const { push, pull } = await scene({ compressor, maxDeliveries: 1 });
    void push.send("abc");
    compressor.pending[0]?.();
    await pull.received(11);
    const dropped = push.once("dropped");
    pull.write(flowHex("nack", 0, 1));
    expect(new TextDecoder().decode((await dropped).payload)).toBe("abc");
  });

  it("rejects what it still works at when the PUSH is closed, and ignores its answer", async () => {
    const compressor = new Squeezer();
    const { push } = await scene({ compressor });
    const errors: unknown[] = [];
    push.on("error", (event) => errors.push(event));
    const sending = push.send("abc");
    const unawaited = push.send("def");
    expect(unawaited).toBeInstanceOf(Promise);
    const report = await push.close({ lingerMs: 0 });
    expect(report).toEqual({ unsent: 2, unacknowledged: 0 });
    expect(await rejection(sending)).toMatchObject({ code: "MSG_CLOSED" });
    compressor.pending[0]?.();
    compressor.pending[1]?.(new Error("late"));
    await turns();
    expect(errors).toEqual([]);
  });

  it("is waited for while the PUSH closes", async () => {
    const compressor = new Squeezer();
    const { push, pull } = await scene({ compressor });
    const sending = push.send("abc");
    const closing = push.close({ lingerMs: 5_000 });
    compressor.pending[0]?.();
    await sending;
    await pull.expect(squeezedHex(0, "a"));
    pull.write(flowHex("ack", 0, 1));
    await pull.closed();
    pull.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });
});
