/** zeromq.js: libzmq 4.3.5 behind Node-API, its defaults. */
import { context, Dealer, Publisher, Pull, Push, Reply, Request, Router, Subscriber } from "zeromq";
import type { Contender, Counter, OneWay, Place, PubSub, RequestReply } from "./contender.ts";

const topic = "bench";

// 1,023 by default, which is less than some scenarios have in one process.
context.maxSockets = 16_384;

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

const oneWay: OneWay = {
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
};

/** Nothing tells a PUB that its subscribers are there. */
const subscribedWithinMs = 300;

const pubSub: PubSub = {
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
};

/** Over half of the default of 1,000, a ROUTER would drop what is under way. */
function limitsFor(inFlight: number): {
  sendHighWaterMark?: number;
  receiveHighWaterMark?: number;
} {
  const limit = inFlight * 4;
  return inFlight <= 256 ? {} : { sendHighWaterMark: limit, receiveHighWaterMark: limit };
}

/** Requests of one DEALER are answered in their order by one ROUTER: the oldest waits for the next. */
async function connectDealer(place: Place, inFlight: number) {
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

async function serveInTurn(place: Place, counter: Counter): Promise<string> {
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

const requestReply: RequestReply = {
  async serve(place, counter, inFlight) {
    if (inFlight === 1) return serveInTurn(place, counter);
    const router = new Router(limitsFor(inFlight));
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
    if (inFlight > 1) return connectDealer(place, inFlight);
    const req = new Request();
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
};

function firstMessage(place: Place): string {
  return `
    import { Request } from "zeromq";
    const req = new Request();
    req.connect(${JSON.stringify(urlOf(place))});
    await req.send("hello");
    await req.receive();
    console.log("answered");
    req.close();
  `;
}

/** zeromq.js. */
export const contender: Contender = {
  name: "zeromq",
  transports: ["tcp", "ipc"],
  oneWay,
  pubSub,
  requestReply,
  firstMessage,
};
