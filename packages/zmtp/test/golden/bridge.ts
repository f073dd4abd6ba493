import type { Link } from "@msg-ts/core";
import { hex } from "@msg-ts/testing";
import type { Inproc } from "@msg-ts/transports/inproc";
import { onTestFinished } from "vitest";
import { inproc } from "../rig.ts";

/** Two sockets of ours with somebody between them who writes down what either says. */
export interface Bridge {
  /** Where the one dials. */
  readonly outer: Inproc;
  /** Where the other is bound. */
  readonly inner: Inproc;
  readonly said: Readonly<Record<"C" | "S", Uint8Array[]>>;
}

interface BridgeOptions {
  /** What becomes of a chunk of who listens, that begins at this byte of all it says. */
  readonly alter?: (chunk: Uint8Array, at: number) => Uint8Array;
}

const asItIs = (chunk: Uint8Array): Uint8Array => chunk;

/** Passes everything between a socket that dials "here" and one that is bound to "here". */
export async function bridge({ alter = asItIs }: BridgeOptions = {}): Promise<Bridge> {
  const [outer, inner] = [inproc(), inproc()];
  const said: Record<"C" | "S", Uint8Array[]> = { C: [], S: [] };
  const onLink = async (dialed: Link): Promise<void> => {
    const listening = await inner.dial("here", new AbortController().signal);
    pass(dialed, listening, said.C, asItIs);
    pass(listening, dialed, said.S, alter);
  };
  const listener = await outer.listen("here", {
    onLink: (link) => void onLink(link).catch(() => link.destroy()),
    onError: () => {},
    onRefused: () => {},
  });
  onTestFinished(() => listener.close());
  return { outer, inner, said };
}

function pass(
  from: Link,
  to: Link,
  said: Uint8Array[],
  alter: (chunk: Uint8Array, at: number) => Uint8Array,
): void {
  let at = 0;
  from.start({
    onData: (chunk) => {
      said.push(chunk.slice());
      to.write([alter(chunk.slice(), at)]);
      at += chunk.length;
    },
    onDrain: () => {},
    onEnd: () => to.end(),
    onClose: () => to.destroy(),
  });
}

/** What is in clear text of a frame: its flags, its length, its name and its number. */
export interface Shape {
  readonly flags: number;
  readonly length: number;
  readonly clear: string;
}

/** Behind the name of a command of CURVE, the bytes that are the same for all who say it. */
const clearOf: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  // Version and padding, and the number.
  HELLO: [
    [0, 74],
    [106, 114],
  ],
  INITIATE: [[96, 104]],
  READY: [[0, 8]],
  MESSAGE: [[0, 8]],
};

/** The frames of a stream behind its greeting, as far as they are told in clear text. */
export function shapesOf(stream: Uint8Array): readonly Shape[] {
  const shapes: Shape[] = [];
  for (let at = 64; at < stream.length;) {
    const [flags = 0, short = 0] = stream.subarray(at);
    const isLong = (flags & 2) !== 0;
    const start = at + (isLong ? 9 : 2);
    const length = isLong ? Number(`0x${hex(stream.subarray(at + 1, at + 9))}`) : short;
    const body = stream.subarray(start, start + length);
    const nameEnd = 1 + (body[0] ?? 0);
    const name = new TextDecoder().decode(body.subarray(1, nameEnd));
    const numbers = (clearOf[name] ?? []).map(([from, to]) =>
      hex(body.subarray(nameEnd + from, nameEnd + to)),
    );
    shapes.push({ flags, length, clear: [name, ...numbers].join(" ") });
    at = start + length;
  }
  return shapes;
}
