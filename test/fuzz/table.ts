import type { GuidedResult } from "./guided-run.ts";
import { shownMebibytes } from "./memory-watch.ts";
import type { TargetReport } from "./supervisor.ts";

/** Of each target, this many failures are shown. */
const maxShownFailures = 5;

/** What came of each target, a row for each. */
export function tableLines(reports: readonly TargetReport[]): readonly string[] {
  const head = ["algorithm", "runs", "accepted", "refused by code", "slowest ms", "peak memory"];
  head.push("heap at first", "heap at last");
  return asTable([head, ...reports.map(rowOf)]);
}

/** What came of each target that was led by coverage, and every failure. */
export function guidedLines(results: readonly GuidedResult[]): readonly string[] {
  const head = ["target", "inputs", "accepted", "refused", "blocks reached", "kept", "slowest ms"];
  const rows = results.map(({ name, unavailable, counts, blocks, kept }) => {
    if (unavailable !== undefined) return [name, "0", "-", unavailable];
    const { runs, accepted, slowestMs } = counts;
    return [
      name,
      ...[runs, accepted, runs - accepted, blocks, kept].map(String),
      slowestMs.toFixed(1),
    ];
  });
  const failures = results.flatMap(({ name, counts }) =>
    counts.failures
      .slice(0, maxShownFailures)
      .flatMap(({ what, hex, bytes }) => [
        "",
        `FAILED ${name}: ${what}`,
        `  ${bytes} bytes: ${hex}`,
        `  again: npm run fuzz -- --only '${name}' --input ${hex}`,
      ]),
  );
  return [...asTable([head, ...rows]), ...failures];
}

function rowOf({ target, unavailable, counts, peakBytes, heap }: TargetReport): readonly string[] {
  if (unavailable !== undefined) return [target, "0", "-", unavailable, "-", "-", "-", "-"];
  const refused = Object.entries(counts.refused)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([code, count]) => `${code} ${count}`);
  return [
    target,
    String(counts.runs),
    String(counts.accepted),
    refused.join(", "),
    counts.slowestMs.toFixed(1),
    shownMebibytes(peakBytes),
    ...(heap === undefined ? ["-", "-"] : [heap.heapBefore, heap.heapAfter].map(shownMebibytes)),
  ];
}

/** Every failure: what, its input, and how to have it again. */
export function failureLines(reports: readonly TargetReport[], seed: number): readonly string[] {
  return reports.flatMap(({ target, counts: { failures, overall } }) => {
    const ofAll = overall.flatMap((what) => ["", `FAILED ${target}, all runs: ${what}`]);
    const shown = failures
      .slice(0, maxShownFailures)
      .flatMap(({ run, what, how, hex, bytes }) => [
        "",
        `FAILED ${target}, run ${run}: ${what}`,
        `  input: ${how}`,
        `  ${bytes} bytes${2 * bytes > hex.length ? ", the first of them" : ""}: ${hex}`,
        `  again: npm run fuzz -- --only '${target}' --seed ${seed} --run ${run}`,
      ]);
    const rest = failures.length - maxShownFailures;
    const more = rest > 0 ? ["", `and ${rest} more of ${target}`] : [];
    return [...ofAll, ...shown, ...more];
  });
}

function asTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
