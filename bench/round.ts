/** One round of a scenario: two fresh processes, a warm-up, a window that is counted. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What one round gave. */
export interface RoundResult {
  /** Messages, or answered requests, a second, counted where they arrive. */
  readonly perSecond: number;
  /** CPU microseconds a message, all threads and the kernel's share. */
  readonly sendCpuMicros: number;
  readonly receiveCpuMicros: number;
}

/** What an end reports of the counted window. */
export interface EndReport {
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpuMicros: number;
}

const role = new URL("role.ts", import.meta.url);

/** @param transport - `tcp` or `ipc` */
export async function runRound(
  scenario: string,
  sizeBytes: number,
  transport: string,
): Promise<RoundResult> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-bench-"));
  const address = transport === "ipc" ? join(folder, "s") : "127.0.0.1:0";
  const receiver = fork(role, [scenario, "receiver", transport, address, String(sizeBytes)]);
  try {
    const bound = await message<string>(receiver);
    const sender = fork(role, [scenario, "sender", transport, bound, String(sizeBytes)]);
    try {
      const sent = message<EndReport>(sender);
      const received = await message<EndReport>(receiver);
      const { messages, elapsedMs, cpuMicros } = received;
      sender.send("stop");
      const { cpuMicros: sendCpu, messages: sentMessages } = await sent;
      return {
        perSecond: (messages / elapsedMs) * 1000,
        receiveCpuMicros: cpuMicros / messages,
        sendCpuMicros: sendCpu / sentMessages,
      };
    } finally {
      sender.kill();
    }
  } finally {
    receiver.kill();
    rmSync(folder, { recursive: true });
  }
}

function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (value) => resolve(value as T));
    child.once("exit", (code) => reject(new Error(`a process of the round ended with ${code}`)));
  });
}
