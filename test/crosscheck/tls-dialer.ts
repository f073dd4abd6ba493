import type { Link } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { Tls } from "@msg-ts/transports/tls";
import type { TlsOptions } from "@msg-ts/transports/tls";
import { OpenSsl } from "./openssl.ts";
import type { Tally } from "./tally.ts";
import type { FiledCertificate, TlsFiles } from "./tls-files.ts";
import { makeTlsFiles } from "./tls-files.ts";

/** What a check of our dialer comes to: what is wrong, or nothing. */
type Check = (scene: Scene) => Promise<string | undefined>;

/** A running `openssl s_server`. */
interface Server {
  readonly program: OpenSsl;
  readonly port: number;
}

interface Scene {
  readonly files: TlsFiles;
  /** Starts one that gives each line back, its letters the other way round. */
  readonly start: (identity: FiledCertificate, ...args: string[]) => Promise<Server>;
  /** Starts one that sends what is written to it. */
  readonly startSilent: (identity: FiledCertificate, ...args: string[]) => Promise<Server>;
}

const patienceMs = 10_000;

/** Dials `openssl s_server` with our transport. */
export async function compareDialer(subject: string, tally: Tally): Promise<void> {
  const files = await makeTlsFiles();
  try {
    for (const [what, check] of Object.entries(dialerChecks)) {
      await tally.check(subject, "our dialer dials s_server", what, () => inScene(files, check));
    }
  } finally {
    files.remove();
  }
}

async function inScene(files: TlsFiles, check: Check): Promise<string | undefined> {
  const started: OpenSsl[] = [];
  const startSilent = async ({ file }: FiledCertificate, ...args: string[]): Promise<Server> => {
    const identity = ["-cert", file, "-key", file, "-cert_chain", files.caFile];
    const program = new OpenSsl("s_server", "-accept", "127.0.0.1:0", ...identity, ...args);
    started.push(program);
    await program.says("ACCEPT");
    const [, port] = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(program.output) ?? [];
    if (port === undefined) throw new Error(`s_server has no port: ${program.output}`);
    return { program, port: Number(port) };
  };
  const start: Scene["start"] = (identity, ...args) => startSilent(identity, "-rev", ...args);
  try {
    return await check({ files, start, startSilent });
  } finally {
    for (const program of started) program.kill();
  }
}

/** Dials, sends a line, and gives what came back until the end of a line, or why there was none. */
async function conversation(transport: Tls, address: string): Promise<string> {
  const link = await transport.dial(address, AbortSignal.timeout(patienceMs));
  try {
    return await exchange(link, "hello\n");
  } finally {
    link.destroy();
  }
}

async function exchange(link: Link, line: string): Promise<string> {
  let received = "";
  let end: string | undefined;
  link.start({
    onData: (chunk) => (received += Buffer.from(chunk).toString("latin1")),
    onDrain: () => {},
    onEnd: () => (end ??= "the peer ended"),
    onClose: (reason) => (end = reason === undefined ? "closed" : String(reason)),
  });
  link.write([Buffer.from(line)]);
  const isOver = (): boolean => received.endsWith("\n") || end !== undefined;
  await waitFor(isOver, { what: "the line comes back", withinMs: patienceMs });
  return received === "" ? (end ?? "") : received;
}

/** What is wrong unless the line came back. */
async function connects(options: TlsOptions, address: string): Promise<string | undefined> {
  return wrongLine(await conversation(new Tls(options), address));
}

function wrongLine(line: string): string | undefined {
  return line === "olleh\n" ? undefined : `${JSON.stringify(line)} came back`;
}

/** What is wrong unless dialing failed, and the error says why. */
async function fails(
  options: TlsOptions,
  address: string,
  says: string,
): Promise<string | undefined> {
  try {
    const line = await conversation(new Tls(options), address);
    return `it connected, and ${JSON.stringify(line)} came back`;
  } catch (error) {
    if (!MsgError.is(error, "MSG_DIAL_FAILED")) return `it failed with ${String(error)}`;
    return error.message.includes(says) ? undefined : `it said ${error.message}`;
  }
}

