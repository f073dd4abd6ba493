import type { ListenOptions, Server, ServerOpts, Socket } from "node:net";
import { createServer } from "node:net";
import { MsgError } from "@msg-ts/core";
import { hostCodeOf, listenFailed } from "../failures.ts";

/**
 * How many connections may wait to be accepted. Of more that come at once, some are tried again by
 * their host only after a second; Node asks for 511. The host has a limit of its own, 4,096 under
 * Linux by default.
 */
const backlog = 4_096;

/** What to listen on, and who takes what comes. */
export interface NetListening {
  /** For error messages. */
  readonly target: string;
  readonly where: ListenOptions;
  /** What is said here wins over sockets that may be half-open. */
  readonly serverOptions?: ServerOpts;
  /** Takes an accepted socket, which is connected and paused. */
  onSocket(socket: Socket): void;
  /** The listener lives on when it cannot accept for now. */
  onError(error: MsgError): void;
}

/**
 * Listens with a server of Node.js.
 *
 * @throws MsgError `MSG_LISTEN_FAILED`, the host's error as its cause.
 */
export function listenNet(listening: NetListening): Promise<Server> {
  const { target, where, serverOptions } = listening;
  const server = createServer({ allowHalfOpen: true, ...serverOptions, pauseOnConnect: true });
  server.on("connection", (socket) => listening.onSocket(socket));
  return new Promise((resolve, reject) => {
    const onRefused = (error: Error): void => reject(listenFailed(target, error));
    server.once("error", onRefused);
    server.listen({ backlog, ...where }, () => {
      server.off("error", onRefused);
      server.on("error", (error) => {
        const text = `cannot accept on ${target}: ${hostCodeOf(error)}`;
        listening.onError(new MsgError("MSG_LISTEN_FAILED", text, { cause: error }));
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
