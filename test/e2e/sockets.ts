import { onTestFinished } from "vitest";

interface Closable {
  close(options?: { readonly lingerMs?: number }): Promise<unknown>;
}

/** Closes a socket at the end of the test, whatever became of it. */
export function closing<S extends Closable>(socket: S): S {
  onTestFinished(async () => void (await socket.close({ lingerMs: 0 })));
  return socket;
}

/** How long anything that must happen may take on a machine that does much else. */
export const patienceMs = 30_000;
