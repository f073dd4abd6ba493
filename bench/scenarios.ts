/** What is measured, through the public API and with default options. */
import { createConnection, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import type { Transport } from "msg-ts";

/** Both ends of a scenario. Each calls `onMessage` for every message it counts. */
export interface Scenario {
  /** Binds, starts counting, and gives the address. */
  receive(transport: Transport, address: string, onMessage: () => void): Promise<string>;
  /** Connects and sends without end, in the background. */
  send(
    transport: Transport,
    address: string,
    sizeBytes: number,
    onMessage: () => void,
  ): Promise<void>;
}

/** How many messages go between two looks at the event loop of a loop that never waits. */
const burst = 256;

function requests(inFlight: number): Scenario {
  return {
    async receive(transport, address, onMessage) {
      const rep = new RepSocket(transport);
      await rep.bind(address);
      rep.serve((request) => {
        onMessage();
        return request.payload;
      });
      return rep.address;
    },
    async send(transport, address, sizeBytes, onMessage) {
      const req = new ReqSocket(transport);
      await req.connect(address);
      await req.ready();
      const payload = Buffer.alloc(sizeBytes, 1);
      const ask = async (): Promise<never> => {
        for (;;) {
          await req.request(payload);
          onMessage();
        }
      };
      for (let i = 0; i < inFlight; i++) void ask();
    },
  };
}

function jobs(consume: (pull: PullSocket, onMessage: () => void) => void): Scenario {
  return {
    async receive(transport, address, onMessage) {
      const pull = new PullSocket(transport);
      await pull.bind(address);
      consume(pull, onMessage);
      return pull.address;
    },
    async send(transport, address, sizeBytes, onMessage) {
      const push = new PushSocket(transport);
      await push.connect(address);
      await push.ready();
      const payload = Buffer.alloc(sizeBytes, 1);
      void (async () => {
        for (;;) {
          const waits = push.send(payload);
          onMessage();
          if (waits !== undefined) await waits;
        }
      })();
    },
  };
}

async function countOneByOne(pull: PullSocket, onMessage: () => void): Promise<void> {
  for await (const job of pull) if (job.deliveryCount > 0) onMessage();
}

async function countBatches(pull: PullSocket, onMessage: () => void): Promise<void> {
  for await (const batch of pull.batches()) {
    for (let i = 0; i < batch.length; i++) onMessage();
  }
}

const publishing: Scenario = {
  async receive(transport, address, onMessage) {
    const sub = new SubSocket(transport);
    await sub.bind(address);
    void sub.subscribe("bench");
    sub.consume(onMessage);
    return sub.address;
  },
  async send(transport, address, sizeBytes, onMessage) {
    const pub = new PubSocket(transport, { whenSlow: "wait" });
    await pub.connect(address);
    await pub.waitForSubscriber("bench");
    const payload = Buffer.alloc(sizeBytes, 1);
    void (async () => {
      for (;;) {
        const waits = pub.publish("bench", payload);
        onMessage();
        if (waits !== undefined) await waits;
      }
    })();
  },
};

/** The floor for round trips: `node:net` alone, one write answered by one write. */
const rawEcho: Scenario = {
  receive(_transport, _address, onMessage) {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("data", (chunk) => {
        onMessage();
        socket.write(chunk);
      });
    });
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`);
      });
    });
  },
  send(_transport, address, sizeBytes, onMessage) {
    const [host = "", port = ""] = address.split(":");
    const payload = Buffer.alloc(sizeBytes, 1);
    const socket = createConnection({ host, port: Number(port), noDelay: true }, () => {
      socket.write(payload);
    });
    socket.on("data", () => {
      onMessage();
      socket.write(payload);
    });
    return Promise.resolve();
  },
};

/** The floor for one-way rates: `node:net` alone, frames of the size gathered by hand. */
const rawStream: Scenario = {
  receive(_transport, _address, onMessage) {
    let rest = 0;
    let sizeBytes = 0;
    const server = createServer((socket) => {
      socket.on("data", (chunk) => {
        // The first frame's length tells the size: what counts is the number of frames.
        if (sizeBytes === 0) sizeBytes = chunk.readUInt32BE(0);
        rest += chunk.length;
        for (; rest >= sizeBytes; rest -= sizeBytes) onMessage();
      });
    });
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`);
      });
    });
  },
  send(_transport, address, sizeBytes, onMessage) {
    const [host = "", port = ""] = address.split(":");
    const frameBytes = sizeBytes + 10;
    const batch = Buffer.alloc(frameBytes * burst, 1);
    for (let i = 0; i < burst; i++) batch.writeUInt32BE(frameBytes, i * frameBytes);
    const socket = createConnection({ host, port: Number(port) }, fill);
    function fill(): void {
      let hasRoom = true;
      while (hasRoom) {
        hasRoom = socket.write(batch);
        for (let i = 0; i < burst; i++) onMessage();
      }
      socket.once("drain", fill);
    }
    return Promise.resolve();
  },
};

/** Every scenario by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "req-rep-1": requests(1),
  "req-rep-64": requests(64),
  "req-rep-256": requests(256),
  "push-pull-callback": jobs((pull, onMessage) => void pull.consume(onMessage)),
  "push-pull-batches": jobs((pull, onMessage) => void countBatches(pull, onMessage)),
  "push-pull-one-by-one": jobs((pull, onMessage) => void countOneByOne(pull, onMessage)),
  "pub-sub-1": publishing,
  "raw-echo": rawEcho,
  "raw-stream": rawStream,
};

/** Their names, for the usage line. */
export const scenarioNames: readonly string[] = Object.keys(scenarios);
