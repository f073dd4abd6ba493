// Answers every request with 1 KiB of its own memory, and watches its own.
import { RepSocket, Tcp } from "msg-ts";
import { onOrder, tell, usedBytes } from "./parent.ts";

const rep = new RepSocket(new Tcp());
let answered = 0;
rep.serve(() => Buffer.alloc(1_024, ++answered));
tell({ address: await rep.bind("127.0.0.1:0") });
const before = await usedBytes();

onOrder(() => void report());

async function report(): Promise<void> {
  const grownBytes = (await usedBytes()) - before;
  const { dropped } = rep.stats();
  tell({ grownBytes, answered, unread: dropped["unread-replies"] ?? 0 });
}
