/**
 * Compression: the same log lines sent plain and with gzip, and what each cost on the wire.
 */
import { createHash } from "node:crypto";
import { gzip } from "@msg-ts/compression/gzip";
import type { ReqOptions } from "msg-ts";
import { RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

// The receiver needs no setting for gzip: each message says how it is compressed.
await using rep = new RepSocket(transport());
rep.serve((request) => String(request.payload.length));
const endpoint = await rep.bind(address("logs"));

const page = Array.from({ length: 500 }, (_, index) => {
  const customer = createHash("md5").update(String(index)).digest("hex");
  return JSON.stringify({ level: "info", service: "orders", event: "accepted", customer });
}).join("\n");

async function send(label: string, options: ReqOptions): Promise<number> {
  await using req = new ReqSocket(transport(), options);
  await req.connect(endpoint);
  for (let index = 0; index < 20; index++) {
    const received = await req.request(page);
    if (Number(received.text()) !== page.length) throw new Error("the page came out changed");
  }
  // Under `minCompressBytes` (1 KiB) a message goes as it is: it would cost more than it saves.
  await req.request("a short one");

  const { payloadBytesSent, compressedBytesSent, bytesSent } = req.stats();
  console.log(`${label}: ${payloadBytesSent} bytes of payload, ${compressedBytesSent} as sent,`);
  console.log(`${" ".repeat(label.length)}  ${bytesSent} with framing`);
  return bytesSent;
}

const plain = await send("plain", {});
const fast = await send("gzip 1", { compressor: gzip({ level: 1 }) });
const small = await send("gzip 9", { compressor: gzip({ level: 9 }) });
const percent = (bytes: number): string => `${((100 * bytes) / plain).toFixed(1)} %`;
console.log(`level 1 sends ${percent(fast)} of it, level 9 ${percent(small)}`);
