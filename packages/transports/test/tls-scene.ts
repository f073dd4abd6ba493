import type { AddressInfo, Server, Socket } from "node:net";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import type { ConnectionOptions, TlsOptions as NodeTlsOptions, TLSSocket } from "node:tls";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Link, Listener, MsgError, Transport } from "@msg-ts/core";
import { TestAuthority, waitFor } from "@msg-ts/testing";
import { expect, onTestFinished } from "vitest";

/** The authority that the tests of TLS trust, and one that they do not. */
export const authority: TestAuthority = await TestAuthority.create("trusted authority");
export const stranger: TestAuthority = await TestAuthority.create("strange authority");

/** What a good server shows: for `127.0.0.1`, `localhost` and `orders.example`. */
export const serverIdentity = await authority.issue({
  commonName: "orders",
  dns: ["localhost", "orders.example"],
  ips: ["127.0.0.1", "::1"],
});
/** What a good client shows. */
export const clientIdentity = await authority.issue({
  commonName: "alice",
  uris: ["spiffe://example/alice"],
  usage: "client",
});

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal;

const hourMs = 3_600_000;

/** A time so many hours from now. */
export function inHours(hours: number): Date {
  return new Date(Date.now() + hours * hourMs);
}

/** A listener of a transport under test, and what it told. */
export interface Listening {
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
  readonly links: HeardLink[];
  readonly refused: { readonly address: string; readonly error: MsgError }[];
}

/** Listens and starts what comes; takes it all down when the test is over. */
export async function listen(transport: Transport, address = "127.0.0.1:0"): Promise<Listening> {
  const links: HeardLink[] = [];
  const refused: { address: string; error: MsgError }[] = [];
  const listener = await transport.listen(address, {
    onLink: (link) => links.push(hear(link)),
    onError: (error) => expect.fail(error.message),
    onRefused: (from, error) => refused.push({ address: from, error }),
  });
  onTestFinished(async () => {
    for (const { link } of links) link.destroy();
    await listener.close();
  });
  const port = Number(listener.address.split(":").at(-1));
  return { listener, address: listener.address, port, links, refused };
}

/** A started link, and what it told. */
export interface HeardLink {
  readonly link: Link;
  text: string;
  hasPeerEnded: boolean;
  isClosed: boolean;
  reason: MsgError | undefined;
}

/** Starts a link and writes down what it tells. */
export function hear(link: Link): HeardLink {
  const heard: HeardLink = {
    link,
    text: "",
    hasPeerEnded: false,
    isClosed: false,
    reason: undefined,
  };
  link.start({
    onData: (chunk) => {
      heard.text += new TextDecoder().decode(chunk);
    },
    onDrain: () => {},
    onEnd: () => {
      heard.hasPeerEnded = true;
    },
    onClose: (reason) => {
      heard.isClosed = true;
      heard.reason = reason;
    },
  });
  return heard;
}

/** Dials, starts, and destroys it when the test is over. */
export async function dial(transport: Transport, address: string): Promise<HeardLink> {
  const heard = hear(await transport.dial(address, never));
  onTestFinished(() => heard.link.destroy());
  return heard;
}

/** Dials where it must fail, and gives the error. */
export async function dialFailure(transport: Transport, address: string): Promise<MsgError> {
  try {
    const link = await transport.dial(address, never);
    link.destroy();
  } catch (error) {
    expect(error).toMatchObject({ name: "MsgError", code: "MSG_DIAL_FAILED" });
    return error as MsgError;
  }
  return expect.fail("the dial succeeded");
}

/** A server of Node.js that is not ours, and the connections that came. */
export interface ForeignServer {
  readonly server: Server;
  readonly address: string;
  readonly sockets: Socket[];
}

/** A TLS server of Node.js itself. */
export async function tlsServer(
  options: NodeTlsOptions = {},
  onSocket: (socket: TLSSocket) => void = () => {},
): Promise<ForeignServer> {
  const server = createTlsServer({ ...serverIdentity, ...options }, onSocket);
  server.on("tlsClientError", () => {});
  return serve(server, "secureConnection");
}

/** A TCP server of Node.js itself. */
export function tcpServer(onSocket: (socket: Socket) => void): Promise<ForeignServer> {
  return serve(createTcpServer(onSocket), "connection");
}

async function serve(server: Server, event: string): Promise<ForeignServer> {
  const sockets: Socket[] = [];
  server.on(event, (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

/** A TCP client of Node.js itself, connected. */
export async function tcpClient(port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve);
  });
  return socket;
}

/** A TLS client of Node.js itself, which reads, and what became of it. */
export interface ForeignClient {
  readonly socket: TLSSocket;
  readonly sessions: Buffer[];
  error: (Error & { code?: string }) | undefined;
  isSecure: boolean;
  isClosed: boolean;
}

export function tlsClient(port: number, options: ConnectionOptions = {}): ForeignClient {
  const host = "127.0.0.1";
  const socket = connectTls({ port, host, ca: authority.cert, ...options });
  const client: ForeignClient = {
    socket,
    sessions: [],
    error: undefined,
    isSecure: false,
    isClosed: false,
  };
  socket.on("session", (session) => client.sessions.push(session));
  socket.on("secureConnect", () => {
    client.isSecure = true;
  });
  socket.on("error", (error) => {
    client.error ??= error;
  });
  socket.on("close", () => {
    client.isClosed = true;
  });
  socket.resume();
  onTestFinished(() => void socket.destroy());
  return client;
}

/** A TLS client whose handshake is done. */
export async function securedClient(
  port: number,
  options?: ConnectionOptions,
): Promise<ForeignClient> {
  const client = tlsClient(port, options);
  await waitFor(() => client.isSecure, { what: "the client's handshake is done" });
  return client;
}
