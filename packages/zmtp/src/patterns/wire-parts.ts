import type { WireContext } from "@msg-ts/core";
import type { FrameWriter } from "../wire/frame-writer.ts";
import type { FrameReceiver } from "../wire/frame-reader.ts";
import { FrameReader } from "../wire/frame-reader.ts";
import type { Session } from "../session.ts";
import type { ResolvedZmtpOptions } from "../zmtp-options.ts";
import { Heartbeat } from "../heartbeat.ts";
import type { Command } from "../wire/command.ts";

/** What each pattern's wire is made of. */
export interface WireParts {
  readonly options: ResolvedZmtpOptions;
  readonly session: Pick<Session, "minor" | "cipher">;
  readonly context: WireContext;
  readonly writer: FrameWriter;
}

/** Makes what reads a connection's frames; commands that the pattern does not know are a heartbeat's. */
export function openReader(
  { options, session, context, writer }: WireParts,
  receiver: Pick<FrameReceiver, "onMessage"> & {
    /** @returns false when it is not one of the pattern's own. */
    onCommand?(command: Command): boolean;
  },
): FrameReader {
  const heartbeat = new Heartbeat(context, writer, options.heartbeat);
  const whole: FrameReceiver = {
    onMessage: (first, parts) => receiver.onMessage(first, parts),
    onCommand: (command) => {
      if (receiver.onCommand?.(command) !== true) heartbeat.onCommand(command);
    },
  };
  return new FrameReader(whole, context, options.maxParts, session.cipher);
}
