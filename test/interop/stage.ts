import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket of ours, as far as the end of a scene is concerned. */
interface Closable {
  close(options?: { readonly lingerMs?: number }): Promise<unknown>;
}

/** What one scene opens: all of it is closed when the scene is over, however it ended. */
export class Stage {
  readonly #closers: (() => unknown)[] = [];
  #folder: string | undefined;
  #names = 0;

  /** Has something done at the end; what was named last is done first. */
  atEnd(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes a socket at the end. */
  socket<S extends Closable>(socket: S): S {
    this.atEnd(() => socket.close({ lingerMs: 0 }));
    return socket;
  }

  /** A path for a socket file, in a folder of this scene only. */
  path(): string {
    this.#folder ??= this.#makeFolder();
    this.#names += 1;
    return join(this.#folder, `${this.#names}.sock`);
  }

  /** Closes everything. Never rejects: the scene has its outcome already. */
  async end(): Promise<void> {
    for (const close of this.#closers.toReversed()) {
      await Promise.resolve()
        .then(close)
        .catch(() => {});
    }
  }

  #makeFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "msg-ts-interop-"));
    this.#closers.unshift(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }
}
