/**
 * Durable connections: a client that starts before its server, and a server restarted under it.
 */
import { RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, knownAddress } = exampleOptions();
const endpoint = await knownAddress("orders");

// A request waits for a server until its deadline. With `retry`, one that was under way when its
// server went is sent again: right for calls that may run twice.
const req = new ReqSocket(transport(), {
  timeoutMs: 10_000,
  retry: true,
  reconnect: { minDelayMs: 20, maxDelayMs: 200 },
});
req.on("connected", () => console.log("client: connected"));
req.on("disconnected", () => console.log("client: disconnected"));

await req.connect(endpoint);
const early = req.request("order 1");
const { error } = await req.once("retrying");
console.log(`client: nobody is there yet (${error.code}), order 1 waits`);

const first = new RepSocket(transport());
await first.bind(endpoint);
console.log("first server: started");
const order1 = await first.receive();
order1.respond(`${order1.text()} taken by the first server`);
console.log(`client: ${(await early).text()}`);

const interrupted = req.request("order 2");
const order2 = await first.receive();
await first.close({ lingerMs: 0 });
console.log(`first server: gone, with ${order2.text()} in hand`);

await using second = new RepSocket(transport());
await second.bind(endpoint);
console.log("second server: started");
second.serve((request) => `${request.text()} taken by the second server`);
console.log(`client: ${(await interrupted).text()}`);

await req.close();
const { connects, retries } = req.stats();
console.log(`client: connected ${connects} times, after ${retries} retries`);
