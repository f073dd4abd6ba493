import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { NaiveFrame, NaiveReader } from "@msg-ts/testing";
import { bytes, joinBytes, naiveDecode, naiveEncode, waitFor } from "@msg-ts/testing";
import { onTestFinished } from "vitest";
import { patienceMs } from "../e2e/sockets.ts";

/** One end of a TCP connection, by hand. */
export class RawClient {
  readonly #socket: Socket;
  readonly #chunks: Uint8Array[] = [];
  /** Resolves when the other side ended or reset: many wait at a time, so nobody polls. */
  readonly #over: Promise<void>;
  #isOver = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => void this.#chunks.push(chunk));
    socket.on("error", () => {});
    this.#over = new Promise((resolve) => {
      const onOver = (): void => {
        this.#isOver = true;
        resolve();
      };
      socket.on("end", onOver);
      socket.on("close", onOver);
    });
    onTestFinished(() => void socket.destroy());
  }

  static async dial(address: string): Promise<RawClient> {
    const colon = address.lastIndexOf(":");
    const port = Number(address.slice(colon + 1));
    const socket = connect({ host: address.slice(0, colon), port, allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  get received(): Uint8Array {
    return joinBytes(this.#chunks);
  }

  /** True when the other side ended or reset. */
  get isOver(): boolean {
    return this.#isOver;
  }

  frames(role: NaiveReader["role"]): readonly NaiveFrame[] {
    return naiveDecode(this.received, { role }).frames;
  }

  /** @param what - bytes, or their hex. */
  write(what: Uint8Array | string): boolean {
    return this.#socket.write(typeof what === "string" ? bytes(what) : what);
  }

  send(...frames: NaiveFrame[]): boolean {
    return this.write(joinBytes(frames.map(naiveEncode)));
  }

  request(id: number, payload: string | Uint8Array, compression = 0): boolean {
    return this.send({ type: "request", id, compression, payload: asBytes(payload) });
  }

  reply(id: number, payload: string | Uint8Array, compression = 0): boolean {
    return this.send({ type: "reply", id, compression, payload: asBytes(payload) });
  }

  message(topic: string, sequence: number, payload = ""): boolean {
    const rest = { sequence, compression: 0, timeMicros: 0, payload: asBytes(payload) };
    return this.send({ type: "message", topic, ...rest });
  }

  subscribe(topic: string): boolean {
    return this.send({ type: "subscribe", topic, timeMicros: 0 });
  }

  /** Writes each byte by itself, and gives the other side time to see it so. */
  async dribble(what: Uint8Array): Promise<void> {
    for (const byte of what) {
      this.#socket.write(new Uint8Array([byte]));
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends with a reset: the other side knows that nobody reads any more. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Waits until the other side ended or reset. */
  async over(): Promise<void> {
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`waited ${patienceMs} ms for: the connection is ended`);
      deadline = setTimeout(() => reject(error), patienceMs);
    });
    await Promise.race([this.#over, late]).finally(() => clearTimeout(deadline));
  }

  async has(count: number): Promise<Uint8Array> {
    const isThere = (): boolean => this.received.length >= count;
    await waitFor(isThere, { what: `${count} bytes have come`, withinMs: patienceMs });
    return this.received;
  }
}

/** A TCP server whose every connection is given to `onClient`. Gives its address. */
export async function rawServer(onClient: (client: RawClient) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => onClient(new RawClient(socket)));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** UTF-8. */
export function asBytes(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}

/** The HELLO of a socket type. */
export function hello(socketType: number): Uint8Array {
  return naiveEncode({ type: "hello", socketType, name: "" });
}
