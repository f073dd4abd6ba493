/**
 * Sockets of libzmq, as the npm package zeromq has them, for the scenes of this folder. Each line on
 * the input is a call in JSON, each line on the output its answer: README.md says which.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import * as zmq from "zeromq";
import { numbered, numberOf } from "../numbered.ts";

interface Call {
  readonly n: number;
  readonly op: string;
  readonly id: string;
  readonly [field: string]: unknown;
}

/** All that any of them can do. */
interface AnySocket {
  bind(address: string): Promise<void>;
  connect(address: string): void;
  send(parts: readonly Uint8Array[]): Promise<void>;
  receive(): Promise<Buffer[]>;
  subscribe(prefix: string): void;
  unsubscribe(prefix: string): void;
  close(): void;
  readonly lastEndpoint: string | null;
  [option: string]: unknown;
}

const classes: Readonly<Record<string, new () => unknown>> = {
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
  PUSH: zmq.Push,
  PULL: zmq.Pull,
  PAIR: zmq.Pair,
};

const sockets = new Map<string, AnySocket>();
const probing = new Set<string>();
let allowedKey: string | undefined;

const text = (parts: readonly Uint8Array[]): string[] =>
  parts.map((part) => Buffer.from(part).toString("latin1"));
const bytes = (parts: readonly string[]): Buffer[] =>
  parts.map((part) => Buffer.from(part, "latin1"));

function secure(socket: AnySocket, security: Readonly<Record<string, string>>): void {
  const isServer = security["role"] === "server";
  if (security["name"] === "plain") {
    if (isServer) Object.assign(socket, { plainServer: true, zapDomain: "global" });
    else {
      const { username: plainUsername, password: plainPassword } = security;
      Object.assign(socket, { plainUsername, plainPassword });
    }
  }
  if (security["name"] !== "curve") return;
  const { publicKey, secretKey, serverKey } = security;
  Object.assign(socket, { curvePublicKey: publicKey, curveSecretKey: secretKey });
  if (isServer) Object.assign(socket, { curveServer: true, zapDomain: "global" });
  else socket["curveServerKey"] = serverKey;
}

async function open(call: Call): Promise<object> {
  const SocketClass = classes[String(call["type"])];
  if (SocketClass === undefined) throw new Error(`no type ${String(call["type"])}`);
  const socket = new SocketClass() as AnySocket;
  const options = (call["options"] ?? {}) as Readonly<Record<string, unknown>>;
  socket["linger"] = 0;
  if (options["identity"] !== undefined) socket["routingId"] = options["identity"];
  if (options["hwm"] !== undefined) {
    for (const name of ["sendHighWaterMark", "receiveHighWaterMark"]) {
      if (name in socket) socket[name] = options["hwm"];
    }
  }
  if (options["heartbeatMs"] !== undefined) {
    socket["heartbeatInterval"] = options["heartbeatMs"];
    socket["heartbeatTimeout"] = options["heartbeatTimeoutMs"];
    socket["heartbeatTimeToLive"] = options["heartbeatTtlMs"] ?? 0;
  }
  if (options["verbose"] === true) socket["verbosity"] = "allSubs";
  if (options["reconnectMs"] !== undefined) socket["reconnectInterval"] = options["reconnectMs"];
  secure(socket, (options["security"] ?? {}) as Readonly<Record<string, string>>);
  sockets.set(call.id, socket);
  if (typeof call["bind"] === "string") await socket.bind(call["bind"]);
  if (typeof call["connect"] === "string") socket.connect(call["connect"]);
  return { address: typeof call["bind"] === "string" ? socket.lastEndpoint : "" };
}

async function echo(socket: AnySocket): Promise<void> {
  for (;;) await socket.send(await socket.receive());
}

