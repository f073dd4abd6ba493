import type { Contender } from "./contender.ts";

/** A file is loaded only when its contender is asked for: its package may not be there. */
const files: Readonly<Record<string, () => Promise<{ readonly contender: Contender }>>> = {
  ours: () => import("./ours.ts"),
  "ours-tls": () => import("./ours-tls.ts"),
  "ours-quic": () => import("./ours-quic.ts"),
  "ours-quic-1350": () => import("./ours-quic-1350.ts"),
  raw: () => import("./raw.ts"),
  prototype: () => import("./prototype.ts"),
  zeromq: () => import("./zeromq.ts"),
  compat: () => import("./compat.ts"),
  libzmq: () => import("./libzmq.ts"),
  ws: () => import("./ws.ts"),
  nats: () => import("./nats.ts"),
  grpc: () => import("./grpc.ts"),
  http: () => import("./http.ts"),
  "msg-rs": () => import("./msg-rs.ts"),
};

/** Every contender, in the order of the tables. */
export const contenderNames: readonly string[] = Object.keys(files);

/** A contender, or why it cannot be measured here. */
export type Loaded = { readonly contender: Contender } | { readonly missing: string };

/** @throws what its file throws, unless that is a package that is not there. */
export async function loadContender(name: string): Promise<Loaded> {
  const load = files[name];
  if (load === undefined) throw new Error(`no contender ${name}`);
  try {
    const { contender } = await load();
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
