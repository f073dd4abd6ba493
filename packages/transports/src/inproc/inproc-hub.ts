import type { Link, ListenerHandlers } from "@msg-ts/core";
import { InprocLink } from "./inproc-link.ts";
import { Turns } from "./turns.ts";

interface Entry {
  readonly handlers: ListenerHandlers;
  accepted: number;
}

/**
 * The names on which sockets of one process find each other. Two hubs know nothing of each other.
 *
 * @example
 * ```ts
 * const hub = new InprocHub();
 * const push = new PushSocket(new Inproc(hub));
 * const pull = new PullSocket(new Inproc(hub));
 * ```
 */
export class InprocHub {
  readonly #listeners: Map<string, Entry> = new Map();
  readonly #turns: Turns = new Turns();

  /**
   * Gives the links of `name` to `handlers`.
   *
   * @returns how to stop that, or `undefined` when another listens on the name.
   */
  listen(name: string, handlers: ListenerHandlers): (() => void) | undefined {
    if (this.#listeners.has(name)) return undefined;
    const entry: Entry = { handlers, accepted: 0 };
    this.#listeners.set(name, entry);
    return () => {
      if (this.#listeners.get(name) === entry) this.#listeners.delete(name);
    };
  }

  /** Makes a link to who listens on `name`; `undefined` when nobody does. */
  dial(name: string): Link | undefined {
    const entry = this.#listeners.get(name);
    if (entry === undefined) return undefined;
    entry.accepted += 1;
    const label = `inproc:${name}#${entry.accepted}`;
    const [dialed, accepted] = InprocLink.pair(this.#turns, name, label);
    entry.handlers.onLink(accepted);
    return dialed;
  }
}
