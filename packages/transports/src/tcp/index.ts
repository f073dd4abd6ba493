export { Tcp } from "./tcp.ts";
export type { HostLookup, TcpOptions } from "./tcp-options.ts";
