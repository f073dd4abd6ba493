import type { ListenOptions, Server, ServerOpts, Socket } from "node:net";
import { createServer } from "node:net";
import type { Link, ListenerHandlers } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { hostCodeOf, listenFailed } from "../failures.ts";

/** What to listen on, and what links to make. */
export interface NetListening {
  /** For error messages. */
  readonly target: string;
  readonly where: ListenOptions;
  readonly serverOptions?: ServerOpts;
  /** Makes the link of an accepted socket, which is connected, paused and may be half-open. */
  toLink(socket: Socket): Link;
}

/**
 * Listens with a server of Node.js.
 *
 * @throws MsgError `MSG_LISTEN_FAILED`, the host's error as its cause.
 */
export function listenNet(listening: NetListening, handlers: ListenerHandlers): Promise<Server> {
  const { target, where, serverOptions } = listening;
  const server = createServer({ ...serverOptions, allowHalfOpen: true, pauseOnConnect: true });
  server.on("connection", (socket) => handlers.onLink(listening.toLink(socket)));
  return new Promise((resolve, reject) => {
    const onRefused = (error: Error): void => reject(listenFailed(target, error));
    server.once("error", onRefused);
    server.listen(where, () => {
      server.off("error", onRefused);
      server.on("error", (error) => {
        const text = `cannot accept on ${target}: ${hostCodeOf(error)}`;
        handlers.onError(new MsgError("MSG_LISTEN_FAILED", text, { cause: error }));
      });
      resolve(server);
    });
  });
}

/** Stops accepting; the address is free when it resolves. Connections live on. */
export async function closeServer(server: Server): Promise<void> {
  // Not the callback of close(): that one waits for the last connection.
  server.close();
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
