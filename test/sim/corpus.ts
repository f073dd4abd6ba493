import type { Pattern } from "./simulate.ts";

/** Seeds that failed once, and what they found: each is run again in `npm test`. */
export const corpus: readonly {
  readonly pattern: Pattern;
  readonly seed: number;
  readonly found: string;
}[] = [
  {
    pattern: "pub-sub",
    seed: 201,
    found: "what peers left that are gone was bounded for each of them, not for all",
  },
  {
    pattern: "pub-sub",
    seed: 1,
    found: "the timer of an authorize() that takes its time outlived its socket",
  },
];
