import type { Link, Listener, ListenerHandlers, Transport } from "@msg-ts/core";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { Ipc } from "@msg-ts/transports/ipc";
import { Tcp } from "@msg-ts/transports/tcp";
import { CompatError } from "./compat-error.ts";

/** Where the sockets of this layer in one thread meet. */
const hub: InprocHub = new InprocHub();

/**
 * One transport of several schemes: an address always has its own, as in `tcp://127.0.0.1:5555`.
 * So one socket may listen on TCP and dial over a Unix socket.
 */
export class AnyTransport implements Transport {
  readonly name: string = "zmq";
  readonly dialerSpeaksFirst: boolean = false;
  readonly #transports: ReadonlyMap<string, Transport> = new Map<string, Transport>([
    ["tcp", new Tcp()],
    ["ipc", new Ipc()],
    ["inproc", new Inproc(hub)],
  ]);

  /** @throws CompatError `EINVAL`, `EPROTONOSUPPORT`; MsgError `MSG_INVALID_ADDRESS` */
  parseAddress(address: string): string {
    const [scheme, rest] = this.#split(address);
    return `${scheme}://${this.#of(scheme).parseAddress(rest)}`;
  }

  dial(address: string, signal: AbortSignal): Promise<Link> {
    const [scheme, rest] = this.#split(address);
    return this.#of(scheme).dial(rest, signal);
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const [scheme, rest] = this.#split(address);
    const listener = await this.#of(scheme).listen(rest, handlers);
    return {
      address: `${scheme}://${listener.address}`,
      settle: async (withinMs) => listener.settle?.(withinMs),
      close: () => listener.close(),
    };
  }

  /** `*` as a port is a free one. */
  #split(address: string): [scheme: string, rest: string] {
    const [, scheme, rest] = /^([a-z]+):\/\/(.+)$/s.exec(address) ?? [];
    if (scheme === undefined || rest === undefined) {
      const text = `address ${JSON.stringify(address)} has no scheme, such as tcp://`;
      throw new CompatError("EINVAL", text);
    }
    if (rest === "*" && scheme !== "tcp") {
      throw new CompatError("EINVAL", `address ${scheme}://* is not offered: name a path`);
    }
    return [scheme, scheme === "tcp" ? rest.replace(/:\*$/, ":0") : rest];
  }

  #of(scheme: string): Transport {
    const transport = this.#transports.get(scheme);
    if (transport !== undefined) return transport;
    const text = `scheme ${scheme} is not offered, must be ${[...this.#transports.keys()].join(", ")}`;
    throw new CompatError("EPROTONOSUPPORT", text);
  }
}
