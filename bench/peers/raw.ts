/** The floor: bare `node:net` with the frames of this library's wire, written by hand. */
import type { OnReadOpts, Server, ServerOpts, Socket } from "node:net";
import { createConnection, createServer } from "node:net";
import type { Contender, Counter, OneWay, Place, PubSub, RequestReply } from "./contender.ts";

/** Of a request or a job. */
const headerBytes = 10;
/** Of a message with its topic, `bench`. */
const topicHeaderBytes = 25;
const batchBytes = 65_536;
const turnBytes = 262_144;

/** Listens, and gives the address that was bound. */
export function listen(
  place: Place,
  onSocket: (socket: Socket) => void,
  options: ServerOpts = {},
): Promise<string> {
  const server = createServer({ noDelay: true, ...options }, (socket) => {
    socket.on("error", () => socket.destroy());
    onSocket(socket);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...whereOf(place), backlog: 4096 }, () => {
      resolve(boundAddress(server));
    });
  });
}

/** What a {@link Place} is told. */
export function boundAddress(server: Pick<Server, "address">): string {
  const bound = server.address();
  return typeof bound === "object" ? `127.0.0.1:${bound?.port}` : bound;
}

/** Connects. */
export function dial(place: Place, onread?: OnReadOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { ...whereOf(place), noDelay: true, ...(onread && { onread }) };
    const socket = createConnection(options, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** A socket file or a port. */
export type Where = { readonly path: string } | { readonly host: string; readonly port: number };

/** As Node.js wants it. */
export function whereOf({ transport, address }: Place): Where {
  if (transport === "ipc") return { path: address };
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port) };
}

/** As many frames as fill 64 KiB, at least one. The length is the end of the header. */
function framesOf(
  payload: Uint8Array,
  most: number = Infinity,
  header: number = headerBytes,
): { bytes: Buffer; count: number } {
  const frameBytes = header + payload.length;
  const count = Math.min(most, Math.max(1, Math.floor(batchBytes / frameBytes)));
  const bytes = Buffer.alloc(count * frameBytes);
  for (let index = 0; index < count; index++) {
    const offset = index * frameBytes;
    bytes[offset] = 4;
    bytes.writeUInt32BE(index, offset + 2);
    bytes.writeUInt32BE(payload.length, offset + header - 4);
    bytes.set(payload, offset + header);
  }
  return { bytes, count };
}

/** Reads the length of each frame, and looks at nothing else. */
class FrameCounter {
  readonly #onFrame: (bytes: number) => void;
  readonly #header: Buffer;
  #headerFilled = 0;
  #length = 0;
  /** Bytes of the current payload that are still to come. */
  #payloadLeft = 0;

  constructor(onFrame: (bytes: number) => void, header: number = headerBytes) {
    this.#onFrame = onFrame;
    this.#header = Buffer.alloc(header);
  }

  onData(chunk: Buffer): void {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    const header = this.#header.length;
    const end = chunk.length;
    let offset = this.#finish(chunk);
    while (end - offset >= header) {
      const length = view.getUint32(offset + header - 4);
      const next = offset + header + length;
      if (next > end) {
        this.#length = length;
        this.#payloadLeft = next - end;
        return;
      }
      this.#onFrame(length);
      offset = next;
    }
    this.#headerFilled = chunk.copy(this.#header, 0, offset, end);
  }

