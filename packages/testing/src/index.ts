export * from "./cuttable-proxy.ts";
export * from "./hex.ts";
export * from "./memory-link.ts";
export * from "./naive-codec.ts";
export * from "./naive-frame.ts";
export * from "./no-leaks.ts";
export * from "./simulated-runtime.ts";
export * from "./wait-for.ts";
