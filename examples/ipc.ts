/**
 * IPC between processes of one machine: a socket file that only its owner may use, three clients.
 */
import { stat } from "node:fs/promises";
import type { Request } from "msg-ts";
import { Ipc, RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions, socketPath } from "./support/options.ts";

const { name } = exampleOptions();
if (name !== "ipc") console.log(`this example is about ipc: it does not use ${name}`);

const path = socketPath("clients");
// Named pipes of Windows have no permissions of this kind.
const hasModes = process.platform !== "win32";
const clientCount = 3;

const rep = new RepSocket(new Ipc(hasModes ? { mode: 0o600 } : {}));
await rep.bind(path);
if (hasModes) {
  const { mode } = await stat(path);
  console.log(`the socket file has mode ${(mode & 0o777).toString(8)}: its owner alone connects`);
}

async function ask(client: number): Promise<string> {
  await using req = new ReqSocket(new Ipc());
  await req.connect(path);
  return (await req.request(`client ${client}`)).text();
}

/** Answers nobody before all have asked: they are served side by side, not one after the other. */
async function answerAll(): Promise<void> {
  const waiting: Request[] = [];
  while (waiting.length < clientCount) waiting.push(await rep.receive());
  console.log(`${rep.peers.length} clients wait at the same time`);
  for (const request of waiting) request.respond(`hello, ${request.text()}`);
}

const clients = Array.from({ length: clientCount }, (_, index) => ask(index + 1));
const [, ...replies] = await Promise.all([answerAll(), ...clients]);
for (const reply of replies) console.log(reply);

await rep.close();
const isGone = await stat(path).then(
  () => false,
  () => true,
);
console.log(isGone ? "the socket file is gone" : "the socket file is still there");
