import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const files = readdirSync(new URL(".", import.meta.url)).filter((file) =>
  /\.(log|json)$/.test(file),
);
const testOf = (file: string): URL => new URL(file.replace(/\.\w+$/, ".test.ts"), import.meta.url);

describe("the captures of libzmq", () => {
  it("are there", () => {
    expect(files.length).toBeGreaterThanOrEqual(8);
  });

  // A new file without a test of its name fails here; a new exchange of a file, or line, there.
  it.each(files)("%s is replayed by a test of its name", (file) => {
    const test = testOf(file);
    expect(existsSync(test), `${file} has no test beside it`).toBe(true);
    expect(readFileSync(test, "utf8")).toContain(file);
  });
});
