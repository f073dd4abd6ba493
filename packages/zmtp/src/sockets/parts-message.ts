import { emptyBytes } from "@msg-ts/core/building";
import type { PeerInfo } from "@msg-ts/core";
import { Message } from "@msg-ts/core";

/** A message of one part or more; its `payload` is the first. */
export class PartsMessage extends Message {
  /** @internal */
  constructor(parts: readonly Uint8Array[], peer: PeerInfo) {
    super(parts[0] ?? emptyBytes, peer);
    this.multipart = parts;
  }
}
