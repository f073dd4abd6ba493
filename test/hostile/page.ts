/** What docs/reliability.md shows of the recorded attacks. */
import { readFileSync } from "node:fs";
import type { AttackResult } from "./campaign/campaign.ts";
import { attacks } from "./campaign/attacks.ts";
import type { TransportName } from "./campaign/network.ts";

/** One run of all attacks, as it is kept. */
export interface RecordedAttacks {
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly seed: number;
  readonly forMs: number;
  readonly results: readonly (AttackResult & { readonly transport: TransportName })[];
}

/** Where the newest run is kept. */
export const record: URL = new URL("history/attacks.json", import.meta.url);

/** The page that has the table. */
export const page: URL = new URL("../../docs/reliability.md", import.meta.url);

const begin =
  "<!-- Written by `npm run test:hostile -- --render` from test/hostile/history: do not edit. -->";
const end = "<!-- Attacks are written until here. -->";

const number = new Intl.NumberFormat("en");

export function readRecord(): RecordedAttacks {
  return JSON.parse(readFileSync(record, "utf8")) as RecordedAttacks;
}

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, run: RecordedAttacks): string {
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < start) throw new Error(`docs/reliability.md lacks the line ${begin}`);
  const written = [...tableOf(run), "", circumstancesOf(run)].join("\n");
  return `${text.slice(0, start + begin.length)}\n\n${written}\n\n${text.slice(stop)}`;
}

const head = [
  "attack",
  "over",
  "connections",
  "told by the victim",
  "most memory",
  "may take",
  "good peers got",
  "failures",
];

/** A row for each attack: sums over its transports, and the worst of them. */
function tableOf({ results }: RecordedAttacks): string[] {
  const rows = attacks.flatMap(({ name, mostMiB }) => {
    const of = results.filter((result) => result.name === name);
    if (of.length === 0) return [];
    const sum = (count: (result: AttackResult) => number): number =>
      of.reduce((all, result) => all + count(result), 0);
    const most = Math.max(0, ...of.map((result) => result.mostMiB));
    const events = sum(({ counts }) =>
      Object.values(counts).reduce((all, count) => all + count, 0),
    );
    return [
      [
        name,
        of.map(({ transport }) => transport).join(", "),
        number.format(sum(({ links }) => links)),
        number.format(events),
        `${most.toFixed(0)} MiB`,
        `${mostMiB.toFixed(0)} MiB`,
        number.format(sum(({ bystanders }) => bystanders)),
        number.format(sum(({ failures }) => failures.length)),
      ],
    ];
  });
  const ruler = head.map((_, at) => (at < 2 ? "---" : "---:"));
  return [head, ruler, ...rows].map((row) => `| ${row.join(" | ")} |`);
}

function circumstancesOf({ date, node, machine, seed, forMs }: RecordedAttacks): string {
  const day = date.slice(0, 10);
  return `Measured on ${day} with Node.js ${node} on ${machine}, seed ${seed}; attacks without an end went on for ${forMs} ms.`;
}
