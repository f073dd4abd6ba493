import { Buffer } from "node:buffer";
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";

const mostDatagrams = 2_000;

/** Keeps copies of what clients send, on its way to the server. */
export interface Recorder {
  readonly datagrams: readonly Buffer[];
  /** Stands before the server of this address; gives where clients send to. */
  readonly between: (to: string) => Promise<string>;
  close(): Promise<void>;
}

/** A proxy without faults that remembers. */
export function recorder(): Recorder {
  const datagrams: Buffer[] = [];
  const sockets: Socket[] = [];
  const open = async (port = 0): Promise<Socket> => {
    const socket = createSocket("udp4");
    sockets.push(socket);
    socket.on("error", () => {});
    socket.bind(port, "127.0.0.1");
    await once(socket, "listening");
    return socket;
  };
  const between = async (to: string): Promise<string> => {
    const front = await open();
    const serverPort = Number(to.split(":").at(-1));
    const backs = new Map<number, Promise<Socket>>();
    front.on("message", (datagram, { port }) => {
      if (datagrams.length < mostDatagrams) datagrams.push(Buffer.from(datagram));
      const back = backs.get(port) ?? open();
      if (!backs.has(port)) {
        backs.set(port, back);
        void back.then((socket) =>
          socket.on("message", (answer) => front.send(answer, port, "127.0.0.1")),
        );
      }
      void back.then((socket) => socket.send(datagram, serverPort, "127.0.0.1"));
    });
    return `127.0.0.1:${front.address().port}`;
  };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.close();
  };
  return { datagrams, between, close };
}
