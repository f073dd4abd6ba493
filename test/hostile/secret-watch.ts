import { channel } from "node:diagnostics_channel";
import process from "node:process";
import type { SocketEvents } from "msg-ts";
import { onTestFinished } from "vitest";

const eventNames: readonly (keyof SocketEvents)[] = [
  "listening",
  "connected",
  "draining",
  "disconnected",
  "retrying",
  "refused",
  "gap",
  "dropped",
  "closed",
  "error",
];

interface EventSource {
  on(name: keyof SocketEvents, listener: (detail: object) => void): () => void;
  stats(): object;
}

/** Gathers everything that sockets say of themselves, and finds in it what must not be there. */
export class SecretWatch {
  readonly #said: { readonly where: string; readonly what: unknown }[] = [];
  readonly #sources: EventSource[] = [];
  /** For the option `logger`. */
  readonly logger: {
    debug(details: object, message: string): void;
    warn(details: object, message: string): void;
  } = {
    debug: (details, message) => this.note("logger", [details, message]),
    warn: (details, message) => this.note("logger", [details, message]),
  };

  constructor() {
    for (const name of eventNames) {
      const subscriber = (published: unknown): void => this.note(`channel ${name}`, published);
      const watched = channel(`msg-ts:${name}`);
      watched.subscribe(subscriber);
      onTestFinished(() => {
        watched.unsubscribe(subscriber);
      });
    }
    const onWarning = (warning: Error): void => this.note("warning", warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
  }

  /** How much was said. */
  get size(): number {
    return this.#said.length;
  }

  /** Listens to all that a socket tells. */
  over<S extends EventSource>(socket: S): S {
    this.#sources.push(socket);
    for (const name of eventNames) {
      socket.on(name, (detail) => this.note(`event ${name}`, detail));
    }
    return socket;
  }

  note(where: string, what: unknown): void {
    this.#said.push({ where, what });
  }

  /** Notes what a call throws, or its promise rejects with. */
  async failing(where: string, call: () => unknown): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.note(where, error);
      return;
    }
    throw new Error(`${where} did not fail`);
  }

  /** Where any of the secrets was said. */
  leaks(secrets: readonly string[]): string[] {
    for (const source of this.#sources) this.note("stats", source.stats());
    const found: string[] = [];
    for (const { where, what } of this.#said) {
      const path = pathOf(what, secrets, new Set());
      if (path !== undefined) found.push(`${where}${path}`);
    }
    return found;
  }
}

/** The way to a secret inside a value, as whoever prints or serialises it whole would find it. */
function pathOf(
  value: unknown,
  secrets: readonly string[],
  seen: Set<unknown>,
): string | undefined {
  if (typeof value === "string")
    return secrets.some((secret) => value.includes(secret)) ? "" : undefined;
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (value instanceof Uint8Array) {
    return pathOf(Buffer.from(value).toString("latin1"), secrets, seen);
  }
  // Of an error also what is not enumerable, since everybody prints it.
  const names = value instanceof Error ? Object.getOwnPropertyNames(value) : Object.keys(value);
  for (const name of names) {
    const inside = (value as Record<string, unknown>)[name];
    const path = pathOf(inside, secrets, seen);
    if (path !== undefined) return `.${name}${path}`;
  }
  return undefined;
}
