/** Defaults for what is not said, and the check of all. */
export function resolveFaults<Name extends string>(
  faults: Partial<Record<Name, number>>,
  defaults: Readonly<Record<Name, number>>,
  allowed: Readonly<Record<Name, readonly [number, number]>>,
): Readonly<Record<Name, number>> {
  const resolved = { ...defaults, ...faults };
  for (const name of Object.keys(resolved) as Name[]) {
    const range = allowed[name] as readonly [number, number] | undefined;
    if (range === undefined) throw new RangeError(`there is no fault ${name}`);
    const [min, max] = range;
    const value = resolved[name];
    if (value >= min && value <= max) continue;
    throw new RangeError(`${name} is ${value}, must be ${min} to ${max}`);
  }
  return resolved;
}
