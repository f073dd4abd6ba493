/**
 * One port for three dialects: a native client, a client that speaks msg-rs' bytes, and ZeroMQ.
 */
import { msg, RepSocket, ReqSocket } from "msg-ts";
import { zmtp } from "@msg-ts/zmtp";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();
const shared = transport();

// The first byte of each connection tells which of them it speaks.
await using rep = new RepSocket(shared, { protocols: [msg(), zmtp()] });
rep.serve((request) => `${request.text()}: you are served`);
const endpoint = await rep.bind(address("dialects"));

await using native = new ReqSocket(shared);
await native.connect(endpoint);
console.log((await native.request("native")).text());

// Anything that speaks ZMTP 3 may be here: C, Python, Go, zeromq.js.
await using zeromq = new ReqSocket(shared, { protocol: zmtp() });
await zeromq.connect(endpoint);
console.log((await zeromq.request("ZeroMQ")).text());

// What a REQ of msg-rs writes: 02, no flags, request number 7, the length, the payload.
const payload = Buffer.from("the bytes of msg-rs");
const header = Buffer.from([2, 0, 0, 0, 0, 7, 0, 0, 0, payload.length]);
const link = await shared.dial(endpoint, new AbortController().signal);
const answer = await new Promise<Buffer>((resolve) => {
  let received = Buffer.alloc(0);
  link.start({
    onData: (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 10 && received.length >= 10 + received.readUInt32BE(6))
        resolve(received);
    },
    onDrain: () => {},
    onEnd: () => {},
    onClose: () => {},
  });
  link.write([header, payload]);
});
link.destroy();
console.log(`${answer.subarray(10).toString()}, as request ${answer.readUInt32BE(2)}`);
console.log(`${rep.stats().messagesReceived} requests came through one door`);
