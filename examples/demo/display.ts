/** One line of the display. */
export interface Row {
  readonly label: string;
  readonly text: string;
  readonly tone?: Tone;
}

/** What a line's colour says. */
export type Tone = "good" | "bad";

/** What the display needs of a stream: `process.stdout` is one. */
export interface DisplayStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const labelWidth = 13;
const plainIntervalMs = 1_000;
const escape = "\u001B[";

/**
 * Shows how things stand: redrawn in place on a terminal, a line every second elsewhere.
 *
 * Colours only on a terminal, and not with `NO_COLOR` (https://no-color.org).
 */
export class Display {
  readonly #stream: DisplayStream;
  readonly #isTerminal: boolean;
  readonly #hasColours: boolean;
  #drawnLines = 0;
  #lastPlainMs = -Infinity;

  constructor(stream: DisplayStream, env: NodeJS.ProcessEnv) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true;
    this.#hasColours = this.#isTerminal && (env["NO_COLOR"] ?? "") === "";
  }

  /** @param line - says the same in one line. */
  show(rows: readonly Row[], line: string, nowMs: number): void {
    if (this.#isTerminal) this.#redraw(rows);
    else if (nowMs - this.#lastPlainMs >= plainIntervalMs) {
      this.#lastPlainMs = nowMs;
      this.#stream.write(`${line}\n`);
    }
  }

  /** Prints rows that stay, below what is shown. */
  print(rows: readonly Row[]): void {
    this.#drawnLines = 0;
    for (const row of rows) this.#stream.write(`${this.#render(row, Infinity)}\n`);
  }

  #redraw(rows: readonly Row[]): void {
    const up = this.#drawnLines === 0 ? "" : `${escape}${this.#drawnLines}A`;
    const width = (this.#stream.columns ?? 80) - 1;
    // In one write, each line cleared as it is replaced: nothing flickers.
    const lines = rows.map((row) => `${escape}2K${this.#render(row, width)}\n`);
    this.#stream.write(`${up}${lines.join("")}`);
    this.#drawnLines = rows.length;
  }

  #render({ label, text, tone }: Row, width: number): string {
    const padded = label === "" ? "" : `${label.padEnd(labelWidth)} `;
    const shown = text.slice(0, Math.max(0, width - padded.length));
    return `${this.#colour(padded, "2")}${this.#colour(shown, codes[tone ?? "plain"])}`;
  }

  #colour(text: string, code: string): string {
    return this.#hasColours && code !== "" && text !== ""
      ? `${escape}${code}m${text}${escape}0m`
      : text;
  }
}

const codes: Readonly<Record<Tone | "plain", string>> = { good: "32", bad: "31;1", plain: "" };
