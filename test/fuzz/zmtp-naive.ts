/** Frames of ZMTP read in the plainest way: what the decoder is compared with. */

/** What a stream says, and with what it ends. */
export interface NaiveZmtp {
  readonly told: readonly string[];
  readonly code: string | undefined;
}

/** As the decoder has them. */
export const limits = { maxMessageBytes: 2_500, maxParts: 8, maxCommandBytes: 65_552 } as const;

const misspelt = [0x5e, 0x52, 0x52, 0x4f, 0x52];

/** Whole frames of a stream, one after the other. */
interface Frame {
  readonly isCommand: boolean;
  readonly isMore: boolean;
  readonly body: Buffer;
}

/** Reads a stream; how messages and commands are told says the pattern. */
export function readNaively(
  stream: Uint8Array,
  tellMessage: (parts: readonly Buffer[]) => string | undefined,
  tellCommand: (name: string, data: Buffer) => string | undefined,
): NaiveZmtp {
  const told: string[] = [];
  let parts: Buffer[] = [];
  const { frames, code } = split(Buffer.from(stream));
  for (const { isCommand, isMore, body } of frames) {
    if (isCommand) {
      const command = commandOf(body);
      if (command === undefined) return { told, code: "MSG_PROTOCOL" };
      const said = command.name === "ERROR" ? undefined : tellCommand(command.name, command.data);
      if (said !== undefined) told.push(said);
      continue;
    }
    if ((isMore || parts.length > 0) && parts.length >= limits.maxParts) {
      return { told, code: "MSG_PAYLOAD_TOO_LARGE" };
    }
    parts.push(body);
    if (isMore) continue;
    const said = tellMessage(parts);
    if (said !== undefined) told.push(said);
    parts = [];
  }
  return { told, code };
}

/** The frames that are whole, up to one that is too large. */
function split(stream: Buffer): { frames: Frame[]; code: string | undefined } {
  const frames: Frame[] = [];
  let messageBytes = 0;
  for (let at = 0; at + 2 <= stream.length;) {
    const flags = stream[at] ?? 0;
    const isLong = (flags & 2) !== 0;
    const headerBytes = isLong ? 9 : 2;
    if (at + headerBytes > stream.length) break;
    const length = isLong ? Number(stream.readBigUInt64BE(at + 1)) : (stream[at + 1] ?? 0);
    const isCommand = (flags & 4) !== 0;
    const isTooLarge = isCommand
      ? length > limits.maxCommandBytes
      : messageBytes + length > limits.maxMessageBytes;
    if (isTooLarge) return { frames, code: "MSG_PAYLOAD_TOO_LARGE" };
    if (at + headerBytes + length > stream.length) break;
    const isMore = (flags & 1) !== 0;
    const body = stream.subarray(at + headerBytes, at + headerBytes + length);
    frames.push({ isCommand, isMore, body });
    if (!isCommand) messageBytes = isMore ? messageBytes + length : 0;
    at += headerBytes + length;
  }
  return { frames, code: undefined };
}

function commandOf(body: Buffer): { name: string; data: Buffer } | undefined {
  if (misspelt.every((byte, at) => body[at] === byte))
    return { name: "ERROR", data: body.subarray(5) };
  const length = body[0] ?? 0;
  if (length === 0 || length + 1 > body.length) return undefined;
  return { name: body.toString("utf8", 1, 1 + length), data: body.subarray(1 + length) };
}