const dialerChecks: Readonly<Record<string, Check>> = {
  "a right CA, by IP address": async ({ files, start }) => {
    const { port } = await start(files.server);
    return connects({ ca: files.ca }, `127.0.0.1:${port}`);
  },

  "a right CA, by name": async ({ files, start }) => {
    const { port } = await start(files.server);
    return connects({ ca: files.ca }, `localhost:${port}`);
  },

  "a wrong CA": async ({ files, start }) => {
    const { port } = await start(files.server);
    return fails({ ca: files.otherCa }, `127.0.0.1:${port}`, "not in ca");
  },

  "the authorities that Node.js brings": async ({ files, start }) => {
    const { port } = await start(files.server);
    return fails({}, `127.0.0.1:${port}`, "not in ca");
  },

  "a wrong CA, with rejectUnauthorized: false": async ({ files, start }) => {
    const { port } = await start(files.server);
    return connects({ ca: files.otherCa, rejectUnauthorized: false }, `127.0.0.1:${port}`);
  },

  "an expired certificate": async ({ files, start }) => {
    const { port } = await start(files.expired);
    return fails({ ca: files.ca }, `127.0.0.1:${port}`, "expired");
  },

  "a certificate for another host": async ({ files, start }) => {
    const { port } = await start(files.a);
    return fails({ ca: files.ca }, `127.0.0.1:${port}`, "not for 127.0.0.1");
  },

  "a certificate of a client": async ({ files, start }) => {
    const { port } = await start(files.client);
    const options = { ca: files.ca, serverName: "client" };
    return fails(options, `127.0.0.1:${port}`, "not meant for this use");
  },

  "a server name that is not the host": async ({ files, start }) => {
    const { port } = await start(files.a);
    return connects({ ca: files.ca, serverName: "a.example" }, `127.0.0.1:${port}`);
  },

  "the server name asked for": async ({ files, start }) => {
    const { b } = files;
    const byName = ["-servername", "b.example", "-cert2", b.file, "-key2", b.file];
    const { port } = await start(files.a, ...byName);
    return connects({ ca: files.ca, serverName: "b.example" }, `127.0.0.1:${port}`);
  },

  "TLS 1.3 only": ({ files, start }) => speaks(files, start, "-tls1_3"),
  "TLS 1.2 only": ({ files, start }) => speaks(files, start, "-tls1_2"),

  "a resumed session, TLS 1.3": (scene) => resumes(scene, "-tls1_3"),
  "a resumed session, TLS 1.2": (scene) => resumes(scene, "-tls1_2"),

  "TLS 1.1 only": async ({ files, start }) => {
    const { port } = await start(files.server, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");
    return fails({ ca: files.ca }, `127.0.0.1:${port}`, "no version of TLS in common");
  },

  "a server that requires a client certificate, TLS 1.3": ({ files, start }) =>
    showsClient(files, start, "-tls1_3"),
  "a server that requires a client certificate, TLS 1.2": ({ files, start }) =>
    showsClient(files, start, "-tls1_2"),

  "no client certificate where one is required, TLS 1.3": async ({ files, start }) => {
    const { port } = await start(files.server, "-tls1_3", "-Verify", "1", "-CAfile", files.caFile);
    // The dialer has finished before the server looks: it learns on the link.
    const line = await conversation(new Tls({ ca: files.ca }), `127.0.0.1:${port}`);
    return line.includes("client certificate") ? undefined : `it was told ${line}`;
  },

  "no client certificate where one is required, TLS 1.2": async ({ files, start }) => {
    const { port } = await start(files.server, "-tls1_2", "-Verify", "1", "-CAfile", files.caFile);
    return fails({ ca: files.ca }, `127.0.0.1:${port}`, "client certificate");
  },
};

async function speaks(
  files: TlsFiles,
  start: Scene["start"],
  flag: string,
): Promise<string | undefined> {
  const { port } = await start(files.server, flag);
  return connects({ ca: files.ca }, `127.0.0.1:${port}`);
}

async function showsClient(
  files: TlsFiles,
  start: Scene["start"],
  flag: string,
): Promise<string | undefined> {
  const verifying = ["-Verify", "1", "-verify_return_error", "-CAfile", files.caFile];
  const { port, program } = await start(files.server, flag, ...verifying);
  const { cert, key } = files.client;
  const wrong = await connects({ ca: files.ca, cert, key }, `127.0.0.1:${port}`);
  if (wrong !== undefined) return wrong;
  return program.output.includes("CN = client") ? undefined : program.output;
}

/** The server tells of each handshake; tickets of TLS 1.3 come with what it sends behind it. */
async function resumes({ files, startSilent }: Scene, flag: string): Promise<string | undefined> {
  const { port, program } = await startSilent(files.server, flag);
  const transport = new Tls({ ca: files.ca });
  for (const told of ["CIPHER is", "Reused session-id"]) {
    const link = await transport.dial(`127.0.0.1:${port}`, AbortSignal.timeout(patienceMs));
    try {
      await program.says(told);
      program.write(Buffer.from("olleh\n"));
      const wrong = wrongLine(await exchange(link, "hello\n"));
      if (wrong !== undefined) return wrong;
    } finally {
      link.destroy();
    }
  }
  return undefined;
}
