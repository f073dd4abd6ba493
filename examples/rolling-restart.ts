/**
 * A rolling restart: three servers are replaced one after the other, and no request fails.
 */
import { setTimeout } from "node:timers/promises";
import { RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, knownAddress } = exampleOptions();
const names = ["red", "green", "blue"];
const endpoints = await Promise.all(names.map((name) => knownAddress(name)));

async function start(index: number, version: number): Promise<RepSocket> {
  const rep = new RepSocket(transport());
  rep.serve(async () => {
    await setTimeout(2);
    return `${names[index]} ${version}`;
  });
  await rep.bind(endpoints[index] ?? "");
  return rep;
}

const servers = await Promise.all(names.map((_, index) => start(index, 1)));

const req = new ReqSocket(transport(), { reconnect: { minDelayMs: 10, maxDelayMs: 50 } });
req.on("draining", () => console.log("client: a server says goodbye, others get the requests"));
for (const endpoint of endpoints) await req.connect(endpoint);
await req.ready({ peers: 3 });

let asked = 0;
let failed = 0;
const answers = new Set<string>();
const over = new AbortController();
const asking = (async () => {
  while (!over.signal.aborted) {
    const requests = Array.from({ length: 10 }, () => req.request(`${asked++}`));
    for (const result of await Promise.allSettled(requests)) {
      if (result.status === "fulfilled") answers.add(result.value.text());
      else failed++;
    }
  }
})();

// In real life each of these is a process, and this is what it does on SIGTERM.
for (const [index, server] of servers.entries()) {
  await setTimeout(50);
  const { isComplete } = await server.drain({ timeoutMs: 10_000 });
  console.log(`${names[index]}: drained${isComplete ? ", nothing left" : ""}`);
  servers[index] = await start(index, 2);
  await req.ready({ peers: 3 });
}

const newOnes = (): string[] => names.filter((name) => answers.has(`${name} 2`));
const hasSeenAll = (): boolean => newOnes().length === names.length && asked > 100;
while (!hasSeenAll()) await setTimeout(10);
over.abort();
await asking;
console.log(`${newOnes().join(", ")} of version 2 answer`);
console.log(`${failed} of more than 100 requests failed: ${asked > 100}`);

await req.close();
for (const server of servers) await server.close();
