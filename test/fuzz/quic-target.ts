import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { joinBytes, TestAuthority } from "@msg-ts/testing";
import { MsgError } from "@msg-ts/core";
import { Quic } from "@msg-ts/transports/quic";
import type { Case, OpenTarget, Target } from "./case.ts";
import { mutated } from "./mutations.ts";
import type { Random } from "./random.ts";
import { editStream } from "./stream-inputs.ts";

/** RFC 9000, section 14.1. */
const minInitialBytes = 1_200;

/** An answer that takes longer will not come, however busy the machine is. */
const patienceMs = 15_000;

/** Datagrams may be lost, also over loopback: the probe is sent again. */
const againMs = 300;

/**
 * A listener of QUIC that gets any datagrams: whatever they were, it must still answer the next
 * datagram of a version that nobody speaks, as RFC 9000, section 6.1 wants it, with the connection ids
 * of that one.
 */
export const quicTargets: readonly Target[] = [
  { name: "quic datagrams", refusals: [], open: () => open() },
];

async function open(): Promise<OpenTarget | string> {
  const authority = await TestAuthority.create();
  const identity = await authority.issue({ ips: ["127.0.0.1"] });
  const quic = new Quic({ ...identity, ca: authority.cert });
  try {
    const listener = await quic.listen("127.0.0.1:0", {
      onLink: (link) => link.destroy(),
      onError: () => {},
      onRefused: () => {},
    });
    const seeds = await recordedDatagrams(quic);
    const socket = createSocket("udp4");
    const prober = new Prober(socket, Number(listener.address.split(":").at(-1)));
    return {
      makeCase: (random) => {
        const { input, how } = anyDatagrams(random, seeds);
        return { ...caseOf(prober, input), how };
      },
      caseOf: (input) => caseOf(prober, input),
      editLength: editStream,
      close: async () => {
        socket.close();
        await listener.close();
      },
    };
  } catch (error) {
    if (MsgError.is(error, "MSG_MISSING_PACKAGE")) return error.message;
    throw error;
  }
}

/** What a dialer sends first, again and again. */
async function recordedDatagrams(quic: Quic): Promise<Uint8Array[]> {
  const socket = createSocket("udp4");
  const datagrams: Uint8Array[] = [];
  socket.on("message", (datagram) => void datagrams.push(new Uint8Array(datagram)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const controller = new AbortController();
  const dialing = quic.dial(`127.0.0.1:${socket.address().port}`, controller.signal);
  await once(socket, "message");
  controller.abort();
  await dialing.catch(() => {});
  socket.close();
  return datagrams;
}

/** Datagrams one behind the other, each with its length before it. */
function anyDatagrams(random: Random, seeds: readonly Uint8Array[]) {
  const hows: string[] = [];
  const datagrams = Array.from({ length: 1 + random.small(4) }, () => {
    const seed = random.pick(seeds);
    if (random.oneIn(8)) return random.bytes(random.small(1_500));
    const { payload, how } = mutated(seed, random, () => random.pick(seeds), editStream);
    hows.push(...how);
    return payload.subarray(0, 1_500);
  });
  const framed = datagrams.flatMap((datagram) => [lengthOf(datagram), datagram]);
  return { input: joinBytes(framed), how: hows.join(", ") };
}

function lengthOf(datagram: Uint8Array): Uint8Array {
  return Uint8Array.of(datagram.length >> 8, datagram.length & 0xff);
}

function* datagramsIn(input: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + 2 <= input.length;) {
    const length = ((input[at] ?? 0) << 8) | (input[at + 1] ?? 0);
    yield input.subarray(at + 2, at + 2 + Math.min(length, 1_500));
    at += 2 + length;
  }
}

function caseOf(prober: Prober, input: Uint8Array): Case {
  return {
    how: "given",
    input,
    take: async () => {
      for (const datagram of datagramsIn(input)) await prober.send(datagram);
      return prober.isAnswered();
    },
    wrongResult: (isAnswered) => (isAnswered === true ? undefined : "is not heard of any more"),
    wrongRefusal: () => undefined,
  };
}

class Prober {
  readonly #socket: Socket;
  readonly #port: number;
  #probes = 0;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
  }

  send(datagram: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.send(datagram, this.#port, "127.0.0.1", () => resolve());
    });
  }

  /** Asks for a version that is reserved for this, and waits for the answer that has the same ids. */
  async isAnswered(): Promise<boolean> {
    const probe = Buffer.alloc(minInitialBytes);
    const id = Buffer.alloc(8);
    id.writeUInt32BE(++this.#probes);
    probe.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, ...id, 8, ...id]);
    const expected = Buffer.from([0, 0, 0, 0, 8, ...id, 8, ...id]);
    return new Promise((resolve) => {
      const end = (isThere: boolean): void => {
        clearTimeout(timer);
        clearInterval(again);
        this.#socket.off("message", onMessage);
        resolve(isThere);
      };
      const timer = setTimeout(() => end(false), patienceMs);
      const onMessage = (answer: Buffer): void => {
        if (answer.subarray(1, 1 + expected.length).equals(expected)) end(true);
      };
      this.#socket.on("message", onMessage);
      const ask = (): void => this.#socket.send(probe, this.#port, "127.0.0.1");
      const again = setInterval(ask, againMs);
      ask();
    });
  }
}
