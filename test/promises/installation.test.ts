import { describe, expect, it } from "vitest";
import { Installation } from "./installation.ts";

const timeout = 120_000;
const hasZstd = "zstd" in process.versions;
const zstdBefore = "zstd() before Node 22.15";

/** What `children/read-compressed.ts` says. */
interface Report {
  readonly loadedByImport: readonly string[];
  readonly loadedBySockets: readonly string[];
  readonly loadedAtLast: readonly string[];
  readonly connections: number;
  readonly outcomes: Readonly<Record<string, string>>;
}

/** What `children/make-compressors.ts` says: `null` of each that could be made. */
type Makings = Readonly<
  Record<string, { readonly [of in "code" | "message" | "cause"]: string } | null>
>;

async function said<Said>(child: string, installation: Installation): Promise<Said> {
  const outcome = await installation.run(child);
  expect(outcome).toMatchObject({ code: 0, errors: "" });
  return JSON.parse(outcome.output) as Said;
}

async function report(optional: readonly string[]): Promise<Report> {
  return said("read-compressed", new Installation(optional));
}

/** Why a compressor cannot be made. */
function refused(what: string, packageName: string): unknown {
  const message = `${what} needs the package ${packageName}: npm install ${packageName}`;
  return expect.objectContaining({ code: "MSG_MISSING_PACKAGE", message });
}

/** Why a message cannot be read. */
function missing(name: string, what: string, packageName: string): string {
  const cause = `${what} needs the package ${packageName}: npm install ${packageName}`;
  return `MSG_UNKNOWN_COMPRESSION: payload is compressed with ${name}, and ${cause}`;
}

describe("an application that installs msg-ts", { timeout }, () => {
  it("loads no native package before a payload needs it", async () => {
    const { loadedByImport, loadedBySockets, loadedAtLast } = await report(["snappy", "lz4-napi"]);
    expect(loadedByImport).toEqual([]);
    expect(loadedBySockets).toEqual([]);
    expect(loadedAtLast).toEqual(["lz4", "snappy"]);
  });

  it("reads all but zstd without the package of zstd, where Node has none itself", async () => {
    const { outcomes, connections } = await report(["snappy", "lz4-napi"]);
    const zstd = hasZstd ? "read" : missing("zstd", zstdBefore, "@mongodb-js/zstd");
    const [snappy, lz4, gzip] = ["read", "read", "read"];
    expect(Object.values(outcomes)).toEqual([zstd, snappy, lz4, gzip, zstd, snappy, lz4, gzip]);
    expect(connections).toBe(1);
  });

  it("reads gzip without any package; the others fail alone and name theirs", async () => {
    const { outcomes, connections, loadedAtLast } = await report([]);
    const zstd = hasZstd ? "read" : missing("zstd", zstdBefore, "@mongodb-js/zstd");
    const snappy = missing("snappy", "snappy()", "snappy");
    const lz4 = missing("lz4", "lz4()", "lz4-napi");
    const gzip = "read";
    expect(Object.values(outcomes)).toEqual([zstd, snappy, lz4, gzip, zstd, snappy, lz4, gzip]);
    expect(connections).toBe(1);
    expect(loadedAtLast).toEqual([]);
  });

  it("reads all with all packages", async () => {
    const { outcomes } = await report(["@mongodb-js/zstd", "snappy", "lz4-napi"]);
    expect(new Set(Object.values(outcomes))).toEqual(new Set(["read"]));
  });

  it("can make all compressors with all packages", async () => {
    const all = new Installation(["@mongodb-js/zstd", "snappy", "lz4-napi"]);
    const makings = await said<Makings>("make-compressors", all);
    expect(makings).toEqual({ gzip: null, zstd: null, snappy: null, lz4: null });
  });

  it("learns of a package that is missing when it makes a compressor", async () => {
    const makings = await said<Makings>("make-compressors", new Installation([]));
    const zstd = hasZstd ? null : refused(zstdBefore, "@mongodb-js/zstd");
    const snappy = refused("snappy()", "snappy");
    const lz4 = refused("lz4()", "lz4-napi");
    expect(makings).toEqual({ gzip: null, zstd, snappy, lz4 });
  });

  it("learns of a package that does not load when it makes a compressor, with the cause", async () => {
    const broken = ["@mongodb-js/zstd", "snappy", "lz4-napi"];
    const makings = await said<Makings>("make-compressors", new Installation([], broken));
    const unloadable = expect.objectContaining({
      code: "MSG_MISSING_PACKAGE",
      message: expect.stringContaining(`does not load on ${process.platform} ${process.arch}`),
      cause: "no build for this machine",
    });
    const zstd = hasZstd ? null : unloadable;
    expect(makings).toEqual({ gzip: null, zstd, snappy: unloadable, lz4: unloadable });
  });
});
