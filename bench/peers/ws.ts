/** ws: WebSocket. A client masks what it sends, as the protocol wants it. */
import type { Server as HttpServer } from "node:http";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import type { Contender, OneWay, Place, PubSub, RequestReply } from "./contender.ts";
import { boundAddress, whereOf } from "./raw.ts";

const turnBytes = 262_144;
const highWaterBytes = 1_048_576;

async function listen(place: Place, onSocket: (socket: WebSocket) => void): Promise<string> {
  const http: HttpServer = createServer();
  const server = new WebSocketServer({ server: http });
  server.on("connection", (socket) => onSocket(socket));
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen({ ...whereOf(place), backlog: 4096 }, resolve);
  });
  return boundAddress(http);
}

function urlOf({ transport, address }: Place): string {
  return transport === "ipc" ? `ws+unix://${address}:/` : `ws://${address}`;
}

function dial(place: Place): Promise<WebSocket> {
  const socket = new WebSocket(urlOf(place), { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

const oneWay: OneWay = {
  receive(place, counter) {
    return listen(place, (socket) => socket.on("message", (data) => counter.add(data as Buffer)));
  },
  async connect(place) {
    const socket = await dial(place);
    return (payload, counter) => {
      const fill = (): void => {
        for (let bytes = 0; bytes < turnBytes; bytes += payload.length + 14) {
          socket.send(payload);
          counter.messages += 1;
        }
        counter.messages += 1;
        if (socket.bufferedAmount < highWaterBytes) socket.send(payload, () => setImmediate(fill));
        else socket.send(payload, fill);
      };
      fill();
    };
  },
};

const pubSub: PubSub = {
  async publish(place, subscribers) {
    const sockets: WebSocket[] = [];
    const address = await listen(place, (socket) => sockets.push(socket));
    return {
      address,
      async start(payload, counter) {
        while (sockets.length < subscribers) await new Promise(setImmediate);
        const fill = (): void => {
          for (let bytes = 0; bytes < turnBytes; bytes += payload.length * subscribers) {
            if (sockets.some((socket) => socket.bufferedAmount > highWaterBytes)) break;
            for (const socket of sockets) socket.send(payload);
            counter.messages += 1;
          }
          setImmediate(fill);
        };
        fill();
      },
    };
  },
  async subscribe(place, counter) {
    const socket = await dial(place);
    socket.on("message", (data) => counter.add(data as Buffer));
  },
};

const requestReply: RequestReply = {
  serve(place, counter) {
    return listen(place, (socket) => {
      socket.on("message", (data) => {
        counter.add(data as Buffer);
        socket.send(data as Buffer);
      });
    });
  },
  async connect(place) {
    const socket = await dial(place);
    // Answers come in the order of the requests.
    const waiting: ((answer: Buffer) => void)[] = [];
    socket.on("message", (data) => waiting.shift()?.(data as Buffer));
    return {
      request(payload) {
        socket.send(payload);
        return new Promise((resolve) => {
          waiting.push(resolve);
        });
      },
      bytesOf: (answer) => (answer as Buffer).length,
    };
  },
};

function firstMessage(place: Place): string {
  return `
    import { WebSocket } from "ws";
    const socket = new WebSocket(${JSON.stringify(urlOf(place))});
    socket.on("open", () => socket.send("hello"));
    socket.on("message", () => {
      console.log("answered");
      socket.close();
    });
  `;
}

/** ws. */
export const contender: Contender = {
  name: "ws",
  transports: ["tcp", "ipc"],
  oneWay,
  pubSub,
  requestReply,
  firstMessage,
};
