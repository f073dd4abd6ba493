/** What a worker thread does for a scenario: `job` says which. */
import { parentPort, workerData } from "node:worker_threads";
import type { Side } from "../scenarios/scenario.ts";
import { libraryOf } from "../scenarios/stage.ts";
import { receiveAll, sendAll } from "../scenarios/talking.ts";

const { side, job, address } = workerData as { side: Side; job: string; address: string };
const { Pull, Push } = await libraryOf(side);

const jobs: Readonly<Record<string, () => Promise<void>>> = {
  async alone() {
    const [push, pull] = [new Push(), new Pull()];
    await push.bind(address);
    pull.connect(address);
    await sendAll(push);
    parentPort?.postMessage(await receiveAll(pull));
    void push.close();
    void pull.close();
  },
  async pull() {
    const pull = new Pull();
    pull.connect(address);
    parentPort?.postMessage(await receiveAll(pull));
    void pull.close();
  },
  async push() {
    const push = new Push();
    await push.bind(address);
    await sendAll(push);
    void push.close();
  },
  async waits() {
    const pull = new Pull();
    await pull.bind("tcp://127.0.0.1:*");
    const received = pull.receive();
    parentPort?.postMessage("waits");
    await received;
  },
};

await jobs[job]?.();
