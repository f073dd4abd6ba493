import { isDeepStrictEqual } from "node:util";
import { MsgError } from "@msg-ts/core";
import type { ErrorCode, PubSink, PullSink, WireContext } from "@msg-ts/core";
import { joinBytes } from "@msg-ts/testing";
import { plainServer } from "@msg-ts/zmtp";
import { curve, curveKeyPair, curveServer } from "@msg-ts/zmtp/curve";
import { FrameAssembler } from "../../packages/core/src/connection/frame-assembler.ts";
import { noPulse, TestGate } from "../../packages/core/test/wire/decode-stream.ts";
import { GrowingBuffer } from "../../packages/core/test/wire/growing-buffer.ts";
import { shakeHands } from "../../packages/zmtp/src/handshake.ts";
import { CommandLink } from "../../packages/zmtp/src/mechanisms/command-link.ts";
import type { Mechanism } from "../../packages/zmtp/src/mechanisms/mechanism.ts";
import { encodeCommand } from "../../packages/zmtp/src/wire/command.ts";
import { encodeFrame } from "../../packages/zmtp/src/wire/frame.ts";
import { encodeGreeting } from "../../packages/zmtp/src/wire/greeting.ts";
import { encodeMetadata } from "../../packages/zmtp/src/wire/metadata.ts";
import { OpenZmtp } from "../../packages/zmtp/src/zmtp.ts";
import { resolveZmtpOptions } from "../../packages/zmtp/src/zmtp-options.ts";
import {
  contextOf,
  linkPair,
  TestHandshakeLink,
} from "../../packages/zmtp/test/handshake-scene.ts";
import type { Case, Target } from "./case.ts";
import { mutated } from "./mutations.ts";
import type { Random } from "./random.ts";
import { cut, editStream } from "./stream-inputs.ts";
import { difference } from "./wire-target.ts";
import type { NaiveZmtp } from "./zmtp-naive.ts";
import { limits, readNaively } from "./zmtp-naive.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const command = (name: string, data: Uint8Array): Uint8Array =>
  encodeFrame(4, encodeCommand(name, data));

function metadataOf(socketType: string): Uint8Array {
  return encodeMetadata([
    ["Socket-Type", text(socketType)],
    ["Identity", text("somebody")],
    ["X-note", text("x".repeat(40))],
  ]);
}

const metadata = metadataOf("REQ");
const keys = curveKeyPair();
const clientKeys = curveKeyPair();

const servers: Readonly<Record<string, Mechanism>> = {
  PLAIN: plainServer({ authenticate: ({ password }) => password.length > 0 }),
  CURVE: curveServer({ secretKey: keys.secretKey }),
};

/** Damages what was made, now and then; the first byte says how it is cut. */
function input(
  random: Random,
  fixed: Uint8Array,
  fuzzed: Uint8Array,
): { input: Uint8Array; how: string } {
  const cutBy = Uint8Array.of(random.oneIn(3) ? 0 : random.below(256));
  if (random.oneIn(8)) return { input: joinBytes([cutBy, fixed, fuzzed]), how: "made" };
  if (random.oneIn(16)) {
    return { input: joinBytes([cutBy, fixed, random.bytes(random.small(300))]), how: "random" };
  }
  const { payload, how } = mutated(fuzzed, random, () => fuzzed, editStream);
  return { input: joinBytes([cutBy, fixed, payload.subarray(0, 20_000)]), how: how.join(", ") };
}

/** More than this is never written to a peer that is not let in. */
const mostWritten = 1_024;

interface Judged {
  readonly security: Mechanism | undefined;
  /** That the peer is of another type, which the damage seldom makes it, is no matter. */
  readonly isEither?: boolean;
}