async function probe(socket: AnySocket, id: string, topic: string): Promise<void> {
  probing.add(id);
  while (probing.has(id)) {
    await socket.send([Buffer.from(topic), Buffer.from("probe")]);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function receiveMany(socket: AnySocket, call: Call): Promise<object> {
  let wrong = 0;
  let expected = Number(call["first"] ?? 0);
  for (let seen = 0; seen < Number(call["count"]);) {
    const last = (await socket.receive()).at(-1) ?? Buffer.alloc(0);
    const number = numberOf(last);
    if (number === undefined && last.toString() === "probe") continue;
    if (number === undefined || (call["unordered"] !== true && number !== expected)) wrong++;
    seen++;
    expected++;
  }
  return { wrong };
}

async function ask(socket: AnySocket, call: Call): Promise<object> {
  let right = 0;
  const head = bytes((call["head"] ?? []) as string[]);
  for (let number = 0; number < Number(call["count"]); number++) {
    const sent = [...head, numbered(number, Number(call["size"]))];
    await socket.send(sent);
    const parts = await socket.receive();
    if (Buffer.concat(parts).equals(Buffer.concat(sent)) && parts.length === sent.length) right++;
  }
  return { right };
}

async function run(call: Call): Promise<object> {
  if (call.op === "version") return { version: `zeromq 6.8.0, libzmq ${zmq.version}` };
  if (call.op === "allow") {
    allowedKey = String(call["key"]);
    return {};
  }
  if (call.op === "open") return open(call);
  const socket = sockets.get(call.id);
  if (socket === undefined) throw new Error(`no socket ${call.id}`);
  switch (call.op) {
    case "send":
      await socket.send(bytes(call["parts"] as string[]));
      return {};
    case "receive":
      return { parts: text(await socket.receive()) };
    case "echo":
      void echo(socket).catch(() => {});
      return {};
    case "probe":
      void probe(socket, call.id, String(call["topic"])).catch(() => {});
      return {};
    case "stop":
      probing.delete(call.id);
      return {};
    case "sendMany": {
      const head = bytes((call["head"] ?? []) as string[]);
      const first = Number(call["first"] ?? 0);
      for (let number = first; number < first + Number(call["count"]); number++) {
        await socket.send([...head, numbered(number, Number(call["size"]))]);
      }
      return {};
    }
    case "receiveMany":
      return receiveMany(socket, call);
    case "ask":
      return ask(socket, call);
    case "subscribe":
      subscription(socket, call, true);
      return {};
    case "unsubscribe":
      subscription(socket, call, false);
      return {};
    case "connect":
      socket.connect(String(call["address"]));
      return {};
    case "close":
      socket.close();
      sockets.delete(call.id);
      return {};
    default:
      throw new Error(`no op ${call.op}`);
  }
}

function subscription(socket: AnySocket, call: Call, isSubscribe: boolean): void {
  const prefix = String(call["prefix"]);
  if (isSubscribe) socket.subscribe(prefix);
  else socket.unsubscribe(prefix);
}

/** Lets in admin with his password, and the allowed key, or any. */
async function serveZap(): Promise<void> {
  const zap = new zmq.Reply();
  await zap.bind("inproc://zeromq.zap.01");
  for await (const frames of zap) {
    const [version, id, , , , mechanism, ...credentials] = frames;
    let isAllowed = true;
    if (String(mechanism) === "PLAIN") {
      isAllowed = credentials.map(String).join(" ") === "admin secret";
    } else if (String(mechanism) === "CURVE" && allowedKey !== undefined) {
      isAllowed = credentials[0]?.toString("hex") === allowedKey;
    }
    const verdict = isAllowed ? ["200", "OK", "someone", ""] : ["400", "no", "", ""];
    await zap.send([version ?? "1.0", id ?? "", ...verdict]);
  }
}

async function answer(call: Call): Promise<void> {
  let result: object;
  try {
    result = await run(call);
  } catch (error) {
    result = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify({ n: call.n, ...result })}\n`);
}

void serveZap();
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => void answer(JSON.parse(line) as Call));
lines.on("close", () => process.exit(0));
