/**
 * Request and reply: many questions at a time to one service, which may also say no.
 */
import { MsgError, ReplyError, RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

await using rep = new RepSocket(transport());
const endpoint = await rep.bind(address("squares"));
rep.serve(async (request) => {
  const number = Number(request.text());
  // What is thrown here is the error that the asker sees; any other error would stay private.
  if (Number.isNaN(number)) throw new ReplyError("NOT_A_NUMBER", `${request.text()} is none`);
  return String(number * number);
});

await using req = new ReqSocket(transport());
await req.connect(endpoint);

const reply = await req.request("12", { timeoutMs: 2_000 });
console.log(`12 squared is ${reply.text()}`);

// Requests need not wait for each other: all of these are under way at once.
const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1);
const replies = await Promise.all(numbers.map((number) => req.request(String(number))));
const sum = replies.reduce((total, squared) => total + Number(squared.text()), 0);
console.log(`the squares of 1 to ${numbers.length} add up to ${sum}`);

try {
  await req.request("a dozen");
} catch (error) {
  if (!MsgError.is(error, "MSG_REMOTE")) throw error;
  console.log(`the service refused: ${error.remoteCode}, ${error.message}`);
}

const { roundTrip, messagesSent } = req.stats();
console.log(
  `${messagesSent} requests, half of them answered within ${roundTrip.p50Ms.toFixed(2)} ms`,
);
