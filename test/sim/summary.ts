import type { Pattern, Run } from "./simulate.ts";

const columns = [
  "links",
  "connections lost",
  "refused",
  "faults",
  "sent",
  "delivered",
  "reported lost",
] as const;

/** What many runs came to. */
export class Summary {
  runs = 0;
  failures = 0;
  readonly #totals: Map<Pattern, Map<string, number>> = new Map();

  add({ pattern, steps, counts, violation }: Run): void {
    this.runs++;
    if (violation !== undefined) this.failures++;
    const totals = this.#totals.get(pattern) ?? new Map<string, number>();
    this.#totals.set(pattern, totals);
    const add = (name: string, count: number): void => {
      totals.set(name, (totals.get(name) ?? 0) + count);
    };
    add("runs", 1);
    add("steps", steps);
    for (const [name, count] of counts) add(name, count);
  }

  /** A table in Markdown. */
  lines(seconds: number): string[] {
    const names = ["runs", "steps", ...columns];
    const head = `| pattern | ${names.join(" | ")} |`;
    const rule = `| --- |${" ---: |".repeat(names.length)}`;
    const rows = [...this.#totals].map(([pattern, totals]) => {
      const cells = names.map((name) => (totals.get(name) ?? 0).toLocaleString("en"));
      return `| ${pattern} | ${cells.join(" | ")} |`;
    });
    const perSecond = (this.runs / seconds).toFixed(0);
    return [head, rule, ...rows, `${seconds.toFixed(0)} s, ${perSecond} runs a second`];
  }
}
