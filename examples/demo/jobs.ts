import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const gzipAsync = promisify(gzip);

/** What a worker is given. It carries the content, so a worker may be on another machine. */
export interface FileJob {
  /** Its place in the list of files; a result that comes twice is recognized by it. */
  readonly id: number;
  readonly path: string;
  readonly content: Uint8Array;
}

/** What is found out about a file. */
export interface Digest {
  readonly sha256: string;
  readonly gzipBytes: number;
}

/** What a worker gives back, as JSON. */
export interface JobResult extends Digest {
  readonly id: number;
  readonly path: string;
  readonly worker: string;
  /** How often the job had been given to a worker, this time included. */
  readonly deliveryCount: number;
}

const lengthBytes = 4;

/** The length of the header, the header as JSON, the content as it is. */
export function encodeJob({ id, path, content }: FileJob): Buffer {
  const header = Buffer.from(JSON.stringify({ id, path }));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header, content]);
}

/** The reverse of {@link encodeJob}. The content is a view on the payload, not a copy. */
export function decodeJob(payload: Uint8Array): FileJob {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const contentAt = lengthBytes + bytes.readUInt32BE();
  const header = JSON.parse(bytes.toString("utf8", lengthBytes, contentAt)) as {
    readonly id: number;
    readonly path: string;
  };
  return { ...header, content: bytes.subarray(contentAt) };
}

/** The work itself: the same for the workers and for the run in one process. */
export async function digest(content: Uint8Array): Promise<Digest> {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const compressed = await gzipAsync(content);
  return { sha256, gzipBytes: compressed.length };
}
