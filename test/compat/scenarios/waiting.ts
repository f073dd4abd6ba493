import type { Group } from "./scenario.ts";
import type { Stage } from "./stage.ts";
import { outcomeOf } from "./outcome.ts";
import { receiveAll, subscribed } from "./talking.ts";

/** What becomes of 100 MB from a Router, `mandatory`, to a Dealer that does not read. */
async function floodedDealer(
  stage: Stage,
  options: { sendTimeout?: number } = {},
): Promise<string> {
  const settings = { mandatory: true, sendHighWaterMark: 10, ...options };
  const router = stage.open(new stage.zmq.Router(settings));
  const dealer = stage.open(new stage.zmq.Dealer({ routingId: "slow", receiveHighWaterMark: 10 }));
  await stage.join(router, dealer);
  await dealer.send("here");
  await router.receive();
  const payload = Buffer.alloc(100_000);
  for (let i = 0; i < 1_000; i++) {
    const outcome = await outcomeOf(() => router.send(["slow", payload]));
    if (outcome !== "done") return outcome;
  }
  return "sent 100 MB";
}

/** Where applications that use zeromq.js wait for ever, or lose what they sent. */
export const waiting: Group = {
  title: "Where things wait",
  scenarios: [
    {
      what: "Request: a second `send` before the answer, no `sendTimeout`",
      ours: "done",
      difference: { better: "it is asked next" },
      run: async (stage) => {
        const reply = stage.open(new stage.zmq.Reply());
        const request = stage.open(new stage.zmq.Request());
        await stage.join(reply, request);
        await request.send("first");
        return outcomeOf(() => request.send("second"));
      },
    },
    {
      what: "Reply: `send` with nothing to answer",
      ours: "EFSM",
      difference: { better: "it can never be sent" },
      run: async (stage) => {
        const reply = stage.open(new stage.zmq.Reply());
        await reply.bind(await stage.address());
        return outcomeOf(() => reply.send("to whom?"));
      },
    },
    {
      what: "Request whose server is closed and made again: `receive`, then a second question",
      ours: "ECONNRESET, again",
      difference: { better: "the loss is told, and it goes on" },
      run: async (stage) => {
        const first = new stage.zmq.Reply({ linger: 0 });
        const request = stage.open(new stage.zmq.Request());
        const address = await stage.join(first, request);
        await request.send("x");
        await first.receive();
        await first.close();
        const lost = await outcomeOf(() => request.receive());
        const second = stage.open(new stage.zmq.Reply());
        while ((await outcomeOf(() => second.bind(address))) === "EADDRINUSE");
        const asked = await outcomeOf(() => request.send("again"));
        if (asked !== "done") return `${lost}, then send: ${asked}`;
        await second.send(await second.receive());
        return `${lost}, ${await receiveAll(request, 1)}`;
      },
    },
    {
      what: "Publisher, `noDrop`, `sendTimeout` -1: a subscriber does not read",
      ours: "waits",
      difference: { better: "as `sendTimeout` says: until it reads" },
      run: async (stage) => {
        const small = { sendHighWaterMark: 10, receiveHighWaterMark: 10 };
        const publisher = stage.open(
          new stage.zmq.Publisher({ noDrop: true, sendHighWaterMark: 10 }),
        );
        const { receiveHighWaterMark } = small;
        const subscriber = stage.open(new stage.zmq.Subscriber({ receiveHighWaterMark }));
        subscriber.subscribe();
        await stage.join(publisher, subscriber);
        await subscribed(publisher, subscriber);
        const payload = Buffer.alloc(100_000);
        for (let i = 0; i < 1_000; i++) {
          const outcome = await outcomeOf(() => publisher.send(payload));
          if (outcome !== "done") return outcome;
        }
        return "sent 100 MB";
      },
    },
    {
      what: "Router, `mandatory`, `sendTimeout` -1: a Dealer does not read",
      ours: "waits",
      run: (stage) => floodedDealer(stage),
    },
    {
      what: "Router, `mandatory`, `sendTimeout` 20: a Dealer does not read",
      ours: "EAGAIN",
      run: (stage) => floodedDealer(stage, { sendTimeout: 20 }),
    },
  ],
};
