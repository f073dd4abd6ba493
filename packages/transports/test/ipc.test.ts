import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Link, Listener } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Ipc } from "@msg-ts/transports/ipc";
import { describe, expect, it, onTestFinished } from "vitest";

const { signal } = new AbortController();

interface Listening {
  readonly listener: Listener;
  readonly accepted: Link[];
}

/** Listens without starting what comes; takes it down when the test is over. */
async function listen(transport: Ipc, address: string): Promise<Listening> {
  const accepted: Link[] = [];
  const listener = await transport.listen(address, {
    onLink: (link) => accepted.push(link),
    onError: (error) => expect.fail(error.message),
    onRefused: (_, error) => expect.fail(error.message),
  });
  onTestFinished(async () => {
    for (const link of accepted) link.destroy();
    await listener.close();
  });
  return { listener, accepted };
}

async function dial(address: string): Promise<Link> {
  const link = await new Ipc().dial(address, signal);
  onTestFinished(() => link.destroy());
  return link;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "ipc-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const maxBytes = process.platform === "linux" ? 107 : 103;

/** A path of so many bytes, the last of them the name. */
function pathOf(home: string, totalBytes: number, nameBytes: number): string {
  const inner = "d".repeat(totalBytes - home.length - nameBytes - 2);
  return join(home, inner, "n".repeat(nameBytes));
}

const ignored = { onLink: () => undefined, onError: () => undefined, onRefused: () => undefined };

describe.skipIf(process.platform === "win32")("Ipc", () => {
  expectNoLeaks();

  it("gives each peer a number, and the dialer the path", async () => {
    const path = join(folder(), "s");
    const { accepted } = await listen(new Ipc(), path);
    const dialed = [await dial(path), await dial(`ipc://${path}`)];
    await waitFor(() => accepted.length === 2, { what: "both links have arrived" });
    expect(accepted.map((link) => link.remoteAddress)).toEqual([`ipc:${path}#1`, `ipc:${path}#2`]);
    expect(dialed.map((link) => link.remoteAddress)).toEqual([path, path]);
  });

  it("leaves nothing but the socket beside it, and nothing at all behind close", async () => {
    const home = folder();
    const { listener } = await listen(new Ipc(), join(home, "s"));
    expect(readdirSync(home)).toEqual(["s"]);
    await listener.close();
    expect(readdirSync(home)).toEqual([]);
  });

  it("takes a relative path, also when the process changes its folder", async () => {
    const home = folder();
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(home);
    const { listener, accepted } = await listen(new Ipc(), "relative.sock");
    expect(listener.address).toBe("relative.sock");
    await dial("relative.sock");
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    process.chdir(before);
    await listener.close();
    expect(readdirSync(home)).toEqual([]);
  });

  it("tells why it cannot listen or dial", async () => {
    const path = join(folder(), "missing", "s");
    await expect(new Ipc().listen(path, ignored)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: `cannot listen on ${path}: ENOENT`,
      cause: { code: "ENOENT" },
    });
    await expect(new Ipc().dial(path, signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: `no connection to ipc:${path}: ${path} ENOENT`,
      cause: { code: "ENOENT" },
    });
  });

  it.each([1, 30])("listens on the longest path, with a name of %i bytes", async (nameBytes) => {
    const home = folder();
    const path = pathOf(home, maxBytes, nameBytes);
    mkdirSync(join(path, ".."));
    const { listener, accepted } = await listen(new Ipc(), path);
    expect(listener.address).toBe(path);
    await dial(path);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    await listener.close();
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("refuses a path one byte longer, naming both numbers", () => {
    const path = `/tmp/${"ü".repeat(45)}${"x".repeat(maxBytes + 1 - 95)}`;
    expect(() => new Ipc().parseAddress(path)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_ADDRESS",
        message: `address "${path}": it has ${maxBytes + 1} bytes, must be at most ${maxBytes}`,
      }),
    );
  });

  describe("permissions", () => {
    it.each([0o600, 0o660, 0o777, 0o000])("are exactly mode %o", async (mode) => {
      const path = join(folder(), "s");
      await listen(new Ipc({ mode }), path);
      expect(statSync(path).mode & 0o777).toBe(mode);
    });

    it("are what the umask leaves when no mode is given", async () => {
      const before = process.umask(0o027);
      onTestFinished(() => void process.umask(before));
      const path = join(folder(), "s");
      await listen(new Ipc(), path);
      expect(statSync(path).mode & 0o777).toBe(0o750);
    });

    it.each([undefined, 0, 0o777])("take mode %s", (mode) => {
      expect(() => new Ipc({ mode })).not.toThrow();
    });

    it.each([
      [-1, "0o-1"],
      [0o1000, "0o1000"],
      [Number.NaN, "NaN"],
      [0.5, "0.5"],
      ["600", "600"],
    ])("refuse mode %j, naming it and its limits", (mode, shown) => {
      expect(() => new Ipc({ mode: mode as number })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: `mode is ${shown}, must be 0 to 0o777`,
        }),
      );
    });
  });

  describe.runIf(process.platform === "linux")("an abstract name", () => {
    it("is listened on and dialed without a file", async () => {
      const name = `@msg-ts/test-${process.pid}`;
      const { listener, accepted } = await listen(new Ipc(), `ipc://${name}`);
      expect(listener.address).toBe(name);
      const link = await dial(name);
      await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
      expect(link.remoteAddress).toBe(name);
      expect(accepted[0]?.remoteAddress).toBe(`ipc:${name}#1`);
      await expect(new Ipc().listen(name, ignored)).rejects.toMatchObject({
        code: "MSG_LISTEN_FAILED",
        cause: { code: "EADDRINUSE" },
      });
      await listener.close();
      await expect(new Ipc().dial(name, signal)).rejects.toMatchObject({
        code: "MSG_DIAL_FAILED",
        cause: { code: "ECONNREFUSED" },
      });
    });

    it("has no mode", async () => {
      const listening = new Ipc({ mode: 0o600 }).listen("@msg-ts/test-mode", ignored);
      await expect(listening).rejects.toMatchObject({
        code: "MSG_LISTEN_FAILED",
        message: expect.stringContaining("mode is set") as string,
      });
    });
  });
});
