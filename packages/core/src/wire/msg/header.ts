import { MsgError } from "../../errors.ts";

// Every number of the wire. Normative text: docs/wire-protocol.md.

/** First byte of a frame. */
export const frameKind = {
  hello: 0x00,
  auth: 0x01,
  request: 0x02,
  message: 0x03,
  job: 0x04,
} as const;

/** Bits 0-2 of the flags: compression id. */
export const compressionMask = 0x07;
/** Bit 7 of a reply's flags, alone: an error reply. */
export const errorReplyFlags = 0x80;
/** Bits 3-6 of a job's flags: earlier deliveries, saturating. */
export const deliveriesShift = 3;
/** The most that those bits can tell. */
export const maxEarlierDeliveries = 15;

/** The id of a goodbye; no request has it. */
export const goodbyeId = 0xffff_ffff;
/** The code of a goodbye, and of a request that a draining REP did not run. */
export const drainingCode = "MSG_DRAINING";
/** The most bytes of an error reply's text. */
export const maxErrorReplyBytes = 4096;

/** kind, flags, id or sequence, length: requests, replies, jobs and flow frames. */
export const shortHeaderBytes = 10;
/** kind, flags and topic length, before the topic of a 0x03 frame. */
export const topicStartBytes = 4;
/** All of a 0x03 frame but its topic and payload. */
export const messageHeaderBytes = 20;

/** Second byte of a flow frame. */
export const flowOp = { window: 0, acknowledge: 1, refuse: 2, bye: 3 } as const;
/** The most jobs one flow frame may settle. */
export const maxSettledRange = 65_536;

/** What a topic of ours begins with, or is. */
export const topicPrefix = {
  subscribe: "MSG.SUB.",
  unsubscribe: "MSG.UNSUB.",
  extensions: "MSG.EXT.1",
  mark: "MSG.MARK",
  subscribed: "MSG.ACK.",
  denied: "MSG.DENY.",
  bye: "MSG.BYE",
} as const;

/** Protocol version in HELLO. */
export const helloVersion = 1;
/** Why a HELLO is refused: the third byte of `00 00 reason`. */
export const helloRefusal = { version: 1, socketType: 2, malformed: 3 } as const;
/** The most bytes of a name in HELLO. */
export const maxNameBytes = 255;
/** The most bytes of a token we send: one segment, because msg-rs cannot take a fragmented one. */
export const maxSentTokenBytes = 1024;
/** The most bytes of a token we take. */
export const maxReceivedTokenBytes = 4096;

/** Makes the error for a frame whose kind is not legal here. */
export function illegalKind(kind: number, expected: number): MsgError {
  const text = `peer sent frame kind ${hexByte(kind)}, expected ${hexByte(expected)}`;
  return new MsgError("MSG_PROTOCOL", text);
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** @throws MsgError `MSG_PAYLOAD_TOO_LARGE`, naming both sizes. */
export function checkLength(
  length: number,
  limit: number,
  limitName: string = "maxMessageBytes",
): void {
  if (length <= limit) return;
  throw new MsgError(
    "MSG_PAYLOAD_TOO_LARGE",
    `peer announced ${length} bytes, ${limitName} is ${limit}`,
  );
}
