/**
 * A service that Python asks through ZeroMQ: pyzmq where it is installed, else this process itself.
 */
import { RepSocket, ReplyError } from "msg-ts";
import { zmtp } from "@msg-ts/zmtp";
import { exampleOptions } from "./support/options.ts";
import { clientOf } from "./support/zeromq-client.ts";

const { name, transport, address } = exampleOptions();
const shared = transport();

await using rep = new RepSocket(shared, { protocol: zmtp() });
rep.on("connected", ({ peer }) => console.log(`service: a client over ${peer.transport}`));
rep.serve((request) => {
  const numbers = request.parts.map((part) => Number(Buffer.from(part).toString()));
  if (numbers.some(Number.isNaN)) throw new ReplyError("NOT_A_NUMBER", "only numbers have a sum");
  return String(numbers.reduce((sum, number) => sum + number, 0));
});
const endpoint = await rep.bind(address("sums"));

await using client = clientOf(name, endpoint, shared);
console.log(`client: ${client.name}`);
// A request may have several parts: a part for each number.
console.log(`client: 1 + 2 + 39 is ${(await client.ask(["1", "2", "39"])).join(" ")}`);
// ZMTP knows no errors: a REP of ours says so in three parts.
console.log(`client: one + two is ${(await client.ask(["one", "two"])).join(", ")}`);
