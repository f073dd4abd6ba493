/** One round of one contender: fresh processes, a warm-up, a window that is counted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Broker, Contender, Place } from "../peers/contender.ts";
import { scenarios } from "../scenarios/names.ts";
import type { Line } from "./child-process.ts";
import { EndProcess } from "./child-process.ts";
import { cpuMicrosOf, pinned } from "./cpu.ts";
import type { EndName, Ends, Measures, Rate, Scenario, Settings } from "./scenario.ts";

/** A contender in one of its styles, out of one tree. */
export interface Entry {
  /** As the tables call it: `ours/callback`. */
  readonly label: string;
  readonly contender: Contender;
  readonly variant: string;
  /** The folder of the repository it comes from; the one of this file when nothing is said. */
  readonly root?: string;
}

/** How the processes are started. */
export interface RoundOptions {
  /** Runs the packages from their sources instead of what was built from them. */
  readonly fromSource?: boolean;
  /** Called in the middle of the window instead of waiting for its end. */
  during?(ends: Ends): Promise<void>;
}

const ownRoot = fileURLToPath(new URL("../..", import.meta.url));
const countsWithinMs = 20_000;

/** @throws Error in the words of the end that failed. */
export async function runRound(
  entry: Entry,
  settings: Settings,
  options: RoundOptions = {},
): Promise<Measures> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-bench-"));
  const processes: EndProcess[] = [];
  let broker: Broker | undefined;
  const start = (end: EndName, address: string): EndProcess => {
    const place = { transport: settings.transport, address };
    const command = commandOf(entry, settings, end, place, options.fromSource === true);
    const child = new EndProcess(`${entry.label} ${end}`, command, entry.root ?? ownRoot);
    processes.push(child);
    return child;
  };
  try {
    broker = await entry.contender.startBroker?.();
    const free = settings.transport === "ipc" ? join(folder, "s") : "127.0.0.1:0";
    const first = scenarioOf(settings).binds ?? "receiver";
    const second = first === "receiver" ? "sender" : "receiver";
    const binding = start(first, broker?.address ?? free);
    const { address } = await binding.next();
    const connecting = start(second, String(address));
    await connecting.next();
    const isReceiverFirst = first === "receiver";
    const receiver = isReceiverFirst ? binding : connecting;
    const sender = isReceiverFirst ? connecting : binding;
    return await measure({ receiver, sender }, settings, broker, options);
  } finally {
    await Promise.all(processes.map((child) => child.kill()));
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function commandOf(
  { contender, variant, root = ownRoot }: Entry,
  settings: Settings,
  end: EndName,
  place: Place,
  fromSource: boolean,
): readonly string[] {
  const { scenario, sizeBytes, count, pin } = settings;
  const core = { none: undefined, one: 0, two: end === "sender" ? 0 : 1 }[pin];
  const { program } = contender;
  if (program !== undefined) {
    return pinned(program.command({ scenario, end, place, sizeBytes, count }), core);
  }
  const flags = ["--expose-gc", "--import", pathToFileURL(join(root, "dev/register.mjs")).href];
  if (fromSource) flags.unshift("--conditions=@msg-ts/source");
  const file = join(root, "bench/harness/child.ts");
  const args = [end, contender.name, variant, JSON.stringify(settings), JSON.stringify(place)];
  return pinned([process.execPath, ...flags, file, ...args], core);
}

async function measure(
  ends: Ends,
  settings: Settings,
  broker: Broker | undefined,
  options: RoundOptions,
): Promise<Measures> {
  const { receiver, sender } = ends;
  const scenario = scenarioOf(settings);
  if (scenario.drive !== undefined) return scenario.drive(ends, settings);
  await sender.ask("start");
  await untilCounting(receiver);
  await delay(settings.warmUpMs);
  const cpuBefore = broker && cpuMicrosOf(broker.pid);
  const before = await Promise.all([receiver.ask("mark"), sender.ask("mark")]);
  await (options.during?.(ends) ?? delay(settings.windowMs));
  const after = await Promise.all([receiver.ask("mark"), sender.ask("mark")]);
  const cpuAfter = broker && cpuMicrosOf(broker.pid);
  const received = window(before[0], after[0]);
  const sent = window(before[1], after[1]);
  checkBytes(received, settings.sizeBytes);
  const brokerCpuMicros = broker && ((cpuAfter ?? 0) - (cpuBefore ?? 0)) / received.messages;
  const receiveCpuMicros = received.cpuMicros / received.perSecond;
  // By what arrived: a window of the other process is a little longer or shorter.
  const sendCpuMicros = sent.cpuMicros / received.perSecond;
  return {
    perSecond: received.perSecond,
    ...sent.extra,
    ...received.extra,
    ...scenario.extra?.(received, sent, settings),
    cpuMicros: receiveCpuMicros + sendCpuMicros + (brokerCpuMicros ?? 0),
    receiveCpuMicros,
    sendCpuMicros,
    ...(brokerCpuMicros !== undefined && { brokerCpuMicros }),
  };
}

function scenarioOf({ scenario }: Settings): Scenario {
  const found = scenarios[scenario];
  if (found === undefined) throw new Error(`no scenario ${scenario}`);
  return found;
}

async function untilCounting(receiver: EndProcess): Promise<void> {
  const deadline = performance.now() + countsWithinMs;
  while (performance.now() < deadline) {
    const { messages } = await receiver.ask("mark");
    if (Number(messages) > 0) return;
    await delay(10);
  }
  throw new Error(`nothing arrived within ${countsWithinMs} ms`);
}

interface Window extends Rate {
  readonly messages: number;
  readonly bytes: number;
  readonly extra: Measures;
}

function window(before: Line, after: Line): Window {
  const { atMs, messages, bytes, cpuMicros, ...extra } = after;
  const seconds = (Number(atMs) - Number(before["atMs"])) / 1000;
  const counted = Number(messages) - Number(before["messages"]);
  return {
    perSecond: counted / seconds,
    cpuMicros: (Number(cpuMicros) - Number(before["cpuMicros"])) / seconds,
    messages: counted,
    bytes: Number(bytes) - Number(before["bytes"]),
    extra: extra as Measures,
  };
}

/** A contender that loses or cuts payloads is not measured. */
function checkBytes({ messages, bytes }: Window, sizeBytes: number): void {
  if (bytes === messages * sizeBytes && messages > 0) return;
  throw new Error(`${messages} messages of ${sizeBytes} bytes arrived with ${bytes} bytes`);
}
