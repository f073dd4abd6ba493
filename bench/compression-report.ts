/** The lines of bench/history/compression.jsonl, and what docs/compression.md shows of them. */
import { readFileSync } from "node:fs";
import type { CallFigures, Speed } from "./compression-calls.ts";
import type { DataKind } from "./compression-data.ts";
import { dataKinds } from "./compression-data.ts";
import type { SocketFigures } from "./compression-sockets.ts";
import type { Backends } from "./compression-variants.ts";
import type { Figure } from "./record.ts";

/** One run. */
export interface CompressionLine {
  readonly date: string;
  readonly commit: string;
  readonly scenario: "compression";
  /** As `process.version`. */
  readonly node: string;
  readonly machine: string;
  readonly backends: Backends;
  /** How many processes wanted to run, of the minute before the run and of its last minute. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly windowMs: number;
  readonly calls: readonly CallFigures[];
  readonly sockets: readonly SocketFigures[];
}

/** Payload sizes of all tables. */
export const sizes: readonly number[] = [1_024, 8_192, 65_536, 1_048_576];

/** The page that has the tables. */
export const page: URL = new URL("../docs/compression.md", import.meta.url);

const history = new URL("history/compression.jsonl", import.meta.url);
const nvmrc = new URL("../.nvmrc", import.meta.url);

const begin =
  "<!-- Written by `npm run bench:compression -- --render` from bench/history/compression.jsonl: do not edit. -->";
const end = "<!-- Written until here. -->";

const dataTitles: Readonly<Record<DataKind, string>> = {
  json: "JSON",
  text: "text",
  random: "random bytes",
};

/**
 * The newest line of the Node that `.nvmrc` names, then the newest one of a Node with a zstd of its
 * own, if there is any.
 *
 * @throws Error when there is none of the former.
 */
export function newestLines(): readonly CompressionLine[] {
  const texts = readFileSync(history, "utf8").trim().split("\n");
  const lines = texts.map((text) => JSON.parse(text) as CompressionLine);
  const major = `v${readFileSync(nvmrc, "utf8").trim()}.`;
  const main = lines.findLast(({ node }) => node.startsWith(major));
  if (main === undefined)
    throw new Error(`bench/history/compression.jsonl has no line of ${major}`);
  const builtin = lines.findLast(({ backends }) => backends.zstd.startsWith("node:zlib"));
  return builtin === undefined || builtin === main ? [main] : [main, builtin];
}

/** The page's text with these tables between its two comments. */
export function rendered(text: string, lines: readonly CompressionLine[]): string {
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/compression.md lacks the line ${begin}`);
  return `${text.slice(0, start + begin.length)}\n\n${tables(lines)}\n${text.slice(stop)}`;
}

/**
 * All tables. Of the second line only zstd is shown, for that is what differs.
 *
 * @param lines - one or two, as {@link newestLines} gives them.
 */
export function tables(lines: readonly CompressionLine[]): string {
  return [
    ...lines.map(circumstancesOf),
    "",
    ...dataKinds.flatMap((data) => [...callTable(lines, data), ""]),
    spreadOf(
      "Calls",
      lines.flatMap(({ calls }) =>
        calls.flatMap(({ compress, decompress }) => [
          compress.mbPerCpuSecond,
          decompress.mbPerCpuSecond,
        ]),
      ),
    ),
    "",
    ...socketTable(lines),
    "",
    spreadOf(
      "MB/s through a socket",
      lines.flatMap(({ sockets }) => sockets.map(({ mbPerSecond }) => mbPerSecond)),
    ),
    spreadOf(
      "CPU through a socket",
      lines.flatMap(({ sockets }) =>
        sockets.flatMap(({ sendCpuMicros, receiveCpuMicros }) => [sendCpuMicros, receiveCpuMicros]),
      ),
    ),
    "",
  ].join("\n");
}

function circumstancesOf(line: CompressionLine): string {
  const { gzip, zstd, snappy, lz4 } = line.backends;
  const load = `load ${line.loadBefore} before, ${line.loadAfter} after`;
  return [
    `- Node.js ${line.node.slice(1)}, ${line.machine}, ${line.date.slice(0, 10)}, commit ${line.commit}, ${load}.`,
    `  gzip: ${gzip}; zstd: ${zstd}; snappy: ${snappy}; lz4: ${lz4}.`,
  ].join("\n");
}

/** A row for each compressor, a column for each size. */
function callTable(lines: readonly CompressionLine[], data: DataKind): string[] {
  const rows = rowsOf(lines, ({ calls }) => calls.filter((call) => call.data === data));
  const names = [...new Set(rows.map(({ name }) => name))];
  const body = names.map((name) => [
    name,
    ...sizes.map((sizeBytes) => {
      const row = rows.find((other) => other.name === name && other.cell.sizeBytes === sizeBytes);
      return row === undefined ? "" : callCell(row.cell);
    }),
  ]);
  return table([dataTitles[data], ...sizes.map(sizeOf)], body);
}

function callCell({ ratio, compress, decompress }: CallFigures): string {
  return `${ratio.toFixed(2)}: ${speedOf(compress)} / ${speedOf(decompress)}`;
}

function speedOf({ isOnThreads, mbPerCpuSecond }: Speed): string {
  return `${shown(mbPerCpuSecond.median)}${isOnThreads ? "†" : ""}`;
}

const socketTitles = [
  "payload",
  "compressor",
  "MB/s",
  "wire / plain",
  "CPU µs, PUSH",
  "CPU µs, PULL",
  "MB/s, a core each",
  "pays below, Mbit/s",
  "full gain below, Mbit/s",
];

function socketTable(lines: readonly CompressionLine[]): string[] {
  const rows = rowsOf(lines, ({ sockets }) => sockets);
  return table(
    socketTitles,
    sizes.flatMap((size) =>
      rows
        .filter(({ cell }) => cell.sizeBytes === size)
        .map(({ name, cell, line }) => [
          sizeOf(size),
          name,
          shown(cell.mbPerSecond.median),
          cell.wirePerPlain.median.toFixed(3),
          shown(cell.sendCpuMicros.median),
          shown(cell.receiveCpuMicros.median),
          ...streamRates(cell, line),
        ]),
    ),
  );
}

/**
 * What a stream manages with one core at each end, in MB/s; then up to which rate of the link, in
 * Mbit/s, it goes faster compressed than plain, and up to which one it gains all that the ratio
 * promises. It goes at the lesser of what the ends manage and of link / (wire / plain).
 */
function streamRates(cell: SocketFigures, line: CompressionLine): string[] {
  const plain = line.sockets.find(
    ({ compressor, sizeBytes }) => compressor === "none" && sizeBytes === cell.sizeBytes,
  );
  if (plain === undefined) throw new Error(`line of ${line.date} lacks none at ${cell.sizeBytes}`);
  const rate = oneCoreRate(cell);
  if (cell === plain) return [shown(rate), "", ""];
  const begins = rate < oneCoreRate(plain) ? shown(8 * rate * plain.wirePerPlain.median) : "any";
  return [shown(rate), begins, shown(8 * rate * cell.wirePerPlain.median)];
}

/** The end that needs more CPU for a message decides. */
function oneCoreRate({ sizeBytes, sendCpuMicros, receiveCpuMicros }: SocketFigures): number {
  return sizeBytes / Math.max(sendCpuMicros.median, receiveCpuMicros.median);
}

interface Row<Cell> {
  readonly name: string;
  readonly cell: Cell;
  readonly line: CompressionLine;
}

/** The cells of the first line; behind each zstd the same one of the second. */
function rowsOf<Cell extends { readonly compressor: string; readonly sizeBytes: number }>(
  lines: readonly CompressionLine[],
  cellsOf: (line: CompressionLine) => readonly Cell[],
): Row<Cell>[] {
  const [main, other] = lines;
  if (main === undefined) return [];
  const rows = cellsOf(main).map((cell) => ({ name: cell.compressor, cell, line: main }));
  if (other === undefined) return rows;
  const added = cellsOf(other).filter(({ compressor }) => compressor.startsWith("zstd"));
  return rows.flatMap((row) => [
    row,
    ...added
      .filter((cell) => cell.compressor === row.name && cell.sizeBytes === row.cell.sizeBytes)
      .map((cell) => ({ name: `${row.name}, Node.js ${majorOf(other)}`, cell, line: other })),
  ]);
}

function majorOf({ node }: CompressionLine): string {
  return /\d+/.exec(node)?.[0] ?? node;
}

/** How far rounds were from their median: for half of the figures, for nine of ten, at the worst. */
function spreadOf(what: string, figures: readonly Figure[]): string {
  const spreads = figures
    .map(({ median, min, max }) => Math.max(max - median, median - min) / median)
    .toSorted((a, b) => a - b);
  const percent = (share: number): string =>
    ((spreads[Math.floor((spreads.length - 1) * share)] ?? 0) * 100).toFixed(0);
  return `- Spread, ${what}: up to ${percent(0.5)} % for half of the figures, ${percent(0.9)} % for nine of ten, ${percent(1)} % at the worst.`;
}

/** The first column and that of compressors are texts, the others numbers. */
function table(titles: readonly string[], body: readonly (readonly string[])[]): string[] {
  const marks = titles.map((title, at) => (at === 0 || title === "compressor" ? "---" : "--:"));
  return [titles, marks, ...body].map((cells) => `| ${cells.join(" | ")} |`);
}

function sizeOf(bytes: number): string {
  return bytes < 1_048_576 ? `${bytes / 1024} KiB` : `${bytes / 1_048_576} MiB`;
}

/** Three digits, which is more than the spread leaves. */
function shown(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
