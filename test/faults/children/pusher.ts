/** Gives out numbered jobs as fast as they are taken, until it is told to stop. */
import { Buffer } from "node:buffer";
import { PushSocket } from "msg-ts";
import { onOrders, settings, tellReady } from "../child-side.ts";
import { transportOf } from "../network.ts";
import type { PusherSettings } from "../roles.ts";

const { network, address, payloadBytes } = settings() as PusherSettings;
const push = new PushSocket(transportOf(network));
const undeliverable: number[] = [];
push.on("dropped", ({ payload }) => {
  if (payload !== undefined) undeliverable.push(Buffer.from(payload).readUInt32LE(0));
});
const state = { isSending: true };
let sent = 0;
let sending: Promise<void> | undefined;

async function send(): Promise<void> {
  while (state.isSending) {
    const payload = Buffer.alloc(payloadBytes);
    payload.writeUInt32LE(sent++, 0);
    const waiting = push.send(payload);
    if (waiting !== undefined) await waiting;
  }
}

onOrders({
  work: () => {
    sending ??= send();
  },
  /** Done when every job has its end. */
  stop: async () => {
    state.isSending = false;
    await sending;
    await push.settled();
    const { acknowledged, redelivered, unacknowledged } = push.stats();
    return { sent, acknowledged, redelivered, unacknowledged, undeliverable };
  },
  close: async () => {
    await push.close();
    process.disconnect();
  },
});
tellReady(await push.bind(address), () => ({ sent, acknowledged: push.stats().acknowledged }));
