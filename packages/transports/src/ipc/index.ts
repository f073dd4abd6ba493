export { Ipc } from "./ipc.ts";
export type { IpcOptions } from "./ipc-options.ts";
