export { plain, plainServer } from "./mechanisms/plain.ts";
export type { PlainOptions, PlainServerOptions } from "./mechanisms/plain.ts";
export type { Ask, Mechanism, Secured } from "./mechanisms/mechanism.ts";
export { zmtp } from "./zmtp.ts";
export type { HeartbeatOptions, ZmtpOptions } from "./zmtp-options.ts";
