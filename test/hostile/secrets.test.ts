import { TestAuthority, waitFor } from "@msg-ts/testing";
import { cbor } from "@msg-ts/codecs/cbor";
import { json } from "@msg-ts/codecs/json";
import { text } from "@msg-ts/codecs/text";
import type { Codec } from "msg-ts";
import {
  MsgError,
  PubSocket,
  PullSocket,
  PushSocket,
  Quic,
  RepSocket,
  ReqSocket,
  SubSocket,
  Tcp,
  Tls,
} from "msg-ts";
import { plain, plainServer, zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import { auth } from "./campaign/attack.ts";
import { asBytes, RawClient } from "./raw-client.ts";
import { SecretWatch } from "./secret-watch.ts";

// Short, because some errors quote the beginning of what they could not read.
const token = "Tk9ZqXw2";
const wrongToken = "Wr7QzYv4";
const payload = "Pl5XjKq8";
const passphrase = "Ps3VwHx6";
const secrets = [token, wrongToken, payload, passphrase];

function once(isThere: () => boolean, what: string): Promise<void> {
  return waitFor(isThere, { what, withinMs: patienceMs });
}

const soon = { reconnect: { minDelayMs: 5, maxDelayMs: 20 } };

describe("a watch for secrets", () => {
  it("finds them in messages, stacks, causes, bytes and whatever is enumerable", () => {
    const watch = new SecretWatch();
    watch.note("message", new Error(`no ${payload}`));
    watch.note("cause", new MsgError("MSG_CLOSED", "x", { cause: new Error(token) }));
    watch.note("bytes", { peer: { deep: [asBytes(`..${payload}..`)] } });
    watch.note("harmless", { text: "nothing", bytes: asBytes("nothing") });
    expect(watch.leaks(secrets)).toEqual([
      "message.stack",
      "cause.cause.stack",
      "bytes.peer.deep.0",
    ]);
  });
});

describe("tokens", { timeout: 120_000 }, () => {
  const verdicts = {
    "that are refused": () => false,
    "of an authenticator that throws": () => {
      throw new Error("the database is down");
    },
    "of an authenticator that never decides": () => new Promise<never>(() => {}),
    "that are let in, with claims": () => ({ identity: "ann" }),
  } as const;
  for (const [what, authenticator] of Object.entries(verdicts)) {
    it(`${what} are nowhere in what either end says`, async () => {
      const watch = new SecretWatch();
      const { logger } = watch;
      const rep = closing(
        watch.over(new RepSocket(new Tcp(), { logger, handshakeTimeoutMs: 300, authenticator })),
      );
      rep.serve(() => "ok");
      const address = await rep.bind("127.0.0.1:0");
      const options = { logger, handshakeTimeoutMs: 300, ...soon };
      const req = closing(watch.over(new ReqSocket(new Tcp(), { ...options, authToken: token })));
      await req.connect(address);
      const raw = await RawClient.dial(address);
      raw.write(auth(wrongToken));
      await once(() => rep.stats().refused + rep.stats().connects >= 2, "both are decided on");
      await req.request("x", { timeoutMs: 200 }).catch((error: unknown) => {
        watch.note("request", error);
      });
      await Promise.all([req.close(), rep.close()]);
      expect(watch.size).toBeGreaterThan(5);
      expect(watch.leaks(secrets)).toEqual([]);
    });
  }

  it("that are too long, of a wrong type, or of a function that fails later, are in no error", async () => {
    const watch = new SecretWatch();
    const long = token.repeat(200);
    await watch.failing("too long", () => new ReqSocket(new Tcp(), { authToken: long }));
    await watch.failing("an object", () => {
      return new ReqSocket(new Tcp(), { authToken: { secret: token } as never });
    });
    const req = closing(
      watch.over(
        new ReqSocket(new Tcp(), { authToken: () => long, ...soon, logger: watch.logger }),
      ),
    );
    const rep = closing(new RepSocket(new Tcp(), { authenticator: () => true }));
    await req.connect(await rep.bind("127.0.0.1:0"));
    await req.once("refused", { timeoutMs: patienceMs });
    expect(watch.leaks(secrets)).toEqual([]);
  });
});

describe("payloads", { timeout: 120_000 }, () => {
  it("of requests that fail in every way are in no error, event, log or channel", async () => {
    const watch = new SecretWatch();
    const { logger } = watch;
    const options = { logger, maxMessageBytes: 1_000 };
    const rep = closing(
      watch.over(new RepSocket(new Tcp(), { ...options, answerTimeoutMs: 300, maxPending: 100 })),
    );
    const address = await rep.bind("127.0.0.1:0");
    rep.serve(async (request) => {
      if (request.text().includes("throw")) throw new TypeError("a bug");
      if (request.text().includes("json")) request.json();
      if (request.text().includes("twice")) {
        request.respond(payload);
        request.respond(payload);
      }
      await new Promise((resolve) => void setTimeout(resolve, 500));
      return payload;
    });
    const req = closing(
      watch.over(new ReqSocket(new Tcp(), { ...options, maxQueued: 1, ...soon })),
    );
    await req.connect(address);
    await req.ready({ timeoutMs: patienceMs });
    await watch.failing("too large", () => req.request(payload.repeat(200)));
    await watch.failing("timeout", () => req.request(payload, { timeoutMs: 50 }));
    await watch.failing("abort", () => req.request(payload, { signal: AbortSignal.timeout(50) }));
    await watch.failing("no answer", () => req.request(payload));
    await watch.failing("a handler that throws", () => req.request(`throw ${payload}`));
    await watch.failing("a handler that reads JSON", () => req.request(`${payload} as json`));
    expect((await req.request(`twice ${payload}`)).text()).toBe(payload);
    await once(() => (req.stats().dropped["unexpected-reply"] ?? 0) > 0, "a late answer came");
    // 1 is gzip: what is no gzip is dropped.
    const raw = await RawClient.dial(address);
    raw.request(1, payload, 1);
    await raw.has(30);
    raw.request(2, payload);
    raw.destroy();
    const lost = req.request(payload);
    await once(() => rep.stats().pending > 0, "it is asked");
    await rep.close({ lingerMs: 0 });
    await watch.failing("lost", () => lost);
    const waiting = req.request(payload);
    await watch.failing("full", () => req.request(payload));
    await req.close({ lingerMs: 0 });
    await watch.failing("closed", () => waiting);
    expect(watch.size).toBeGreaterThan(20);
    expect(watch.leaks(secrets)).toEqual([]);
  });

  it("of messages and jobs that are dropped are shown to who asks for them, and to nobody else", async () => {
    const watch = new SecretWatch();
    const { logger } = watch;
    const push = closing(
      watch.over(new PushSocket(new Tcp(), { logger, maxDeliveries: 1, redeliveryDelayMs: 1 })),
    );
    const pull = closing(watch.over(new PullSocket(new Tcp(), { logger, ...soon })));
    const jobs: unknown[] = [];
    push.on("dropped", (drop) => void jobs.push(drop.payload));
    pull.consume(() => {
      throw new Error("a bad day");
    });
    await pull.connect(await push.bind("127.0.0.1:0"));
    await push.send(payload);
    await once(() => jobs.length === 1, "the job is given up");
    expect(Buffer.from(jobs[0] as Uint8Array).toString()).toBe(payload);

    const pub = closing(
      watch.over(
        new PubSocket(new Tcp(), { logger, maxMessageBytes: 1_000, authorize: () => false }),
      ),
    );
    const sub = closing(watch.over(new SubSocket(new Tcp(), { logger, ...soon })));
    await sub.connect(await pub.bind("127.0.0.1:0"));
    await watch.failing("forbidden", () => sub.subscribe("a", { timeoutMs: patienceMs }));
    await watch.failing("too large", () => pub.publish("a", payload.repeat(200)));
    expect(watch.leaks(secrets)).toEqual([]);
  });

  const codecs: Readonly<Record<string, Codec<unknown>>> = {
    json: json(),
    cbor: cbor(),
    text: text() as Codec<unknown>,
  };
  for (const [name, codec] of Object.entries(codecs)) {
    it(`that ${name} cannot read or write are in no error`, async () => {
      const watch = new SecretWatch();
      const { logger } = watch;
      const rep = closing(
        watch.over(new RepSocket<unknown, unknown>(new Tcp(), { logger, codec })),
      );
      rep.serve(() => "ok");
      const req = closing(watch.over(new ReqSocket(new Tcp(), { logger })));
      await req.connect(await rep.bind("127.0.0.1:0"));
      for (const bytes of [
        asBytes(payload),
        asBytes(`{"${payload}": ${payload}}`),
        asBytes(`["${payload}",`),
        Buffer.concat([Buffer.from([0xff, 0xfe]), asBytes(payload)]),
        Buffer.concat([Buffer.from([0x78, 0xff]), asBytes(payload)]),
      ]) {
        await req.request(bytes).catch((error: unknown) => watch.note("request", error));
      }
      const typed = closing(new ReqSocket<unknown, unknown>(new Tcp(), { codec }));
      const loop: Record<string, unknown> = { text: payload };
      loop["itself"] = loop;
      for (const value of [loop, Symbol(payload), () => payload, { [payload]: 10n ** 30n }]) {
        await Promise.resolve()
          .then(() => typed.request(value, { timeoutMs: 1 }))
          .catch((error: unknown) => watch.note("encode", error));
      }
      expect(watch.size).toBeGreaterThan(5);
      expect(watch.leaks(secrets)).toEqual([]);
    });
  }
});

describe("passwords of PLAIN", { timeout: 120_000 }, () => {
  it("that are right, wrong or fail to be checked are nowhere in what either end says", async () => {
    const password = "Pw6LcDs1";
    const watch = new SecretWatch();
    const { logger } = watch;
    for (const authenticate of [
      () => true,
      () => false,
      () => Promise.reject(new Error("the database is down")),
    ]) {
      const server = zmtp({ security: plainServer({ authenticate }) });
      const rep = closing(watch.over(new RepSocket(new Tcp(), { logger, protocol: server })));
      rep.serve(() => "ok");
      const protocol = zmtp({ security: plain({ username: "ann", password }) });
      const req = closing(watch.over(new ReqSocket(new Tcp(), { logger, protocol, ...soon })));
      await req.connect(await rep.bind("127.0.0.1:0"));
      await req.request("x", { timeoutMs: 300 }).catch((error: unknown) => {
        watch.note("request", error);
      });
      await Promise.all([req.close(), rep.close()]);
    }
    await watch.failing("too long", () =>
      plain({ username: "ann", password: password.repeat(99) }),
    );
    expect(watch.size).toBeGreaterThan(10);
    expect(watch.leaks([password])).toEqual([]);
  });
});

describe("keys and passphrases", { timeout: 120_000 }, () => {
  it("that are wrong, or do not belong together, are in no error of TLS and QUIC", async () => {
    const watch = new SecretWatch();
    const authority = await TestAuthority.create();
    const locked = await authority.issue({ ips: ["127.0.0.1"], passphrase: "another one" });
    const [one, other] = [
      await authority.issue({ ips: ["127.0.0.1"] }),
      await authority.issue({ ips: ["127.0.0.1"] }),
    ];
    const keyTexts = [one, other, locked].flatMap(({ key }) =>
      key.split("\n").filter((line) => line.length > 40 && !line.includes("-----")),
    );
    expect(keyTexts.length).toBeGreaterThan(3);
    const broken = one.key.replace(/\n.{30}/, "\nbroken");
    const given = [
      { cert: locked.cert, key: locked.key, passphrase },
      { cert: locked.cert, key: locked.key },
      { cert: one.cert, key: other.key },
      { cert: one.cert, key: broken },
      { cert: one.cert, key: one.key.slice(0, 100) },
      { cert: one.key, key: one.cert },
      { cert: one.key, key: one.key },
      { ca: one.key },
    ];
    for (const options of given) {
      for (const Kind of [Tls, Quic]) {
        await Promise.resolve()
          .then(async () => {
            const rep = closing(
              watch.over(new RepSocket(new Kind(options), { logger: watch.logger })),
            );
            await rep.bind("127.0.0.1:0");
            const req = closing(
              watch.over(new ReqSocket(new Kind(options), { logger: watch.logger })),
            );
            await req.connect(rep.address);
            await req.request("x", { timeoutMs: 300 });
          })
          .catch((error: unknown) => watch.note("failed", error));
      }
    }
    expect(watch.size).toBeGreaterThan(10);
    expect(watch.leaks([...secrets, ...keyTexts])).toEqual([]);
  });
});
