/** Answers one request, and then waits for another until it is terminated. */
import { parentPort } from "node:worker_threads";
import { Reply } from "@msg-ts/zmtp/compat";

const reply = new Reply();
await reply.bind("tcp://127.0.0.1:*");
parentPort?.postMessage(reply.lastEndpoint);
await reply.send(await reply.receive());
const waiting = reply.receive();
parentPort?.postMessage("waits");
await waiting;
