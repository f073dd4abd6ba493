import type { Compressor } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { World } from "./world.ts";

/** The smallest payload that can say what it is. */
const leastBytes = 12;

/** Text, and zeros up to `length`: all that follows can be checked. */
export function payloadOf(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, text.length + 1, leastBytes));
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The text of a payload, whether or not {@link LateCompressor} made it smaller. */
export function textOf(payload: Uint8Array): string {
  const start = payload[0] === packed ? 5 : 0;
  let text = "";
  for (let i = start; i < payload.length && payload[i] !== 0; i++) {
    text += String.fromCharCode(payload[i] ?? 0);
  }
  return text;
}

/** Whether a received payload is what {@link payloadOf} makes. */
export function isIntact(payload: Uint8Array, text: string, length: number): boolean {
  if (payload.length !== Math.max(length, text.length + 1, leastBytes)) return false;
  if (textOf(payload) !== text) return false;
  for (let i = text.length; i < payload.length; i++) if (payload[i] !== 0) return false;
  return true;
}

/** The first byte of what is compressed; no text begins so. */
const packed = 1;

/** Takes trailing zeros away; at once, in a later turn, or some milliseconds later; and fails at times. */
export class LateCompressor implements Compressor {
  readonly id = 5;
  readonly name = "late";
  readonly #world: World;
  readonly #random: () => number;
  readonly #failChance: number;

  constructor(world: World, name: string, failChance: number) {
    this.#world = world;
    this.#random = world.dice(`compressor ${name}`);
    this.#failChance = failChance;
  }

  compress(payload: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const text = textOf(payload);
    const small = new Uint8Array(5 + text.length);
    small[0] = packed;
    new DataView(small.buffer).setUint32(1, payload.length);
    for (let i = 0; i < text.length; i++) small[5 + i] = text.charCodeAt(i);
    return this.#later(small);
  }

  decompress(payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
    const length = new DataView(payload.buffer, payload.byteOffset).getUint32(1);
    if (length > maxBytes) throw new MsgError("MSG_PAYLOAD_TOO_LARGE", `${length} bytes`);
    return this.#later(payloadOf(textOf(payload), length));
  }

  #later(result: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const how = this.#random();
    const fails = !this.#world.isQuiet && this.#random() < this.#failChance;
    const { clock } = this.#world;
    if (how < 0.3) {
      if (fails) throw new Error("damaged");
      return result;
    }
    return new Promise((resolve, reject) => {
      const end = (): void => (fails ? reject(new Error("damaged")) : resolve(result));
      if (how < 0.6) end();
      else if (how < 0.8) clock.nextTurn(end);
      else clock.setTimer(end, this.#random() * 50);
    });
  }
}
