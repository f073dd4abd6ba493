import process from "node:process";
import type { Group } from "./scenario.ts";
import { outcomeOf } from "./outcome.ts";
import { receiveAll } from "./talking.ts";

/** Sets a property, and reads it. */
async function setAndGet(socket: object, name: string, value: unknown): Promise<string> {
  return outcomeOf(() => {
    Reflect.set(socket, name, value);
    return String(Reflect.get(socket, name));
  });
}

/** What zeromq.js tests of constructors and options. */
export const options: Group = {
  title: "Construction and options",
  scenarios: [
    {
      what: "`immediate`, `maxMessageSize` 0xffffffff and `routingId` set and read",
      ours: "true, 4294967295, åbçdéfghïjk",
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        const values: [string, unknown][] = [
          ["immediate", true],
          ["maxMessageSize", 0xff_ff_ff_ff],
          ["routingId", "åbçdéfghïjk"],
        ];
        const seen: string[] = [];
        for (const [name, value] of values) seen.push(await setAndGet(socket, name, value));
        return seen.join(", ");
      },
    },
    {
      what: "`routingId` set as bytes",
      ours: "åbç",
      run: (stage) =>
        setAndGet(stage.open(new stage.zmq.Dealer()), "routingId", Buffer.from("åbç")),
    },
    {
      what: "`backlog` set to 75",
      ours: "ENOTSUP",
      difference: { worse: "Node.js listens for all sockets alike; to ignore it would hide that" },
      run: (stage) => setAndGet(stage.open(new stage.zmq.Dealer()), "backlog", 75),
    },
    {
      what: "`securityMechanism` of a socket, and of a PLAIN server",
      ours: "null, plain",
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        const before = String(socket.securityMechanism);
        socket.plainServer = true;
        return `${before}, ${socket.securityMechanism}`;
      },
    },
    {
      what: "an option that cannot be set, and one that is not there",
      ours: "TypeError, TypeError",
      run: async (stage) => {
        const socket: Record<string, unknown> = Object(stage.open(new stage.zmq.Dealer()));
        const readOnly = await outcomeOf(() => void (socket["securityMechanism"] = "curve"));
        return `${readOnly}, ${await outcomeOf(() => void (socket["doesNotExist"] = 1))}`;
      },
    },
    {
      what: "constructed with an option that is not there",
      ours: "EINVAL",
      difference: { other: "one class of errors, with a code" },
      run: (stage) =>
        outcomeOf(() => void stage.open(new stage.zmq.Dealer({ doesNotExist: 1 } as object))),
    },
    {
      what: "constructed with a value of the wrong type",
      ours: "EINVAL",
      difference: { other: "one class of errors, with a code" },
      run: (stage) =>
        outcomeOf(() => void stage.open(new stage.zmq.Dealer({ sendTimeout: "1" as never }))),
    },
    {
      what: "called as a function",
      ours: "TypeError",
      run: (stage) => outcomeOf(() => void Reflect.apply(stage.zmq.Dealer, undefined, [])),
    },
    {
      what: "`routingId` set after `connect`",
      ours: "EINVAL",
      difference: { better: "what would come too late is refused, not only warned of" },
      run: async (stage) => {
        const socket = stage.open(new stage.zmq.Dealer());
        const warned = new Promise<string>((resolve) => {
          process.once("warning", () => resolve("a warning of the process"));
        });
        socket.connect(await stage.address());
        return outcomeOf(() => {
          socket.routingId = "late";
          return warned;
        });
      },
    },
    {
      what: "Subscriber: `subscribe`, then an option, then `connect`",
      ours: "news",
      run: async (stage) => {
        const publisher = stage.open(new stage.zmq.XPublisher());
        const subscriber = stage.open(new stage.zmq.Subscriber());
        subscriber.subscribe("ne");
        subscriber.receiveHighWaterMark = 5;
        await stage.join(publisher, subscriber);
        await publisher.receive();
        await publisher.send("news");
        return receiveAll(subscriber, 1);
      },
    },
    {
      what: "1,200 sockets of one process",
      ours: "1200",
      difference: { better: "a context of libzmq has 1,023 unless it is told" },
      run: async (stage) => {
        let made = 0;
        const outcome = await outcomeOf(() => {
          for (; made < 1_200; made++) stage.open(new stage.zmq.Dealer());
        });
        return outcome === "done" ? String(made) : outcome;
      },
    },
    {
      what: "`curveKeyPair()`: lengths of the keys",
      ours: "40, 40",
      run: async (stage) => {
        const { publicKey, secretKey } = stage.zmq.curveKeyPair();
        return `${publicKey.length}, ${secretKey.length}`;
      },
    },
    {
      what: "`Stream`, raw TCP",
      ours: "undefined",
      difference: { worse: "raw TCP is no pattern of ours: `node:net` has it" },
      run: async (stage) => typeof Reflect.get(stage.zmq, "Stream"),
    },
    {
      what: "`Context`",
      ours: "undefined",
      difference: { worse: "there is nothing to share: no I/O threads, no limit on sockets" },
      run: async (stage) => typeof Reflect.get(stage.zmq, "Context"),
    },
  ],
};
