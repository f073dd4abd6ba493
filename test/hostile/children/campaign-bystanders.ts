// Six well-behaved peers of the sockets that are attacked; tells what they got and what they missed.
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import type { CampaignNetwork } from "../campaign/network.ts";
import { transportOf } from "../campaign/network.ts";
import type { Addresses, BystanderReport } from "../campaign/reports.ts";
import { shared } from "../campaign/victim-limits.ts";

interface Start {
  readonly network: CampaignNetwork;
  readonly addresses: Addresses;
}

// Without its parent there is nobody to tell.
process.once("disconnect", () => process.exit());
process.once("message", (start) => void run(start as Start));

async function run({ network, addresses }: Start): Promise<void> {
  const options = {
    authToken: "the good token",
    maxMessageBytes: shared.maxMessageBytes,
    reconnect: { minDelayMs: 10, maxDelayMs: 50 },
  };
  const transport = transportOf(network);
  const req = new ReqSocket(transport, { ...options, timeoutMs: 20_000 });
  const rep = new RepSocket(transport, options);
  const sub = new SubSocket(transport, options);
  const pub = new PubSocket(transport, options);
  const pull = new PullSocket(transport, options);
  const push = new PushSocket(transport, options);
  const progress = { asked: 0, heard: 0, done: 0, given: 0 };
  const faults: string[] = [];

  for (const socket of [req, rep, sub, pub, pull, push]) {
    socket.on("disconnected", ({ reason }) => {
      faults.push(`${socket.type} was disconnected: ${reason?.message}`);
    });
    socket.on("gap", ({ lost }) => void faults.push(`${socket.type} lost ${lost} messages`));
  }
  rep.serve((request) => `answer to ${request.text()}`);
  pull.consume(() => void progress.done++);
  let expected: number | undefined;
  sub.consume((message) => {
    const number = Number(message.text());
    if (expected !== undefined && number !== expected) faults.push(`SUB heard ${number}`);
    expected = number + 1;
    progress.heard++;
  });
  await Promise.all([
    req.connect(addresses.rep),
    rep.connect(addresses.req),
    sub.connect(addresses.pub),
    pub.connect(addresses.sub),
    pull.connect(addresses.push),
    push.connect(addresses.pull),
  ]);
  for (const socket of [req, rep, sub, pub, pull, push]) await socket.ready({ timeoutMs: 30_000 });
  await sub.subscribe("good.*", { timeoutMs: 30_000 });
  await pub.waitForSubscriber("number", { timeoutMs: 30_000 });

  void (async () => {
    for (let number = 0; ; number++) {
      try {
        const reply = await req.request(`${number}`);
        if (reply.text() === `${number}`) progress.asked++;
        else faults.push(`REQ was answered ${reply.text()}`);
      } catch (error) {
        faults.push(`REQ: ${String(error)}`);
      }
      await delay(1);
    }
  })();
  void (async () => {
    for (let number = 0; ; number++) {
      await pub.publish("number", `${number}`);
      await push.send("work");
      progress.given = push.stats().acknowledged;
      await delay(2);
    }
  })();
  process.on("message", () => {
    const report: BystanderReport = { progress: { ...progress }, faults: [...faults] };
    process.send?.(report);
  });
  process.send?.({ isReady: true });
}
