/** Where a CPU profile says that the time went. */
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A profile as V8 writes it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples?: readonly number[] | undefined;
  readonly timeDeltas?: readonly number[] | undefined;
}

/** A function in one place of the call tree. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

/** A function, wherever it was called from. */
export interface SelfTime {
  readonly name: string;
  /** `packages/core/src/bytes.ts:12`; empty for what is no JavaScript. */
  readonly place: string;
  /** Of the time that was not idle, 0 to 1. */
  readonly share: number;
  readonly micros: number;
}

/** Time in functions themselves, without what they call: the longest first. */
export function selfTimes(profile: CpuProfile): {
  readonly busyMicros: number;
  readonly idleMicros: number;
  readonly functions: readonly SelfTime[];
} {
  const { samples = [], timeDeltas = [] } = profile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const sums = new Map<string, { name: string; place: string; micros: number }>();
  let idleMicros = 0;
  let busyMicros = 0;
  samples.forEach((id, index) => {
    const node = nodes.get(id);
    // A delta is the time before its sample.
    const micros = Math.max(0, timeDeltas[index + 1] ?? 0);
    if (node === undefined) return;
    if (node.callFrame.functionName === "(idle)") idleMicros += micros;
    else {
      busyMicros += micros;
      const { functionName, url, lineNumber, columnNumber } = node.callFrame;
      const key = `${functionName} ${url} ${lineNumber} ${columnNumber}`;
      const sum = sums.get(key) ?? { name: functionName || "(anonymous)", place: key, micros: 0 };
      sum.place = url === "" ? "" : placeOf(url, lineNumber, columnNumber);
      sum.micros += micros;
      sums.set(key, sum);
    }
  });
  const functions = [...sums.values()]
    .toSorted((a, b) => b.micros - a.micros)
    .map((sum) => ({ ...sum, share: sum.micros / busyMicros }));
  return { busyMicros, idleMicros, functions };
}

/** Lines of text: share of the busy time, nanoseconds a message, function, place. */
export function topList(profile: CpuProfile, messages: number, length: number): string {
  const { busyMicros, idleMicros, functions } = selfTimes(profile);
  const total = busyMicros + idleMicros;
  const lines = functions.slice(0, length).map(({ name, place, share, micros }) => {
    const percent = `${(share * 100).toFixed(1)} %`;
    const nanos = ((micros * 1000) / messages).toFixed(1);
    return `${percent.padStart(8)} ${nanos.padStart(9)}  ${name.padEnd(28)} ${place}`;
  });
  const idle = `idle ${((idleMicros / total) * 100).toFixed(0)} % of ${(total / 1e6).toFixed(1)} s`;
  return [`${idle}; of the rest:`, "    self    ns/msg  function", ...lines].join("\n");
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const sourceMaps = new Map<string, SourceMap | undefined>();

/** A place in what was built becomes one in the sources. Lines of a profile begin with 0. */
function placeOf(url: string, line: number, column: number): string {
  if (!url.startsWith("file:")) return `${url}:${line + 1}`;
  const file = fileURLToPath(url);
  const entry = sourceMapOf(file)?.findEntry(line, Math.max(0, column));
  if (entry !== undefined && "originalSource" in entry) {
    const source = resolve(dirname(file), entry.originalSource);
    return `${relative(root, source)}:${entry.originalLine + 1}`;
  }
  return `${relative(root, file)}:${line + 1}`;
}

function sourceMapOf(file: string): SourceMap | undefined {
  if (!sourceMaps.has(file)) {
    const text = existsSync(`${file}.map`) ? readFileSync(`${file}.map`, "utf8") : undefined;
    const map = text && new SourceMap(JSON.parse(text) as SourceMapPayload);
    sourceMaps.set(file, map || undefined);
  }
  return sourceMaps.get(file);
}
