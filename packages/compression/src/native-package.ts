import { createRequire } from "node:module";
import { MsgError } from "@msg-ts/core";

const require = createRequire(import.meta.url);

/**
 * Loads an optional native package, at once: whoever makes a compressor learns there and then
 * whether it works. The caller knows of what type it is.
 *
 * @throws MsgError `MSG_MISSING_PACKAGE`, naming the package and what to do.
 */
export function loadNativePackage(name: string, neededFor: string): unknown {
  try {
    return require(name);
  } catch (cause) {
    const isAbsent = cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND";
    const text = isAbsent
      ? `${neededFor} needs the package ${name}: npm install ${name}`
      : `${neededFor} needs the package ${name}, which does not load on ${process.platform} ${process.arch}`;
    throw new MsgError("MSG_MISSING_PACKAGE", text, { cause });
  }
}
