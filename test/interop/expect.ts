import { isDeepStrictEqual } from "node:util";

/** @throws Error that shows both, when they differ. */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: ${shown(actual)}, expected ${shown(expected)}`);
}

/** @throws Error with `what`, when the condition is false. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`not so: ${what}`);
}

function shown(value: unknown): string {
  return value === undefined ? "undefined" : JSON.stringify(value);
}
