/**
 * Compression: the same log lines sent plain and by four compressors, and what each saved.
 */
import { createHash } from "node:crypto";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Compressor } from "msg-ts";
import { RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

// The receiver needs no setting: each message says how it is compressed.
await using rep = new RepSocket(transport());
rep.serve((request) => String(request.payload.length));
const endpoint = await rep.bind(address("logs"));

const page = Array.from({ length: 500 }, (_, index) => {
  const customer = createHash("md5").update(String(index)).digest("hex");
  return JSON.stringify({ level: "info", service: "orders", event: "accepted", customer });
}).join("\n");

async function send(label: string, compressor?: Compressor): Promise<void> {
  await using req = new ReqSocket(transport(), { compressor });
  await req.connect(endpoint);
  for (let index = 0; index < 20; index++) {
    const received = await req.request(page);
    if (Number(received.text()) !== page.length) throw new Error("the page came out changed");
  }
  // Under `minCompressBytes` (1 KiB) a message goes as it is: it would cost more than it saves.
  await req.request("a short one");

  const { payloadBytesSent, compressedBytesSent } = req.stats();
  const saved = 100 * (1 - compressedBytesSent / payloadBytesSent);
  console.log(`${label}: ${payloadBytesSent} bytes, ${compressedBytesSent} as sent,`);
  console.log(`${" ".repeat(label.length)}  ${saved.toFixed(1)} % saved`);
}

await send("plain");
await send("gzip", gzip());
// Node.js 20 needs the package @mongodb-js/zstd for it: without it, zstd() throws here and now.
await send("zstd", zstd());
await send("snappy", snappy());
await send("lz4", lz4());
