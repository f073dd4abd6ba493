/** One end of compression-sockets.ts, `push` or `pull`: does what its parent asks, one by one. */
import { PullSocket, PushSocket, Tcp } from "msg-ts";
import { payloadsOf } from "./compression-data.ts";
import type { EndAnswers, EndRequest, Scene, WindowReport } from "./compression-sockets.ts";
import { compressorOf } from "./compression-variants.ts";

/** How many calls of `send` are under way at a time. */
const senders = 4;
const settleMs = 60_000;

/** A socket at work. */
interface Work {
  readonly address: string;
  /** How many messages it has sent or received. */
  messages(): number;
  /** Ends in order. Gives the bytes on the wire for each plain byte sent. */
  close(): Promise<number>;
}

/** The counted time. */
interface Window {
  readonly startMs: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly messages: number;
}

const open = process.argv[2] === "push" ? push : pull;
let work: Work | undefined;
let window: Window | undefined;

process.on("message", (request: EndRequest) => {
  void answer(request).then((given) => process.send?.(given));
});

async function answer(request: EndRequest): Promise<EndAnswers[keyof EndAnswers]> {
  if (request.ask === "open") {
    work = await open(request.scene);
    return work.address;
  }
  if (work === undefined) throw new Error(`asked to ${request.ask} before there is a socket`);
  if (request.ask === "close") return work.close();
  if (request.ask === "stop") return report(work, window);
  window = { startMs: performance.now(), cpu: process.cpuUsage(), messages: work.messages() };
  return true;
}

async function pull({ address }: Scene): Promise<Work> {
  const socket = new PullSocket(new Tcp());
  let messages = 0;
  await socket.bind(address);
  socket.consume(() => {
    messages++;
  });
  return {
    address: socket.address,
    messages: () => messages,
    close: async () => {
      await socket.close();
      return 0;
    },
  };
}

async function push({ address, compressor, sizeBytes }: Scene): Promise<Work> {
  const socket = new PushSocket(new Tcp(), {
    compressor: compressor === "none" ? undefined : compressorOf(compressor),
  });
  await socket.connect(address);
  await socket.ready();
  let isEnding = false;
  const sending = sendUntil(socket, sizeBytes, () => isEnding);
  return {
    address,
    messages: () => socket.stats().messagesSent,
    close: async () => {
      isEnding = true;
      await sending;
      await socket.settled({ timeoutMs: settleMs });
      const { bytesSent, payloadBytesSent } = socket.stats();
      await socket.close();
      return bytesSent / payloadBytesSent;
    },
  };
}

async function sendUntil(
  socket: PushSocket,
  sizeBytes: number,
  isEnding: () => boolean,
): Promise<void> {
  const payloads = payloadsOf("json", sizeBytes);
  let next = 0;
  const send = async (): Promise<void> => {
    while (!isEnding()) {
      const waits = socket.send(payloads[next++ % payloads.length] as Uint8Array);
      if (waits !== undefined) await waits;
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
}

function report(current: Work, started: Window | undefined): WindowReport {
  if (started === undefined) throw new Error("asked to stop before the start");
  const { user, system } = process.cpuUsage(started.cpu);
  return {
    messages: current.messages() - started.messages,
    elapsedMs: performance.now() - started.startMs,
    cpuMicros: user + system,
  };
}
