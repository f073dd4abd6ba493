/** How far back a rate looks. */
const windowMs = 2_000;

/** Turns a growing count into a rate over the last two seconds. */
export class Rate {
  #samples: { readonly atMs: number; readonly count: number }[] = [];

  /** Takes the count as it is now; gives how much it grows per second. */
  update(count: number, atMs: number): number {
    this.#samples.push({ atMs, count });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) >= windowMs) {
      this.#samples.shift();
    }
    const [first] = this.#samples;
    if (first === undefined || first.atMs === atMs) return 0;
    return ((count - first.count) * 1_000) / (atMs - first.atMs);
  }
}
