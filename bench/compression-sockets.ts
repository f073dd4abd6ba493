/** The compressors end to end: a PUSH and a PULL over TCP, a process for each, JSON as payload. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { Variant } from "./compression-variants.ts";
import { figure } from "./record.ts";
import type { Figure } from "./record.ts";

/** One compressor with payloads of one size, through a socket. */
export interface SocketFigures {
  readonly sizeBytes: number;
  readonly compressor: Variant | "none";
  /** 10^6 plain bytes a second, counted where they arrive. */
  readonly mbPerSecond: Figure;
  /** Bytes given to TCP for each plain byte, framing included. */
  readonly wirePerPlain: Figure;
  /** CPU microseconds a message, all threads and the kernel's share. */
  readonly sendCpuMicros: Figure;
  readonly receiveCpuMicros: Figure;
}

/** Who is measured. */
export const socketVariants: readonly SocketFigures["compressor"][] = [
  "none",
  "gzip 1",
  "gzip 6",
  "zstd 3",
  "snappy",
  "lz4",
];

/** What both ends are told. */
export interface Scene {
  readonly address: string;
  readonly compressor: SocketFigures["compressor"];
  readonly sizeBytes: number;
}

/** What an end is asked. */
export type EndRequest =
  | { readonly ask: "open"; readonly scene: Scene }
  | { readonly ask: "start" | "stop" | "close" };

/** What it answers. */
export interface EndAnswers {
  /** Its address. */
  readonly open: string;
  readonly start: true;
  readonly stop: WindowReport;
  /** Bytes on the wire for each plain byte sent; 0 where nothing was. */
  readonly close: number;
}

/** What an end saw of the counted time. */
export interface WindowReport {
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpuMicros: number;
}

const warmUpMs = 200;
const endFile = new URL("compression-end.ts", import.meta.url);

/** What one round gave. */
type Round = Readonly<Record<Exclude<keyof SocketFigures, "sizeBytes" | "compressor">, number>>;

/** Measures every compressor at every size, `rounds` times in turn, by one pair of processes. */
export async function measureSockets(
  sizes: readonly number[],
  rounds: number,
  windowMs: number,
): Promise<readonly SocketFigures[]> {
  const cells = sizes.flatMap((sizeBytes) =>
    socketVariants.map((compressor) => ({ sizeBytes, compressor, rounds: [] as Round[] })),
  );
  const ends = [fork(endFile, ["push"]), fork(endFile, ["pull"])] as const;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const cell of cells) cell.rounds.push(await runRound(...ends, cell, windowMs));
    }
  } finally {
    for (const end of ends) end.kill();
  }
  return cells.map(({ sizeBytes, compressor, rounds: results }) => ({
    sizeBytes,
    compressor,
    mbPerSecond: figure(results.map(({ mbPerSecond }) => mbPerSecond)),
    wirePerPlain: figure(results.map(({ wirePerPlain }) => wirePerPlain)),
    sendCpuMicros: figure(results.map(({ sendCpuMicros }) => sendCpuMicros)),
    receiveCpuMicros: figure(results.map(({ receiveCpuMicros }) => receiveCpuMicros)),
  }));
}

async function runRound(
  push: ChildProcess,
  pull: ChildProcess,
  { compressor, sizeBytes }: Omit<Scene, "address">,
  windowMs: number,
): Promise<Round> {
  const scene = { address: "127.0.0.1:0", compressor, sizeBytes };
  const address = await ask(pull, { ask: "open", scene });
  await ask(push, { ask: "open", scene: { ...scene, address } });
  await pause(warmUpMs);
  await Promise.all([ask(push, { ask: "start" }), ask(pull, { ask: "start" })]);
  await pause(windowMs);
  const stopped = [ask(push, { ask: "stop" }), ask(pull, { ask: "stop" })] as const;
  const [sent, received] = await Promise.all(stopped);
  const wirePerPlain = await ask(push, { ask: "close" });
  await ask(pull, { ask: "close" });
  return {
    mbPerSecond: (received.messages * sizeBytes) / 1e3 / received.elapsedMs,
    wirePerPlain,
    sendCpuMicros: sent.cpuMicros / sent.messages,
    receiveCpuMicros: received.cpuMicros / received.messages,
  };
}

function ask<Ask extends EndRequest["ask"]>(
  end: ChildProcess,
  request: EndRequest & { readonly ask: Ask },
): Promise<EndAnswers[Ask]> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`an end left with ${code} when asked to ${request.ask}`));
    };
    end.once("exit", onExit);
    end.once("message", (answer) => {
      end.off("exit", onExit);
      resolve(answer as EndAnswers[Ask]);
    });
    end.send(request);
  });
}
