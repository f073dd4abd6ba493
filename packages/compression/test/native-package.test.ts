import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadNativePackage } from "../src/native-package.ts";

/** The file of a package that is there, but does not load. */
function brokenPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), "msg-native-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "broken.cjs");
  writeFileSync(file, 'throw new Error("no build for this machine");\n');
  return file;
}

describe("a native package", () => {
  it("is what the package exports", () => {
    const api: unknown = loadNativePackage("snappy", "snappy()");
    expect(api).toMatchObject({ compressSync: expect.any(Function) });
  });

  it("is missed at once when it is not installed, with what to do", () => {
    expect(() => loadNativePackage("msg-ts-no-such-package", "thing()")).toThrow(
      expect.objectContaining({
        code: "MSG_MISSING_PACKAGE",
        message:
          "thing() needs the package msg-ts-no-such-package: npm install msg-ts-no-such-package",
        cause: expect.objectContaining({ code: "MODULE_NOT_FOUND" }),
      }),
    );
  });

  it("is missed at once when it is installed and does not load, with the cause", () => {
    const file = brokenPackage();
    expect(() => loadNativePackage(file, "thing()")).toThrow(
      expect.objectContaining({
        code: "MSG_MISSING_PACKAGE",
        message: `thing() needs the package ${file}, which does not load on ${process.platform} ${process.arch}`,
        cause: expect.objectContaining({ message: "no build for this machine" }),
      }),
    );
  });
});
