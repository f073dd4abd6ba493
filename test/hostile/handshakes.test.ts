import { expectNoLeaks, naiveEncode, waitFor } from "@msg-ts/testing";
import type { RepOptions } from "msg-ts";
import { RepSocket, ReqSocket, Tcp, tokensEqual } from "msg-ts";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import type { Bystander } from "./bystanders.ts";
import { asking, codesOf, serveAnswers } from "./bystanders.ts";
import { asBytes, hello, RawClient, rawServer } from "./raw-client.ts";

const timeout = 120_000;
const secret = "the right token";

interface Guarded {
  readonly rep: RepSocket;
  readonly address: string;
  readonly bystander: Bystander;
  readonly told: string[];
}

/** A REP that asks for a token, and somebody who has it. */
async function guarded(options: RepOptions = {}): Promise<Guarded> {
  const rep = closing(
    new RepSocket(new Tcp(), {
      authenticator: ({ token }) => tokensEqual(token, secret),
      ...options,
    }),
  );
  serveAnswers(rep);
  const address = await rep.bind("127.0.0.1:0");
  const told = codesOf(rep, "refused", "disconnected");
  return { rep, address, bystander: await asking(address, secret), told };
}

function auth(token: string): Uint8Array {
  return naiveEncode({ type: "auth", token: asBytes(token) });
}

async function count(told: readonly string[], what: string, wanted: number): Promise<void> {
  await waitFor(() => told.filter((each) => each === what).length >= wanted, {
    what: `"${what}" is told ${wanted} times, not only ${told.join(", ")}`,
    withinMs: patienceMs,
  });
}

describe("tokens", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("that are wrong are refused with 01 00 and the end, each told as MSG_AUTH_REJECTED", async () => {
    const { address, bystander, told } = await guarded();
    const wrong = ["", "x", secret.slice(1), `${secret} `, secret.toUpperCase(), "x".repeat(4_096)];
    for (const token of wrong) {
      const client = await RawClient.dial(address);
      client.write(auth(token));
      client.request(1, "let me in");
      await client.over();
      expect(Buffer.from(client.received).toString("hex")).toBe("0100");
      client.destroy();
    }
    await count(told, "refused MSG_AUTH_REJECTED", wrong.length);
    expect(await bystander.isWell()).toBe(true);
  });

  for (const length of ["00001001", "7fffffff", "ffffffff"]) {
    it(`of 0x${length} bytes are refused by their header`, async () => {
      const { address, bystander, told } = await guarded();
      const client = await RawClient.dial(address);
      client.write(`01 ${length}`);
      await client.over();
      await count(told, "refused MSG_PAYLOAD_TOO_LARGE", 1);
      expect(client.received).toHaveLength(0);
      expect(await bystander.isWell()).toBe(true);
    });
  }

  it("are taken in writes of one byte, and with the first request behind them", async () => {
    const { address, bystander } = await guarded();
    const client = await RawClient.dial(address);
    await client.dribble(auth(secret));
    client.request(1, "x");
    await client.has(2 + 10 + "answer to x".length);
    const eager = await RawClient.dial(address);
    eager.write(
      Buffer.concat([
        auth(secret),
        naiveEncode({ type: "request", id: 1, compression: 0, payload: asBytes("x") }),
      ]),
    );
    const answer = await eager.has(2 + 10 + "answer to x".length);
    expect(Buffer.from(answer)).toEqual(Buffer.from(client.received));
    expect(await bystander.isWell()).toBe(true);
  });

  it("are asked for: anything else first is refused with MSG_PROTOCOL", async () => {
    const { address, bystander, told } = await guarded();
    const first = [
      naiveEncode({ type: "request", id: 1, compression: 0, payload: asBytes("x") }),
      hello(1),
      asBytes("GET / HTTP/1.1\r\n\r\n"),
      Buffer.from("16030100a5010000a10303", "hex"),
    ];
    for (const bytes of first) {
      const client = await RawClient.dial(address);
      client.write(bytes);
      await client.over();
      expect(client.received).toHaveLength(0);
      client.destroy();
    }
    await count(told, "refused MSG_PROTOCOL", first.length);
    expect(await bystander.isWell()).toBe(true);
  });

  it("shown to a REP that wants none close that connection with MSG_PROTOCOL", async () => {
    const rep = closing(new RepSocket(new Tcp()));
    serveAnswers(rep);
    const address = await rep.bind("127.0.0.1:0");
    const told = codesOf(rep, "refused", "disconnected");
    const bystander = await asking(address);
    const req = closing(new ReqSocket(new Tcp(), { authToken: secret }));
    const refused = codesOf(req, "refused");
    await req.connect(address);
    await count(told, "disconnected MSG_PROTOCOL", 1);
    await count(refused, "refused MSG_AUTH_REJECTED", 1);
    expect(await bystander.isWell()).toBe(true);
  });

  it("that make the authenticator fail are refused with MSG_AUTH_FAILED, and disturb nobody", async () => {
    const { address, bystander, told } = await guarded({
      authenticator: ({ token }) => {
        if (tokensEqual(token, secret)) return true;
        throw new Error("the database is down");
      },
    });
    const client = await RawClient.dial(address);
    client.write(auth("x"));
    await client.over();
    expect(Buffer.from(client.received).toString("hex")).toBe("0100");
    await count(told, "refused MSG_AUTH_FAILED", 1);
    expect(await bystander.isWell()).toBe(true);
  });

  it("that the authenticator never decides on hold a handshake for its time only, and abort it", async () => {
    let aborted = 0;
    const { address, bystander, told } = await guarded({
      handshakeTimeoutMs: 1_000,
      authenticator: ({ token, signal }) => {
        if (tokensEqual(token, secret)) return true;
        return new Promise(() => {
          signal.addEventListener("abort", () => aborted++);
        });
      },
    });
    for (let i = 0; i < 5; i++) (await RawClient.dial(address)).write(auth("x"));
    const gone = await RawClient.dial(address);
    gone.write(auth("x"));
    gone.reset();
    await count(told, "refused MSG_HANDSHAKE_TIMEOUT", 5);
    await waitFor(() => aborted === 6, { what: "all are aborted", withinMs: patienceMs });
    expect(await bystander.isWell()).toBe(true);
  });
});

