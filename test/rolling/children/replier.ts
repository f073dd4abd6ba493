// Answers on a port, each question after up to `workMs`; drains when it is asked to end.
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { RepSocket, Tcp } from "msg-ts";
import { onTerm, tell } from "./parent.ts";

const [address = "", workMs = "2"] = process.argv.slice(2);

const rep = new RepSocket(new Tcp());
rep.serve(
  async (request) => {
    await setTimeout(Math.random() * Number(workMs));
    return request.payload;
  },
  { concurrency: 32 },
);
onTerm(async () => tell(await rep.drain({ timeoutMs: 10_000 })));
await rep.bind(address);
tell({ isReady: true });
