import type { TapLink } from "./tap-transport.ts";
import type { World } from "./world.ts";

/** A silence is noticed within 1.25 times the limit, and its timers are late by some. */
const mostTimes = 1.5;

/** What one process hears of its peers, and when it may or must give one up for its silence. */
export class SilenceModel {
  readonly #world: World;
  readonly #name: string;
  /** By the address of the peer. */
  readonly #links: Map<string, TapLink> = new Map();
  readonly #connectedMs: Map<string, number> = new Map();
  limitMs = Infinity;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  onLink(link: TapLink): void {
    this.#links.set(link.remoteAddress, link);
  }

  onConnected(address: string): void {
    this.#connectedMs.set(address, this.#world.now);
  }

  /** @param message - of the reason, if there is one. */
  onDisconnected(address: string, message: string): void {
    this.#connectedMs.delete(address);
    if (!message.startsWith("peer sent nothing for")) return;
    const silentMs = this.#world.now - (this.#links.get(address)?.heardMs ?? 0);
    if (silentMs >= this.limitMs) return;
    this.#world.fail(
      `${this.#name} gives up a peer that was silent for ${silentMs} ms, ${this.limitMs} may be`,
    );
  }

  /** Nobody whom we read from is silent for longer, and stays. */
  check(): void {
    if (this.limitMs === Infinity) return;
    for (const [address, connectedMs] of this.#connectedMs) {
      const link = this.#links.get(address);
      if (link === undefined || !link.isReading) continue;
      const silentMs = this.#world.now - Math.max(connectedMs, link.heardMs, link.readingMs);
      if (silentMs <= mostTimes * this.limitMs) continue;
      this.#world.fail(
        `${this.#name} keeps a peer that is silent for ${silentMs} ms, ${this.limitMs} may be`,
      );
    }
  }
}