  /** What belongs to the frame before; gives where the next one begins. */
  #finish(chunk: Buffer): number {
    let offset = 0;
    if (this.#headerFilled > 0) {
      offset = chunk.copy(this.#header, this.#headerFilled);
      this.#headerFilled += offset;
      if (this.#headerFilled < this.#header.length) return chunk.length;
      this.#headerFilled = 0;
      this.#length = this.#header.readUInt32BE(this.#header.length - 4);
      this.#payloadLeft = this.#length;
      if (this.#length === 0) this.#onFrame(0);
    }
    if (this.#payloadLeft === 0) return offset;
    const taken = Math.min(this.#payloadLeft, chunk.length - offset);
    this.#payloadLeft -= taken;
    if (this.#payloadLeft === 0) this.#onFrame(this.#length);
    return offset + taken;
  }
}

function countInto(counter: Counter, header?: number): FrameCounter {
  const onFrame = (bytes: number): void => {
    counter.messages += 1;
    counter.bytes += bytes;
  };
  return new FrameCounter(onFrame, header);
}

const oneWay: OneWay = {
  receive(place, counter) {
    return listen(place, (socket) => {
      const frames = countInto(counter);
      socket.on("data", (chunk) => frames.onData(chunk));
    });
  },
  async connect(place) {
    const socket = await dial(place);
    return (payload, counter) => {
      const { bytes, count } = framesOf(payload);
      const fill = (): void => {
        // One turn of the event loop for each 256 KiB, as the others have it.
        for (let written = 0; written < turnBytes; written += bytes.length) {
          const hasRoom = socket.write(bytes);
          counter.messages += count;
          if (!hasRoom) {
            socket.once("drain", fill);
            return;
          }
        }
        setImmediate(fill);
      };
      fill();
    };
  },
};

/** The same bytes to all, as fast as the slowest takes them. */
const pubSub: PubSub = {
  async publish(place, subscribers) {
    const sockets: Socket[] = [];
    const address = await listen(place, (socket) => sockets.push(socket));
    return {
      address,
      async start(payload, counter) {
        while (sockets.length < subscribers) await new Promise(setImmediate);
        const { bytes, count } = framesOf(payload, Infinity, topicHeaderBytes);
        let full = 0;
        const fill = (): void => {
          for (const socket of sockets) if (!socket.write(bytes)) full += 1;
          counter.messages += count;
          if (full === 0) setImmediate(fill);
        };
        for (const socket of sockets) {
          socket.on("drain", () => {
            full -= 1;
            if (full === 0) setImmediate(fill);
          });
        }
        fill();
      },
    };
  },
  async subscribe(place, counter) {
    const frames = countInto(counter, topicHeaderBytes);
    const socket = await dial(place);
    socket.on("data", (chunk) => frames.onData(chunk));
  },
};

/** One frame for each answer that came, all that came together in one write. */
function pingPong(
  socket: Socket,
  payload: Uint8Array,
  inFlight: number,
  onAnswer: (bytes: number) => void,
): void {
  const frameBytes = headerBytes + payload.length;
  const { bytes } = framesOf(payload, inFlight);
  const write = (frames: number): void => {
    for (let left = frames * frameBytes; left > 0; left -= bytes.length) {
      socket.write(left >= bytes.length ? bytes : bytes.subarray(0, left));
    }
  };
  let answered = 0;
  const frames = new FrameCounter((length) => {
    answered += 1;
    onAnswer(length);
  });
  socket.on("data", (chunk) => {
    answered = 0;
    frames.onData(chunk);
    write(answered);
  });
  write(inFlight);
}

const requestReply: RequestReply = {
  serve(place, counter: Counter) {
    return listen(place, (socket) => {
      const frames = countInto(counter);
      socket.on("data", (chunk) => {
        frames.onData(chunk);
        socket.write(chunk);
      });
    });
  },
  async connect(place) {
    const socket = await dial(place);
    const waiting: ((bytes: number) => void)[] = [];
    const frames = new FrameCounter((bytes) => waiting.shift()?.(bytes));
    let isReading = false;
    return {
      request(payload) {
        if (!isReading) socket.on("data", (chunk) => frames.onData(chunk));
        isReading = true;
        socket.write(framesOf(payload, 1).bytes);
        return new Promise((resolve) => {
          waiting.push(resolve);
        });
      },
      bytesOf: Number,
      pingPong: (payload, inFlight, onAnswer) => pingPong(socket, payload, inFlight, onAnswer),
    };
  },
};

function firstMessage(place: Place): string {
  return `
    import { createConnection } from "node:net";
    const socket = createConnection(${JSON.stringify(whereOf(place))});
    socket.write(Buffer.from("02000000000000000005" + "68656c6c6f", "hex"));
    socket.once("data", () => {
      console.log("answered");
      socket.destroy();
    });
  `;
}

/** Bare `node:net`. */
export const contender: Contender = {
  name: "raw",
  transports: ["tcp", "ipc"],
  oneWay,
  pubSub,
  requestReply,
  firstMessage,
};
