/** How a row looks in a terminal. */
import { scenarios } from "../scenarios/names.ts";
import { measureOf } from "./measures.ts";
import type { Row } from "./row.ts";
import type { Figure } from "./statistics.ts";

/** `12.3M`, `4.56k`, `0.789`: three digits are what a busy machine can tell. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  if (size >= 999_500) return `${digits(value / 1e6)}M`;
  if (size >= 9_995) return `${digits(value / 1e3)}k`;
  return digits(value);
}

/** What a row was measured with, in a few words. */
export function heading({ scenario, transport, sizeBytes, pin }: Omit<Row, "ratios">): string {
  const pinning =
    { none: "", one: ", pinned to one core", two: ", pinned to two cores" }[pin] ?? "";
  return `${scenario}, ${sizeText(sizeBytes)}, ${transport}${pinning}`;
}

/** The names of what a row measured, the headline first. */
export function measuresOf({ scenario, contenders }: Row): readonly string[] {
  const names = new Set(Object.values(contenders).flatMap((figures) => Object.keys(figures)));
  const { headline = "" } = scenarios[scenario] ?? {};
  return names.has(headline) ? [...new Set([headline, ...names])] : [...names];
}

/** Lines of text: a contender in each, its medians with their spread, and how ours compares. */
export function rowText(row: Row): string {
  const labels = Object.keys(row.contenders);
  const names = measuresOf(row);
  if (names.length === 0) return `${heading(row)}: nobody`;
  const ours = Object.keys(row.ratios);
  const [headline = ""] = names;
  const { better } = measureOf(headline);
  const header = ["", ...names.map(titleOf), ...ours.map((label) => `${label} is`)];
  const lines = labels.map((label) => [
    label,
    ...names.map((name) => spread(row.contenders[label]?.[name], row.rounds)),
    ...ours.map((own) => times(row.ratios[own]?.[label]?.[headline], better)),
  ]);
  return `${heading(row)}\n${table([header, ...lines])}`;
}

function titleOf(name: string): string {
  const { title, unit } = measureOf(name);
  return unit === "/s" ? title : `${title} ${unit}`;
}

function spread(figure: Figure | undefined, rounds: number): string {
  if (figure === undefined) return "";
  if (rounds === 1) return short(figure.median);
  return `${short(figure.median)} (${short(figure.min)}-${short(figure.max)})`;
}

/** How many times better, also where less is better; of a quotient. */
export function times(quotient: Figure | undefined, better: "higher" | "lower"): string {
  if (quotient === undefined) return "";
  return `${short(better === "higher" ? quotient.median : 1 / quotient.median)} x`;
}

/** `64 B`, `1 KiB`. */
export function sizeText(bytes: number): string {
  if (bytes >= 1_048_576 && bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  if (bytes >= 1_024 && bytes % 1_024 === 0) return `${bytes / 1_024} KiB`;
  return `${bytes} B`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return rows.map((cells) => `  ${line(cells)}`.trimEnd()).join("\n");
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
