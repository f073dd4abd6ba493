/** Lines of a table whose columns are as wide as their widest cell; the first is left-aligned. */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  const isText = (at: number): boolean =>
    !rows.every((row) => /^(?:[\d.,]+|-)$/.test(row[at] ?? ""));
  return all.map((row) =>
    row
      .map((cell, at) =>
        isText(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

/** Three significant digits. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
