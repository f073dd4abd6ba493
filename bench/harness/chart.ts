/** Bars as SVG, readable on a light and on a dark page. */

/** One bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly text: string;
  readonly isOurs: boolean;
}

const width = 720;
const labelWidth = 170;
const textWidth = 110;
const barHeight = 18;
const pitch = 26;
const top = 34;
const bottom = 10;
const leastBar = 2;

const style = [
  "text{font:13px system-ui,sans-serif;fill:#24292f}",
  ".title{font-weight:600}",
  ".bar{fill:#8c959f}",
  ".ours{fill:#0969da}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#4493f8}}",
].join("");

/** Horizontal bars on one linear scale from 0, in the order given. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = top + bars.length * pitch + bottom;
  const longest = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const room = width - labelWidth - textWidth;
  const lines = bars.map(({ label, value, text, isOurs }, index) => {
    const y = top + index * pitch;
    const length = Math.max(leastBar, (value / longest) * room).toFixed(1);
    const behind = (labelWidth + Number(length) + 6).toFixed(1);
    const middle = y + barHeight - 5;
    return [
      `<text x="${labelWidth - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${isOurs ? "ours" : "bar"}" x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`,
      `<text x="${behind}" y="${middle}">${escaped(text)}</text>`,
    ].join("\n");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    `<text class="title" x="8" y="20">${escaped(title)}</text>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
