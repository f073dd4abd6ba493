import type { BigIntStats } from "node:fs";
import { chmod, link, lstat, mkdtemp, rm, symlink, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { MsgError } from "@msg-ts/core";
import { addressInUse, hostCodeOf, listenFailed } from "../failures.ts";
import { FolderLock } from "./folder-lock.ts";
import { maxPathBytes } from "./ipc-address.ts";

/** How often a path is tried that others take and leave at the same time. */
const maxAttempts = 5;

/**
 * The file of a listening socket: made in a private folder beside its path, shown when it is ready.
 *
 * - Nobody sees it before it listens and has its permissions: the folder is its owner's only.
 * - It takes the path only where nothing is, or a socket file that nobody listens on; anything
 *   else is left as it is. Of several processes that start at once one gets the path.
 * - It removes only what it made.
 *
 * (Bound at the path itself, a socket can be taken for a dead one until it listens, is open to all
 * until `chmod`, and Node.js would remove at its end whatever stands there then.)
 */
export class SocketFile {
  /** Where to listen, before {@link publish}. */
  readonly stagedPath: string;
  readonly #path: string;
  readonly #target: string;
  readonly #folders: readonly string[];
  #published: BigIntStats | undefined;

  /** @param folders - made for this file: the private one, and what leads to it. */
  private constructor(path: string, stagedPath: string, folders: readonly string[]) {
    this.stagedPath = stagedPath;
    // The process may change its folder before the file is removed.
    this.#path = resolve(path);
    this.#target = path;
    this.#folders = folders;
  }

  /** @throws MsgError `MSG_LISTEN_FAILED` when the folder of `path` cannot be written. */
  static async prepare(path: string): Promise<SocketFile> {
    const folders: string[] = [];
    try {
      const folder = await mkdtemp(join(dirname(path), ".m"));
      folders.push(folder);
      const stagedPath = join(folder, "s");
      if (Buffer.byteLength(stagedPath) <= maxPathBytes()) {
        return new SocketFile(path, stagedPath, folders);
      }
      // The path fits, the longer one in the folder does not: a symbolic link is a shorter way.
      const shortcut = await mkdtemp(join(tmpdir(), "m"));
      folders.push(shortcut);
      await symlink(resolve(folder), join(shortcut, "d"));
      return new SocketFile(path, join(shortcut, "d", "s"), folders);
    } catch (error) {
      await removeAll(folders);
      throw listenFailed(path, error);
    }
  }

  /** Shows the socket, which listens now, at its path. */
  async publish(mode: number | undefined): Promise<void> {
    try {
      if (mode !== undefined) await chmod(this.stagedPath, mode);
      for (let attempt = 1; !(await this.#tryPublish()); attempt++) {
        await this.#clearPath();
        if (attempt === maxAttempts) throw this.#refused("others keep taking it");
      }
      this.#published = await statOf(this.#path);
    } catch (error) {
      throw MsgError.is(error) ? error : listenFailed(this.#target, error);
    } finally {
      await this.discard();
    }
  }

  /** Removes what {@link prepare} made; a published socket stays. */
  async discard(): Promise<void> {
    await removeAll(this.#folders);
  }

  /** Removes the published file, unless another one stands there by now. */
  async remove(): Promise<void> {
    const ours = this.#published;
    this.#published = undefined;
    if (ours === undefined || !isSameFile(ours, await statOf(this.#path))) return;
    await unlink(this.#path).catch(ignoreMissing);
  }

  /** A link, not a rename: it fails where something is, and that in one step. */
  async #tryPublish(): Promise<boolean> {
    try {
      await link(this.stagedPath, this.#path);
      return true;
    } catch (error) {
      if (hostCodeOf(error) === "EEXIST") return false;
      throw error;
    }
  }

  /** Makes room if what stands at the path is a socket file that nobody listens on. */
  async #clearPath(): Promise<void> {
    if (!(await this.#isDead())) return;
    // A file is looked at and then removed: two at once could remove what the other has just put
    // there. A dead socket stays dead, so who has the lock removes what it has seen.
    const lock = new FolderLock(`${this.#path}.lock`);
    if (!(await lock.take())) throw this.#refused("another process is about to listen there");
    try {
      if (await this.#isDead()) await unlink(this.#path).catch(ignoreMissing);
    } finally {
      await lock.release();
    }
  }

  /** False when nothing is there any more. */
  async #isDead(): Promise<boolean> {
    const found = await statOf(this.#path);
    if (found === undefined) return false;
    if (!found.isSocket()) throw this.#refused(`${kindOf(found)} stands there`);
    const answer = await probe(this.#target);
    if (answer === "ENOENT") return false;
    if (answer === "ECONNREFUSED") return true;
    if (answer === "") throw this.#refused("another process listens there", addressInUse());
    throw this.#refused(`a socket stands there that answers with ${answer}`);
  }

  #refused(why: string, cause?: Error): MsgError {
    const text = `cannot listen on ${this.#target}: ${why}`;
    return new MsgError("MSG_LISTEN_FAILED", text, cause === undefined ? {} : { cause });
  }
}

async function removeAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    return ignoreMissing(error);
  }
}

/** @throws `error`, unless it says that there is no such file. */
function ignoreMissing(error: unknown): undefined {
  if (hostCodeOf(error) !== "ENOENT") throw error;
}

function isSameFile(a: BigIntStats, b: BigIntStats | undefined): boolean {
  return b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isSymbolicLink()) return "a symbolic link";
  return stats.isFile() ? "a regular file" : "a special file";
}

/** Tries to connect; gives the host's code, empty when somebody answered. */
function probe(path: string): Promise<string> {
  return new Promise((settle) => {
    const socket = connect(path);
    socket.once("error", (error) => settle(hostCodeOf(error)));
    socket.once("connect", () => {
      socket.destroy();
      settle("");
    });
  });
}
