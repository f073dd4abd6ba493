import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Transport } from "@msg-ts/core";
import { TestAuthority } from "@msg-ts/testing";
import { Ipc } from "@msg-ts/transports/ipc";
import { Quic } from "@msg-ts/transports/quic";
import { Tcp } from "@msg-ts/transports/tcp";
import { Tls } from "@msg-ts/transports/tls";
import type { Stage } from "../stage.ts";

/** A role of the Rust peer. */
export type Role = "rep" | "req" | "pub" | "sub";

/** One transport, as both sides have it. */
export interface Carrier {
  readonly name: string;
  /** Ours, for either end. */
  readonly ours: () => Transport;
  /** What the Rust peer is told beside its address. */
  readonly theirs: (role: Role) => readonly string[];
  /** Where something may be bound; the kernel may choose the rest. */
  readonly freshAddress: (stage: Stage) => string;
  /** Where something will be bound later. */
  readonly knownAddress: (stage: Stage) => Promise<string>;
}

/** Certificates for both sides, as text and as files. */
export interface Certificates {
  readonly folder: string;
  readonly caFile: string;
  readonly ca: string;
  readonly server: FiledCertificate;
  readonly client: FiledCertificate;
  readonly dispose: () => void;
}

/** One certificate and its key. */
interface FiledCertificate {
  readonly cert: string;
  readonly key: string;
  /** What the Rust peer is told to show it. */
  readonly args: readonly string[];
}

/** Makes them anew: an authority, a server for localhost and {@link host}, and a client. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-interop-"));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const authority = await TestAuthority.create("interop authority");
  const filed = async (usage: "server" | "client"): Promise<FiledCertificate> => {
    const names = { dns: ["localhost"], ips: ["127.0.0.1", host] };
    const { cert, key } = await authority.issue({ commonName: usage, usage, ...names });
    const args = ["--cert", file(`${usage}.pem`, cert), "--key", file(`${usage}.key`, key)];
    return { cert, key, args };
  };
  return {
    folder,
    ca: authority.cert,
    caFile: file("ca.pem", authority.cert),
    server: await filed("server"),
    client: await filed("client"),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Of this process alone, where that can be: nobody else takes a port while a server is restarted. */
const host =
  process.platform === "linux" ? `127.${1 + (process.pid % 250)}.${randomByte()}.1` : "127.0.0.1";

function randomByte(): number {
  return Math.floor(Math.random() * 256);
}

const overPorts = {
  freshAddress: () => `${host}:0`,
  knownAddress: async () => `${host}:${await freePort()}`,
};

/** TCP. */
export const tcp: Carrier = {
  name: "tcp",
  ours: () => new Tcp(),
  theirs: () => ["--transport", "tcp"],
  ...overPorts,
};

/** Unix sockets. */
export const ipc: Carrier = {
  name: "ipc",
  ours: () => new Ipc(),
  theirs: () => ["--transport", "ipc"],
  freshAddress: (stage) => stage.path(),
  knownAddress: async (stage) => stage.path(),
};

/** A process that is killed sends no farewell over UDP: that it is gone is found out in this time. */
const quicIdleMs = 2_000;

/** QUIC as msg-rs has it: encrypted, and nobody is verified. */
export const quic: Carrier = {
  name: "quic",
  ours: () => new Quic({ compat: "msg-rs", idleTimeoutMs: quicIdleMs }),
  theirs: () => ["--transport", "quic"],
  ...overPorts,
};

/** TLS, each side verifying the server. */
export function tls({ ca, caFile, server }: Certificates): Carrier {
  return {
    name: "tls",
    ours: () => new Tls({ ca, cert: server.cert, key: server.key }),
    theirs: (role) => {
      const isServer = role === "rep" || role === "pub";
      return ["--transport", "tls", ...(isServer ? server.args : ["--ca", caFile])];
    },
    ...overPorts,
  };
}

/** Below those that the kernel gives to whoever dials: one of them might be taken meanwhile. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    try {
      server.listen(port, host);
      await once(server, "listening");
      return port;
    } catch {
      // Somebody has it: try another.
    } finally {
      server.close();
    }
  }
}
