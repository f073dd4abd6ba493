import { randomBytes } from "node:crypto";
import { expectNoLeaks, naiveEncode, waitFor } from "@msg-ts/testing";
import type { RepOptions } from "msg-ts";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import type { Bystander } from "./bystanders.ts";
import { asking, codesOf, listening, publishNumbers, serveAnswers } from "./bystanders.ts";
import { asBytes, hello, RawClient } from "./raw-client.ts";

const timeout = 120_000;

/** The first bytes of protocols that get lost, and of none. */
const strangers: [name: string, bytes: Uint8Array][] = [
  ["an HTTP request", asBytes("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")],
  ["a TLS ClientHello", Buffer.from("16030100a5010000a10303", "hex")],
  ["an SSH banner", asBytes("SSH-2.0-OpenSSH_9.6\r\n")],
  ["a ZeroMQ greeting", Buffer.from("ff00000000000000017f", "hex")],
  ["an HTTP/2 preface", asBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
  ["a Redis command", asBytes("*1\r\n$4\r\nPING\r\n")],
];

/** A listening socket that is attacked, somebody who uses it, and what it tells of its peers. */
interface Target {
  readonly address: string;
  readonly bystander: Bystander;
  readonly told: string[];
}

async function attackedRep(options: RepOptions = {}): Promise<Target> {
  const rep = closing(new RepSocket(new Tcp(), options));
  serveAnswers(rep);
  const address = await rep.bind("127.0.0.1:0");
  const told = codesOf(rep, "refused", "disconnected");
  return { address, bystander: await asking(address), told };
}

async function attackedPub(): Promise<Target> {
  const pub = closing(new PubSocket(new Tcp()));
  const address = await pub.bind("127.0.0.1:0");
  publishNumbers(pub);
  const told = codesOf(pub, "refused", "disconnected");
  return { address, bystander: await listening(address), told };
}

async function isTold(told: readonly string[], what: string): Promise<void> {
  await waitFor(() => told.includes(what), {
    what: `"${what}" is told, not only ${told.join(", ")}`,
    withinMs: patienceMs,
  });
}

describe("bytes that are no frames", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  for (const [name, attack] of [
    ["REP", attackedRep],
    ["PUB", attackedPub],
  ] as const) {
    for (const [what, bytes] of strangers) {
      it(`${what} at a ${name} closes that connection with MSG_PROTOCOL, and disturbs nobody`, async () => {
        const { address, bystander, told } = await attack();
        const client = await RawClient.dial(address);
        client.write(bytes);
        await client.over();
        await isTold(told, "disconnected MSG_PROTOCOL");
        expect(await bystander.isWell()).toBe(true);
        expect(told).toEqual(["disconnected MSG_PROTOCOL"]);
      });
    }

    it(`every kind of frame that is not its own closes a connection of a ${name}`, async () => {
      const { address, bystander, told } = await attack();
      const own = name === "REP" ? 0x02 : 0x03;
      const kinds = Array.from({ length: 256 }, (_, kind) => kind).filter((kind) => kind !== own);
      await Promise.all(
        kinds.map(async (kind) => {
          const client = await RawClient.dial(address);
          client.write(new Uint8Array([kind, ...new Uint8Array(30)]));
          await client.over();
          client.destroy();
        }),
      );
      await waitFor(() => told.length === kinds.length, {
        what: "each is told",
        withinMs: patienceMs,
      });
      const count = (what: string): number => told.filter((each) => each === what).length;
      expect(count("disconnected MSG_PROTOCOL")).toBe(254);
      expect(count("disconnected MSG_WRONG_SOCKET_TYPE")).toBe(1);
      expect(await bystander.isWell()).toBe(true);
    });

    it(`random bytes from 50 peers at a time never hurt a ${name}`, async () => {
      const { address, bystander } = await attack();
      for (let round = 0; round < 4; round++) {
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const client = await RawClient.dial(address);
            client.write(randomBytes(1 + Math.floor(Math.random() * 3_000)));
            client.end();
            await client.over();
            client.destroy();
          }),
        );
        expect(await bystander.isWell()).toBe(true);
      }
    });
  }
});

