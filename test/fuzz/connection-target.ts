import { isDeepStrictEqual } from "node:util";
import type { Link, SocketOptions } from "@msg-ts/core";
import {
  MsgError,
  PubSocket,
  PullSocket,
  PushSocket,
  RepSocket,
  ReqSocket,
  SubSocket,
} from "@msg-ts/core";
import type { NaiveRole } from "@msg-ts/testing";
import { joinBytes, naiveDecode, naiveEncode, SimNetwork, SimulatedRuntime } from "@msg-ts/testing";
import type { Case, Target } from "./case.ts";
import type { Outcome } from "./connection-model.ts";
import { expectedOutcome, given, isGreeted, partnerNumber, shown } from "./connection-model.ts";
import type { Random } from "./random.ts";
import { anyStream, cut, editStream, maxMessageBytes, roles } from "./stream-inputs.ts";
import { difference, streamInput } from "./wire-target.ts";

/** A socket that is attacked, and what its application sees of it. */
interface Victim {
  readonly socket: {
    bind(address: string): Promise<string>;
    close(options: { readonly lingerMs: number }): Promise<unknown>;
  };
  /** Called when the peer was let in, and when all has come. */
  start?(): void;
  seen(): readonly string[];
}

type Maker = (network: SimNetwork, options: SocketOptions) => Victim;

const makers: Readonly<Record<NaiveRole, Maker>> = {
  REQ: (network, options) => {
    const socket = new ReqSocket(network, { ...options, timeoutMs: Infinity });
    const ends: string[] = [];
    return {
      socket,
      start: () => {
        for (let id = 1; id <= given; id++) {
          socket.request(`${id}`).then(
            ({ payload }) => ends.push(`${id} ${shown(payload)}`),
            (error: unknown) => {
              if (!MsgError.is(error, "MSG_CLOSED")) ends.push(`${id} failed`);
            },
          );
        }
      },
      seen: () => ends.toSorted(),
    };
  },
  REP: (network, options) => {
    const socket = new RepSocket(network, options);
    const seen: string[] = [];
    socket.serve(({ payload }) => {
      seen.push(shown(payload));
      return payload;
    });
    return { socket, seen: () => seen };
  },
  PUB: (network, options) => {
    const socket = new PubSocket(network, options);
    return { socket, seen: () => [`${socket.stats().subscriptions} topics`] };
  },
  SUB: (network, options) => {
    const socket = new SubSocket(network, options);
    const seen: string[] = [];
    socket.consume(({ topic, payload }) => void seen.push(`${topic} ${shown(payload)}`));
    return { socket, seen: () => [...seen, `${socket.stats().lost} lost`] };
  },
  PUSH: (network, options) => {
    const socket = new PushSocket(network, { ...options, redeliveryDelayMs: 100_000 });
    return {
      socket,
      start: () => {
        for (let count = 0; count < given; count++) void socket.send(`${count}`);
      },
      seen: () => [`${socket.stats().acknowledged} acknowledged`],
    };
  },
  PULL: (network, options) => {
    const socket = new PullSocket(network, options);
    const seen: string[] = [];
    socket.consume(
      ({ payload, deliveryCount }) => void seen.push(`${deliveryCount} ${shown(payload)}`),
    );
    return { socket, seen: () => seen };
  },
};

/**
 * A whole socket of each type, dialed by somebody who sends anything: what its application sees, and
 * whether the connection is ended, has to be what a plain reading of the wire says; what it sends has
 * to be readable; and once it is closed nothing may be left, no timer and no link.
 */
export const connectionTargets: readonly Target[] = roles.map((role) => ({
  name: `connection ${role.toLowerCase()}`,
  refusals: ["MSG_PROTOCOL"],
  open: async () => ({
    makeCase: (random: Random) => {
      const { input, how } = streamInput(random, () => greeted(role, random));
      return { ...caseOf(role, input), how };
    },
    caseOf: (input: Uint8Array) => caseOf(role, input),
    editLength: editStream,
  }),
}));