/** A handshake of a REP that is told these bytes, and then that its peer ended. */
async function answered({ security, isEither }: Judged, given: Uint8Array): Promise<unknown> {
  const link = new TestHandshakeLink();
  const options = resolveZmtpOptions(security === undefined ? {} : { security });
  const done = shakeHands(options, contextOf("REP", { isDialer: false }), link);
  for (const piece of cut(given.subarray(1), given[0] ?? 0)) link.push(piece);
  link.end();
  const outcome = await done.catch((error: unknown) => error);
  const written = link.written.reduce((sum, { length }) => sum + length, 0);
  if (written > mostWritten) throw new Error(`wrote ${written} bytes to a peer that is not let in`);
  const isOtherType = isEither === true && MsgError.is(outcome, "MSG_WRONG_SOCKET_TYPE");
  if (outcome instanceof Error && !isOtherType) throw outcome;
  return outcome;
}

function handshakeCase(target: Judged, given: Uint8Array, how: string): Case {
  const isValid = how === "made";
  return {
    how,
    input: given,
    take: () => answered(target, given),
    wrongResult: () => undefined,
    wrongRefusal: (code) => (isValid ? `refused what is valid with ${code}` : undefined),
  };
}

interface HandshakeTarget extends Judged {
  readonly name: string;
  readonly refusals: readonly ErrorCode[];
  /** What stands before that which is damaged, and that. */
  readonly fixed: Uint8Array;
  readonly fuzzed: Uint8Array;
  /** The same of a peer that is refused whatever happens. */
  readonly refused?: Uint8Array;
}

const none = new Uint8Array(0);
const greetingOf = (mechanism: string): Uint8Array => encodeGreeting(mechanism, false);
const ready = command("READY", metadata);
const hello = command(
  "HELLO",
  joinBytes([Uint8Array.of(5), text("admin"), Uint8Array.of(6), text("secret")]),
);

const handshakeTargets: readonly HandshakeTarget[] = [
  {
    name: "wire zmtp-greeting",
    refusals: ["MSG_PROTOCOL", "MSG_PEER_LOST", "MSG_WRONG_SOCKET_TYPE"],
    security: undefined,
    fixed: none,
    fuzzed: joinBytes([greetingOf("NULL"), ready]),
    refused: joinBytes([greetingOf("NULL"), command("READY", metadataOf("PUSH"))]),
  },
  {
    name: "wire zmtp-ready",
    refusals: ["MSG_PROTOCOL", "MSG_PEER_LOST", "MSG_WRONG_SOCKET_TYPE"],
    security: undefined,
    fixed: greetingOf("NULL"),
    fuzzed: ready,
    refused: command("READY", metadataOf("PUSH")),
  },
  {
    name: "wire zmtp-hello",
    refusals: ["MSG_PROTOCOL", "MSG_PEER_LOST", "MSG_AUTH_REJECTED"],
    security: servers["PLAIN"],
    isEither: true,
    fixed: greetingOf("PLAIN"),
    fuzzed: joinBytes([hello, command("INITIATE", metadata)]),
    refused: joinBytes([command("HELLO", Uint8Array.of(0, 0)), command("INITIATE", metadata)]),
  },
  {
    name: "wire zmtp-initiate",
    refusals: ["MSG_PROTOCOL", "MSG_PEER_LOST", "MSG_WRONG_SOCKET_TYPE"],
    security: servers["PLAIN"],
    fixed: joinBytes([greetingOf("PLAIN"), hello]),
    fuzzed: command("INITIATE", metadata),
    refused: command("INITIATE", metadataOf("PUSH")),
  },
];

/** Of the frames of HELLO and INITIATE; what becomes of other lengths the other targets see. */
const headerBytes = [2, 9] as const;

/** What a peer may change of HELLO: reserved flags, the minor version, and its padding mean nothing. */
const firstOfHello = 82;

/** By the command that is changed. */
const curveTargets: readonly (Pick<Target, "name" | "refusals"> & { readonly which: number })[] = [
  { name: "wire zmtp-curve-hello", which: 0, refusals: ["MSG_PROTOCOL", "MSG_AUTH_REJECTED"] },
  { name: "wire zmtp-curve-initiate", which: 1, refusals: ["MSG_PROTOCOL"] },
];

