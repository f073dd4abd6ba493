import type { Group } from "./scenario.ts";
import { carriers } from "./scenario.ts";
import { outcomeOf, outcomesOf, textOf } from "./outcome.ts";
import { receiveAll, sendAll, words } from "./talking.ts";
import type { Stage } from "./stage.ts";

/** A method that may not be there. */
function call(socket: Record<string, unknown>, name: string): Promise<string> {
  return outcomeOf(() => (socket[name] as (message: string) => unknown)("x"));
}

/** Two Pairs, the first bound. */
async function pairs(stage: Stage) {
  const one = stage.open(new stage.zmq.Pair());
  const other = stage.open(new stage.zmq.Pair());
  await stage.join(one, other);
  return [one, other] as const;
}

/** A Pair that waits for somebody. */
async function alone(stage: Stage, options: ConstructorParameters<typeof stage.zmq.Pair>[0] = {}) {
  const pair = stage.open(new stage.zmq.Pair(options));
  pair.connect(await stage.address());
  return pair;
}

const collect = (globalThis as { gc?: () => void }).gc;

/** Whether anything but the library still holds what was sent. */
async function keptAfter(stage: Stage, sizeBytes: number): Promise<string> {
  const pair = await alone(stage);
  const reference = await (async () => {
    const bytes = Buffer.alloc(sizeBytes);
    await pair.send(bytes);
    return new WeakRef(bytes);
  })();
  for (let tries = 0; tries < 10 && reference.deref() !== undefined; tries++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect?.();
  }
  return reference.deref() === undefined ? "released" : "retained";
}

/** Both calls are made, and then there is an address. */
async function early(stage: Stage): Promise<string> {
  const one = stage.open(new stage.zmq.Pair());
  const other = stage.open(new stage.zmq.Pair());
  const address = await stage.address();
  const received = receiveAll(other, 1);
  const sent = one.send("early");
  await other.bind(address);
  one.connect(address);
  return outcomeOf(async () => {
    await sent;
    return received;
  });
}