function greeted(role: NaiveRole, random: Random): Uint8Array {
  const stream = anyStream(role, random);
  if (!isGreeted(role)) return stream;
  const socketType = random.oneIn(16) ? random.below(9) : partnerNumber(role);
  const name = random.oneIn(8) ? "é".repeat(random.below(130)) : "";
  return joinBytes([naiveEncode({ type: "hello", socketType, name }), stream]);
}

function caseOf(role: NaiveRole, input: Uint8Array): Case {
  const stream = input.subarray(1);
  let actual: Outcome | undefined;
  const judge = (): string | undefined => {
    const expected = expectedOutcome(role, stream);
    return isDeepStrictEqual(actual, expected) ? undefined : difference(actual, expected);
  };
  return {
    how: "given",
    input,
    take: async () => {
      actual = await attack(role, stream, input[0] ?? 0);
      if (actual.isClosed) throw new MsgError("MSG_PROTOCOL", "the connection was ended");
      return actual;
    },
    wrongResult: judge,
    wrongRefusal: judge,
  };
}

/** How long a peer may take to read why it is refused, and to end its side. */
const endingMs = 2_000;

async function attack(role: NaiveRole, stream: Uint8Array, cutBy: number): Promise<Outcome> {
  const runtime = new SimulatedRuntime({ random: () => 0.5 });
  const network = new SimNetwork(runtime);
  const victim = makers[role](network, { runtime, maxMessageBytes });
  await victim.socket.bind("here");
  const attacker = new Attacker(await network.dial("here", new AbortController().signal));
  // What a dialer of its type says first is read before the application goes to work.
  const welcome = isGreeted(role) ? helloLength(stream) : 0;
  attacker.write(stream.subarray(0, welcome));
  await runtime.settle();
  victim.start?.();
  await runtime.settle();
  // A PULL says one thing after the other: what a PUSH sends in between depends on it.
  const pieces =
    role === "PUSH" ? frames(stream.subarray(welcome)) : cut(stream.subarray(welcome), cutBy);
  for (const piece of pieces) {
    attacker.write(piece);
    // Promises have their turn between two pieces now and then; it costs a turn of the real loop.
    if (role === "PUSH" || piece.length % 8 === 0) await runtime.settle();
    else runtime.runTurn();
  }
  await runtime.pass(endingMs);
  const outcome = { seen: victim.seen(), isClosed: attacker.isOver };
  attacker.check(role);
  const closing = victim.socket.close({ lingerMs: 0 });
  attacker.link.destroy();
  await runtime.pass(10_000);
  await closing;
  if (runtime.timersInMs.length > 0) throw new Error("a timer was left behind");
  if (network.openPairs.length > 0) throw new Error("a link was left behind");
  return outcome;
}

/** How long the HELLO at the start is, if there is a whole one; else everything. */
function helloLength(stream: Uint8Array): number {
  const length = 5 + ((stream[3] ?? 0) << 8) + (stream[4] ?? 0);
  return Math.min(stream.length, length);
}

function* frames(stream: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < stream.length; start += 10) yield stream.subarray(start, start + 10);
}

class Attacker {
  readonly link: Link;
  readonly #chunks: Uint8Array[] = [];
  isOver = false;

  constructor(link: Link) {
    this.link = link;
    const onOver = (): void => {
      this.isOver = true;
    };
    link.start({
      onData: (chunk) => void this.#chunks.push(new Uint8Array(chunk)),
      onDrain: () => {},
      onEnd: onOver,
      onClose: onOver,
    });
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > 0) this.link.write([new Uint8Array(bytes)]);
  }

  /** What the socket says has to be what its partner can read, to the last byte. */
  check(role: NaiveRole): void {
    const partner = (
      { REQ: "REP", REP: "REQ", PUB: "SUB", SUB: "PUB", PUSH: "PULL", PULL: "PUSH" } as const
    )[role];
    const bytes = joinBytes(this.#chunks);
    const preamble = isGreeted(role) ? (["hello"] as const) : [];
    const { error, unfinishedBytes } = naiveDecode(bytes, { role: partner, preamble });
    // A refusal by HELLO is told to dialers of REP and PUB too, which never say one.
    if (bytes[0] === 0 && bytes.length === 3) return;
    if (error !== undefined || unfinishedBytes > 0)
      throw new Error(`sent what nobody can read: ${shown(bytes)}`);
  }
}
