import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { testTransport } from "@msg-ts/testing";
import type { Link, Listener, ListenerHandlers, Transport } from "msg-ts";
import { MsgError } from "msg-ts";
import { StreamLink } from "../../examples/support/stream-link.ts";

/** The link of the custom-transport example over sockets, which are Duplexes too. */
class SocketStreams implements Transport {
  readonly name = "streams";
  readonly dialerSpeaksFirst = false;

  parseAddress(address: string): string {
    const port = address.replace(/^streams:\/\//, "");
    if (/^\d+$/.test(port)) return port;
    throw new MsgError("MSG_INVALID_ADDRESS", `address ${JSON.stringify(address)}: is no port`);
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const port = Number(this.parseAddress(address));
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    try {
      signal.throwIfAborted();
      await once(socket, "connect", { signal });
    } catch (error) {
      socket.destroy();
      const cause: unknown = signal.aborted ? signal.reason : error;
      throw new MsgError("MSG_DIAL_FAILED", `no connection to ${address}`, { cause });
    }
    return new StreamLink(socket, socket, address);
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    const port = Number(this.parseAddress(address));
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      handlers.onLink(new StreamLink(socket, socket, `client ${socket.remotePort}`));
    });
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    } catch (cause) {
      throw new MsgError("MSG_LISTEN_FAILED", `cannot listen on ${address}`, { cause });
    }
    return {
      address: String((server.address() as AddressInfo).port),
      close: async () => {
        server.close();
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      },
    };
  }
}

testTransport({
  name: "streams",
  create: () => new SocketStreams(),
  listenAddress: () => "0",
  badAddresses: ["here"],
});
