import { onTestFinished } from "vitest";
import type { Message, Socket } from "@msg-ts/zmtp/compat";

/** A port that the system chooses. */
export const anywhere = "tcp://127.0.0.1:*";

/** Closes a socket when the test ends. */
export function closing<S extends Socket>(socket: S): S {
  onTestFinished(async () => {
    socket.linger = 0;
    await socket.close();
  });
  return socket;
}

/** Binds one and connects the other. */
export async function join(bound: Socket, connected: Socket): Promise<void> {
  await bound.bind(anywhere);
  connected.connect(bound.lastEndpoint ?? "");
}

/** A message as text. */
export function texts(parts: readonly Message[]): string[] {
  return parts.map((part) => part.toString());
}
