/** The fastest way that was found through `node:net`, without what makes it a library. */
import type { Asker, Contender, Counter, OneWay, RequestReply } from "./contender.ts";
import type { PrototypeLink } from "./prototype-link.ts";
import { dialPrototype, listenPrototype } from "./prototype-link.ts";

async function sendAll(link: PrototypeLink, payload: Uint8Array, counter: Counter): Promise<void> {
  for (;;) {
    const hasRoom = link.send(0, payload);
    counter.messages += 1;
    if (!hasRoom) await link.room();
  }
}

async function sendAwaited(link: PrototypeLink, payload: Uint8Array, counter: Counter) {
  for (;;) {
    await (link.send(0, payload) ? undefined : link.room());
    counter.messages += 1;
  }
}

/** An iterator of its own: an async generator costs three times as much. */
class Inbox implements AsyncIterableIterator<Buffer> {
  #taken: Buffer[] = [];
  #arrived: Buffer[] = [];
  #next = 0;
  #wake: (() => void) | undefined;

  push(payload: Buffer): void {
    this.#arrived.push(payload);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  // Not an async function: what is there is given without a promise of its own.
  next(): Promise<IteratorResult<Buffer>> {
    const value = this.#taken[this.#next];
    if (value === undefined) return this.#wait();
    this.#next += 1;
    return { value, done: false } as unknown as Promise<IteratorResult<Buffer>>;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(): Promise<IteratorResult<Buffer>> {
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#taken = this.#arrived;
    this.#arrived = [];
    this.#next = 1;
    return { value: this.#taken[0] as Buffer, done: false };
  }
}

const oneWay: OneWay = {
  variants: ["callback", "one-by-one"],
  receive(place, counter, variant) {
    return listenPrototype(place, (link) => {
      if (variant === "callback") {
        link.onFrame = (_id, payload) => counter.add(payload);
        return;
      }
      const inbox = new Inbox();
      link.onFrame = (_id, payload) => inbox.push(payload);
      void (async () => {
        for await (const payload of inbox) counter.add(payload);
      })();
    });
  },
  async connect(place, variant) {
    const link = await dialPrototype(place);
    const send = variant === "callback" ? sendAll : sendAwaited;
    return (payload, counter) => send(link, payload, counter);
  },
};

/** Requests by their id, in a ring that is larger than what is ever under way. */
class Pending {
  readonly #mask: number;
  readonly #resolvers: (((answer: Buffer) => void) | undefined)[];
  #lastId = 0;
  readonly #executor: (resolve: (answer: Buffer) => void) => void = (resolve) => {
    this.#resolvers[this.#lastId & this.#mask] = resolve;
  };

  constructor(size: number) {
    this.#mask = size - 1;
    this.#resolvers = Array.from({ length: size });
  }

  get lastId(): number {
    return this.#lastId;
  }

  add(): Promise<Buffer> {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return new Promise(this.#executor);
  }

  settle(id: number, answer: Buffer): void {
    const slot = id & this.#mask;
    const resolve = this.#resolvers[slot];
    this.#resolvers[slot] = undefined;
    resolve?.(answer);
  }
}

const requestReply: RequestReply = {
  serve(place, counter) {
    return listenPrototype(place, (link) => {
      link.onFrame = (id, payload) => {
        counter.add(payload);
        link.send(id, payload);
      };
    });
  },
  async connect(place): Promise<Asker> {
    const pending = new Pending(8_192);
    const link = await dialPrototype(place, (id, answer) => pending.settle(id, answer));
    return {
      request(payload) {
        const answer = pending.add();
        link.send(pending.lastId, payload);
        return answer;
      },
      bytesOf: (answer) => (answer as Buffer).length,
    };
  },
};

/** What a library could reach at the most. */
export const contender: Contender = {
  name: "prototype",
  transports: ["tcp", "ipc"],
  oneWay,
  requestReply,
};