describe("writes of one byte", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("are good frames to a REP when they make up good frames", async () => {
    const { address, bystander } = await attackedRep();
    const client = await RawClient.dial(address);
    const payload = asBytes("x");
    await client.dribble(naiveEncode({ type: "request", id: 7, compression: 0, payload }));
    await client.has(10 + "answer to x".length);
    expect(client.frames("REQ")).toMatchObject([{ id: 7, payload: asBytes("answer to x") }]);
    expect(await bystander.isWell()).toBe(true);
  });

  it("are good frames to a PUB when they make up good frames", async () => {
    const { address, bystander } = await attackedPub();
    const client = await RawClient.dial(address);
    const topic = "good.news";
    await client.dribble(naiveEncode({ type: "subscribe", topic, timeMicros: 0 }));
    const hears = (): boolean => client.frames("SUB").length >= 3;
    await waitFor(hears, { what: "it hears", withinMs: patienceMs });
    expect(client.frames("SUB")[0]).toMatchObject({ topic: "good.news", sequence: 0 });
    expect(await bystander.isWell()).toBe(true);
  });
});

describe("lengths that lie", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("a request over maxMessageBytes is refused by its header alone", async () => {
    const { address, bystander, told } = await attackedRep({ maxMessageBytes: 1_000 });
    const client = await RawClient.dial(address);
    client.write("02 00 00000001 000003e9");
    await client.over();
    await isTold(told, "disconnected MSG_PAYLOAD_TOO_LARGE");
    expect(await bystander.isWell()).toBe(true);
  });

  it("four gigabytes that are announced cost nothing, from a hundred peers at a time", async () => {
    const { address, bystander, told } = await attackedRep();
    const before = process.memoryUsage().rss;
    const clients = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const client = await RawClient.dial(address);
        client.write("02 00 00000001 ffffffff 00");
        return client;
      }),
    );
    await Promise.all(clients.map((client) => client.over()));
    await waitFor(() => told.length === 100, { what: "each is told", withinMs: patienceMs });
    expect(new Set(told)).toEqual(new Set(["disconnected MSG_PAYLOAD_TOO_LARGE"]));
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    expect(await bystander.isWell()).toBe(true);
  });

  it("64 MiB that are announced and never come cost no memory that did not come", async () => {
    const { address, bystander } = await attackedRep();
    const before = process.memoryUsage().arrayBuffers;
    const clients = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const client = await RawClient.dial(address);
        client.write("02 00 00000001 04000000 0000");
        return client;
      }),
    );
    expect(await bystander.isWell()).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
    for (const client of clients) client.destroy();
    expect(await bystander.isWell()).toBe(true);
  });

  it("a subscription that announces a payload is refused by its header", async () => {
    const { address, bystander, told } = await attackedPub();
    const client = await RawClient.dial(address);
    client.write("03 00 0009 4d53472e5355422e61 0000000000000000 00000000 00000001");
    await client.over();
    await isTold(told, "disconnected MSG_PAYLOAD_TOO_LARGE");
    expect(await bystander.isWell()).toBe(true);
  });
});

describe("streams that end too early", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("in the middle of a frame are told as MSG_PROTOCOL; nothing half is handed out", async () => {
    const { address, bystander, told } = await attackedRep();
    const frame = naiveEncode({
      type: "request",
      id: 1,
      compression: 0,
      payload: asBytes("hello"),
    });
    for (let length = 1; length < frame.length; length++) {
      const client = await RawClient.dial(address);
      client.write(frame.subarray(0, length));
      client.end();
      await client.over();
      expect(client.received).toHaveLength(0);
      client.destroy();
    }
    await waitFor(() => told.length === frame.length - 1, {
      what: "each is told",
      withinMs: patienceMs,
    });
    expect(new Set(told)).toEqual(new Set(["disconnected MSG_PROTOCOL"]));
    expect(await bystander.isWell()).toBe(true);
  });

  it("by a reset, at any point, leave everybody else alone", async () => {
    const { address, bystander } = await attackedRep();
    const frame = naiveEncode({
      type: "request",
      id: 1,
      compression: 0,
      payload: asBytes("hello"),
    });
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const client = await RawClient.dial(address);
        client.write(frame.subarray(0, index % (frame.length + 1)));
        client.destroy();
      }),
    );
    expect(await bystander.isWell()).toBe(true);
  });
});

