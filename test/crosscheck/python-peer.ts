import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { joinBytes } from "@msg-ts/testing";

/** Debian's own: the packages are installed for it, not for another one that is first in the PATH. */
export const python = "/usr/bin/python3";

const script = fileURLToPath(new URL("python-peer.py", import.meta.url));

/** Status and length. */
const answerHeaderBytes = 5;

/** What a job may be told beside its bytes. */
export type JobSettings = Readonly<Record<string, string | number | boolean>>;

/** A process of Python that does one job after the other: python-peer.py. */
export class PythonPeer {
  readonly #process: ChildProcessWithoutNullStreams = spawn(python, [script]);
  readonly #output: AsyncIterator<Uint8Array, undefined> =
    this.#process.stdout[Symbol.asyncIterator]();
  #rest: Uint8Array = new Uint8Array(0);
  #last: Promise<unknown> = Promise.resolve();
  #errors = "";

  constructor() {
    this.#process.stderr.on("data", (chunk) => (this.#errors += String(chunk)));
    this.#process.on("error", (error) => (this.#errors += error.message));
    // A process that ended is seen where its answer is awaited.
    this.#process.stdin.on("error", () => {});
  }

  /** Rejects with what the job raised. */
  run(job: string, payload: Uint8Array, settings: JobSettings = {}): Promise<Uint8Array> {
    const answer = this.#last.then(() => this.#runNow(job, payload, settings));
    this.#last = answer.catch(() => {});
    return answer;
  }

  close(): void {
    this.#process.stdin.end();
  }

  async #runNow(job: string, payload: Uint8Array, settings: JobSettings): Promise<Uint8Array> {
    const head = Buffer.from(JSON.stringify([job, settings]));
    for (const part of [lengthOf(head), head, lengthOf(payload), payload]) {
      this.#process.stdin.write(part);
    }
    const header = await this.#take(answerHeaderBytes);
    const result = await this.#take(Buffer.from(header).readUInt32BE(1));
    if (header[0] === 0) return result;
    throw new Error(`${job}: ${Buffer.from(result).toString()}`);
  }

  async #take(count: number): Promise<Uint8Array> {
    const chunks = [this.#rest];
    let length = this.#rest.length;
    while (length < count) {
      const { value, done } = await this.#output.next();
      if (done === true) throw new Error(`python ended: ${this.#errors.trim()}`);
      chunks.push(value);
      length += value.length;
    }
    const all = joinBytes(chunks);
    this.#rest = all.subarray(count);
    return all.subarray(0, count);
  }
}

function lengthOf(block: Uint8Array): Uint8Array {
  const field = Buffer.alloc(4);
  field.writeUInt32BE(block.length);
  return field;
}
