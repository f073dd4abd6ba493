import { MsgError } from "../errors.ts";

/** Called with what happened. */
export type Listener<Detail> = (detail: Detail) => void;

const nobody: readonly Listener<never>[] = [];

/**
 * Typed events. Listeners are called in the order they were added.
 *
 * A listener that throws disturbs neither the socket nor the other listeners: its error is thrown
 * again outside, where the host reports it as uncaught.
 */
export class EventHub<Events extends object> {
  /** Made for the first listener. */
  #listeners: Map<keyof Events, Listener<never>[]> | undefined;

  /** Adds a listener; gives the function that takes it away. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    if (typeof listener !== "function") {
      throw new MsgError("MSG_INVALID_ARGUMENT", `listener of "${String(name)}" is not a function`);
    }
    this.#listeners ??= new Map();
    this.#listeners.set(name, [...this.#of(name), listener]);
    return () => this.off(name, listener);
  }

  /** Takes a listener away; one that is not there is ignored. */
  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    const index = this.#of(name).lastIndexOf(listener);
    if (index >= 0) this.#listeners?.set(name, this.#of(name).toSpliced(index, 1));
  }

  has(name: keyof Events): boolean {
    return this.#of(name).length > 0;
  }

  emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    for (const listener of this.#of(name)) {
      try {
        (listener as Listener<Events[Name]>)(detail);
      } catch (error) {
        throwOutside(error);
      }
    }
  }

  #of(name: keyof Events): readonly Listener<never>[] {
    return this.#listeners?.get(name) ?? nobody;
  }
}

/** Throws what the application's code threw where it disturbs nobody: the host reports it as uncaught. */
export function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
