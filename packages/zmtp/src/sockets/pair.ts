import type { Connection } from "@msg-ts/core/building";
import type { PeerInfo, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { SharingOptions } from "./parts-options.ts";
import type { PartsPeer } from "./parts-peer.ts";
import { SharingSocket } from "./sharing-socket.ts";

/** What a PAIR may be told. */
export type PairOptions = SharingOptions;

/**
 * PAIR: talks to one other PAIR. A second one is sent away, with the event `refused`, instead of
 * being let in and never heard.
 */
export class PairSocket extends SharingSocket {
  constructor(transport: Transport, options: PairOptions = {}) {
    super("PAIR", transport, options);
  }

  protected override createPeer(connection: Connection, info: PeerInfo): PartsPeer {
    const peer = super.createPeer(connection, info);
    const [only] = this.readyPeers;
    if (only !== undefined) {
      const text = `this PAIR is connected to ${only.info.address}: it has one peer only`;
      const error = new MsgError("MSG_TOO_MANY_PEERS", text);
      connection.destroy(error);
      this.emit("refused", { endpoint: info.endpoint, address: info.address, error });
    }
    return peer;
  }
}
