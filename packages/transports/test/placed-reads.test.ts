import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Link, Transport } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { Ipc } from "../src/ipc/index.ts";
import { adoptAccepted } from "../src/net/placed-reads.ts";
import { Tcp } from "../src/tcp/index.ts";

/** One end of a link: what it was told, and how many reads came where it said. */
class End {
  readonly link: Link;
  readonly #offered = Buffer.alloc(1_000);
  placed = 0;
  told = "";

  constructor(link: Link) {
    this.link = link;
    link.start({
      onData: (chunk) => {
        if (chunk.buffer === this.#offered.buffer) this.placed++;
        this.told += Buffer.from(chunk).toString("latin1");
      },
      nextBuffer: () => this.#offered,
      onDrain() {},
      onEnd() {},
      onClose() {},
    });
  }
}

async function ends(transport: Transport, address: string) {
  const accepted: End[] = [];
  const listener = await transport.listen(address, {
    onLink: (link) => void accepted.push(new End(link)),
    onError() {},
    onRefused() {},
  });
  const dialed = new End(await transport.dial(listener.address, new AbortController().signal));
  onTestFinished(async () => {
    for (const { link } of [dialed, ...accepted]) link.destroy();
    await listener.close();
  });
  await waitFor(() => accepted.length === 1, { what: "the link is there" });
  return { dialed, accepted: accepted[0] };
}

describe("sockets of Node.js read where the receiver says", () => {
  it.each(["tcp", "ipc"])("on both ends over %s, from the second read on", async (name) => {
    const folder = mkdtempSync(join(tmpdir(), "msg-ts-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [transport, address] =
      name === "tcp" ? [new Tcp(), "127.0.0.1:0"] : [new Ipc(), join(folder, "s")];
    const { dialed, accepted } = await ends(transport, address);
    for (let count = 1; count <= 5; count++) {
      dialed.link.write([Buffer.from("ask")]);
      await waitFor(() => accepted?.told.length === count * 3, { what: "it was asked" });
      accepted?.link.write([Buffer.from("answer")]);
      await waitFor(() => dialed.told.length === count * 6, { what: "it was answered" });
    }
    expect([dialed.placed, accepted?.placed]).toEqual([4, 4]);
    expect([dialed.told, accepted?.told]).toEqual(["answer".repeat(5), "ask".repeat(5)]);
  });

  it("gives a server back what it counts, when an adopted socket is closed", async () => {
    const server = createServer({ pauseOnConnect: true });
    onTestFinished(() => void server.close());
    const adopted = new Promise<Socket>((resolve) => {
      server.on("connection", (socket) => resolve(adoptAccepted(socket)));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as { port: number };
    const client = connect(port, "127.0.0.1");
    onTestFinished(() => void client.destroy());
    const socket = await adopted;
    const count = () =>
      new Promise<number>((resolve, reject) => {
        server.getConnections((error, connections) =>
          error === null ? resolve(connections) : reject(error),
        );
      });
    expect(await count()).toBe(1);
    socket.destroy();
    await new Promise((resolve) => {
      socket.once("close", resolve);
    });
    expect(await count()).toBe(0);
  });

  it("leaves a socket as it is that has no handle to give", () => {
    const socket = new Socket();
    expect(adoptAccepted(socket)).toBe(socket);
  });
});
