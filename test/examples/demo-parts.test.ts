import { mkdtemp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Row } from "../../examples/demo/display.ts";
import { Display } from "../../examples/demo/display.ts";
import { loadFiles } from "../../examples/demo/files.ts";
import { decodeJob, digest, encodeJob } from "../../examples/demo/jobs.ts";
import { readOptions, UsageError } from "../../examples/demo/options.ts";
import { Rate } from "../../examples/demo/rates.ts";
import { parseNetDev, Readings } from "../../examples/demo/readings.ts";

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "msg-ts-demo-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "inner"));
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
  return folder;
}

describe("the options of the demo", () => {
  it("may all be left out", () => {
    expect(readOptions([])).toEqual({
      transport: "tcp",
      folder: "node_modules",
      maxFiles: 4_000,
      maxBytes: 64 * 1024 * 1024,
      minSeconds: 5,
    });
  });

  it("may ask for help", () => {
    expect(readOptions(["--help"])).toBeUndefined();
  });

  for (const [args, message] of [
    [["--transport", "udp"], '--transport is "udp", must be tcp, ipc or quic'],
    [["--max-files", "0"], '--max-files is "0", must be a whole number, 1 to 100000'],
    [["--max-files", "100001"], '--max-files is "100001", must be a whole number, 1 to 100000'],
    [["--max-mb", "1e3"], '--max-mb is "1e3", must be a whole number, 1 to 1024'],
    [["--seconds", "1.5"], '--seconds is "1.5", must be a whole number, 1 to 3600'],
    [["--colour"], "Unknown option '--colour'"],
    [["folder"], "Unexpected argument 'folder'"],
  ] as const) {
    it(`refuse ${args.join(" ")}`, () => {
      expect(() => readOptions(args)).toThrow(UsageError);
      expect(() => readOptions(args)).toThrow(message);
    });
  }
});

describe("the files of the demo", () => {
  const files = { "a.txt": "12345", "inner/b.txt": "12", "z.txt": "1" };
  const limits = { maxFiles: 10, maxBytes: 100 };

  async function pathsWithin(changes: Partial<typeof limits>): Promise<string[]> {
    const folder = await folderOf(files);
    const loaded = await loadFiles({ folder, ...limits, ...changes });
    return loaded.map(({ path }) => path);
  }

  it("are those of the folder and the folders in it, with their content", async () => {
    const loaded = await loadFiles({ folder: await folderOf(files), ...limits });
    const found = loaded.map(({ path, content }) => [path, content.toString()]);
    expect(Object.fromEntries(found)).toEqual(files);
  });

  it("are at most maxFiles", async () => {
    expect(await pathsWithin({ maxFiles: 2 })).toEqual(["a.txt", "inner/b.txt"]);
  });

  it("leave out what would be over maxBytes", async () => {
    expect(await pathsWithin({ maxBytes: 3 })).toEqual(["inner/b.txt", "z.txt"]);
  });

  it("leave out links", { skip: process.platform === "win32" }, async () => {
    const folder = await folderOf({ "a.txt": "1" });
    await symlink(join(folder, "a.txt"), join(folder, "b.txt"));
    await symlink(folder, join(folder, "inner", "loop"));
    expect(await loadFiles({ folder, ...limits })).toHaveLength(1);
  });

  it("are an error when there are none", async () => {
    const folder = await folderOf({});
    await expect(loadFiles({ folder, ...limits })).rejects.toThrow("has no files to read");
  });
});

describe("a job of the demo", () => {
  it("is the same on the other side", () => {
    const job = { id: 7, path: "ä/b.txt", content: Buffer.from("content") };
    expect(decodeJob(encodeJob(job))).toEqual(job);
  });

  it("may be a file without content", () => {
    const { content } = decodeJob(encodeJob({ id: 0, path: "empty", content: Buffer.alloc(0) }));
    expect(content).toHaveLength(0);
  });

  it("is answered with hash and compressed size", async () => {
    const { sha256, gzipBytes } = await digest(Buffer.from("abc"));
    expect(sha256).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(gzipBytes).toBe(23);
  });
});

describe("the readings of the demo", () => {
  it("are numbers under topics of three or more tokens", () => {
    const readings = new Readings();
    onTestFinished(() => readings.stop());
    const taken = readings.take();
    expect(taken.map(({ topic }) => topic)).toContain("metrics.cpu.load1");
    for (const { topic, value } of taken) {
      expect(topic).toMatch(/^metrics(\.[^.*>\s]+){2,3}$/);
      expect(value).toBeGreaterThanOrEqual(0);
    }
  });

  it("know what went through each network interface", () => {
    const text = [
      "Inter-|   Receive                            |  Transmit",
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets",
      "    lo: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0",
      "eth0.100:3000 10 0 0 0 0 0 0 4000 20 0 0 0 0 0 0",
      "",
    ].join("\n");
    expect(parseNetDev(text)).toEqual([
      { name: "lo", rx: 1000, tx: 2000 },
      { name: "eth0-100", rx: 3000, tx: 4000 },
    ]);
  });
});

describe("a rate", () => {
  it("is the growth per second over the last two seconds", () => {
    const rate = new Rate();
    expect(rate.update(0, 0)).toBe(0);
    expect(rate.update(100, 1_000)).toBe(100);
    expect(rate.update(200, 2_000)).toBe(100);
    expect(rate.update(700, 4_000)).toBe(250);
    expect(rate.update(700, 6_000)).toBe(0);
  });
});

function displayOn(isTTY: boolean, env: NodeJS.ProcessEnv = {}, columns = 80) {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { display: new Display(stream, env), written };
}

describe("the display", () => {
  const rows: readonly Row[] = [
    { label: "one", text: "first" },
    { label: "", text: "all is well", tone: "good" },
  ];

  it("redraws in place on a terminal", () => {
    const { display, written } = displayOn(true, { NO_COLOR: "1" });
    display.show(rows, "", 0);
    display.show(rows, "", 1);
    const drawn = "\u001B[2Kone           first\n\u001B[2Kall is well\n";
    expect(written).toEqual([drawn, `\u001B[2A${drawn}`]);
  });

  it("draws below what was printed", () => {
    const { display, written } = displayOn(true, { NO_COLOR: "1" });
    display.show(rows, "", 0);
    display.print([{ label: "", text: "this stays" }]);
    display.show(rows, "", 1);
    expect(written[1]).toBe("this stays\n");
    expect(written[2]).not.toContain("\u001B[2A");
  });

  it("cuts lines that do not fit", () => {
    const { display, written } = displayOn(true, { NO_COLOR: "1" }, 18);
    display.show([{ label: "one", text: "first and second" }], "", 0);
    expect(written).toEqual(["\u001B[2Kone           fir\n"]);
  });

  it("has colours on a terminal", () => {
    const { display, written } = displayOn(true);
    display.print(rows);
    expect(written[1]).toBe("\u001B[32mall is well\u001B[0m\n");
  });

  it("has none with NO_COLOR, and none where there is no terminal", () => {
    for (const { display, written } of [displayOn(true, { NO_COLOR: "1" }), displayOn(false)]) {
      display.print(rows);
      expect(written.join("")).toBe("one           first\nall is well\n");
    }
  });

  it("is a line every second where there is no terminal", () => {
    const { display, written } = displayOn(false);
    for (const [line, nowMs] of [
      ["a", 0],
      ["b", 999],
      ["c", 1_000],
      ["d", 1_500],
      ["e", 2_000],
    ] as const) {
      display.show(rows, line, nowMs);
    }
    expect(written).toEqual(["a\n", "c\n", "e\n"]);
  });
});
