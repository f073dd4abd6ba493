/**
 * Writes the newest lines of bench/history into docs/performance.md, with its charts, and
 * docs/network.md.
 *
 *   npm run bench:render
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readHistory } from "./harness/history.ts";
import { chartFolder, page, renderedCharts, renderedPage } from "./harness/page.ts";
import { networkPage, renderedNetworkPage } from "./network/page.ts";

const lines = readHistory();
writeFileSync(page, renderedPage(readFileSync(page, "utf8"), lines));
writeFileSync(networkPage, renderedNetworkPage(readFileSync(networkPage, "utf8"), lines));
rmSync(chartFolder, { recursive: true, force: true });
mkdirSync(chartFolder, { recursive: true });
for (const [name, svg] of renderedCharts(lines)) writeFileSync(new URL(name, chartFolder), svg);
