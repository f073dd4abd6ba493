import type { Group } from "./scenario.ts";
import { carriers } from "./scenario.ts";
import { outcomeOf } from "./outcome.ts";

const collect = (globalThis as { gc?: () => void }).gc;

/** What zeromq.js tests of close. */
export const closing: Group = {
  title: "Closing",
  scenarios: [
    {
      what: "`closed` before and after, and a second `close`",
      ours: "false, true, true",
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        const before = socket.closed;
        await socket.close();
        const after = socket.closed;
        await socket.close();
        return `${before}, ${after}, ${socket.closed}`;
      },
    },
    {
      what: "closed, then `send`, `receive`, `writable`, `readable`",
      over: carriers,
      ours: "EBADF, EBADF, false, false",
      run: async (stage) => {
        const one = stage.open(new stage.zmq.Pair());
        await one.bind(await stage.address());
        await one.close();
        const sent = await outcomeOf(() => one.send("x"));
        const received = await outcomeOf(() => one.receive());
        return `${sent}, ${received}, ${one.writable}, ${one.readable}`;
      },
    },
    {
      what: "closed while `send` waits",
      ours: "EBADF",
      difference: { other: "`EAGAIN` is for time that is over" },
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push());
        const sent = outcomeOf(() => push.send("for nobody"));
        await push.close();
        return sent;
      },
    },
    {
      what: "closed while `receive` waits",
      over: carriers,
      ours: "EBADF",
      difference: { other: "as above" },
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull());
        await pull.bind(await stage.address());
        const received = outcomeOf(() => pull.receive());
        await pull.close();
        return received;
      },
    },
    ...(["bind", "unbind"] as const).flatMap((call) =>
      [true, false].map((isWell) => ({
        what: `closed after \`${call}\` ${isWell ? "succeeded" : "failed"}`,
        over: carriers,
        ours: "closed",
        run: async (stage: Parameters<Group["scenarios"][number]["run"]>[0]) => {
          const pull = stage.open(new stage.zmq.Pull());
          const address = await stage.address();
          const other = stage.open(new stage.zmq.Pull());
          if (call === "bind" && !isWell) await other.bind(address);
          if (call === "unbind" && isWell) await pull.bind(address);
          await outcomeOf(() => pull[call](address));
          await pull.close();
          return pull.closed ? "closed" : "open";
        },
      })),
    ),
    {
      what: "a closed socket is collected as garbage",
      ours: "collected",
      run: async (stage) => {
        const address = await stage.address();
        const reference = await (async () => {
          const socket = new stage.zmq.Dealer();
          await socket.bind(address);
          await socket.close();
          return new WeakRef(socket);
        })();
        for (let tries = 0; tries < 50 && reference.deref() !== undefined; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          collect?.();
        }
        return reference.deref() === undefined ? "collected" : "kept";
      },
    },
    {
      what: "Request closed while its question is open: how long until its end is told?",
      ours: "at once",
      run: async (stage) => {
        const reply = stage.open(new stage.zmq.Reply());
        const request = stage.open(new stage.zmq.Request({ linger: 20_000 }));
        await stage.join(reply, request);
        await request.send("for nobody");
        await reply.receive();
        const startMs = performance.now();
        const ended = new Promise<void>((resolve) => request.events.on("end", () => resolve()));
        void request.close();
        await ended;
        return performance.now() - startMs < 10_000 ? "at once" : "after linger";
      },
    },
  ],
};
