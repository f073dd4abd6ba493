import { allocate, copyOf, emptyBytes } from "@msg-ts/core/building";
import type { WireContext } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Command } from "./wire/command.ts";
import { commandName } from "./wire/command.ts";
import type { FrameWriter } from "./wire/frame-writer.ts";
import type { ResolvedHeartbeat } from "./zmtp-options.ts";

/** RFC 37: a PONG gives back the context of its PING, at most so many bytes of it. */
const maxContextBytes = 16;

/** A peer may not have us look at our clock more often, whatever it asks for. */
const leastBeatMs = 100;

const never: ResolvedHeartbeat = { intervalMs: Infinity, timeoutMs: Infinity, ttlMs: 0 };

/**
 * PING and PONG of one connection (RFC 37, "connection heartbeating"): on each side of it, whatever
 * its pattern.
 */
export class Heartbeat {
  readonly #context: WireContext;
  readonly #writer: FrameWriter;
  readonly #options: ResolvedHeartbeat;
  readonly #ping: Uint8Array;
  /** What the peer asked us to wait for it. */
  #ttlMs = Infinity;
  #heardBytes = 0;
  #heardAtMs = 0;
  #pingedAtMs = 0;
  #everyMs = 0;
  #beatAtMs = 0;

  constructor(context: WireContext, writer: FrameWriter, options: ResolvedHeartbeat) {
    this.#context = context;
    this.#writer = writer;
    this.#options = options.intervalMs === Infinity ? never : options;
    this.#ping = encodePing(this.#options.ttlMs);
    if (this.#options.intervalMs !== Infinity) this.#start();
  }

  /** A command that may be one of its own; what else there is means nothing. */
  onCommand({ name, data }: Command): void {
    if (name !== commandName.ping || data.length < 2) return;
    this.#onTtl((((data[0] as number) << 8) | (data[1] as number)) * 100);
    const end = Math.min(data.length, 2 + maxContextBytes);
    // Who asks without reading the answers is not answered without a bound.
    if (this.#context.pulse.unsentBytes < maxUnsentBytes) {
      this.#writer.command(commandName.pong, end > 2 ? copyOf(data.subarray(2, end)) : emptyBytes);
    }
  }

  #onTtl(ttlMs: number): void {
    if (ttlMs === 0 || ttlMs === this.#ttlMs) return;
    this.#ttlMs = ttlMs;
    this.#start();
  }

  get #limitMs(): number {
    return Math.min(this.#options.timeoutMs, this.#ttlMs);
  }

  #start(): void {
    const { pulse } = this.#context;
    this.#heardAtMs = this.#beatAtMs = pulse.now();
    this.#everyMs = Math.min(this.#options.intervalMs, Math.max(leastBeatMs, this.#limitMs / 4));
    pulse.every(this.#everyMs, () => this.#beat());
  }

  #beat(): void {
    const { pulse, gate } = this.#context;
    const nowMs = pulse.now();
    // While this process was busy, or asleep, it did not listen: that is no silence of the peer's.
    this.#heardAtMs += Math.max(0, nowMs - this.#beatAtMs - this.#everyMs);
    this.#beatAtMs = nowMs;
    const isHeard = pulse.receivedBytes !== this.#heardBytes;
    const isSlow = pulse.unsentBytes > 0 || !gate.isOpen;
    if (isHeard || isSlow) {
      this.#heardBytes = pulse.receivedBytes;
      this.#heardAtMs = nowMs;
    } else if (nowMs - this.#heardAtMs >= this.#limitMs) {
      const text = `peer sent nothing for ${Math.round(this.#limitMs)} ms, not even an answer to a PING`;
      this.#context.fail(new MsgError("MSG_PEER_LOST", text));
      return;
    }
    // Timers may be a little early.
    if (nowMs - this.#pingedAtMs < this.#options.intervalMs - 1 || pulse.unsentBytes > 0) return;
    this.#pingedAtMs = nowMs;
    this.#writer.command(commandName.ping, this.#ping);
  }
}

/** PONGs are not written behind more than this. */
const maxUnsentBytes = 64 * 1024;

/** PING: TTL in tenths of a second (2), and no context. */
function encodePing(ttlMs: number): Uint8Array {
  const data = allocate(2);
  const tenths = ttlMs === 0 ? 0 : Math.max(1, Math.round(ttlMs / 100));
  data[0] = tenths >> 8;
  data[1] = tenths & 0xff;
  return data;
}
