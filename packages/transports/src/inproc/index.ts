export { Inproc } from "./inproc.ts";
export { InprocHub } from "./inproc-hub.ts";
