/** What happened, as a hash; and as lines, when they are asked for. */
export class Trace {
  readonly lines: string[] = [];
  readonly #keepsLines: boolean;
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  constructor(keepsLines: boolean) {
    this.#keepsLines = keepsLines;
  }

  note(text: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code ^ (low >>> 13), 0x85ebca6b);
    }
    this.#low = Math.imul(low ^ 10, 0x01000193);
    this.#high = high;
    if (this.#keepsLines) this.lines.push(text);
  }

  get hash(): string {
    return [this.#low, this.#high]
      .map((part) => (part >>> 0).toString(16).padStart(8, "0"))
      .join("");
  }
}
