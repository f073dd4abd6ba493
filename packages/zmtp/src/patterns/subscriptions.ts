import { allocate } from "@msg-ts/core/building";
import type { Command } from "../wire/command.ts";
import { commandName } from "../wire/command.ts";
import { maxCommandBytes } from "../wire/frame-reader.ts";
import type { FrameWriter } from "../wire/frame-writer.ts";

/** First byte of a subscription that is a message (RFC 23, "SUB and PUB"). */
const oldSubscribe = 1;
const oldCancel = 0;

/** A subscription or its end, in whichever style it came. */
export interface SubscriptionChange {
  readonly isSubscribe: boolean;
  readonly prefix: Uint8Array;
}

/** Reads the style of 3.1, whatever version the peer announced. */
export function changeOfCommand({ name, data }: Command): SubscriptionChange | undefined {
  if (name === commandName.subscribe) return { isSubscribe: true, prefix: data };
  return name === commandName.cancel ? { isSubscribe: false, prefix: data } : undefined;
}

/** Reads the style of 3.0, whatever version the peer announced. */
export function changeOfMessage(
  first: Uint8Array,
  parts: readonly Uint8Array[] | undefined,
): SubscriptionChange | undefined {
  const [kind] = first;
  if (parts !== undefined || first.length > maxCommandBytes) return undefined;
  if (kind !== oldSubscribe && kind !== oldCancel) return undefined;
  return { isSubscribe: kind === oldSubscribe, prefix: first.subarray(1) };
}

/** Writes a subscription or its end in the style of the peer's version. */
export function writeChange(writer: FrameWriter, minor: 0 | 1, change: SubscriptionChange): void {
  const { isSubscribe, prefix } = change;
  if (minor === 1) {
    writer.command(isSubscribe ? commandName.subscribe : commandName.cancel, prefix);
    return;
  }
  const message = allocate(1 + prefix.length);
  message[0] = isSubscribe ? oldSubscribe : oldCancel;
  message.set(prefix, 1);
  writer.part(message, false);
}
