/** What docs/reliability.md shows of the recorded attacks. */
import { readFileSync, writeFileSync } from "node:fs";
import type { AttackResult } from "./campaign/campaign.ts";
import { attacks } from "./campaign/attacks.ts";
import type { TransportName } from "./campaign/network.ts";
import { transportNames } from "./campaign/network.ts";

/** What came of one attack over one transport, and when and where. */
export interface RecordedAttack extends AttackResult {
  readonly transport: TransportName;
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly seed: number;
  readonly forMs: number;
}

/** Where the newest of each are kept. */
const record: URL = new URL("history/attacks.json", import.meta.url);

/** The page that has the table. */
export const page: URL = new URL("../../docs/reliability.md", import.meta.url);

const begin =
  "<!-- Written by `npm run test:hostile -- --render` from test/hostile/history: do not edit. -->";
const end = "<!-- Attacks are written until here. -->";

const number = new Intl.NumberFormat("en");

export function readRecord(): readonly RecordedAttack[] {
  return JSON.parse(readFileSync(record, "utf8")) as readonly RecordedAttack[];
}

/** Keeps a result in place of the one before; all others stay as they are. */
export function addToRecord(result: RecordedAttack): void {
  const all = withResult(readRecord(), result);
  writeFileSync(record, `${JSON.stringify(all, undefined, 2)}\n`);
}

/** All results with a new one, in the order of attacks and transports. */
export function withResult(
  all: readonly RecordedAttack[],
  result: RecordedAttack,
): readonly RecordedAttack[] {
  const others = all.filter(
    ({ name, transport }) => name !== result.name || transport !== result.transport,
  );
  const place = ({ name, transport }: RecordedAttack): number =>
    attacks.findIndex((attack) => attack.name === name) * transportNames.length +
    transportNames.indexOf(transport);
  return [...others, result].toSorted((one, other) => place(one) - place(other));
}

/** @throws Error when the page lacks the two comments between which it is written. */
export function renderedPage(text: string, results: readonly RecordedAttack[]): string {
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < start) throw new Error(`docs/reliability.md lacks the line ${begin}`);
  const written = [...tableOf(results), "", circumstancesOf(results)].join("\n");
  return `${text.slice(0, start + begin.length)}\n\n${written}\n\n${text.slice(stop)}`;
}

const head = [
  "attack",
  "over",
  "connections",
  "told by the victim",
  "most memory",
  "may take",
  "resident",
  "good peers got",
  "failures",
];

/** A row for each attack: sums over its transports, and the worst of them. */
function tableOf(results: readonly RecordedAttack[]): string[] {
  const rows = attacks.flatMap(({ name, mostMiB }) => {
    const of = results.filter((result) => result.name === name);
    if (of.length === 0) return [];
    const sum = (count: (result: AttackResult) => number): number =>
      of.reduce((all, result) => all + count(result), 0);
    const most = Math.max(0, ...of.map((result) => result.mostMiB));
    const resident = Math.max(0, ...of.map((result) => result.residentMiB));
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
        `${resident.toFixed(0)} MiB`,
        number.format(sum(({ bystanders }) => bystanders)),
        number.format(sum(({ failures }) => failures.length)),
      ],
    ];
  });
  const ruler = head.map((_, at) => (at < 2 ? "---" : "---:"));
  return [head, ruler, ...rows].map((row) => `| ${row.join(" | ")} |`);
}

function circumstancesOf(results: readonly RecordedAttack[]): string {
  const each = (of: (result: RecordedAttack) => string): string =>
    [...new Set(results.map(of))].toSorted().join(", ");
  const days = each(({ date }) => date.slice(0, 10));
  const nodes = each(({ node }) => node);
  const [machines, seeds] = [each(({ machine }) => machine), each(({ seed }) => String(seed))];
  const lengths = each(({ forMs }) => number.format(forMs));
  return `Measured on ${days} with Node.js ${nodes} on ${machines}, seed ${seeds}; attacks without an end went on for ${lengths} ms.`;
}
