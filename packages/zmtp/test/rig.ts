import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { onTestFinished } from "vitest";

export { record } from "@msg-ts/testing";

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

/** Parts as text. */
export function texts(parts: readonly Uint8Array[]): string[] {
  return parts.map((part) => new TextDecoder().decode(part));
}