/** CURVE in the whole: a client of ours, of whose HELLO or INITIATE some bytes are others. */
function curveCase(which: number, given: Uint8Array): Case {
  const edits = Math.floor(given.length / editBytes);
  const changed = { isSealed: false };
  return {
    how: `command ${which}, ${edits} bytes`,
    input: given,
    take: () => {
      changed.isSealed = false;
      return curveExchange(which, given, changed);
    },
    wrongResult: () => (changed.isSealed ? "let in a client whose command was changed" : undefined),
    wrongRefusal: (code) => {
      return edits > 0 ? undefined : `refused a valid client with ${code}`;
    },
  };
}

async function curveExchange(
  which: number,
  edits: Uint8Array,
  changed: { isSealed: boolean },
): Promise<unknown> {
  const [server, client] = linkPair();
  let at = 0;
  client.onWrite = (said) => {
    const isChosen = at++ === which;
    const sent = isChosen ? edited(said, edits, headerBytes[which] ?? 0) : said;
    const from = which === 0 ? firstOfHello : 1;
    if (isChosen) changed.isSealed = sent.some((byte, i) => i >= from && byte !== said[i]);
    server.push(sent);
    if (at === 2) server.end();
  };
  const asking = curve({ serverKey: keys.publicKey, secretKey: clientKeys.secretKey }).run(
    new CommandLink(client),
    metadata,
    contextOf("REQ"),
  );
  asking.catch(() => {});
  try {
    const mechanism = servers["CURVE"] as Mechanism;
    return await mechanism.run(new CommandLink(server), metadata, contextOf("REP"));
  } finally {
    client.end();
  }
}

/** The place of a byte, and what is added to what stands there, never nothing. */
const editBytes = 3;

function edited(bytes: Uint8Array, edits: Uint8Array, from: number): Uint8Array {
  const copy = bytes.slice();
  for (let i = 0; i + 2 < edits.length; i += editBytes) {
    const any = (edits[i] ?? 0) * 256 + (edits[i + 1] ?? 0);
    const place = from + (any % (copy.length - from));
    copy[place] = (copy[place] ?? 0) ^ ((edits[i + 2] ?? 0) | 1);
  }
  return copy;
}

