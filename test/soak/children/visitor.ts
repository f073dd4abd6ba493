/** Somebody who asks all the time, and is killed. */
import { ReqSocket, Tcp } from "msg-ts";
import { onOrders, settings, tellReady } from "../../faults/child-side.ts";

const req = new ReqSocket(new Tcp());
const counts = { answered: 0 };

async function ask(): Promise<void> {
  for (;;) {
    await req.request(Buffer.alloc(1_000, counts.answered)).catch(() => {});
    counts.answered++;
  }
}

await req.connect(String(settings()));
for (let count = 0; count < 8; count++) void ask();
onOrders({});
tellReady({}, () => counts);
