import { MsgError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Listener } from "./event-hub.ts";
import type { SocketEvents } from "./events.ts";
import type { WaitOptions } from "./waiter-list.ts";
import { WaiterList } from "./waiter-list.ts";

interface EventSource {
  readonly type: string;
  on<Name extends keyof SocketEvents>(
    name: Name,
    listener: Listener<SocketEvents[Name]>,
  ): () => void;
}

/** Resolves with the next event of a name; its listeners go with it. */
export function nextEvent<Name extends keyof SocketEvents>(
  source: EventSource,
  runtime: Runtime,
  name: Name,
  options: WaitOptions,
  isOver: boolean,
): Promise<SocketEvents[Name]> {
  const waiters = new WaiterList<SocketEvents[Name]>(runtime);
  const promise = waiters.wait(options, (timeoutMs) => {
    return new MsgError("MSG_TIMEOUT", `no event "${name}" within ${timeoutMs} ms`);
  });
  const offEvent = source.on(name, (detail) => waiters.resolveAll(detail));
  const offClosed = source.on("closed", () => {
    waiters.rejectAll(new MsgError("MSG_CLOSED", `closed before an event "${name}"`));
  });
  const off = (): void => {
    offEvent();
    offClosed();
  };
  promise.then(off, off);
  if (isOver) waiters.rejectAll(new MsgError("MSG_CLOSED", `this ${source.type} is closed`));
  return promise;
}
