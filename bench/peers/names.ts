import type { Contender } from "./contender.ts";

/** Every contender, in the order of the tables. */
export const contenderNames: readonly string[] = [
  "ours",
  "raw",
  "prototype",
  "zeromq",
  "libzmq",
  "ws",
  "nats",
  "grpc",
  "http",
  "msg-rs",
];

/** A contender, or why it cannot be measured here. */
export type Loaded = { readonly contender: Contender } | { readonly missing: string };

/** @throws what its file throws, unless that is a package that is not there. */
export async function loadContender(name: string): Promise<Loaded> {
  try {
    const { contender } = (await import(`./${name}.ts`)) as { contender: Contender };
    const missing = contender.missing?.();
    return missing === undefined ? { contender } : { missing };
  } catch (error) {
    if (!isMissingPackage(error)) throw error;
    return { missing: "its package is not installed: npm ci" };
  }
}

function isMissingPackage(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  const isResolution = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
  return isResolution && /Cannot find (?:package|module) '(?!\/|file:)/.test(String(error));
}
