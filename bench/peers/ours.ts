/** This library: its public API, its defaults. */
import {
  Ipc,
  PubSocket,
  PullSocket,
  PushSocket,
  RepSocket,
  ReqSocket,
  SubSocket,
  Tcp,
} from "msg-ts";
import type { Compressor, Delivery, Message, PubOptions, Transport } from "msg-ts";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Contender, Counter, OneWay, Place, PubSub, RequestReply } from "./contender.ts";

const topic = "bench";

/** Makes the transport of one socket. */
export type TransportOf = (place: Place, end: "binds" | "connects") => Transport;

async function takeOneByOne(pull: PullSocket, counter: Counter): Promise<void> {
  for await (const job of pull) counter.add(job.payload);
}

async function takeBatches(pull: PullSocket, counter: Counter): Promise<void> {
  for await (const batch of pull.batches()) {
    for (const job of batch) counter.add(job.payload);
  }
}

async function sendAwaited(push: PushSocket, payload: Uint8Array, counter: Counter) {
  for (;;) {
    await push.send(payload);
    counter.messages += 1;
  }
}

async function sendAll(push: PushSocket, payload: Uint8Array, counter: Counter): Promise<void> {
  for (;;) {
    const waits = push.send(payload);
    counter.messages += 1;
    if (waits !== undefined) await waits;
  }
}

function deliveryOf(variant: string): Delivery {
  return variant === "at-most-once" ? "at-most-once" : "at-least-once";
}

const compressors: Readonly<Record<string, () => Compressor>> = {
  gzip: () => gzip({ level: 1 }),
  zstd: () => zstd(),
  snappy: () => snappy(),
  lz4: () => lz4(),
};

const oneWay = (transportOf: TransportOf): OneWay => ({
  compressors: ["plain", ...Object.keys(compressors)],
  variants: ["callback", "batches", "one-by-one", "at-most-once", "lent"],
  async receive(place, counter, variant) {
    const pull = new PullSocket(transportOf(place, "binds"), { delivery: deliveryOf(variant) });
    await pull.bind(place.address);
    if (variant === "batches") void takeBatches(pull, counter);
    else if (variant === "one-by-one") void takeOneByOne(pull, counter);
    else pull.consume((job) => counter.add(job.payload), { lend: variant === "lent" });
    return pull.address;
  },
  async connect(place, variant) {
    const push = new PushSocket(transportOf(place, "connects"), {
      delivery: deliveryOf(variant),
      compressor: compressors[variant]?.(),
    });
    await push.connect(place.address);
    await push.ready();
    const send = variant === "one-by-one" ? sendAwaited : sendAll;
    return (payload, counter) => send(push, payload, counter);
  },
});

async function publishAll(pub: PubSocket, payload: Uint8Array, counter: Counter): Promise<void> {
  for (;;) {
    const waits = pub.publish(topic, payload);
    counter.messages += 1;
    if (waits !== undefined) await waits;
  }
}

const pubSub = (transportOf: TransportOf): PubSub => ({
  // What a slow subscriber does: it loses messages, which is the default, or it holds us up.
  variants: ["drop", "wait"],
  async publish(place, subscribers, variant) {
    const options: PubOptions = variant === "wait" ? { whenSlow: "wait" } : {};
    const pub = new PubSocket(transportOf(place, "binds"), options);
    await pub.bind(place.address);
    return {
      address: pub.address,
      async start(payload, counter) {
        await pub.ready({ peers: subscribers });
        while (pub.stats().subscriptions < subscribers) await new Promise(setImmediate);
        void publishAll(pub, payload, counter);
      },
    };
  },
  async subscribe(place, counter) {
    const sub = new SubSocket(transportOf(place, "connects"));
    await sub.connect(place.address);
    sub.consume((message) => counter.add(message.payload));
    await sub.subscribe(topic);
  },
});

const requestReply = (transportOf: TransportOf): RequestReply => ({
  async serve(place, counter) {
    const rep = new RepSocket(transportOf(place, "binds"));
    await rep.bind(place.address);
    rep.serve((request) => {
      counter.add(request.payload);
      return request.payload;
    });
    return rep.address;
  },
  async connect(place) {
    const req = new ReqSocket(transportOf(place, "connects"));
    await req.connect(place.address);
    await req.ready();
    return {
      request: (payload) => req.request(payload),
      bytesOf: (answer) => (answer as Message).payload.length,
    };
  },
});

function firstMessage({ transport, address }: Place): string {
  const name = transport === "ipc" ? "Ipc" : "Tcp";
  return `
    import { ReqSocket, ${name} } from "msg-ts";
    const req = new ReqSocket(new ${name}());
    await req.connect(${JSON.stringify(address)});
    await req.request("hello");
    console.log("answered");
    await req.close();
  `;
}

/** This library over a transport of its own. */
export function oursOver(
  name: string,
  transports: Contender["transports"],
  transportOf: TransportOf,
): Contender {
  return {
    name,
    transports,
    oneWay: oneWay(transportOf),
    pubSub: pubSub(transportOf),
    requestReply: requestReply(transportOf),
  };
}

/** This library. */
export const contender: Contender = {
  ...oursOver("ours", ["tcp", "ipc"], ({ transport }) =>
    transport === "ipc" ? new Ipc() : new Tcp(),
  ),
  firstMessage,
};
