import type { Transport } from "@msg-ts/core";
import type { SharingOptions } from "./parts-options.ts";
import { SharingSocket } from "./sharing-socket.ts";

/** What a DEALER may be told. */
export type DealerOptions = SharingOptions;

/**
 * DEALER: sends each message to the next of its peers, and receives from all, with no order between
 * the two. To talk to a REP, the first part of a message is empty.
 *
 * @example
 * ```ts
 * const dealer = new DealerSocket(new Tcp(), { identity: "worker-1" });
 * await dealer.connect("127.0.0.1:5555");
 * await dealer.send(["", "ready"]);
 * for await (const { parts } of dealer) console.log(parts.length);
 * ```
 */
export class DealerSocket extends SharingSocket {
  constructor(transport: Transport, options: DealerOptions = {}) {
    super("DEALER", transport, options);
  }
}
