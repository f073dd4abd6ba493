/** Lines over time as SVG, readable on a light and on a dark page. */
import type { Series, Trend } from "./trend.ts";

const width = 860;
const left = 90;
const right = 20;
const panelHeight = 130;
const panelGap = 46;
const top = 56;

const style = [
  "text{font:13px system-ui,sans-serif;fill:#24292f}",
  ".title{font-weight:600}",
  ".line{fill:none;stroke:#0969da;stroke-width:1.5}",
  ".trend{fill:none;stroke:#cf222e;stroke-width:1;stroke-dasharray:5 4}",
  ".frame{fill:none;stroke:#8c959f;stroke-width:1}",
  ".warm{fill:#8c959f;opacity:.15}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.line{stroke:#4493f8}.trend{stroke:#f85149}.frame{stroke:#6e7681}}",
].join("");

/** A series as it is drawn. */
export interface Panel {
  readonly series: Series;
  readonly trend: Trend;
  /** Of all values, warm-up included; the series is their end. */
  readonly all: readonly number[];
}

/** A panel for each series, one below the other, on one axis of time. */
export function timeChart(title: string, seconds: number, panels: readonly Panel[]): string {
  const height = top + panels.length * (panelHeight + panelGap);
  const drawn = panels.map((panel, at) => panelOf(panel, top + at * (panelHeight + panelGap)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    `<text class="title" x="8" y="22">${escaped(title)}</text>`,
    `<text x="${width - right}" y="22" text-anchor="end">0 to ${seconds.toFixed(0)} s; grey: warm-up, not judged</text>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function panelOf({ series, trend, all }: Panel, y: number): string {
  const high = Math.max(...all) * 1.05 || 1;
  const room = width - left - right;
  const x = (at: number): number => left + (at / Math.max(1, all.length - 1)) * room;
  const level = (value: number): number => y + panelHeight - (value / high) * panelHeight;
  const points = all.map((value, at) => `${x(at).toFixed(1)},${level(value).toFixed(1)}`).join(" ");
  const warm = all.length - series.values.length;
  const sorted = series.values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const [from, to] = [median - trend.growth / 2, median + trend.growth / 2];
  const verdict = `${series.name}: median ${shown(median)} ${series.unit}, growth ${shown(trend.growth)} of ${shown(series.allowedGrowth)} allowed, p ${trend.chance.toPrecision(2)}`;
  return [
    `<text x="${left}" y="${y - 8}">${escaped(verdict)}</text>`,
    `<rect class="warm" x="${left}" y="${y}" width="${(x(warm) - left).toFixed(1)}" height="${panelHeight}"/>`,
    `<rect class="frame" x="${left}" y="${y}" width="${room}" height="${panelHeight}"/>`,
    `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${shown(high)}</text>`,
    `<text x="${left - 8}" y="${y + panelHeight}" text-anchor="end">0</text>`,
    `<polyline class="line" points="${points}"/>`,
    `<line class="trend" x1="${x(warm).toFixed(1)}" y1="${level(from).toFixed(1)}" x2="${x(all.length - 1).toFixed(1)}" y2="${level(to).toFixed(1)}"/>`,
  ].join("\n");
}

function shown(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
