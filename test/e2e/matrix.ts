import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Compressor, Transport } from "msg-ts";
import { TestAuthority } from "@msg-ts/testing";
import { Inproc, InprocHub, Ipc, Quic, Tcp, Tls } from "msg-ts";
import { onTestFinished } from "vitest";

/** A transport as one test uses it: every instance reaches every other. */
interface Network {
  readonly create: () => Transport;
  /** An address to bind that is free. */
  readonly address: () => string;
}

/** One row of the matrix. */
export interface TransportRow {
  readonly name: string;
  /** Makes what one test uses; it is taken away when the test ends. */
  readonly network: () => Network;
}

const authority = await TestAuthority.create();
const identity = await authority.issue({ ips: ["127.0.0.1"] });

/** Every transport. A new one adds its row. */
export const transports: readonly TransportRow[] = [
  {
    name: "tcp",
    network: () => ({ create: () => new Tcp(), address: () => "127.0.0.1:0" }),
  },
  {
    name: "tls",
    network: () => ({
      // Each end proves who it is to the other.
      create: () => new Tls({ ...identity, ca: authority.cert, clientCertificates: "required" }),
      address: () => "127.0.0.1:0",
    }),
  },
  {
    name: "quic",
    network: () => ({
      create: () => new Quic({ ...identity, ca: authority.cert, clientCertificates: "required" }),
      address: () => "127.0.0.1:0",
    }),
  },
  {
    name: "ipc",
    network: () => {
      const folder = mkdtempSync(join(tmpdir(), "msg-e2e-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      let count = 0;
      return { create: () => new Ipc(), address: () => join(folder, `${++count}.sock`) };
    },
  },
  {
    name: "inproc",
    network: () => {
      const hub = new InprocHub();
      let count = 0;
      return { create: () => new Inproc(hub), address: () => `e2e-${++count}` };
    },
  },
];

/** Every compressor, and none. A new one adds its row. */
export const compressors: readonly {
  readonly name: string;
  readonly compressor: Compressor | undefined;
}[] = [
  { name: "none", compressor: undefined },
  { name: "gzip", compressor: gzip() },
  { name: "zstd", compressor: zstd() },
  { name: "snappy", compressor: snappy() },
  { name: "lz4", compressor: lz4() },
];

const kibibyte = 1024;

/** Bytes that compress to about half, and of which no two places look the same. */
function halfRandom(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = (state >>> 16) & 0x0f;
  }
  return bytes;
}

/** What is sent through each cell of the matrix. */
export const payloads: readonly {
  readonly name: string;
  readonly payload: Uint8Array | string;
}[] = [
  { name: "nothing", payload: new Uint8Array(0) },
  { name: "1 byte", payload: new Uint8Array([0xff]) },
  { name: "text", payload: "naïve 😀 text" },
  { name: "JSON", payload: JSON.stringify({ price: 1900.5, tags: ["a", "b"] }) },
  { name: "64 KiB", payload: halfRandom(64 * kibibyte) },
  { name: "64 KiB that do not compress", payload: scrambled(64 * kibibyte) },
  { name: "5 MB", payload: halfRandom(5_000_000) },
];

function scrambled(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let state = 0x9e37_79b9;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** Whether all bytes arrived as they were sent. */
export function isSame(sent: Uint8Array | string, received: Uint8Array): boolean {
  const bytes = typeof sent === "string" ? Buffer.from(sent) : sent;
  return bytes.length === received.length && Buffer.compare(bytes, received) === 0;
}
