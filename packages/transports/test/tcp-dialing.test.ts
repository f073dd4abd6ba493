import type { AddressInfo, Server } from "node:net";
import { connect, createServer, Socket } from "node:net";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Tcp } from "@msg-ts/transports/tcp";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectFirst } from "../src/net/connect-first.ts";

const { signal } = new AbortController();

async function serve(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

async function freePort(): Promise<number> {
  const { server, port } = await serve();
  server.close();
  return port;
}

describe("dialing a name that has several addresses", () => {
  expectNoLeaks();

  it("goes on to the next when one refuses", async () => {
    const { port } = await serve();
    const transport = new Tcp({ lookup: async () => ["::1", "127.0.0.1"] });
    const link = await transport.dial(`several.example:${port}`, signal);
    expect(link.remoteAddress).toBe(`127.0.0.1:${port}`);
    link.destroy();
  });

  it("names every address it tried, once and in order", async () => {
    const port = await freePort();
    const transport = new Tcp({ lookup: async () => ["127.0.0.1", "::1", "127.0.0.1"] });
    await expect(transport.dial(`several.example:${port}`, signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: expect.stringMatching(
        new RegExp(
          `^no connection to several.example:${port}: 127.0.0.1:${port} ECONNREFUSED, \\[::1\\]:${port} E[A-Z]+$`,
        ),
      ) as string,
      cause: { code: "ECONNREFUSED" },
    });
  });

  it("resolves the name again at each dial, with a signal that stands for the dial", async () => {
    const { port } = await serve();
    const asked: string[] = [];
    const transport = new Tcp({
      lookup: async (host, given) => {
        expect(given).toBe(signal);
        asked.push(host);
        return ["127.0.0.1"];
      },
    });
    for (const name of ["a.example", "b.example", "a.example"]) {
      const link = await transport.dial(`${name}:${port}`, signal);
      link.destroy();
    }
    expect(asked).toEqual(["a.example", "b.example", "a.example"]);
  });

  it("does not ask for the addresses of an address", async () => {
    const { port } = await serve();
    const transport = new Tcp({ lookup: () => expect.fail("it is an address already") });
    const link = await transport.dial(`127.0.0.1:${port}`, signal);
    link.destroy();
  });

  it("tries the next beside an address that is silent", async () => {
    const { port } = await serve();
    const silent = new Socket();
    const socket = await connectFirst(
      "several",
      [
        { label: "black hole", open: () => silent },
        { label: "good", open: () => connect(port, "127.0.0.1") },
      ],
      signal,
    );
    expect(silent.destroyed).toBe(true);
    socket.destroy();
  });

  it("begins no other attempt once one has connected", async () => {
    const { port } = await serve();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const candidates = [
      { label: "good", open: () => connect(port, "127.0.0.1") },
      { label: "other", open: () => expect.fail("nobody needs it") },
    ];
    const socket = await connectFirst("several", candidates, signal);
    socket.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("still takes an address that answers after the next was begun", async () => {
    const { port } = await serve();
    const slow = new Socket();
    const other = new Socket();
    const dialing = connectFirst(
      "several",
      [
        { label: "slow", open: () => slow },
        {
          label: "black hole",
          open: () => {
            slow.connect(port, "127.0.0.1");
            return other;
          },
        },
      ],
      signal,
    );
    expect(await dialing).toBe(slow);
    expect(other.destroyed).toBe(true);
    slow.destroy();
  });
});

describe("dialing that comes to nothing", () => {
  expectNoLeaks();

  it("fails when the name cannot be resolved, with the resolver's error as the cause", async () => {
    const cause = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
    const transport = new Tcp({ lookup: () => Promise.reject(cause) });
    await expect(transport.dial("nowhere.example:1", signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: "name nowhere.example could not be resolved: ENOTFOUND",
      cause,
    });
  });

  it("fails when the resolver itself throws", async () => {
    const transport = new Tcp({
      lookup: () => {
        throw new Error("broken");
      },
    });
    await expect(transport.dial("nowhere.example:1", signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: "name nowhere.example could not be resolved: broken",
    });
  });

  it("fails when the name has no address", async () => {
    const transport = new Tcp({ lookup: async () => [] });
    await expect(transport.dial("nowhere.example:1", signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: "name nowhere.example has no address",
    });
  });

  it("does not wait for a resolver once it is aborted", async () => {
    const transport = new Tcp({ lookup: () => new Promise(() => undefined) });
    const abort = new AbortController();
    const dialing = transport.dial("slow.example:1", abort.signal);
    abort.abort();
    await expect(dialing).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: "dial of slow.example was aborted",
      cause: { name: "AbortError" },
    });
  });

  it("destroys every attempt when it is aborted", async () => {
    const opened: Socket[] = [];
    const open = (): Socket => {
      const socket = new Socket();
      opened.push(socket);
      return socket;
    };
    const abort = new AbortController();
    const candidates = [
      { label: "first", open },
      { label: "second", open },
    ];
    const dialing = connectFirst("several", candidates, abort.signal);
    await waitFor(() => opened.length === 2, { what: "both are tried" });
    abort.abort(new Error("enough"));
    await expect(dialing).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      cause: abort.signal.reason as unknown,
    });
    expect(opened.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });
});
