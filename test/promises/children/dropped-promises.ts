// Drops every promise there is, of calls that fail in every way. Unhandled rejections are fatal.
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { Inproc, InprocHub, PubSocket, PullSocket, PushSocket } from "msg-ts";
import { RepSocket, ReqSocket, SubSocket } from "msg-ts";
import { tell } from "./parent.ts";

const hub = new InprocHub();
const transport = () => new Inproc(hub);
const aborted = AbortSignal.abort(new Error("no more"));
const soon = { timeoutMs: 10 };

const req = new ReqSocket(transport(), { maxQueued: 10 });
const rep = new RepSocket(transport());
const pub = new PubSocket(transport(), { whenSlow: "wait" });
const sub = new SubSocket(transport());
const push = new PushSocket(transport());
const pull = new PullSocket(transport());
const sockets = [req, rep, pub, sub, push, pull];

await rep.bind("taken");
for (const socket of sockets) {
  socket.on("error", () => {});
  void socket.ready(soon);
  void socket.ready({ signal: aborted });
  void socket.ready();
  void socket.once("connected", soon);
  void socket.once("connected", { signal: aborted });
  void socket.once("connected");
  if (socket !== rep) void socket.bind("taken");
  void socket.unbind("nowhere");
  void socket.connect("nowhere");
}
for (let i = 0; i < 20; i++) void req.request("too many", soon);
void req.request("none", { failFast: true });
void req.request("aborted", { signal: aborted });
for (const socket of [rep, sub, pull]) {
  void socket.receive(soon);
  void socket.receive({ signal: aborted });
  void socket.receive();
  void socket[Symbol.asyncIterator]().next();
  void socket.batches().next();
}
void pub.waitForSubscriber("a", soon);
void pub.waitForSubscriber("a", { signal: aborted });
void pub.waitForSubscriber("a");
void pub.publish("a", "b", { signal: aborted });
void sub.subscribe("a", soon);
void sub.subscribe("a", { signal: aborted });
void sub.subscribe("a");
void push.send("a");
void push.send("a", { signal: aborted });
await setTimeout(200);
for (const socket of sockets) {
  void socket.close({ lingerMs: 10 });
  void socket.close();
}
await setTimeout(500);
tell({ hasSurvived: true });
process.disconnect();
