import { mkdir, rmdir, stat } from "node:fs/promises";
import { hostCodeOf } from "../failures.ts";

/** Far longer than a lock is held; an older one was left by a process that was killed. */
const abandonedAfterMs = 10_000;

/** A folder that one process at a time can make. */
export class FolderLock {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** False when another has it. */
  async take(): Promise<boolean> {
    if (await this.#tryTake()) return true;
    const ageMs = await this.#ageMs();
    if (ageMs < abandonedAfterMs) return false;
    await this.release();
    return this.#tryTake();
  }

  async release(): Promise<void> {
    await rmdir(this.#path).catch((error: unknown) => {
      if (hostCodeOf(error) !== "ENOENT") throw error;
    });
  }

  async #tryTake(): Promise<boolean> {
    try {
      await mkdir(this.#path, { mode: 0o700 });
      return true;
    } catch (error) {
      if (hostCodeOf(error) === "EEXIST") return false;
      throw error;
    }
  }

  /** Infinity when it is gone. */
  async #ageMs(): Promise<number> {
    try {
      return Date.now() - (await stat(this.#path)).mtimeMs;
    } catch (error) {
      if (hostCodeOf(error) === "ENOENT") return Infinity;
      throw error;
    }
  }
}
