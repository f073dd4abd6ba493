import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Socket } from "@msg-ts/zmtp/compat";
import { codeOf, patience } from "./outcome.ts";
import type { Carrier, Side, Zmq } from "./scenario.ts";

const exiting = fileURLToPath(new URL("../children/exiting.ts", import.meta.url));
const thread = new URL("../children/thread.ts", import.meta.url);

/** How long a process that is to end by itself may take. */
const endsWithinMs = 20_000;

/** The library that a side is. */
export async function libraryOf(side: Side): Promise<Zmq> {
  if (side === "ours") return import("@msg-ts/zmtp/compat");
  return (await import("zeromq")) as unknown as Zmq;
}

let names = 0;

/** What one scenario is played with: everything it opens is closed when it is over. */
export class Stage {
  readonly side: Side;
  readonly zmq: Zmq;
  readonly carrier: Carrier;
  readonly #closers: (() => unknown)[] = [];

  constructor(side: Side, zmq: Zmq, carrier: Carrier) {
    this.side = side;
    this.zmq = zmq;
    this.carrier = carrier;
  }

  /** Closes it at the end, whatever waits to be sent. */
  open<S extends Socket>(socket: S): S {
    this.atEnd(() => {
      if (socket.closed) return undefined;
      socket.linger = 0;
      return socket.close();
    });
    return socket;
  }

  atEnd(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** An address where nobody listens. */
  async address(): Promise<string> {
    if (this.carrier === "tcp") return `tcp://127.0.0.1:${await freePort()}`;
    if (this.carrier === "inproc") return `inproc://scenario-${process.pid}-${++names}`;
    const folder = mkdtempSync(join(tmpdir(), "msg-ts-compat-"));
    this.atEnd(() => rmSync(folder, { recursive: true, force: true }));
    return `ipc://${folder}/s`;
  }

  /** Binds one and connects the others. */
  async join(bound: Socket, ...dialing: readonly Socket[]): Promise<string> {
    const address = await this.address();
    await bound.bind(address);
    for (const socket of dialing) socket.connect(address);
    return address;
  }

  /** A worker thread that does a job of children/thread.ts; what it says comes as messages. */
  thread(job: string, data: Readonly<Record<string, unknown>> = {}): Worker {
    const worker = new Worker(thread, { workerData: { side: this.side, job, ...data } });
    this.atEnd(() => worker.terminate());
    return worker;
  }

  /** How a process ends that runs a program of children/exiting.ts; `waits` when it does not. */
  async ends(program: string): Promise<string> {
    const child = spawn(process.execPath, [...process.execArgv, exiting, this.side, program], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.atEnd(() => child.kill("SIGKILL"));
    return new Promise((resolve) => {
      let timer = setTimeout(() => resolve("never ran"), endsWithinMs);
      // It says so when its program has run; from then on it should end by itself.
      child.stdout.once("data", () => {
        clearTimeout(timer);
        timer = setTimeout(() => resolve("waits"), patience.ms);
      });
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`);
      });
    });
  }

  /** Closes everything, last first. */
  async end(): Promise<void> {
    for (const close of this.#closers.toReversed()) {
      await Promise.resolve()
        .then(close)
        .catch((error: unknown) => codeOf(error));
    }
  }
}

/** Below those that systems give out by themselves. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_240 + Math.floor(Math.random() * 20_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
