import type { SocketEvents } from "./events.ts";

/** What is told of a drop: its payload is there for who asks for it, and in no log of the whole. */
export function dropOf(detail: SocketEvents["dropped"]): SocketEvents["dropped"] {
  return Object.defineProperty(detail, "payload", { enumerable: false });
}
