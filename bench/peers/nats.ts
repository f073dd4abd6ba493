/** nats.js, through a nats-server of its own: every message goes over two connections. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import { connect } from "@nats-io/transport-node";
import { EndProcess } from "../harness/child-process.ts";
import type { Broker, Contender, OneWay, Place, PubSub, RequestReply } from "./contender.ts";

const subject = "bench";
/** A flush waits for the server: as rarely as it may be without filling memory. */
const flushMessages = 1_000;
const flushBytes = 1_048_576;
const startsWithinMs = 10_000;

/** Debian puts it where only root looks. */
const path = `${process.env["PATH"]}:/usr/sbin`;

/** It says its process id, and takes the server along when its input ends. */
const keeper = 'nats-server "$@" >/dev/null 2>&1 & echo "{\\"pid\\":$!}"; read -r _; kill $!';

async function startBroker(): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-bench-"));
  const args = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder];
  const command = ["env", `PATH=${path}`, "sh", "-c", keeper, "sh", ...args];
  const server = new EndProcess("nats-server", command, folder);
  try {
    const { pid } = await server.next();
    return {
      pid: Number(pid),
      address: await portsOf(folder),
      async stop() {
        server.endInput();
        await server.closed;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await server.kill();
    throw error;
  }
}

/** The server writes its ports into a file when it listens. */
async function portsOf(folder: string): Promise<string> {
  const deadline = performance.now() + startsWithinMs;
  while (performance.now() < deadline) {
    const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8");
    const [, address] = /"nats:\/\/([^"]+)"/.exec(text) ?? [];
    if (address !== undefined) return address;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nats-server does not listen within ${startsWithinMs} ms`);
}

function dial({ address }: Place): Promise<NatsConnection> {
  return connect({ servers: address, reconnect: false });
}

async function publishAll(
  nats: NatsConnection,
  payload: Uint8Array,
  counter: { messages: number },
): Promise<void> {
  const most = Math.max(1, Math.min(flushMessages, Math.floor(flushBytes / payload.length)));
  for (;;) {
    for (let message = 0; message < most; message++) nats.publish(subject, payload);
    counter.messages += most;
    await nats.flush();
  }
}

const oneWay: OneWay = {
  async receive(place, counter) {
    await pubSub.subscribe(place, counter);
    return place.address;
  },
  async connect(place) {
    const nats = await dial(place);
    return (payload, counter) => publishAll(nats, payload, counter);
  },
};

const pubSub: PubSub = {
  publish(place) {
    return Promise.resolve({
      address: place.address,
      async start(payload, counter) {
        void publishAll(await dial(place), payload, counter);
      },
    });
  },
  async subscribe(place, counter) {
    const nats = await dial(place);
    nats.subscribe(subject, { callback: (_error, message) => counter.add(message.data) });
    await nats.flush();
  },
};

const requestReply: RequestReply = {
  async serve(place, counter) {
    const nats = await dial(place);
    nats.subscribe(subject, {
      callback(_error, message) {
        counter.add(message.data);
        message.respond(message.data);
      },
    });
    await nats.flush();
    return place.address;
  },
  async connect(place) {
    const nats = await dial(place);
    return {
      request: (payload) => nats.request(subject, payload, { timeout: 10_000 }),
      bytesOf: (answer) => (answer as { data: Uint8Array }).data.length,
    };
  },
};

function firstMessage({ address }: Place): string {
  return `
    import { connect } from "@nats-io/transport-node";
    const nats = await connect({ servers: ${JSON.stringify(address)} });
    await nats.request("${subject}", "hello");
    console.log("answered");
    await nats.close();
  `;
}

/** nats.js with a broker. */
export const contender: Contender = {
  name: "nats",
  transports: ["tcp"],
  missing() {
    const found = spawnSync("nats-server", ["--version"], { env: { ...process.env, PATH: path } });
    return found.error === undefined
      ? undefined
      : "nats-server is not there: apt install nats-server";
  },
  startBroker,
  oneWay,
  pubSub,
  requestReply,
  firstMessage,
};
