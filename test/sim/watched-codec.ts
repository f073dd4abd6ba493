import type { Codec, Message } from "@msg-ts/core";
import type { World } from "./world.ts";

type Sent = string | Uint8Array;

/** Copies what is received, and fails at times; a value that it did not make is noticed. */
export class WatchedCodec implements Codec<Sent, Uint8Array> {
  readonly name = "watched";
  readonly #world: World;
  readonly #random: () => number;
  readonly #failChance: number;
  readonly #made: WeakSet<Uint8Array> = new WeakSet();

  constructor(world: World, name: string, failChance: number) {
    this.#world = world;
    this.#random = world.dice(`codec ${name}`);
    this.#failChance = failChance;
  }

  encode(value: Sent): Uint8Array {
    return typeof value === "string" ? new TextEncoder().encode(value) : Uint8Array.from(value);
  }

  decode(payload: Uint8Array): Uint8Array {
    if (!this.#world.isQuiet && this.#random() < this.#failChance) throw new Error("no value");
    const value = Uint8Array.from(payload);
    this.#made.add(value);
    return value;
  }

  /** Looks at what an application was given. */
  check({ value, payload }: Message): void {
    const isSame =
      value.length === payload.length && value.every((byte, at) => byte === payload[at]);
    if (this.#made.has(value) && isSame) return;
    this.#world.fail(
      `a message of ${payload.length} bytes has a value that its codec did not make`,
    );
  }
}
