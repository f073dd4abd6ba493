/** One direction of one comparison. */
interface Row {
  readonly subject: string;
  readonly direction: string;
  count: number;
  mismatches: number;
}

/** Counts what agrees, and says at once what does not. */
export class Tally {
  readonly #rows: Row[] = [];

  /**
   * Counts one comparison.
   *
   * @param what - it was of, for the message.
   * @param mismatch - how the two differ; nothing when they agree.
   */
  count(subject: string, direction: string, what: string, mismatch: string | undefined): void {
    let row = this.#rows.find((each) => each.subject === subject && each.direction === direction);
    if (row === undefined) {
      row = { subject, direction, count: 0, mismatches: 0 };
      this.#rows.push(row);
    }
    row.count++;
    if (mismatch === undefined) return;
    row.mismatches++;
    console.log(`MISMATCH ${subject}, ${direction}, ${what}: ${mismatch}`);
  }

  /** Counts what `check` comes to: its mismatch, or the error that it throws. */
  async check(
    subject: string,
    direction: string,
    what: string,
    check: () => Promise<string | undefined>,
  ): Promise<void> {
    const mismatch = await check().catch((error: unknown) => String(error));
    this.count(subject, direction, what, mismatch);
  }

  get total(): number {
    return this.#rows.reduce((sum, row) => sum + row.count, 0);
  }

  get mismatches(): number {
    return this.#rows.reduce((sum, row) => sum + row.mismatches, 0);
  }

  /** A line for each direction of each comparison. */
  lines(): readonly string[] {
    return this.#rows.map(({ subject, direction, count, mismatches }) => {
      const outcome = mismatches === 0 ? "all agree" : `${mismatches} DIFFER`;
      return `${subject.padEnd(28)}  ${direction.padEnd(34)}  ${String(count).padStart(4)}  ${outcome}`;
    });
  }
}
