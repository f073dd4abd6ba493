/**
 * A process that runs one program and is to end by itself, or not: `exiting.ts SIDE PROGRAM`. It
 * writes a line when the program has run.
 */
import { once } from "node:events";
import process from "node:process";
import { Worker } from "node:worker_threads";
import type { Side, Zmq } from "../scenarios/scenario.ts";
import { libraryOf } from "../scenarios/stage.ts";

const [, , side, name] = process.argv as [string, string, Side, string];
const anywhere = "tcp://127.0.0.1:*";
/** A port that is nobody's: connections to it are refused. */
const nobody = "tcp://127.0.0.1:1";

const programs: Readonly<Record<string, (zmq: Zmq) => unknown>> = {
  closed({ Dealer }) {
    const [one, other] = [new Dealer(), new Dealer()];
    void one.close();
    void other.close();
  },
  "not-closed"({ Dealer }) {
    return [new Dealer(), new Dealer()].length;
  },
  async "open-and-polling"({ Dealer }) {
    const dealer = new Dealer();
    await dealer.bind(anywhere);
    void dealer.receive();
  },
  async "publishes-unbound"({ Publisher }) {
    await new Publisher().send("test");
  },
  "sends-unbound"({ Dealer }) {
    void new Dealer().send("test");
  },
  async "queued-for-nobody"({ Dealer }) {
    const dealer = new Dealer();
    dealer.connect(nobody);
    await dealer.send("x");
    void dealer.close();
  },
  async "queued-for-nobody-linger-50"({ Dealer }) {
    const dealer = new Dealer({ linger: 50 });
    dealer.connect(nobody);
    await dealer.send("x");
    void dealer.close();
  },
  "reads-events-and-closes"({ Dealer }) {
    const dealer = new Dealer();
    void (async () => {
      for await (const { type } of dealer.events) if (type === "end") return;
    })();
    void dealer.close();
  },
  "reads-events"({ Dealer }) {
    const dealer = new Dealer();
    void (async () => {
      for await (const { type } of dealer.events) if (type === "end") return;
    })();
  },
  async "terminated-thread"() {
    const url = new URL("thread.ts", import.meta.url);
    const worker = new Worker(url, { workerData: { side, job: "waits" } });
    await once(worker, "message");
    await worker.terminate();
  },
};

await programs[name]?.(await libraryOf(side));
console.log("ran");