/** What a decoder of ours tells of a stream. */
function decoded(
  type: "PULL" | "PUB",
  given: Uint8Array,
): { readonly told: string[]; readonly error: MsgError | undefined } {
  const told: string[] = [];
  const out = new GrowingBuffer();
  const context: WireContext = {
    maxMessageBytes: limits.maxMessageBytes,
    gate: new TestGate(),
    decompress: (_id, payload) => payload,
    fail: (error) => {
      throw error;
    },
    pulse: noPulse,
  };
  const options = resolveZmtpOptions({
    maxParts: limits.maxParts,
    heartbeat: { intervalMs: Infinity },
  });
  const session = {
    minor: 1,
    peerType: undefined,
    identity: none,
    metadata: new Map<string, Uint8Array>(),
    cipher: undefined,
  } as const;
  const protocol = new OpenZmtp(options, session);
  const wire =
    type === "PULL"
      ? protocol.open("PULL", out, pullSink(told), context)
      : protocol.open("PUB", out, pubSink(told), context);
  const assembler = new FrameAssembler(wire.decoder);
  try {
    for (const piece of cut(given.subarray(1), given[0] ?? 0)) assembler.push(piece.slice());
    return { told, error: undefined };
  } catch (error) {
    if (MsgError.is(error)) return { told, error };
    throw error;
  } finally {
    assembler.dispose();
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function pullSink(told: string[]): PullSink {
  return {
    onJob: (_sequence, _deliveries, payload, parts) =>
      void told.push((parts ?? [payload]).map(hexOf).join(" ")),
    onBadJob: () => {},
  };
}

function pubSink(told: string[]): PubSink {
  return {
    onSubscribe: () => {},
    onUnsubscribe: () => {},
    onSubscribePrefix: (prefix) => void told.push(`+${hexOf(Buffer.from(prefix, "latin1"))}`),
    onUnsubscribePrefix: (prefix) => void told.push(`-${hexOf(Buffer.from(prefix, "latin1"))}`),
    onExtensions: () => {},
    onIgnored: () => void told.push("?"),
  };
}

function expected(type: "PULL" | "PUB", stream: Uint8Array): NaiveZmtp {
  if (type === "PULL") {
    return readNaively(
      stream,
      (parts) => parts.map(hexOf).join(" "),
      () => undefined,
    );
  }
  return readNaively(
    stream,
    (parts) => {
      const [first] = parts;
      const kind = first?.[0];
      if (parts.length !== 1 || first === undefined || (kind !== 0 && kind !== 1)) return "?";
      return `${kind === 1 ? "+" : "-"}${hexOf(first.subarray(1))}`;
    },
    (name, data) => {
      if (name === "SUBSCRIBE") return `+${hexOf(data)}`;
      return name === "CANCEL" ? `-${hexOf(data)}` : undefined;
    },
  );
}

function streamCase(type: "PULL" | "PUB", given: Uint8Array, how: string): Case {
  let actual: ReturnType<typeof decoded> | undefined;
  const judge = (): string | undefined => {
    const wanted = expected(type, given.subarray(1));
    const found = { told: actual?.told, code: actual?.error?.code };
    return isDeepStrictEqual(found, wanted) ? undefined : difference(found, wanted);
  };
  return {
    how,
    input: given,
    take: () => {
      actual = decoded(type, given);
      if (actual.error !== undefined) throw actual.error;
      return actual;
    },
    wrongResult: judge,
    wrongRefusal: judge,
  };
}

function anyFrames(type: "PULL" | "PUB", random: Random): Uint8Array {
  const frames = Array.from({ length: random.small(16) }, () => {
    const body = random.bytes(random.oneIn(12) ? random.small(2_400) : random.small(20));
    const isSubscription = type === "PUB" && !random.oneIn(6);
    if (isSubscription && random.oneIn(2)) {
      return command(random.pick(["SUBSCRIBE", "CANCEL"]), body);
    }
    if (isSubscription) {
      return encodeFrame(0, joinBytes([Uint8Array.of(random.below(2)), body]));
    }
    if (random.oneIn(5)) return command(random.pick(["PING", "PONG", "ERROR", "FOO"]), body);
    return encodeFrame(random.oneIn(3) ? 1 : 0, body);
  });
  return joinBytes(frames);
}

/** Everything that a peer over ZMTP may send, before and after it is let in. */
export const zmtpPeerTargets: readonly Target[] = [
  ...handshakeTargets.map((target): Target => ({
    name: target.name,
    refusals: target.refusals,
    open: async () => ({
      makeCase: (random) => {
        const { fixed, fuzzed, refused } = target;
        const isRefused = refused !== undefined && random.oneIn(6);
        const made = input(random, fixed, isRefused ? refused : fuzzed);
        return handshakeCase(target, made.input, isRefused ? `refused, ${made.how}` : made.how);
      },
      caseOf: (given) => handshakeCase(target, given, "given"),
      editLength: editStream,
    }),
  })),
  ...curveTargets.map(({ name, which, refusals }): Target => ({
    name,
    refusals,
    open: async () => ({
      makeCase: (random) => {
        const edits = random.oneIn(8) ? 0 : 1 + random.small(4);
        return curveCase(which, random.bytes(editBytes * edits));
      },
      caseOf: (given) => curveCase(which, given),
      editLength: editStream,
    }),
  })),
  ...(["PULL", "PUB"] as const).map((type): Target => ({
    name: type === "PULL" ? "wire zmtp-frames" : "wire zmtp-subscriptions",
    refusals: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE"],
    open: async () => ({
      makeCase: (random) => {
        const made = input(random, none, anyFrames(type, random));
        return streamCase(type, made.input, made.how);
      },
      caseOf: (given) => streamCase(type, given, "given"),
      editLength: editStream,
    }),
  })),
];
