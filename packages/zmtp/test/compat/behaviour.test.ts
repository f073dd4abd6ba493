import { join as pathOf } from "node:path";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  curveKeyPair,
  Dealer,
  Pair,
  Pull,
  Push,
  Reply,
  Request,
  Subscriber,
} from "@msg-ts/zmtp/compat";
import type { EventType, Socket } from "@msg-ts/zmtp/compat";
import { waitFor } from "@msg-ts/testing";
import { anywhere, closing, join, texts } from "./compat-rig.ts";

function record(socket: Socket, ...types: EventType[]): string[] {
  const seen: string[] = [];
  for (const type of types) socket.events.on(type, (event) => void seen.push(event.type));
  return seen;
}

describe("calls at the same time", () => {
  it("send and receive in their order, where zeromq.js says EBUSY", async () => {
    const [push, pull] = [closing(new Push({ sendHighWaterMark: 5 })), closing(new Pull())];
    await join(pull, push);
    const numbers = Array.from({ length: 2_000 }, (_, n) => String(n));
    const sent = Promise.all(numbers.map((n) => push.send(n)));
    const received = await Promise.all(numbers.map(() => pull.receive()));
    await sent;
    expect(received.map(([part]) => String(part))).toEqual(numbers);
  });

  it("may be made before there is anybody", async () => {
    const [one, other] = [closing(new Dealer()), closing(new Dealer())];
    const received = one.receive();
    const sent = other.send("early");
    await join(one, other);
    await sent;
    expect(texts(await received)).toEqual(["early"]);
  });

  it("of a Request are answered in their order", async () => {
    const [reply, request] = [closing(new Reply()), closing(new Request())];
    await join(reply, request);
    const answers = [request.receive(), request.receive(), request.receive()];
    await Promise.all(["1", "2", "3"].map((n) => request.send(n)));
    for (let i = 0; i < 3; i++) await reply.send(await reply.receive());
    expect((await Promise.all(answers)).map(texts)).toEqual([["1"], ["2"], ["3"]]);
  });
});

describe("closing", () => {
  for (const SocketClass of [Pair, Pull, Dealer, Request, Reply, Subscriber]) {
    it(`ends a waiting receive of ${SocketClass.name} and every call after it with EBADF`, async () => {
      const socket = closing(new SocketClass());
      await socket.bind(anywhere);
      const received = socket.receive();
      const closed = socket.close();
      await expect(received).rejects.toMatchObject({ code: "EBADF" });
      await expect(socket.receive()).rejects.toMatchObject({ code: "EBADF" });
      await expect(socket.bind(anywhere)).rejects.toMatchObject({ code: "EBADF" });
      expect(() => socket.connect("tcp://127.0.0.1:1")).toThrow("is closed");
      expect(socket.closed).toBe(true);
      await closed;
    });
  }

  it("ends an iteration", async () => {
    const [push, pull] = [closing(new Push()), closing(new Pull())];
    await join(pull, push);
    for (const word of ["a", "b"]) await push.send(word);
    const seen: string[] = [];
    for await (const [part] of pull) {
      seen.push(String(part));
      if (seen.length === 2) void pull.close();
    }
    expect(seen).toEqual(["a", "b"]);
  });

  it("ends a send that waits for room", async () => {
    const push = closing(new Push());
    const sent = push.send("for nobody");
    await push.close();
    await expect(sent).rejects.toMatchObject({ code: "EBADF" });
  });
});

