import { setTimeout as delay } from "node:timers/promises";
import type { Group } from "./scenario.ts";
import { carriers } from "./scenario.ts";
import { outcomeOf } from "./outcome.ts";
import type { Stage } from "./stage.ts";
import { receiveAll, words } from "./talking.ts";

/** A Proxy of a Router and a Dealer. */
function idle(stage: Stage) {
  const { Proxy, Router, Dealer } = stage.zmq;
  return new Proxy(stage.open(new Router()), stage.open(new Dealer()));
}

/** One that is bound and runs, with somebody at each end. */
async function running(stage: Stage) {
  const proxy = idle(stage);
  const [front, back] = [await stage.address(), await stage.address()];
  await proxy.frontEnd.bind(front);
  await proxy.backEnd.bind(back);
  const run = outcomeOf(() => proxy.run());
  const request = stage.open(new stage.zmq.Request());
  const reply = stage.open(new stage.zmq.Reply());
  request.connect(front);
  reply.connect(back);
  const ask = async (word: string): Promise<string> => {
    await request.send(word);
    await reply.send(await reply.receive());
    return receiveAll(request, 1);
  };
  return { proxy, run, request, reply, ask };
}

/** What zeromq.js tests of Proxy. */
export const proxies: Group = {
  title: "Proxy",
  scenarios: [
    {
      what: "`run` when neither end is bound or connected",
      ours: "EINVAL",
      run: (stage) => outcomeOf(() => idle(stage).run()),
    },
    {
      what: "`run` when the front end is closed",
      over: carriers,
      ours: "EINVAL",
      run: async (stage) => {
        const proxy = idle(stage);
        await proxy.frontEnd.bind(await stage.address());
        await proxy.backEnd.bind(await stage.address());
        await proxy.frontEnd.close();
        return outcomeOf(() => proxy.run());
      },
    },
    {
      what: "requests over Router and Dealer",
      over: carriers,
      ours: words.join(" "),
      run: async (stage) => {
        const { proxy, ask } = await running(stage);
        const seen: string[] = [];
        for (const word of words) seen.push(await ask(word));
        proxy.terminate();
        return seen.join(" ");
      },
    },
    {
      what: "`pause`: a request waits; `resume`: it is passed on",
      over: carriers,
      ours: "first, waits, second",
      difference: {
        better: "it pauses from the call on, and passes on afterwards what came meanwhile",
      },
      run: async (stage) => {
        const { proxy, request, reply, ask } = await running(stage);
        const before = await ask("first");
        proxy.pause();
        // The other's thread has to hear of it.
        await delay(500);
        await request.send("second");
        reply.receiveTimeout = 300;
        const paused = await outcomeOf(() => reply.receive());
        reply.receiveTimeout = -1;
        proxy.resume();
        const asked = await outcomeOf(() => reply.receive());
        proxy.terminate();
        return `${before}, ${paused === "EAGAIN" ? "waits" : paused}, ${asked}`;
      },
    },
    {
      what: "`terminate` ends `run` and closes both ends",
      over: carriers,
      ours: "done, closed true true",
      run: async (stage) => {
        const { proxy, run, ask } = await running(stage);
        await ask("x");
        proxy.terminate();
        const outcome = await run;
        const { frontEnd, backEnd } = proxy;
        for (let i = 0; i < 100 && !(frontEnd.closed && backEnd.closed); i++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        return `${outcome}, closed ${frontEnd.closed} ${backEnd.closed}`;
      },
    },
    {
      what: "`terminate` before `run`",
      ours: "EBADF",
      run: (stage) => outcomeOf(() => idle(stage).terminate()),
    },
    {
      what: "Pull and Push: the receiving end is closed",
      ours: "done",
      difference: { better: "there is nobody left to pass anything to" },
      run: async (stage) => {
        const { Proxy, Pull, Push } = stage.zmq;
        const proxy = new Proxy(stage.open(new Pull()), stage.open(new Push()));
        await proxy.frontEnd.bind(await stage.address());
        await proxy.backEnd.bind(await stage.address());
        const run = outcomeOf(() => proxy.run());
        await new Promise((resolve) => setTimeout(resolve, 50));
        await proxy.backEnd.close();
        return run;
      },
    },
  ],
};
