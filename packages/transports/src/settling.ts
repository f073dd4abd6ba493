interface Wait<T> {
  readonly left: Set<T>;
  readonly end: () => void;
}

/** Lets others wait, for a time, for the end of what is under way when they ask. */
export class Settling<T> {
  readonly #waits: Set<Wait<T>> = new Set();

  /** Resolves when {@link settled} was told of all of these, or after `withinMs`. */
  wait(underWay: Iterable<T>, withinMs: number): Promise<void> {
    const left = new Set(underWay);
    if (left.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waits.delete(wait);
        resolve();
      };
      const wait: Wait<T> = { left, end };
      const timer = setTimeout(end, withinMs);
      this.#waits.add(wait);
    });
  }

  settled(one: T): void {
    for (const { left, end } of this.#waits) if (left.delete(one) && left.size === 0) end();
  }

  /** Has nobody wait any longer. */
  clear(): void {
    for (const { end } of this.#waits) end();
  }
}
