import type * as NodeCrypto from "node:crypto";
import type * as NodeTls from "node:tls";
import { builtinModule } from "./builtin-module.ts";

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