describe("a peer that asks and asks", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("gets each id answered as often as it used it", async () => {
    const { address, bystander } = await attackedRep();
    const client = await RawClient.dial(address);
    for (let i = 0; i < 300; i++) client.request(i % 3 === 0 ? 7 : 0xffff_ffff, `${i}`);
    await waitFor(() => client.frames("REQ").length === 300, {
      what: "all are answered",
      withinMs: patienceMs,
    });
    const texts = client.frames("REQ").map((frame) => {
      return frame.type === "reply" ? new TextDecoder().decode(frame.payload) : frame.type;
    });
    expect(texts.toSorted()).toEqual(
      Array.from({ length: 300 }, (_, i) => `answer to ${i}`).toSorted(),
    );
    expect(await bystander.isWell()).toBe(true);
  });

  it("and goes before the answers come harms nobody", async () => {
    const rep = closing(new RepSocket(new Tcp()));
    const told = codesOf(rep, "dropped");
    rep.serve(async (request) => {
      if (request.text() === "leaving") {
        await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      }
      return `answer to ${request.text()}`;
    });
    const address = await rep.bind("127.0.0.1:0");
    const bystander = await asking(address);
    for (let round = 0; round < 10; round++) {
      const client = await RawClient.dial(address);
      for (let id = 1; id <= 20; id++) client.request(id, "leaving");
      await waitFor(() => rep.stats().pending >= 20, { what: "it asked", withinMs: patienceMs });
      client.reset();
      await waitFor(() => rep.stats().pending < 20, { what: "it is gone", withinMs: patienceMs });
    }
    await waitFor(() => told.length === 200, { what: "all is counted", withinMs: patienceMs });
    expect(new Set(told)).toEqual(new Set(["dropped late-reply"]));
    expect(await bystander.isWell()).toBe(true);
  });

  it("what cannot be decompressed is told so for each, and lives on", async () => {
    const { address, bystander, told } = await attackedRep();
    const client = await RawClient.dial(address);
    client.request(1, "not gzip at all", 1);
    client.request(2, "unknown", 6);
    client.write("02 40 00000003 00000000");
    client.request(4, "plain");
    await waitFor(() => client.frames("REQ").length === 4, {
      what: "all are answered",
      withinMs: patienceMs,
    });
    const byId = new Map(
      client.frames("REQ").map((frame) => {
        if (frame.type === "error reply") return [frame.id, frame.code] as const;
        return frame.type === "reply" ? ([frame.id, "answered"] as const) : ([0, ""] as const);
      }),
    );
    expect(byId).toEqual(
      new Map([
        [1, "MSG_DECOMPRESS_FAILED"],
        [2, "MSG_UNKNOWN_COMPRESSION"],
        [3, "MSG_UNKNOWN_COMPRESSION"],
        [4, "answered"],
      ]),
    );
    expect(await bystander.isWell()).toBe(true);
    expect(told).toEqual([]);
  });
});

describe("acceptors that expect a HELLO", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  const kinds = [
    ["REQ", () => new ReqSocket(new Tcp()), 2],
    ["SUB", () => new SubSocket(new Tcp()), 3],
    ["PUSH", () => new PushSocket(new Tcp()), 6],
    ["PULL", () => new PullSocket(new Tcp()), 5],
  ] as const;
  for (const [name, create, partner] of kinds) {
    it(`a ${name} refuses strangers, malformed and unknown HELLOs, each with its reason`, async () => {
      const socket = closing(create());
      const told = codesOf(socket, "refused");
      const address = await socket.bind("127.0.0.1:0");
      const good = await RawClient.dial(address);
      good.write(hello(partner));
      await good.has(5);
      const attacks: [bytes: Uint8Array | string, answer: string, code: string][] = [
        ...strangers.map(([, bytes]): [Uint8Array, string, string] => [bytes, "", "MSG_PROTOCOL"]),
        //     version
        ["00 02 01 0000", "000001", "MSG_PROTOCOL"],
        //        type
        ["00 01 07 0000", "000002", "MSG_WRONG_SOCKET_TYPE"],
        ["00 01 00 0000", "000002", "MSG_WRONG_SOCKET_TYPE"],
        //           name length
        [`00 01 0${partner} 0100`, "000003", "MSG_PROTOCOL"],
        // A refusal, which only acceptors send.
        ["00 00 02", "", "MSG_WRONG_SOCKET_TYPE"],
      ];
      for (const [bytes, answer, code] of attacks) {
        const client = await RawClient.dial(address);
        client.write(bytes);
        await client.over();
        client.destroy();
        expect(Buffer.from(client.received).toString("hex")).toBe(answer);
        await isTold(told, `refused ${code}`);
        told.length = 0;
      }
      expect([good.isOver, socket.peers.length]).toEqual([false, 1]);
    });
  }
});
