import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How a peer's program is started. */
export interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The npm package zeromq. */
export const nodeProgram: Program = {
  name: "zeromq.js",
  file: process.execPath,
  args: [
    "--conditions=@msg-ts/source",
    "--import",
    new URL("../../../dev/register.mjs", import.meta.url).href,
    here("peer-node.ts"),
  ],
};

/** Debian's python3-zmq: the system's own Python has it, another one first in the path has not. */
export const pythonProgram: Program = {
  name: "pyzmq",
  file: "/usr/bin/python3",
  args: [here("peer.py")],
};

/** How long it may take for one answer. */
const answerWithinMs = 30_000;

/** What a peer answered. */
export type Answer = Readonly<Record<string, unknown>>;

/** What a socket of a peer is made with. */
export interface Opening {
  readonly type: string;
  readonly bind?: string;
  readonly connect?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A process with sockets of libzmq. It ends when this process does, because its input ends then. */
export class ZmqProcess {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #calls: Map<
    number,
    { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }
  > = new Map();
  #lastCall = 0;
  #errors = "";
  #ending: string | undefined;

  constructor({ file, args }: Program) {
    this.#process = spawn(file, args);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#onLine(line));
    this.#process.stderr.on("data", (chunk) => {
      this.#errors = (this.#errors + String(chunk)).slice(-2_000);
    });
    this.#process.stdin.on("error", () => {});
    this.#process.once("error", (error) => this.#onEnd(error.message));
    this.#process.once("close", (code, signal) => this.#onEnd(String(signal ?? code)));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Rejects when it answers with an error, ends, or does not answer in time. */
  call(op: string, fields: object = {}): Promise<Answer> {
    const n = ++this.#lastCall;
    const answered = new Promise<Answer>((resolve, reject) => {
      if (this.#ending !== undefined) {
        reject(this.#endError());
        return;
      }
      const timer = setTimeout(() => {
        this.#calls.delete(n);
        reject(new Error(`libzmq's peer did not answer ${op} within ${answerWithinMs} ms`));
      }, answerWithinMs);
      this.#calls.set(n, {
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#process.stdin.write(`${JSON.stringify({ n, op, ...fields })}\n`);
    });
    // A scene may fail before it looks at it.
    answered.catch(() => {});
    return answered;
  }

  /** Makes a socket in it. */
  async open(opening: Opening): Promise<ZmqSocket> {
    const id = `s${++this.#lastCall}`;
    const { address } = await this.call("open", { id, ...opening });
    return new ZmqSocket(this, id, opening.type, String(address));
  }

  /** Stops it as a debugger does, and lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    if (this.#ending !== undefined) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  #onLine(line: string): void {
    const { n, error, ...answer } = JSON.parse(line) as { n: number; error?: string };
    const call = this.#calls.get(n);
    this.#calls.delete(n);
    if (error === undefined) call?.resolve(answer);
    else call?.reject(new Error(`libzmq's peer: ${error}`));
  }

  #onEnd(ending: string): void {
    this.#ending ??= ending;
    for (const call of this.#calls.values()) call.reject(this.#endError());
    this.#calls.clear();
  }

  #endError(): Error {
    return new Error(`libzmq's peer ended with ${this.#ending}: ${this.#errors.trim()}`);
  }
}

/** One socket of libzmq. */
export class ZmqSocket {
  readonly type: string;
  /** Where it is bound, as libzmq writes it; empty for one that dials. */
  readonly endpoint: string;
  readonly #process: ZmqProcess;
  readonly #id: string;

  constructor(peer: ZmqProcess, id: string, type: string, endpoint: string) {
    this.#process = peer;
    this.#id = id;
    this.type = type;
    this.endpoint = endpoint;
  }

  /** Where it is bound, as ours take it. */
  get address(): string {
    return this.endpoint.replace(/^\w+:\/\//, "");
  }

  call(op: string, fields: object = {}): Promise<Answer> {
    return this.#process.call(op, { id: this.#id, ...fields });
  }

  /** Text is taken letter by letter: U+0000 to U+00FF are bytes. */
  async send(...parts: readonly string[]): Promise<void> {
    await this.call("send", { parts });
  }

  async receive(): Promise<readonly string[]> {
    return (await this.call("receive"))["parts"] as string[];
  }

  /** XSUB subscribes by messages. */
  async subscribe(prefix: string): Promise<void> {
    if (this.type === "XSUB") await this.send(`\u0001${prefix}`);
    else await this.call("subscribe", { prefix });
  }

  async unsubscribe(prefix: string): Promise<void> {
    if (this.type === "XSUB") await this.send(`\u0000${prefix}`);
    else await this.call("unsubscribe", { prefix });
  }

  close(): Promise<unknown> {
    return this.call("close").catch(() => {});
  }
}
