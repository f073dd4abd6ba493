import type { EventType, Socket } from "@msg-ts/zmtp/compat";
import type { Group } from "./scenario.ts";
import { codeOf, outcomeOf } from "./outcome.ts";

/** Those of which a test says something: in the order in which they are told first. */
function record(socket: Socket, types: readonly EventType[]): string[] {
  const seen: string[] = [];
  for (const type of types) {
    socket.events.on(type, () => {
      if (!seen.includes(type)) seen.push(type);
    });
  }
  return seen;
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isSo() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What zeromq.js tests of events. */
export const events: Group = {
  title: "Events",
  scenarios: [
    {
      what: "of one that binds: `bind`, `accept`, `close`, `end`",
      over: ["tcp", "ipc"],
      ours: "bind accept close end",
      run: async (stage) => {
        const bound = stage.open(new stage.zmq.Dealer());
        const dialing = stage.open(new stage.zmq.Dealer());
        const seen = record(bound, ["bind", "accept", "close", "end"]);
        await stage.join(bound, dialing);
        await until(() => seen.includes("accept"));
        await bound.close();
        await until(() => seen.includes("end"));
        return seen.join(" ");
      },
    },
    {
      what: "of one that connects: `connect`, `handshake`, `end`",
      over: ["tcp", "ipc"],
      ours: "connect handshake end",
      run: async (stage) => {
        const bound = stage.open(new stage.zmq.Dealer());
        const dialing = stage.open(new stage.zmq.Dealer());
        const seen = record(dialing, ["connect", "handshake", "end"]);
        await stage.join(bound, dialing);
        await until(() => seen.includes("handshake"));
        await dialing.close();
        await until(() => seen.includes("end"));
        return seen.join(" ");
      },
    },
    {
      what: "`bind:error` of a port that is taken",
      ours: "EADDRINUSE",
      run: async (stage) => {
        const address = await stage.address();
        await stage.open(new stage.zmq.Dealer()).bind(address);
        const second = stage.open(new stage.zmq.Dealer());
        const told = new Promise<string>((resolve) => {
          second.events.on("bind:error", ({ error }) => resolve(codeOf(error)));
        });
        await outcomeOf(() => second.bind(address));
        return told;
      },
    },
    {
      what: "`events` is the same object each time",
      ours: "true",
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        const first = socket.events;
        return String(first === socket.events);
      },
    },
    {
      what: "`events.receive()` beside `events.on()`",
      ours: "bind",
      difference: { better: "a listener does not take the events from the iteration" },
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        socket.events.on("accept", () => {});
        await socket.bind(await stage.address());
        return outcomeOf(async () => (await socket.events.receive()).type);
      },
    },
    {
      what: "`events.receive()` of a socket that was closed",
      ours: "EBADF, closed true",
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        const told = socket.events;
        await socket.close();
        await until(() => told.closed);
        let outcome: string;
        do outcome = await outcomeOf(async () => (await told.receive()).type);
        while (outcome === "end");
        return `${outcome}, closed ${told.closed}`;
      },
    },
  ],
};
