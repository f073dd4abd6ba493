import { expect, it, onTestFinished } from "vitest";
import type { Inproc } from "@msg-ts/transports/inproc";
import { RawPeer } from "../raw-peer.ts";
import { closing, inproc } from "../rig.ts";
import type { Step } from "./golden-log.ts";
import { exchangesOf, play } from "./golden-log.ts";

/** What a replay needs of a socket of ours. */
export interface AnySocket {
  bind(address: string): Promise<string>;
  connect(address: string): Promise<void>;
  ready(): Promise<void>;
  close(options?: { readonly lingerMs?: number }): Promise<unknown>;
}

/** What our side does in an exchange. */
interface Replay<S extends AnySocket> {
  readonly make: (transport: Inproc) => S;
  readonly act?: (socket: S) => unknown;
}

/** What came of it. */
interface Replayed<S extends AnySocket> {
  readonly socket: S;
  /** The other side, which may go on. */
  readonly raw: RawPeer;
  /** All that ours said, up to what was captured. */
  readonly heard: string;
}

/** Declares a test of something that libzmq did. @param but - in what ours differs, and why. */
export function declare(title: string, but: string, run: () => Promise<void>): void {
  // oxlint-disable-next-line vitest/expect-expect -- who declares it expects
  it(`${title}${but === "" ? "" : `, but ${but}`}`, run);
}

/** A file of exchanges, each of which is to be replayed against ours. */
export class Capture {
  readonly #exchanges: ReadonlyMap<string, readonly Step[]>;
  readonly #replayed: Set<string> = new Set();

  constructor(file: string) {
    this.#exchanges = exchangesOf(file);
  }

  /** Declares the test that replays an exchange. @param but - in what ours differs, and why. */
  replay(title: string, run: (steps: readonly Step[]) => Promise<void>, but = ""): void {
    this.#replayed.add(title);
    declare(title, but, () => run(this.#stepsOf(title)));
  }

  /** Declares the test that fails when an exchange has none: call it last. */
  leavesNothingOut(): void {
    it("leaves no exchange of the capture out", () => {
      const all = [...this.#exchanges.keys()];
      expect(all.length).toBeGreaterThan(0);
      expect(all.filter((title) => !this.#replayed.has(title))).toEqual([]);
    });
  }

  #stepsOf(title: string): readonly Step[] {
    const steps = this.#exchanges.get(title);
    if (steps === undefined || steps.length === 0) throw new Error(`there is no "${title}"`);
    return steps;
  }
}

/** What a socket may still have to do once everything captured was said. */
const mostRestMs = 100;

/** Ours dials, in the place of libzmq. */
export async function dial<S extends AnySocket>(
  steps: readonly Step[],
  { make, act }: Replay<S>,
): Promise<Replayed<S>> {
  const transport = inproc();
  const accept = await RawPeer.accept(transport, "here");
  const socket = closing(make(transport));
  await socket.connect("here");
  const done = Promise.resolve(act?.(socket)).catch(() => {});
  const raw = await accept();
  const heard = await play(steps, "S", raw);
  await Promise.race([
    done,
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, mostRestMs);
      onTestFinished(() => clearTimeout(timer));
    }),
  ]);
  return { socket, raw, heard };
}

/** Ours listens, in the place of libzmq. */
export async function listen<S extends AnySocket>(
  steps: readonly Step[],
  { make, act }: Replay<S>,
): Promise<Replayed<S>> {
  const transport = inproc();
  const socket = closing(make(transport));
  await socket.bind("here");
  void Promise.resolve(act?.(socket)).catch(() => {});
  const raw = await RawPeer.dial(transport, "here");
  return { socket, raw, heard: await play(steps, "C", raw) };
}
