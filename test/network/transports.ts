import { TestAuthority } from "@msg-ts/testing";
import type { Transport } from "msg-ts";
import { Quic, Tcp, Tls } from "msg-ts";

/** The transports that a network can part. */
export const networkTransports = ["tcp", "tls", "quic"] as const;

export type NetworkTransport = (typeof networkTransports)[number];

/** What the ends of a test know of each other, as PEM. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Certificates for the hosts of a network lab and for this machine. */
export async function newCredentials(): Promise<Credentials> {
  const authority = await TestAuthority.create();
  const hosts = Array.from({ length: 4 }, (_, index) => `10.77.0.${index + 1}`);
  const issued = await authority.issue({
    commonName: "server",
    dns: ["localhost"],
    ips: ["127.0.0.1", "::1", ...hosts],
  });
  return { ca: authority.cert, ...issued };
}

/** What a transport is made with. */
export interface TransportChoice {
  readonly transport: NetworkTransport;
  readonly credentials: Credentials;
  /** Of the transport itself, such as `idleTimeoutMs` of QUIC. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** For the end that binds. */
export function serverTransport({ transport, credentials, options }: TransportChoice): Transport {
  const { cert, key } = credentials;
  if (transport === "tcp") return new Tcp(options);
  return transport === "tls"
    ? new Tls({ cert, key, ...options })
    : new Quic({ cert, key, ...options });
}

/** For the end that connects. */
export function clientTransport({ transport, credentials, options }: TransportChoice): Transport {
  const { ca } = credentials;
  if (transport === "tcp") return new Tcp(options);
  return transport === "tls" ? new Tls({ ca, ...options }) : new Quic({ ca, ...options });
}