/** What zeromq.js tests of send and receive, on Pair. */
export const sending: Group = {
  title: "Send and receive",
  scenarios: [
    {
      what: "Subscriber: `send`; Publisher: `receive`",
      ours: "TypeError, TypeError",
      difference: { better: "there is no such method, where the other waits for ever" },
      run: async (stage) => {
        const subscriber: Record<string, unknown> = Object(stage.open(new stage.zmq.Subscriber()));
        const publisher: Record<string, unknown> = Object(stage.open(new stage.zmq.Publisher()));
        return `${await call(subscriber, "send")}, ${await call(publisher, "receive")}`;
      },
    },
    {
      what: "`writable`, `readable` while nobody is there",
      over: carriers,
      ours: "true, false",
      run: async (stage) => {
        const pair = await alone(stage);
        return `${pair.writable}, ${pair.readable}`;
      },
    },
    {
      what: "`readable` before and after a message came",
      over: carriers,
      ours: "false, true",
      run: async (stage) => {
        const [one, other] = await pairs(stage);
        const before = other.readable;
        await one.send("x");
        const deadline = performance.now() + 20_000;
        while (!other.readable && performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return `${before}, ${other.readable}`;
      },
    },
    {
      what: "`sendHighWaterMark` 1, `sendTimeout` 2: two sends of 8,192 bytes to nobody",
      over: carriers,
      ours: "done, EAGAIN",
      run: async (stage) => {
        const pair = await alone(stage, { sendHighWaterMark: 1, sendTimeout: 2 });
        const first = await outcomeOf(() => pair.send(Buffer.alloc(8192)));
        return `${first}, ${await outcomeOf(() => pair.send(Buffer.alloc(8192)))}`;
      },
    },
    {
      what: "16 bytes that wait to be sent: are they copied and let go?",
      ours: "released",
      run: (stage) => keptAfter(stage, 16),
    },
    {
      what: "4,096 bytes that wait to be sent: are they kept without a copy?",
      ours: "retained",
      run: (stage) => keptAfter(stage, 4096),
    },
    {
      what: "text, bytes, typed arrays, ArrayBuffer, numbers, null, in parts",
      over: carriers,
      ours: "foo|bar|AB|CD|12||",
      run: async (stage) => {
        const [one, other] = await pairs(stage);
        const typed = new Uint16Array([0x42_41]);
        const { buffer } = new Uint8Array([0x43, 0x44]);
        await one.send(["foo", Buffer.from("bar"), typed, buffer, 12, null, ""]);
        return (await other.receive()).map(String).join("|");
      },
    },
    {
      what: "`send` of an object",
      ours: "EINVAL",
      difference: { better: "`[object Object]` is nobody's message" },
      run: async (stage) => {
        const [one, other] = await pairs(stage);
        const sent = await outcomeOf(() => one.send({ a: 1 } as never));
        return sent === "done" ? receiveAll(other, 1) : sent;
      },
    },
    {
      what: "`send([])`",
      ours: "EINVAL",
      difference: { better: "a message has a part; nothing waits for ever" },
      run: async (stage) => {
        const [one] = await pairs(stage);
        return outcomeOf(() => one.send([]));
      },
    },
    {
      what: "both sides send and receive at the same time",
      over: carriers,
      ours: "foo bar baz qux | foo bar baz qux",
      run: async (stage) => {
        const [one, other] = await pairs(stage);
        const [, , left, right] = await Promise.all([
          sendAll(one),
          sendAll(other),
          receiveAll(one),
          receiveAll(other),
        ]);
        return `${left} | ${right}`;
      },
    },
    {
      what: "`receiveTimeout` 2, nothing comes",
      over: carriers,
      ours: "EAGAIN",
      run: async (stage) => {
        const [one] = await pairs(stage);
        one.receiveTimeout = 2;
        return outcomeOf(() => one.receive());
      },
    },
    {
      what: "2,500 sends and 2,500 receives: has the event loop its turns?",
      over: carriers,
      ours: "2500, the loop turns",
      run: async (stage) => {
        const options = { sendHighWaterMark: 5_000, receiveHighWaterMark: 5_000 };
        const one = stage.open(new stage.zmq.Pair(options));
        const other = stage.open(new stage.zmq.Pair(options));
        await stage.join(one, other);
        let turns = 0;
        let isOver = false;
        const turn = (): void => {
          turns++;
          if (!isOver) setImmediate(turn);
        };
        setImmediate(turn);
        const send = async (): Promise<void> => {
          for (let i = 0; i < 2_500; i++) await one.send("x");
        };
        let received = 0;
        const receive = async (): Promise<void> => {
          for (; received < 2_500; received++) await other.receive();
        };
        await Promise.all([send(), receive()]);
        isOver = true;
        return `${received}, ${turns >= 3 ? "the loop turns" : "the loop stands"}`;
      },
    },
    {
      what: "`send` and `receive` before `bind` and `connect`",
      over: ["tcp", "ipc"],
      ours: "early",
      run: early,
    },
    {
      what: "the same over inproc",
      over: ["inproc"],
      ours: "early",
      difference: { better: "what waited for an address goes there" },
      run: early,
    },
    {
      what: "two sends at a time, before anybody is there",
      ours: "first second",
      difference: { better: "calls need not run in lock step: they are served in their order" },
      run: async (stage) => {
        const one = stage.open(new stage.zmq.Pair());
        const other = stage.open(new stage.zmq.Pair());
        const calls = outcomesOf(
          () => one.send("first"),
          () => one.send("second"),
        );
        await stage.join(one, other);
        const outcomes = await calls;
        return outcomes === "done, done" ? receiveAll(other, 2) : outcomes;
      },
    },
    {
      what: "two receives at a time",
      ours: "first, second",
      difference: { better: "as above" },
      run: async (stage) => {
        const [one, other] = await pairs(stage);
        const calls = outcomesOf(
          () => other.receive(),
          () => other.receive(),
        );
        await sendAll(one, ["first", "second"]);
        return calls;
      },
    },
    {
      what: "1,000 sends at a time within the high-water mark, none awaited",
      ours: "1000 done",
      difference: {
        better:
          "after 512 sends in one turn zeromq.js makes the next one wait, and refuses the rest",
      },
      run: async (stage) => {
        const dealer = stage.open(new stage.zmq.Dealer({ sendHighWaterMark: 100_000 }));
        dealer.connect(await stage.address());
        const calls: Promise<void>[] = [];
        try {
          for (let i = 0; i < 1_000; i++) calls.push(dealer.send("x"));
        } catch (error) {
          await Promise.all(calls);
          return textOf([calls.length, "done, then", (error as { code?: string }).code]);
        }
        await Promise.all(calls);
        return `${calls.length} done`;
      },
    },
    {
      what: "an iteration over a socket that is closed",
      ours: "foo bar baz qux, ended",
      run: async (stage) => {
        const [one, other] = await pairs(stage);
        await sendAll(one);
        const seen: string[] = [];
        for await (const parts of other) {
          seen.push(textOf(parts));
          if (seen.length === words.length) void other.close();
        }
        return `${seen.join(" ")}, ended`;
      },
    },
    {
      what: "an iteration with `receiveTimeout` 2, nothing comes",
      ours: "EAGAIN",
      run: async (stage) => {
        const [, other] = await pairs(stage);
        other.receiveTimeout = 2;
        return outcomeOf(async () => {
          for await (const parts of other) return textOf(parts);
          return "ended";
        });
      },
    },
  ],
};
