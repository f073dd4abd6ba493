// Uses all six sockets over a transport, closes them, and must then end by itself.
import process from "node:process";
import type { Transport } from "msg-ts";
import {
  Inproc,
  InprocHub,
  Ipc,
  PubSocket,
  PullSocket,
  PushSocket,
  RepSocket,
  ReqSocket,
  SubSocket,
  Tcp,
} from "msg-ts";
import { tell } from "./parent.ts";

const [name = "tcp", folder = ""] = process.argv.slice(2);
const hub = new InprocHub();
let count = 0;

function transport(): Transport {
  if (name === "tcp") return new Tcp();
  return name === "ipc" ? new Ipc() : new Inproc(hub);
}

function address(): string {
  if (name === "tcp") return "127.0.0.1:0";
  return name === "ipc" ? `${folder}/${++count}.sock` : `socket-${++count}`;
}

const req = new ReqSocket(transport());
const rep = new RepSocket(transport());
const pub = new PubSocket(transport());
const sub = new SubSocket(transport());
const push = new PushSocket(transport());
const pull = new PullSocket(transport());
const sockets = [req, rep, pub, sub, push, pull];

rep.serve((request) => request.payload);
await req.connect(await rep.bind(address()));
await sub.connect(await pub.bind(address()));
await pull.connect(await push.bind(address()));
// What never comes must keep nobody.
for (const socket of sockets) await socket.connect(name === "tcp" ? "127.0.0.1:1" : address());
void req.ready({ timeoutMs: 60_000 });
void sub.receive();
void pub.waitForSubscriber("nobody", { timeoutMs: 60_000 });

await req.request("hello", { timeoutMs: 15_000 });
await sub.subscribe("a", { timeoutMs: 15_000 }).catch(() => {});
await pub.waitForSubscriber("a", { timeoutMs: 15_000 });
await pub.publish("a", "hello");
const consumer = pull.consume(() => {});
await push.send("job");
await consumer.stop();

await Promise.all(sockets.map((socket) => socket.close()));
tell({ isClosed: true });
process.disconnect();
