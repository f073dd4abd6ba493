import { spawn } from "node:child_process";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Listener } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Ipc } from "@msg-ts/transports/ipc";
import { describe, expect, it, onTestFinished } from "vitest";

const { signal } = new AbortController();

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "ipc-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function listen(path: string, accepted: string[] = []): Promise<Listener> {
  const listener = await new Ipc().listen(path, {
    onLink: (link) => {
      accepted.push(link.remoteAddress);
      link.destroy();
    },
    onError: (error) => expect.fail(error.message),
    onRefused: (_, error) => expect.fail(error.message),
  });
  onTestFinished(() => listener.close());
  return listener;
}

/** Connects; true when the listener saw it. */
async function isServed(path: string, accepted: readonly string[]): Promise<boolean> {
  const seen = accepted.length;
  const link = await new Ipc().dial(path, signal);
  link.destroy();
  await waitFor(() => accepted.length > seen, { what: "the listener has seen the link" });
  return true;
}

/** A socket file that nobody listens on: a second name for one, which stays when it closes. */
async function leaveDeadSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(`${path}-live`, resolve);
  });
  linkSync(`${path}-live`, path);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  expect(lstatSync(path).isSocket()).toBe(true);
}

describe.skipIf(process.platform === "win32")("the file of an Ipc listener", () => {
  expectNoLeaks();

  it("replaces a socket that nobody listens on", async () => {
    const home = folder();
    const path = join(home, "s");
    await leaveDeadSocket(path);
    const accepted: string[] = [];
    await listen(path, accepted);
    expect(await isServed(path, accepted)).toBe(true);
    expect(readdirSync(home)).toEqual(["s"]);
  });

  it("replaces what a killed process left", async () => {
    const path = join(folder(), "s");
    const program = `require("node:net").createServer().listen(${JSON.stringify(path)})`;
    const child = spawn(process.execPath, ["-e", program]);
    const exited = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    await waitFor(() => lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true, {
      what: "the process listens",
    });
    child.kill("SIGKILL");
    await exited;
    const accepted: string[] = [];
    await listen(path, accepted);
    expect(await isServed(path, accepted)).toBe(true);
  });

  it("refuses the path of a live listener, also one of another library", async () => {
    const home = folder();
    const path = join(home, "s");
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    onTestFinished(() => void server.close());
    await expect(listen(path)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: `cannot listen on ${path}: another process listens there`,
      cause: { code: "EADDRINUSE" },
    });
    expect(readdirSync(home)).toEqual(["s"]);
  });

  it("leaves a regular file as it is", async () => {
    const home = folder();
    const path = join(home, "s");
    writeFileSync(path, "precious");
    await expect(listen(path)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: `cannot listen on ${path}: a regular file stands there`,
    });
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(readdirSync(home)).toEqual(["s"]);
  });

  it("leaves a folder as it is", async () => {
    const path = join(folder(), "s");
    mkdirSync(path);
    await expect(listen(path)).rejects.toMatchObject({
      message: `cannot listen on ${path}: a folder stands there`,
    });
    expect(lstatSync(path).isDirectory()).toBe(true);
  });

  it.each(["a dead socket", "nothing"])("leaves a symbolic link to %s as it is", async (target) => {
    const home = folder();
    const path = join(home, "s");
    if (target === "a dead socket") await leaveDeadSocket(join(home, "dead"));
    symlinkSync(join(home, "dead"), path);
    await expect(listen(path)).rejects.toMatchObject({
      message: `cannot listen on ${path}: a symbolic link stands there`,
    });
    expect(readlinkSync(path)).toBe(join(home, "dead"));
  });

  it("lets exactly one of several that start at once replace a dead socket", async () => {
    const home = folder();
    for (let round = 0; round < 20; round++) {
      const path = join(home, `s${round}`);
      await leaveDeadSocket(path);
      const accepted: string[] = [];
      const starting = Array.from({ length: 6 }, () => listen(path, accepted));
      const outcomes = await Promise.allSettled(starting);
      const won = outcomes.filter(({ status }) => status === "fulfilled");
      expect(won).toHaveLength(1);
      expect(await isServed(path, accepted)).toBe(true);
    }
    expect(readdirSync(home)).toHaveLength(20);
  });

  it("waits for nobody who is about to replace it, but for 10 s only", async () => {
    const home = folder();
    const path = join(home, "s");
    await leaveDeadSocket(path);
    mkdirSync(`${path}.lock`);
    await expect(listen(path)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: `cannot listen on ${path}: another process is about to listen there`,
    });
    const abandoned = Date.now() / 1000 - 11;
    utimesSync(`${path}.lock`, abandoned, abandoned);
    const accepted: string[] = [];
    await listen(path, accepted);
    expect(await isServed(path, accepted)).toBe(true);
    expect(readdirSync(home)).toEqual(["s"]);
  });

  it("is not removed by close when another stands in its place", async () => {
    const home = folder();
    const path = join(home, "s");
    const first = await listen(path);
    renameSync(path, join(home, "moved"));
    const accepted: string[] = [];
    await listen(path, accepted);
    await first.close();
    expect(await isServed(path, accepted)).toBe(true);
  });

  it("may be gone when the listener closes", async () => {
    const path = join(folder(), "s");
    const listener = await listen(path);
    rmSync(path);
    await expect(listener.close()).resolves.toBeUndefined();
  });
});
