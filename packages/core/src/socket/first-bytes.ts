import type { FrameDecoder } from "../contracts/protocol.ts";

/** A decoder that calls `onFirst` before it reads its first bytes. */
export function watchFirstBytes(decoder: FrameDecoder, onFirst: () => void): FrameDecoder {
  let isFirst = true;
  return {
    get neededBytes(): number {
      return decoder.neededBytes;
    },
    decode(bytes, start, end) {
      if (isFirst && start < end) {
        isFirst = false;
        onFirst();
      }
      return decoder.decode(bytes, start, end);
    },
  };
}
