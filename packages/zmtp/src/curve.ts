export { curve } from "./mechanisms/curve-client.ts";
export type { CurveOptions } from "./mechanisms/curve-client.ts";
export { curveKeyPair } from "./mechanisms/curve-keys.ts";
export type { CurveKey, CurveKeyPair } from "./mechanisms/curve-keys.ts";
export { curveServer } from "./mechanisms/curve-server.ts";
export type { CurveServerOptions } from "./mechanisms/curve-server.ts";
export type { CurveCrypto, CurveKeys } from "./crypto/curve-crypto.ts";
export { nodeCrypto } from "./crypto/node-crypto.ts";
export { decodeZ85, encodeZ85 } from "./crypto/z85.ts";
