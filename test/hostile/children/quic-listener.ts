/** Listens over QUIC, answers requests, and tells its memory when it is asked. */
import process from "node:process";
import { Quic, RepSocket } from "msg-ts";

const compat = process.argv[2] === "msg-rs" ? "msg-rs" : undefined;
const transport = new Quic({ compat });
const rep = new RepSocket(transport);
rep.serve((request) => request.payload);
const address = await rep.bind("127.0.0.1:0");
process.send?.({ address, pin: transport.pin });
process.on("message", () => {
  process.send?.({ residentBytes: process.memoryUsage.rss() });
});
