import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { parseArgs } from "node:util";
import type { TlsOptions, Transport } from "msg-ts";
import { Inproc, InprocHub, Ipc, Quic, Tcp, Tls } from "msg-ts";

/** What an example was asked to run on. */
export interface ExampleOptions {
  readonly name: string;
  /** A transport; all of one example reach each other. */
  readonly transport: () => Transport;
  /** Where to bind; `bind` tells what to connect to. */
  readonly address: (name: string) => string;
  /** The same, for an example that connects to it before anybody has bound it. */
  readonly knownAddress: (name: string) => Promise<string>;
  /** What stood on the command line beside the transport. */
  readonly rest: readonly string[];
}

/** What follows from the transport alone. */
type Family = Omit<ExampleOptions, "rest">;

/** Reads `--transport tcp|ipc|inproc|tls|quic` (tcp by default). Folders that it makes go with the process. */
export function exampleOptions(): ExampleOptions {
  const { values, positionals: rest } = parseArgs({
    options: { transport: { type: "string", default: "tcp" } },
    allowPositionals: true,
  });
  const make = families[values.transport];
  if (make !== undefined) return { ...make(), rest };
  const known = Object.keys(families).join(", ");
  console.error(`--transport is "${values.transport}", must be one of ${known}`);
  process.exit(2);
}

const families: Readonly<Record<string, () => Family>> = {
  tcp,
  ipc,
  inproc,
  tls,
  quic,
};

/** Made here because that takes a while, and only where it is asked for. */
const isSecured = process.argv.includes("tls") || process.argv.includes("quic");
const certificates = isSecured ? await makeCertificates() : undefined;

async function makeCertificates(): Promise<Pick<TlsOptions, "cert" | "key" | "ca">> {
  const { TestAuthority } = await import("./certificates.ts");
  const authority = await TestAuthority.create();
  return { ...(await authority.issue({ ips: ["127.0.0.1"] })), ca: authority.cert };
}

function tcp(): Family {
  return {
    name: "tcp",
    transport: () => new Tcp(),
    address: () => "127.0.0.1:0",
    knownAddress: async () => `127.0.0.1:${await freePort()}`,
  };
}

function tls(): Family {
  return { ...tcp(), name: "tls", transport: () => new Tls(certificates) };
}

function quic(): Family {
  return { ...tcp(), name: "quic", transport: () => new Quic(certificates) };
}

function ipc(): Family {
  return {
    name: "ipc",
    transport: () => new Ipc(),
    address: socketPath,
    knownAddress: async (name) => socketPath(name),
  };
}

function inproc(): Family {
  const hub = new InprocHub();
  return {
    name: "inproc",
    transport: () => new Inproc(hub),
    address: (name) => name,
    knownAddress: async (name) => name,
  };
}

let folder: string | undefined;

/** A path for a local socket, in a folder of this process only. */
export function socketPath(name: string): string {
  if (process.platform === "win32") return String.raw`\\.\pipe\msg-ts-${process.pid}-${name}`;
  folder ??= makeFolder();
  return join(folder, `${name}.sock`);
}

function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "msg-ts-"));
  process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Not one that the kernel picks: outgoing connections use those, and would now and then take it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return port;
    } catch {
      // Somebody has it: try another.
    } finally {
      server.close();
    }
  }
}
