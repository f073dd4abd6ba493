import type { Socket } from "node:net";
import process from "node:process";
import type { SecureContext, Server, TLSSocket } from "node:tls";
import type { ListenerHandlers } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { remoteAddressOf } from "../tcp/tcp-socket.ts";
import { nodeTls } from "../node-tls.ts";
import { Settling } from "../settling.ts";
import type { TlsCredentials } from "./tls-credentials.ts";
import { certificateFrom } from "./tls-dialing.ts";
import { certificateRefused, peerLeft, refusalOf } from "./tls-failures.ts";
import { TlsLink } from "./tls-link.ts";
import type { ResolvedTlsOptions } from "./tls-options.ts";

/** Node's own deadline, which is about silence and not about the whole; ours comes before it. */
const noTimeoutMs = 2 ** 31 - 1;

type SniDone = (error: Error | null, context?: SecureContext) => void;

interface Handshake {
  readonly raw: Socket;
  readonly remoteAddress: string;
  readonly key: string;
  readonly timer: NodeJS.Timeout;
}

/**
 * Shakes hands as the server with every connection that a listener accepts: each ends in `onLink`,
 * or in `onRefused`, exactly once.
 */
export class TlsAcceptor {
  readonly #options: ResolvedTlsOptions;
  readonly #handlers: ListenerHandlers;
  /** Never listens: connections are handed to it, when there is room for them. */
  readonly #server: Server;
  /** By both ends of the connection, all that Node shows of it at times. */
  readonly #handshakes: Map<string, Handshake> = new Map();
  readonly #settling: Settling<Handshake> = new Settling();
  #credentials: TlsCredentials;
  /** The one whose connection has closed in this turn. */
  #closed: Handshake | undefined;