describe("timeouts", () => {
  it("end a receive with EAGAIN, and 0 does at once", async () => {
    const pull = closing(new Pull({ receiveTimeout: 2 }));
    await pull.bind(anywhere);
    await expect(pull.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    pull.receiveTimeout = 0;
    await expect(pull.receive()).rejects.toMatchObject({ code: "EAGAIN" });
  });

  it("end a send with EAGAIN when the high-water mark is reached", async () => {
    const push = closing(new Push({ sendHighWaterMark: 1, sendTimeout: 2, linger: 0 }));
    push.connect("tcp://127.0.0.1:1");
    await push.send("first");
    await expect(push.send("second")).rejects.toMatchObject({ code: "EAGAIN" });
  });

  it("leave the answer of a Request to the next receive", async () => {
    const [reply, request] = [closing(new Reply()), closing(new Request({ receiveTimeout: 2 }))];
    await join(reply, request);
    await request.send("slow");
    await expect(request.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    await reply.send(await reply.receive());
    request.receiveTimeout = 5_000;
    expect(texts(await request.receive())).toEqual(["slow"]);
  });

  it("of a Request that is never answered end, as its peer does", async () => {
    const [reply, request] = [closing(new Reply()), closing(new Request())];
    await join(reply, request);
    await request.send("x");
    await reply.receive();
    reply.linger = 0;
    await reply.close();
    await expect(request.receive()).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

describe("addresses", () => {
  it("are of TCP, IPC and inproc, on one socket", async () => {
    const folder = await mkdtemp(pathOf(tmpdir(), "compat-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const pull = closing(new Pull());
    const addresses = [anywhere, `ipc://${folder}/s`, "inproc://compat-addresses"];
    for (const address of addresses) {
      await pull.bind(address);
      const push = closing(new Push());
      push.connect(pull.lastEndpoint ?? "");
      await push.send(address);
      expect(texts(await pull.receive())).toEqual([address]);
      await push.close();
    }
    await pull.unbind(addresses[1] ?? "");
    await expect(pull.unbind(addresses[1] ?? "")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("that cannot be used are told", async () => {
    const [pull, second] = [closing(new Pull()), closing(new Pull())];
    await expect(pull.bind("foo-bar")).rejects.toMatchObject({ code: "EINVAL" });
    await expect(pull.bind("foo://bar")).rejects.toMatchObject({ code: "EPROTONOSUPPORT" });
    expect(() => pull.connect("foo-bar")).toThrow("has no scheme");
    expect(() => pull.disconnect("tcp://127.0.0.1:1")).toThrow("not connected");
    const failures = record(second, "bind:error");
    await pull.bind(anywhere);
    await expect(second.bind(pull.lastEndpoint ?? "")).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    expect(failures).toEqual(["bind:error"]);
  });
});

describe("options", () => {
  it("that are not offered are refused by name, read or set", () => {
    const socket = closing(new Dealer());
    expect(() => new Dealer({ backlog: 1 } as object)).toThrow("option backlog is not offered");
    expect(() => Object.assign(socket, { manual: true })).toThrow("manual is not offered");
    expect(() => Object.assign(socket, { colour: 1 })).toThrow(TypeError);
    expect(() => new Push({ probeRouter: true } as object)).toThrow("Push has no option");
    expect(() => new Dealer({ colour: 1 } as object)).toThrow('no option "colour"');
    expect(() => new Push({ receiveTimeout: 1 } as object)).toThrow("Push has no option");
    expect(() => new Dealer({ sendTimeout: -2 })).toThrow("sendTimeout is -2");
    expect(() => socket.bindSync("tcp://127.0.0.1:1")).toThrow("bindSync is not offered");
  });

  it("may be set until the socket is used, and say so later", async () => {
    const socket = closing(new Dealer());
    socket.routingId = "me";
    expect(socket.routingId).toBe("me");
    await socket.bind(anywhere);
    expect(() => (socket.routingId = "you")).toThrow("routingId is fixed");
  });

  it("of CURVE make a sealed connection", async () => {
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const asked: unknown[] = [];
    const reply = closing(
      new Reply({
        curveServer: true,
        curveSecretKey: server.secretKey,
        authenticate: ({ publicKey }) => asked.push(publicKey) > 0,
      }),
    );
    const request = closing(
      new Request({
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
      }),
    );
    await join(reply, request);
    await request.send("secret");
    expect(texts(await reply.receive())).toEqual(["secret"]);
    expect(asked).toEqual([client.publicKey]);
  });

  it("of PLAIN let in who has the password, and tell both sides of who has not", async () => {
    const pull = closing(
      new Pull({ plainServer: true, authenticate: ({ password }) => password === "right" }),
    );
    const good = closing(new Push({ plainUsername: "u", plainPassword: "right" }));
    const bad = closing(new Push({ plainUsername: "u", plainPassword: "wrong" }));
    const [there, here] = [pull, bad].map((socket) => record(socket, "handshake:error:auth"));
    await join(pull, good);
    await good.send("in");
    expect(texts(await pull.receive())).toEqual(["in"]);
    bad.connect(pull.lastEndpoint ?? "");
    await waitFor(() => there?.[0] !== undefined && here?.[0] !== undefined, { what: "both told" });
    await expect(new Pull({ plainServer: true }).bind(anywhere)).rejects.toThrow("authenticate");
  });
});

describe("events", () => {
  it("tell what happens, to listeners and to an iteration at once", async () => {
    const [reply, request] = [closing(new Reply()), closing(new Request())];
    const bound = record(reply, "bind", "accept", "handshake", "disconnect", "close", "end");
    const dialed = record(request, "connect:delay", "connect", "handshake", "close", "end");
    const iterated = (async () => {
      const types: string[] = [];
      for await (const { type } of reply.events) types.push(type);
      return types;
    })();
    await join(reply, request);
    await request.send("x");
    await reply.send(await reply.receive());
    await request.receive();
    await request.close();
    await waitFor(() => bound.includes("disconnect"), { what: "it is gone" });
    await reply.close();
    const all = ["bind", "accept", "handshake", "disconnect", "close", "end"];
    expect(bound).toEqual(all);
    expect(dialed).toEqual(["connect:delay", "connect", "handshake", "end"]);
    expect(await iterated).toEqual(all);
    await expect(reply.events.receive()).rejects.toMatchObject({ code: "EBADF" });
  });

  it("tell of an endpoint where nobody listens", async () => {
    const push = closing(new Push());
    const seen = record(push, "connect:retry");
    push.connect("tcp://127.0.0.1:1");
    await waitFor(() => seen.length > 1, { what: "it was tried again" });
    expect(push.closed).toBe(false);
  });
});
