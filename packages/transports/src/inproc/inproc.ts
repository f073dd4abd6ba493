import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { addressInUse, dialAborted } from "../failures.ts";
import { parseInprocAddress } from "./inproc-address.ts";
import { InprocHub } from "./inproc-hub.ts";

/**
 * Links inside the process, between the sockets that share a hub. Addresses are names.
 *
 * @example
 * ```ts
 * const hub = new InprocHub();
 * const rep = new RepSocket(new Inproc(hub));
 * await rep.bind("orders");
 * const req = new ReqSocket(new Inproc(hub));
 * await req.connect("orders");
 * ```
 */
export class Inproc implements Transport {
  readonly name: string = "inproc";
  readonly dialerSpeaksFirst: boolean = false;
  readonly #hub: InprocHub;

  /** @throws MsgError `MSG_INVALID_OPTION` when `hub` is none. */
  constructor(hub: InprocHub) {
    if (!(hub instanceof InprocHub)) {
      throw new MsgError("MSG_INVALID_OPTION", `hub is ${typeof hub}, must be an InprocHub`);
    }
    this.#hub = hub;
  }

  parseAddress(address: string): string {
    return parseInprocAddress(address);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const name = parseInprocAddress(address);
    const target = `inproc:${name}`;
    // A turn later, so that a dialer that retries without a pause starves nobody.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (signal.aborted) throw dialAborted(target, signal);
    const link = this.#hub.dial(name);
    if (link !== undefined) return link;
    throw new MsgError("MSG_DIAL_FAILED", `no connection to ${target}: nobody listens there`);
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const name = parseInprocAddress(address);
    const stop = this.#hub.listen(name, handlers);
    if (stop !== undefined) return { address: name, close: async () => stop() };
    const text = `cannot listen on inproc:${name}: another socket of the hub does`;
    throw new MsgError("MSG_LISTEN_FAILED", text, { cause: addressInUse() });
  }
}
