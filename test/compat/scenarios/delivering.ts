import { setTimeout as delay } from "node:timers/promises";
import type { Group } from "./scenario.ts";
import { carriers } from "./scenario.ts";
import { outcomeOf } from "./outcome.ts";
import { receiveAll, receiveNews, sendAll, subscribed, toldUntil, words } from "./talking.ts";

const inOrder = words.join(" ");

/** Every pair of classes, and what their tests say of it. */
export const delivering: Group = {
  title: "Pairs of sockets",
  scenarios: [
    {
      what: "Pair and Pair deliver in order",
      over: carriers,
      ours: inOrder,
      run: async (stage) => {
        const [one, other] = [new stage.zmq.Pair(), new stage.zmq.Pair()].map((s) => stage.open(s));
        if (one === undefined || other === undefined) throw new Error("two were made");
        await stage.join(one, other);
        await sendAll(one);
        return receiveAll(other);
      },
    },
    {
      what: "Push and Pull deliver in order",
      over: carriers,
      ours: inOrder,
      run: async (stage) => {
        const [push, pull] = [stage.open(new stage.zmq.Push()), stage.open(new stage.zmq.Pull())];
        await stage.join(push, pull);
        await sendAll(push);
        return receiveAll(pull);
      },
    },
    {
      what: "Push with `immediate`, and one of two Pulls never there: all is delivered",
      over: ["tcp", "ipc"],
      ours: inOrder,
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push({ immediate: true }));
        const pull = stage.open(new stage.zmq.Pull());
        const address = await stage.address();
        push.connect(await stage.address());
        await pull.bind(address);
        push.connect(address);
        await sendAll(push);
        return receiveAll(pull);
      },
    },
    {
      what: "Push with `immediate` and nobody there: `send`",
      ours: "waits",
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push({ immediate: true }));
        push.connect(await stage.address());
        return outcomeOf(() => push.send("x"));
      },
    },
    {
      what: "Publisher and Subscriber deliver in order",
      over: carriers,
      ours: inOrder,
      run: async (stage) => {
        const publisher = stage.open(new stage.zmq.Publisher());
        const subscriber = stage.open(new stage.zmq.Subscriber());
        subscriber.subscribe();
        await stage.join(publisher, subscriber);
        await subscribed(publisher, subscriber);
        await sendAll(publisher);
        return receiveNews(subscriber, words.length);
      },
    },
    {
      what: "Request and Reply ask and answer in turn",
      over: carriers,
      ours: inOrder,
      run: async (stage) => {
        const reply = stage.open(new stage.zmq.Reply());
        const request = stage.open(new stage.zmq.Request());
        await stage.join(reply, request);
        const seen: string[] = [];
        for (const word of words) {
          await request.send(word);
          await reply.send(await reply.receive());
          seen.push(await receiveAll(request, 1));
        }
        return seen.join(" ");
      },
    },
    {
      what: "Request: `send` while it waits for an answer, `sendTimeout` 0",
      over: carriers,
      ours: "done",
      difference: { better: "it is asked next; answers come in the order of the questions" },
      run: async (stage) => {
        const reply = stage.open(new stage.zmq.Reply());
        const request = stage.open(new stage.zmq.Request());
        await stage.join(reply, request);
        await request.send("first");
        request.sendTimeout = 0;
        return outcomeOf(() => request.send("second"));
      },
    },
    {
      what: "Router answers two Dealers with four messages each",
      over: carriers,
      ours: `${inOrder} | ${inOrder}`,
      run: async (stage) => {
        const router = stage.open(new stage.zmq.Router());
        const one = stage.open(new stage.zmq.Dealer({ routingId: "one" }));
        const other = stage.open(new stage.zmq.Dealer({ routingId: "other" }));
        await stage.join(router, one, other);
        await Promise.all([sendAll(one), sendAll(other)]);
        for (let i = 0; i < 2 * words.length; i++) await router.send(await router.receive());
        return `${await receiveAll(one)} | ${await receiveAll(other)}`;
      },
    },
    {
      what: "Router, `mandatory`, `sendTimeout` 0: a name that nobody has",
      over: carriers,
      ours: "EHOSTUNREACH",
      run: async (stage) => {
        const router = stage.open(new stage.zmq.Router({ mandatory: true, sendTimeout: 0 }));
        await router.bind(await stage.address());
        return outcomeOf(() => router.send(["nobody", "x"]));
      },
    },
    {
      what: "Router, `mandatory`, no `sendTimeout`: a name that nobody has",
      ours: "EHOSTUNREACH",
      difference: { better: "nobody may ever come by that name: it says so" },
      run: async (stage) => {
        const router = stage.open(new stage.zmq.Router({ mandatory: true }));
        await router.bind(await stage.address());
        return outcomeOf(() => router.send(["nobody", "x"]));
      },
    },
    {
      what: "Router, `connect` with a `routingId` for its peer: messages to that name",
      over: ["tcp", "ipc"],
      ours: "hello",
      run: async (stage) => {
        const router = stage.open(new stage.zmq.Router({ mandatory: true }));
        const dealer = stage.open(new stage.zmq.Dealer());
        const address = await stage.address();
        await dealer.bind(address);
        router.connect(address, { routingId: "them" });
        // It has no peer before its connection stands.
        while ((await outcomeOf(() => router.send(["them", "hello"]))) !== "done") await delay(5);
        return receiveAll(dealer, 1);
      },
    },
    {
      what: "Dealer, `probeRouter`: what a Router receives first",
      ours: "me ",
      run: async (stage) => {
        const router = stage.open(new stage.zmq.Router());
        const dealer = stage.open(new stage.zmq.Dealer({ probeRouter: true, routingId: "me" }));
        await stage.join(router, dealer);
        return receiveAll(router, 1);
      },
    },
    {
      what: "Pull with `conflate`: three messages before the first `receive`",
      ours: "3",
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull({ conflate: true }));
        const push = stage.open(new stage.zmq.Push());
        await stage.join(pull, push);
        await sendAll(push, ["1", "2", "3"]);
        // Nothing but time shows that all three have come.
        await delay(2_000);
        return receiveAll(pull, 1);
      },
    },
    {
      what: "Request with `relaxed` and `correlate`: the answer after a second question",
      ours: "second",
      run: async (stage) => {
        const reply = stage.open(new stage.zmq.Reply());
        const request = stage.open(new stage.zmq.Request({ relaxed: true, correlate: true }));
        await stage.join(reply, request);
        await request.send("first");
        const first = await reply.receive();
        await request.send("second");
        await reply.send(first);
        await reply.send(await reply.receive());
        // Asked before both answers are there, zeromq.js says EAGAIN for the one that it throws away.
        await delay(300);
        return receiveAll(request, 1);
      },
    },
    {
      what: "XPublisher and XSubscriber deliver in order",
      over: carriers,
      ours: inOrder,
      run: async (stage) => {
        const publisher = stage.open(new stage.zmq.XPublisher());
        const subscriber = stage.open(new stage.zmq.XSubscriber());
        await stage.join(publisher, subscriber);
        await subscriber.send("\u0001");
        await publisher.receive();
        await sendAll(publisher);
        return receiveAll(subscriber);
      },
    },
    {
      what: "Subscriber: what its prefixes match, until it takes one back",
      over: carriers,
      ours: "foo bar baz, then foo",
      run: async (stage) => {
        const publisher = stage.open(new stage.zmq.XPublisher());
        const subscriber = stage.open(new stage.zmq.Subscriber());
        await stage.join(publisher, subscriber);
        subscriber.subscribe("fo", "ba", "end");
        await toldUntil(publisher, "+end");
        await sendAll(publisher);
        const before = await receiveAll(subscriber, 3);
        subscriber.unsubscribe("ba");
        subscriber.subscribe("last");
        await toldUntil(publisher, "+last");
        await sendAll(publisher, [...words.toReversed(), "last"]);
        const after = await receiveAll(subscriber, 2);
        return `${before}, then ${after.replace(" last", "")}`;
      },
    },
    {
      what: "XSubscriber: subscriptions by messages, and the end of one",
      over: carriers,
      ours: "+fo +ba, then -ba",
      run: async (stage) => {
        const publisher = stage.open(new stage.zmq.XPublisher());
        const subscriber = stage.open(new stage.zmq.XSubscriber());
        await stage.join(publisher, subscriber);
        for (const prefix of ["fo", "ba", "end"]) await subscriber.send(`\u0001${prefix}`);
        const before = await toldUntil(publisher, "+end");
        await subscriber.send("\u0000ba");
        await subscriber.send("\u0001last");
        return `${before.join(" ")}, then ${(await toldUntil(publisher, "+last")).join(" ")}`;
      },
    },
    ...([null, "allSubs", "allSubsUnsubs"] as const).map((verbosity) => ({
      what: `XPublisher, \`verbosity\` ${verbosity}: two subscribe and unsubscribe`,
      over: carriers,
      ours: {
        null: "+fo -fo",
        allSubs: "+fo +fo -fo",
        allSubsUnsubs: "+fo +fo -fo -fo",
      }[String(verbosity) as "null" | "allSubs" | "allSubsUnsubs"],
      run: async (stage: Parameters<Group["scenarios"][number]["run"]>[0]) => {
        const publisher = stage.open(new stage.zmq.XPublisher());
        if (verbosity !== null) publisher.verbosity = verbosity;
        const one = stage.open(new stage.zmq.Subscriber());
        const other = stage.open(new stage.zmq.Subscriber());
        await stage.join(publisher, one, other);
        const seen: string[] = [];
        // A prefix that nobody else has, behind each step, shows that it has come.
        for (const [at, subscriber] of [one, other].entries()) {
          subscriber.subscribe("fo", `m${at}`);
          seen.push(...(await toldUntil(publisher, `+m${at}`)));
        }
        for (const [at, subscriber] of [one, other].entries()) {
          subscriber.unsubscribe("fo");
          subscriber.subscribe(`n${at}`);
          seen.push(...(await toldUntil(publisher, `+n${at}`)));
        }
        return seen.join(" ");
      },
    })),
  ],
};
