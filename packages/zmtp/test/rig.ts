import type { SocketEvents } from "@msg-ts/core";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { onTestFinished } from "vitest";

interface Closable {
  close(options?: { readonly lingerMs?: number }): unknown;
}

/** Closes a socket when the test ends. */
export function closing<S extends Closable>(socket: S): S {
  onTestFinished(async () => {
    await socket.close({ lingerMs: 0 });
  });
  return socket;
}

/** A network of its own for one test. */
export function inproc(): Inproc {
  return new Inproc(new InprocHub());
}

interface EventSource {
  on<Name extends keyof SocketEvents>(
    name: Name,
    listener: (detail: SocketEvents[Name]) => void,
  ): () => void;
}

/** Every event of a name, as it comes. */
export function record<Name extends keyof SocketEvents>(
  socket: EventSource,
  name: Name,
): SocketEvents[Name][] {
  const seen: SocketEvents[Name][] = [];
  socket.on(name, (detail) => void seen.push(detail));
  return seen;
}

/** Parts as text. */
export function texts(parts: readonly Uint8Array[]): string[] {
  return parts.map((part) => new TextDecoder().decode(part));
}
