import type { SocketEvents } from "@msg-ts/core";

interface EventSource {
  on<Name extends keyof SocketEvents>(
    name: Name,
    listener: (detail: SocketEvents[Name]) => void,
  ): () => void;
}

/** Every event of a name, as it comes. */
export function record<Name extends keyof SocketEvents>(
  socket: EventSource,
  name: Name,
): SocketEvents[Name][] {
  const seen: SocketEvents[Name][] = [];
  socket.on(name, (detail) => void seen.push(detail));
  return seen;
}
