import type * as NodeCrypto from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";
import type * as NodeTls from "node:tls";

/** What of this there is since Node 20.16 and 22.3. */
interface BuiltinModules {
  getBuiltinModule?(id: string): unknown;
}

function builtinModule(id: string): unknown {
  return (process as BuiltinModules).getBuiltinModule?.(id) ?? createRequire(import.meta.url)(id);
}

let tls: typeof NodeTls | undefined;
let crypto: typeof NodeCrypto | undefined;

/**
 * `node:tls`, loaded when it is first asked for: it takes OpenSSL's tables and a hundred modules of
 * Node with it, which programs without TLS, who import all transports at once, are not to pay for.
 */
export function nodeTls(): typeof NodeTls {
  tls ??= builtinModule("node:tls") as typeof NodeTls;
  return tls;
}

/** `node:crypto`, for the same reason. */
export function nodeCrypto(): typeof NodeCrypto {
  crypto ??= builtinModule("node:crypto") as typeof NodeCrypto;
  return crypto;
}
