import type { Compressor, Payload, Transport } from "msg-ts";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import { closing, patienceMs } from "./sockets.ts";

/** What a socket of the matrix can do, whatever its pattern. */
interface Endpoint {
  bind(address: string): Promise<string>;
  connect(address: string): Promise<void>;
  close(options?: { readonly lingerMs?: number }): Promise<unknown>;
}

/** Both ends of a pattern. */
interface Pair {
  /** The end that asks, publishes or pushes. */
  readonly sender: Endpoint;
  /** The end that answers, subscribes or pulls. */
  readonly receiver: Endpoint;
  /** Sends a payload through the pattern; gives what arrives. */
  roundTrip(payload: Payload): Promise<Uint8Array>;
}

interface Ends {
  readonly transport: Transport;
  readonly compressor: Compressor | undefined;
}

/** One row of the matrix. */
export interface PatternRow {
  readonly name: string;
  create(sender: Ends, receiver: Ends): Pair;
}

function options({ compressor }: Ends): { compressor?: Compressor } {
  return compressor === undefined ? {} : { compressor };
}

const timeoutMs = patienceMs;

/** Every pattern. A new one adds its row. */
export const patterns: readonly PatternRow[] = [
  {
    name: "REQ/REP",
    create: (sender, receiver) => {
      const req = closing(new ReqSocket(sender.transport, { ...options(sender), timeoutMs }));
      const rep = closing(new RepSocket(receiver.transport, options(receiver)));
      rep.serve((request) => request.payload);
      return {
        sender: req,
        receiver: rep,
        roundTrip: async (payload) => (await req.request(payload)).payload,
      };
    },
  },
  {
    name: "PUB/SUB",
    create: (sender, receiver) => {
      const pub = closing(new PubSocket(sender.transport, options(sender)));
      const sub = closing(new SubSocket(receiver.transport, options(receiver)));
      void sub.subscribe("prices.*");
      return {
        sender: pub,
        receiver: sub,
        roundTrip: async (payload) => {
          await pub.waitForSubscriber("prices.eth", { timeoutMs });
          await pub.publish("prices.eth", payload);
          return (await sub.receive({ timeoutMs })).payload;
        },
      };
    },
  },
  {
    name: "PUSH/PULL",
    create: (sender, receiver) => {
      const push = closing(new PushSocket(sender.transport, options(sender)));
      const pull = closing(new PullSocket(receiver.transport, options(receiver)));
      return {
        sender: push,
        receiver: pull,
        roundTrip: async (payload) => {
          const sent = push.send(payload);
          const job = await pull.receive({ timeoutMs });
          job.ack();
          await sent;
          return job.payload;
        },
      };
    },
  },
];
