import process from "node:process";
import { MsgError } from "@msg-ts/core";

const maxMode = 0o777;

/** Who may connect. */
export interface IpcOptions {
  /**
   * Permissions of the socket file. To connect takes write permission, so `0o600` lets in the
   * owner only and `0o660` the group too. They hold from the moment the file is seen.
   *
   * 0 to 0o777. Not on Windows, and not with an abstract name, which has no permissions.
   *
   * @defaultValue `undefined`: what the umask of the process leaves
   */
  readonly mode?: number | undefined;
}

/** {@link IpcOptions} with nothing left open. */
export interface ResolvedIpcOptions {
  readonly mode: number | undefined;
}

/**
 * Checks ranges. The caller's object is not changed.
 *
 * @throws MsgError `MSG_INVALID_OPTION`, naming the option, its value and its limits.
 */
export function resolveIpcOptions(
  options: IpcOptions = {},
  platform: NodeJS.Platform = process.platform,
): ResolvedIpcOptions {
  const { mode } = options;
  if (mode === undefined) return { mode };
  if (platform === "win32") {
    throw new MsgError("MSG_INVALID_OPTION", "mode is set, must be absent on Windows");
  }
  if (Number.isInteger(mode) && mode >= 0 && mode <= maxMode) return { mode };
  const shown = Number.isInteger(mode) ? `0o${mode.toString(8)}` : String(mode);
  throw new MsgError("MSG_INVALID_OPTION", `mode is ${shown}, must be 0 to 0o777`);
}