  constructor(
    credentials: TlsCredentials,
    options: ResolvedTlsOptions,
    handlers: ListenerHandlers,
  ) {
    this.#credentials = credentials;
    this.#options = options;
    this.#handlers = handlers;
    const { clientCertificates } = options;
    this.#server = nodeTls().createServer({
      ...credentials.serverOptions,
      requestCert: clientCertificates !== "none",
      rejectUnauthorized: clientCertificates === "required",
      handshakeTimeout: noTimeoutMs,
      SNICallback: (serverName, done) => void this.#onServerName(serverName, done),
    });
    this.#server.on("secureConnection", (socket) => this.#onSecure(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#onFailed(error, socket));
  }

  /** From now on new handshakes go by these. */
  use(credentials: TlsCredentials): void {
    this.#credentials = credentials;
    this.#server.setSecureContext(credentials.serverOptions);
  }

  /** @param raw - connected, paused since its creation, and not to stay half-open: see `#onSecure`. */
  accept(raw: Socket): void {
    const { maxHandshakes, handshakeTimeoutMs } = this.#options;
    const waiting = this.#handshakes.size;
    if (raw.remoteAddress === undefined) return this.#turnAway(raw, peerLeft());
    if (waiting >= maxHandshakes) {
      const text = `${waiting} TLS handshakes are under way, maxHandshakes is ${maxHandshakes}`;
      return this.#turnAway(raw, new MsgError("MSG_TOO_MANY_PEERS", text));
    }
    const timer = setTimeout(() => {
      const text = `TLS handshake took over ${handshakeTimeoutMs} ms`;
      this.#refuse(handshake, new MsgError("MSG_HANDSHAKE_TIMEOUT", text));
    }, handshakeTimeoutMs);
    const handshake: Handshake = {
      raw,
      remoteAddress: remoteAddressOf(raw),
      key: keyOf(raw),
      timer,
    };
    this.#handshakes.set(handshake.key, handshake);
    raw.once("close", () => this.#onRawClose(handshake));
    this.#server.emit("connection", raw);
  }

  #turnAway(raw: Socket, error: MsgError): void {
    const remoteAddress = remoteAddressOf(raw);
    raw.on("error", () => {});
    raw.destroy();
    this.#handlers.onRefused(remoteAddress, error);
  }

  /** Waits for the end of the handshakes that are under way, so long at most. */
  settle(withinMs: number): Promise<void> {
    return this.#settling.wait(this.#handshakes.values(), withinMs);
  }

  /** Ends the handshakes that are under way, without a word. */
  close(): void {
    this.#settling.clear();
    for (const handshake of this.#handshakes.values()) {
      clearTimeout(handshake.timer);
      handshake.raw.destroy();
    }
    this.#handshakes.clear();
  }

  async #onServerName(serverName: string, done: SniDone): Promise<void> {
    let context: SecureContext | undefined;
    try {
      context = await this.#credentials.contextFor(serverName);
    } catch (error) {
      this.#refuseNext(MsgError.from(error, "MSG_HANDLER_FAILED", "sni failed"), done);
      return;
    }
    done(null, context);
  }

  #onSecure(socket: TLSSocket): void {
    const handshake = this.#handshakes.get(keyOf(socket));
    if (handshake === undefined) {
      // The peer has reset it meanwhile, so that nobody knows who it was.
      socket.destroy();
      return;
    }
    const certificate = certificateFrom(socket);
    const verifyCode = this.#verifyCodeOf(socket, certificate?.validTo);
    if (verifyCode !== undefined) {
      this.#refuse(handshake, certificateRefused(verifyCode));
      return;
    }
    // Until here the end of the peer's side, such as of a scanner that leaves, had to end it all.
    socket.allowHalfOpen = true;
    // TLS 1.2 lets a client ask for new handshakes, which cost the server more than the client.
    socket.disableRenegotiation();
    const { raw, remoteAddress } = handshake;
    const link = new TlsLink({ socket, raw, remoteAddress, certificate, isDialer: false });
    // Later: the last words of our handshake are not sent yet, and would be lost with the link.
    setImmediate(() => {
      if (this.#end(handshake)) this.#handlers.onLink(link);
    });
  }

  /**
   * Why the peer's certificate does not do. Node refuses most by itself where one is required, but
   * not all: it takes a resumed session for a proof, in some versions also without a certificate in
   * it, and does not look whether it has ended since.
   */
  #verifyCodeOf(socket: TLSSocket, validTo: Date | undefined): string | undefined {
    const { clientCertificates } = this.#options;
    if (clientCertificates === "none") return undefined;
    if (validTo === undefined) {
      return clientCertificates === "required" ? "CERT_MISSING" : undefined;
    }
    if (!socket.authorized) return String(socket.authorizationError);
    return validTo.getTime() < Date.now() ? "CERT_HAS_EXPIRED" : undefined;
  }

  #onFailed(error: Error, socket: TLSSocket): void {
    const handshake = this.#handshakes.get(keyOf(socket)) ?? this.#closed;
    if (handshake !== undefined) {
      this.#refuse(handshake, refusalOf(error, socket.authorizationError));
    }
  }

  /**
   * Node tells why only in the same turn, and with a socket that has lost its address. Without a
   * word from it the peer has left.
   */
  #onRawClose(handshake: Handshake): void {
    if (!this.#handshakes.has(handshake.key)) return;
    this.#closed = handshake;
    process.nextTick(() => {
      this.#closed = undefined;
      this.#refuse(handshake, peerLeft());
    });
  }

  /** Lets Node destroy a connection, which it does at once, and without a word about which. */
  #refuseNext(error: MsgError, done: SniDone): void {
    const standing = Array.from(this.#handshakes.values()).filter(({ raw }) => !raw.destroyed);
    done(error);
    const destroyed = standing.find(({ raw }) => raw.destroyed);
    if (destroyed !== undefined) this.#refuse(destroyed, error);
  }

  #refuse(handshake: Handshake, error: MsgError): void {
    if (!this.#end(handshake)) return;
    handshake.raw.destroy();
    this.#handlers.onRefused(handshake.remoteAddress, error);
  }

  /** False when it was before. */
  #end(handshake: Handshake): boolean {
    clearTimeout(handshake.timer);
    this.#settling.settled(handshake);
    return this.#handshakes.delete(handshake.key);
  }
}

function keyOf(socket: Socket): string {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