describe("peers that connect and say nothing", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("are closed when their handshake's time is over, and never had a client's place", async () => {
    // The bystander has the first place; one is left.
    const { rep, address, bystander, told } = await guarded({
      handshakeTimeoutMs: 1_500,
      maxClients: 2,
    });
    const silent = await Promise.all(Array.from({ length: 100 }, () => RawClient.dial(address)));
    for (const [index, client] of silent.entries()) if (index % 2 === 0) client.write("01 000000");
    const late = await asking(address, secret);
    expect(await late.isWell()).toBe(true);
    expect(rep.peers).toHaveLength(2);
    await Promise.all(silent.map((client) => client.over()));
    await count(told, "refused MSG_HANDSHAKE_TIMEOUT", 100);
    expect(await bystander.isWell()).toBe(true);
    expect(told.filter((each) => each !== "refused MSG_HANDSHAKE_TIMEOUT")).toEqual([]);
  });

  it("over maxHandshakes are closed at once; who is let in is undisturbed, and others follow", async () => {
    const { address, bystander, told } = await guarded({
      handshakeTimeoutMs: 2_000,
      maxHandshakes: 10,
    });
    const silent: RawClient[] = [];
    for (let i = 0; i < 60; i++) silent.push(await RawClient.dial(address));
    await count(told, "refused MSG_TOO_MANY_PEERS", 50);
    expect(await bystander.isWell()).toBe(true);
    await count(told, "refused MSG_HANDSHAKE_TIMEOUT", 10);
    const late = await asking(address, secret);
    expect([await late.isWell(), await bystander.isWell()]).toEqual([true, true]);
    for (const client of silent) client.destroy();
  });

  it("over maxClients are closed, and their place is free when one has gone", async () => {
    const { rep, address, bystander, told } = await guarded({ maxClients: 3 });
    const clients: RawClient[] = [];
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.dial(address);
      client.write(auth(secret));
      await client.has(2);
      clients.push(client);
    }
    for (let i = 0; i < 20; i++) {
      const client = await RawClient.dial(address);
      client.write(auth(secret));
      await client.over();
      client.destroy();
    }
    await count(told, "refused MSG_TOO_MANY_PEERS", 20);
    expect(await bystander.isWell()).toBe(true);
    clients[0]?.reset();
    await waitFor(() => rep.peers.length === 2, { what: "one has gone", withinMs: patienceMs });
    expect(await (await asking(address, secret)).isWell()).toBe(true);
  });
});

describe("acceptors that answer a token with nonsense", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  const answers: [what: string, answer: string, code: string][] = [
    ["a refusal", "0100", "MSG_AUTH_REJECTED"],
    ["nothing and the end", "", "MSG_AUTH_REJECTED"],
    ["half an answer and the end", "01", "MSG_AUTH_REJECTED"],
    ["a frame of another kind", "0200", "MSG_PROTOCOL"],
    ["HTTP", "485454502f312e3120343030", "MSG_PROTOCOL"],
  ];
  for (const [what, answer, code] of answers) {
    it(`${what}: refused ${code}, dialed again more slowly, other servers are used`, async () => {
      let dials = 0;
      const bad = await rawServer((client) => {
        dials++;
        client.write(answer);
        client.end();
      });
      const { address } = await guarded();
      const req = closing(new ReqSocket(new Tcp(), { authToken: secret, timeoutMs: patienceMs }));
      const told = codesOf(req, "refused");
      await req.connect(bad);
      await req.connect(address);
      await count(told, `refused ${code}`, 1);
      for (let i = 0; i < 20; i++) {
        expect((await req.request(`${i}`)).text()).toBe(`answer to ${i}`);
      }
      expect(dials).toBeLessThanOrEqual(told.length + 1);
    });
  }
});
