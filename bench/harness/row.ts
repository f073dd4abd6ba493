/** One row: several contenders in one scenario, measured in turns. */
import type { Entry, RoundOptions } from "./round.ts";
import { runRound } from "./round.ts";
import type { Measures, Settings } from "./scenario.ts";
import type { Figure } from "./statistics.ts";
import { figure, ratios } from "./statistics.ts";

/** Figures by the name of the measure. */
export type Figures = Readonly<Record<string, Figure>>;

/** What was measured in one scenario, as it is printed and kept. */
export interface Row {
  readonly scenario: string;
  readonly transport: string;
  readonly sizeBytes: number;
  readonly count: number;
  readonly pin: string;
  readonly rounds: number;
  /** By the label of the contender. */
  readonly contenders: Readonly<Record<string, Figures>>;
  /** The first contender's own over each other one's, by both labels: quotients of one round. */
  readonly ratios: Readonly<Record<string, Readonly<Record<string, Figures>>>>;
}

/** What failed, instead of a number. */
export interface Failure {
  readonly label: string;
  readonly message: string;
}

/** How a row is measured. */
export interface RowOptions extends RoundOptions {
  readonly rounds: number;
  /** Whose quotients over all others are kept. */
  isOurs(entry: Entry): boolean;
  /** Told of each round. */
  onRound?(entry: Entry, measures: Measures): void;
}

/**
 * Measures every entry `rounds` times: A B C, then C B A, and so on, so that what else the machine
 * does falls on all. An entry that fails is left out from there on.
 */
export async function measureRow(
  settings: Settings,
  entries: readonly Entry[],
  options: RowOptions,
): Promise<{ readonly row: Row; readonly failures: readonly Failure[] }> {
  const rounds = new Map<Entry, Measures[]>(entries.map((entry) => [entry, []]));
  const failures: Failure[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const present = entries.filter((entry) => rounds.has(entry));
    for (const entry of round % 2 === 0 ? present : present.toReversed()) {
      try {
        const measures = await runRound(entry, settings, options);
        rounds.get(entry)?.push(measures);
        options.onRound?.(entry, measures);
      } catch (error) {
        rounds.delete(entry);
        failures.push({ label: entry.label, message: (error as Error).message });
      }
    }
  }
  return { row: summary(settings, rounds, options), failures };
}

function summary(
  settings: Settings,
  rounds: ReadonlyMap<Entry, readonly Measures[]>,
  options: RowOptions,
): Row {
  const { scenario, transport, sizeBytes, count, pin } = settings;
  const entries = [...rounds];
  const contenders = entries.map(([{ label }, samples]) => [label, figuresOf(samples)]);
  const quotients = entries
    .filter(([entry]) => options.isOurs(entry))
    .map(([entry, samples]) => [entry.label, quotientsOf(entry, samples, entries)]);
  return {
    scenario,
    transport,
    sizeBytes,
    count,
    pin,
    rounds: options.rounds,
    contenders: Object.fromEntries(contenders) as Row["contenders"],
    ratios: Object.fromEntries(quotients) as Row["ratios"],
  };
}

function namesOf(samples: readonly Measures[]): readonly string[] {
  return Object.keys(samples[0] ?? {});
}

function figuresOf(samples: readonly Measures[]): Figures {
  const figures = namesOf(samples).map((name) => [
    name,
    figure(samples.map((sample) => sample[name] ?? Number.NaN)),
  ]);
  return Object.fromEntries(figures) as Figures;
}

function quotientsOf(
  own: Entry,
  samples: readonly Measures[],
  entries: readonly (readonly [Entry, readonly Measures[]])[],
): Readonly<Record<string, Figures>> {
  const others = entries.filter(([entry]) => entry !== own);
  return Object.fromEntries(
    others.map(([other, otherSamples]) => [other.label, quotientsBy(samples, otherSamples)]),
  );
}

function quotientsBy(above: readonly Measures[], below: readonly Measures[]): Figures {
  const shared = namesOf(above).filter((name) => namesOf(below).includes(name));
  const figures = shared.map((name) => [
    name,
    ratios(
      above.map((sample) => sample[name] ?? Number.NaN),
      below.map((sample) => sample[name] ?? Number.NaN),
    ),
  ]);
  return Object.fromEntries(figures) as Figures;
}
