/** What speaks by the classes of zeromq.js, with their defaults: zeromq.js itself, and our layer for it. */
import type { Dealer, Publisher, Pull, Push, Reply, Request, Router, Subscriber } from "zeromq";
import type { Contender, Counter, OneWay, Place, PubSub, RequestReply } from "./contender.ts";

const topic = "bench";

/** The classes, of either library. */
export interface ZeromqClasses {
  readonly Dealer: new (options?: Limits) => SocketOf<Dealer>;
  readonly Publisher: new () => SocketOf<Publisher>;
  readonly Pull: new () => SocketOf<Pull>;
  readonly Push: new () => SocketOf<Push>;
  readonly Reply: new () => SocketOf<Reply>;
  readonly Request: new () => SocketOf<Request>;
  readonly Router: new (options?: Limits) => SocketOf<Router>;
  readonly Subscriber: new () => SocketOf<Subscriber>;
}

/** What both libraries have of a class, as far as it is used here. */
type SocketOf<S> = Pick<
  S,
  Extract<
    keyof S,
    | "bind"
    | "connect"
    | "lastEndpoint"
    | "receive"
    | "send"
    | "subscribe"
    | typeof Symbol.asyncIterator
  >
>;

/** As zeromq writes addresses. */
function urlOf({ transport, address }: Place): string {
  return transport === "ipc" ? `ipc://${address}` : `tcp://${address}`;
}

/** Port 0 is `*` there. */
function bindUrlOf(place: Place): string {
  return urlOf(place).replace(/:0$/, ":*");
}

function addressOf(socket: { readonly lastEndpoint: string | null }): string {
  return (socket.lastEndpoint ?? "").replace(/^[a-z]+:\/\//, "");
}

const oneWayOf = ({ Pull, Push }: ZeromqClasses): OneWay => ({
  async receive(place, counter) {
    const pull = new Pull();
    await pull.bind(bindUrlOf(place));
    void (async () => {
      for await (const [payload] of pull) counter.add(payload as Buffer);
    })();
    return addressOf(pull);
  },
  connect(place) {
    const push = new Push();
    push.connect(urlOf(place));
    return Promise.resolve(async (payload, counter) => {
      for (;;) {
        await push.send(payload);
        counter.messages += 1;
      }
    });
  },
});

/** Nothing tells a PUB that its subscribers are there. */
const subscribedWithinMs = 300;

const pubSubOf = ({ Publisher, Subscriber }: ZeromqClasses): PubSub => ({
  async publish(place) {
    const pub = new Publisher();
    await pub.bind(bindUrlOf(place));
    return {
      address: addressOf(pub),
      async start(payload, counter) {
        await new Promise((resolve) => setTimeout(resolve, subscribedWithinMs));
        void (async () => {
          for (;;) {
            await pub.send([topic, payload]);
            counter.messages += 1;
          }
        })();
      },
    };
  },
  subscribe(place, counter) {
    const sub = new Subscriber();
    sub.connect(urlOf(place));
    sub.subscribe(topic);
    void (async () => {
      for await (const [, payload] of sub) counter.add(payload as Buffer);
    })();
    return Promise.resolve();
  },
});

interface Limits {
  sendHighWaterMark?: number;
  receiveHighWaterMark?: number;
}

/** Over half of the default of 1,000, a ROUTER would drop what is under way. */
function limitsFor(inFlight: number): Limits {
  const limit = inFlight * 4;
  return inFlight <= 256 ? {} : { sendHighWaterMark: limit, receiveHighWaterMark: limit };
}

/** Requests of one DEALER are answered in their order by one ROUTER: the oldest waits for the next. */
async function connectDealer({ Dealer }: ZeromqClasses, place: Place, inFlight: number) {
  const dealer = new Dealer(limitsFor(inFlight));
  dealer.connect(urlOf(place));
  const waiting: ((answer: Buffer) => void)[] = [];
  let first = 0;
  void (async () => {
    for await (const [answer] of dealer) {
      waiting[first++]?.(answer as Buffer);
      if (first === 4096) {
        waiting.splice(0, first);
        first = 0;
      }
    }
  })();
  const unsent: Uint8Array[] = [];
  let isSending = false;
  // A socket takes one send at a time.
  const sendAll = async (): Promise<void> => {
    isSending = true;
    for (let next = unsent.shift(); next !== undefined; next = unsent.shift()) {
      await dealer.send(next);
    }
    isSending = false;
  };
  return {
    request(payload: Uint8Array): Promise<Buffer> {
      unsent.push(payload);
      if (!isSending) void sendAll();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    bytesOf: (answer: unknown) => (answer as Buffer).length,
  };
}

async function serveInTurn(
  { Reply }: ZeromqClasses,
  place: Place,
  counter: Counter,
): Promise<string> {
  const rep = new Reply();
  await rep.bind(bindUrlOf(place));
  void (async () => {
    for await (const [payload] of rep) {
      const request = payload as Buffer;
      counter.add(request);
      await rep.send(request);
    }
  })();
  return addressOf(rep);
}

const requestReplyOf = (classes: ZeromqClasses): RequestReply => ({
  async serve(place, counter, inFlight) {
    if (inFlight === 1) return serveInTurn(classes, place, counter);
    const router = new classes.Router(limitsFor(inFlight));
    await router.bind(bindUrlOf(place));
    void (async () => {
      for await (const frames of router) {
        counter.add(frames.at(-1) as Buffer);
        await router.send(frames);
      }
    })();
    return addressOf(router);
  },
  async connect(place, inFlight) {
    if (inFlight > 1) return connectDealer(classes, place, inFlight);
    const req = new classes.Request();
    req.connect(urlOf(place));
    return {
      async request(payload) {
        await req.send(payload);
        const [answer] = await req.receive();
        return answer;
      },
      bytesOf: (answer) => (answer as Buffer).length,
    };
  },
});

function firstMessage(from: string, place: Place): string {
  return `
    import { Request } from ${JSON.stringify(from)};
    const req = new Request();
    req.connect(${JSON.stringify(urlOf(place))});
    await req.send("hello");
    await req.receive();
    console.log("answered");
    req.close();
  `;
}

/** @param from - the module that has the classes. */
export function contenderOf(name: string, from: string, classes: ZeromqClasses): Contender {
  return {
    name,
    transports: ["tcp", "ipc"],
    oneWay: oneWayOf(classes),
    pubSub: pubSubOf(classes),
    requestReply: requestReplyOf(classes),
    firstMessage: (place) => firstMessage(from, place),
  };
}
