import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Compressor } from "@msg-ts/core";
import { expect, expectEqual } from "../expect.ts";
import type { Outcome, Scene } from "../scene.ts";
import type { Carrier } from "./carriers.ts";
import type { Ends, OnStage } from "./pairs.ts";
import { isSubscribed, pairs } from "./pairs.ts";
import { askAll, expectAllRight, expectAllThere, publishPaced, takeAll } from "./traffic.ts";

/** Both sides compress everything with it. */
interface Algorithm {
  readonly name: string;
  readonly compressor: Compressor | undefined;
}

const algorithms: readonly Algorithm[] = [
  { name: "none", compressor: undefined },
  ...[gzip(), zstd(), snappy(), lz4()].map((compressor) => ({ name: compressor.name, compressor })),
];

const count = 300;
const inFlight = 32;
const sizes = [8, 1_000, 20_000];
const payloadBytes = (count / sizes.length) * sizes.reduce((sum, size) => sum + size);

type Run = (ends: Ends, algorithm: Algorithm) => Promise<Outcome>;

const runs: Readonly<Record<string, Run>> = {
  [pairs.tsReq]: async (ends, { name, compressor }) => {
    const peer = await ends.rust("rep", ["--compressor", name]);
    const req = await ends.req(peer.address, { compressor, minCompressBytes: 1 });
    expectAllRight(await askAll(req, count, inFlight, sizes), count);
    // A REP of msg-rs compresses an empty reply too: what comes of it must be empty again.
    expectEqual("empty reply", (await req.request("")).payload.length, 0);
    expectEqual("requests", (await peer.repCounts()).requests, count + 1);
    const { bytesReceived, compressedBytesSent } = req.stats();
    expectShorter(compressor, compressedBytesSent, "sent");
    expectShorter(compressor, bytesReceived, "received");
    return { messages: 2 * (count + 1) };
  },

  [pairs.rustReq]: async (ends, { name, compressor }) => {
    const rep = await ends.echo({ compressor, minCompressBytes: 1 });
    const args = ["--compressor", name, "--min-compress", "0", "--backoff-ms", "20"];
    const peer = await ends.rust("req", args, rep.address);
    let messages = 0;
    for (const size of sizes) {
      expectAllRight(await peer.askAll(count / sizes.length, inFlight, size), count / sizes.length);
      messages += (2 * count) / sizes.length;
    }
    expectEqual("empty reply", (await peer.ask("ask", "answered"))["text"], "");
    const { bytesReceived, compressedBytesSent } = rep.stats();
    expectShorter(compressor, compressedBytesSent, "sent");
    expectShorter(compressor, bytesReceived, "received");
    return { messages: messages + 2 };
  },

  [pairs.tsSub]: async (ends, { name, compressor }) => {
    const peer = await ends.rust("pub", ["--compressor", name, "--min-compress", "0"]);
    const sub = await ends.sub(peer.address, ["numbers"]);
    let first = 0;
    for (const size of sizes) {
      await peer.ask(`publish numbers ${count / sizes.length} ${size} ${first}`, "published");
      first += count / sizes.length;
    }
    await takeAll(sub, count);
    await peer.ask("say numbers ", "published");
    expectEqual("empty message", (await sub.receive({ timeoutMs: 20_000 })).payload.length, 0);
    expectShorter(compressor, sub.stats().bytesReceived, "received");
    return { messages: count + 1 };
  },

  [pairs.rustSub]: async (ends, { compressor }) => {
    const pub = await ends.pub({ compressor, minCompressBytes: 1 });
    const peer = await ends.rust("sub", ["--topic", "numbers"], pub.address);
    await isSubscribed(pub, "numbers");
    await publishPaced(pub, peer, "numbers", count, sizes);
    await expectAllThere(peer, count);
    expectShorter(compressor, pub.stats().compressedBytesSent, "sent");
    return { messages: count };
  },
};

/** Each pair with each algorithm; nothing here is lost, so every message is checked. */
export function compressionScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  return Object.entries(runs).flatMap(([pair, run]) =>
    algorithms.map((algorithm) => ({
      pair,
      transport: carrier.name,
      what: algorithm.name,
      run: onStage(carrier, (ends) => run(ends, algorithm)),
    })),
  );
}

/** Proves that the bytes went compressed, not only that they arrived. */
function expectShorter(compressor: Compressor | undefined, bytes: number, where: string): void {
  const isShorter = bytes < payloadBytes / 2;
  const what = `${payloadBytes} bytes of payload were ${bytes} when they were ${where}`;
  expect(isShorter === (compressor !== undefined), what);
}
