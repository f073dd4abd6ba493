import { bytes } from "@msg-ts/testing";
import { Tls } from "@msg-ts/transports/tls";
import type { TlsOptions } from "@msg-ts/transports/tls";
import { RepSocket } from "msg-ts";
import { OpenSsl } from "./openssl.ts";
import type { Tally } from "./tally.ts";
import type { FiledCertificate, TlsFiles } from "./tls-files.ts";
import { makeTlsFiles } from "./tls-files.ts";

//                      kind flags id       length   "hello"
const request = bytes("02   00    00000001 00000005 68656c6c6f");
const reply = "\u0002\0\0\0\0\u0001\0\0\0\nyou: hello";

/** What a check of our listener comes to: what is wrong, or nothing. */
type Check = (scene: Scene) => Promise<string | undefined>;

/** A REP behind a listener of ours. */
interface Scene {
  readonly files: TlsFiles;
  /** Starts the listener; whom it refuses is told in `refused`. */
  readonly listen: (options: TlsOptions) => Promise<string>;
  readonly refused: string[];
}

/** Dials our listener with `openssl s_client`. */
export async function compareListener(subject: string, tally: Tally): Promise<void> {
  const files = await makeTlsFiles();
  try {
    for (const [what, check] of Object.entries(listenerChecks)) {
      await tally.check(subject, "s_client dials our listener", what, () => inScene(files, check));
    }
  } finally {
    files.remove();
  }
}

async function inScene(files: TlsFiles, check: Check): Promise<string | undefined> {
  const refused: string[] = [];
  const opened: RepSocket[] = [];
  const listen = async (options: TlsOptions): Promise<string> => {
    const rep = new RepSocket(new Tls(options));
    opened.push(rep);
    rep.on("refused", ({ error }) => void refused.push(error.code));
    rep.serve((asked) => `you: ${asked.text()}`);
    return rep.bind("127.0.0.1:0");
  };
  try {
    return await check({ files, listen, refused });
  } finally {
    for (const rep of opened) await rep.close({ lingerMs: 0 }).catch(() => {});
  }
}

/** One visit of s_client: it asks, and leaves when it was answered. */
async function visit(address: string, ...args: string[]): Promise<OpenSsl> {
  const client = new OpenSsl("s_client", "-connect", address, "-verify_return_error", ...args);
  client.write(request);
  await client.says(reply);
  await client.end();
  return client;
}

/** What is missing of `wanted` in what s_client said, or is there against `unwanted`. */
function lack(
  { output }: OpenSsl,
  wanted: readonly string[],
  unwanted: readonly string[] = [],
): string | undefined {
  const missing = wanted.filter((text) => !output.includes(text));
  const surplus = unwanted.filter((text) => output.includes(text));
  if (missing.length === 0 && surplus.length === 0) return undefined;
  return `it did not say ${quoted(missing)}, it said ${quoted(surplus)}: ${output.trim()}`;
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join(", ");
}

const verified = "Verify return code: 0 (ok)";

function served(visited: OpenSsl, ...alsoSaid: string[]): string | undefined {
  return lack(visited, [verified, reply, ...alsoSaid]);
}

/** What is wrong unless s_client ended with an error, unserved, and said so. */
function unserved(visited: OpenSsl, ...said: string[]): string | undefined {
  if (visited.exitCode === 0) return `it ended well: ${visited.output.trim()}`;
  return lack(visited, said, [reply]);
}

/** What is wrong unless our listener told of just one peer that it refused, with this code. */
function toldOnce({ refused }: Scene, code: string): string | undefined {
  return refused.join() === code ? undefined : `the listener told of ${refused.join() || "nobody"}`;
}

function shows({ cert, key }: FiledCertificate): Pick<TlsOptions, "cert" | "key"> {
  return { cert, key };
}

function clientFile({ file }: FiledCertificate): string[] {
  return ["-cert", file, "-key", file];
}

const anyCipher = ["-cipher", "DEFAULT@SECLEVEL=0"];

const listenerChecks: Readonly<Record<string, Check>> = {
  "a right CA": async ({ files, listen }) => {
    const address = await listen(shows(files.server));
    return served(await visit(address, "-CAfile", files.caFile));
  },

  "a wrong CA": async (scene) => {
    const address = await scene.listen(shows(scene.files.server));
    const client = await visit(address, "-CAfile", scene.files.otherCaFile);
    return unserved(client, "verify error") ?? toldOnce(scene, "MSG_AUTH_REJECTED");
  },

  "an expired certificate": async ({ files, listen }) => {
    const address = await listen(shows(files.expired));
    const client = await visit(address, "-CAfile", files.caFile);
    return unserved(client, "certificate has expired");
  },

  "a right host name": async ({ files, listen }) => {
    const address = await listen(shows(files.server));
    return served(await visit(address, "-CAfile", files.caFile, "-verify_hostname", "localhost"));
  },

  "a right IP address": async ({ files, listen }) => {
    const address = await listen(shows(files.server));
    return served(await visit(address, "-CAfile", files.caFile, "-verify_ip", "127.0.0.1"));
  },

  "a wrong host name": async ({ files, listen }) => {
    const address = await listen(shows(files.server));
    const client = await visit(address, "-CAfile", files.caFile, "-verify_hostname", "b.example");
    return unserved(client, "hostname mismatch");
  },

  "TLS 1.3": async ({ files, listen }) => {
    const address = await listen(shows(files.server));
    return served(await visit(address, "-CAfile", files.caFile, "-tls1_3"), "New, TLSv1.3");
  },

  "TLS 1.2": async ({ files, listen }) => {
    const address = await listen(shows(files.server));
    return served(await visit(address, "-CAfile", files.caFile, "-tls1_2"), "New, TLSv1.2");
  },

  "TLS 1.1": (scene) => oldVersion(scene, "-tls1_1"),
  "TLS 1.0": (scene) => oldVersion(scene, "-tls1"),

  "a client certificate that is required": async ({ files, listen }) => {
    const address = await listen(mutual(files));
    return served(await visit(address, "-CAfile", files.caFile, ...clientFile(files.client)));
  },

  "no client certificate where one is required, TLS 1.3": (scene) =>
    wrongClient(scene, ["-tls1_3"], "certificate required"),
  "no client certificate where one is required, TLS 1.2": (scene) =>
    wrongClient(scene, ["-tls1_2"], "handshake failure"),
  "an expired client certificate": (scene) =>
    wrongClient(scene, clientFile(scene.files.expiredClient)),
  "a client certificate of another authority": (scene) =>
    wrongClient(scene, clientFile(scene.files.strangeClient)),
  "a certificate of a server for a client": (scene) =>
    wrongClient(scene, clientFile(scene.files.server)),

  "a client certificate that is optional and missing": async ({ files, listen }) => {
    const address = await listen({ ...mutual(files), clientCertificates: "optional" });
    return served(await visit(address, "-CAfile", files.caFile));
  },

  "the certificate for a server name": async ({ files, listen }) => {
    const address = await listen(bySni(files));
    for (const name of ["a.example", "b.example"]) {
      const names = ["-servername", name, "-verify_hostname", name];
      const wrong = served(await visit(address, "-CAfile", files.caFile, ...names));
      if (wrong !== undefined) return `${name}: ${wrong}`;
    }
    return undefined;
  },

  "the certificate for no server name, and for an unknown one": async ({ files, listen }) => {
    const address = await listen(bySni(files));
    for (const names of [["-noservername"], ["-servername", "c.example"]]) {
      const ours = ["-CAfile", files.caFile, "-verify_hostname", "localhost"];
      const wrong = served(await visit(address, ...ours, ...names));
      if (wrong !== undefined) return `${names.join(" ")}: ${wrong}`;
    }
    return undefined;
  },

  "a resumed session, TLS 1.3": (scene) => resumed(scene, "TLSv1.3", "-tls1_3"),
  "a resumed session, TLS 1.2": (scene) => resumed(scene, "TLSv1.2", "-tls1_2"),
};

function mutual(files: TlsFiles): TlsOptions {
  return { ...shows(files.server), ca: files.ca, clientCertificates: "required" };
}

function bySni(files: TlsFiles): TlsOptions {
  return { ...shows(files.server), sni: { "a.example": files.a, "b.example": files.b } };
}

async function oldVersion(scene: Scene, flag: string): Promise<string | undefined> {
  const address = await scene.listen(shows(scene.files.server));
  const client = await visit(address, "-CAfile", scene.files.caFile, flag, ...anyCipher);
  return unserved(client, "alert protocol version") ?? toldOnce(scene, "MSG_PROTOCOL");
}

/**
 * Node.js says by an alert that a certificate is missing. It looks at one that is there when the
 * handshake is over, and then ends the connection without a word.
 */
async function wrongClient(
  scene: Scene,
  args: readonly string[],
  ...said: string[]
): Promise<string | undefined> {
  const address = await scene.listen(mutual(scene.files));
  const client = await visit(address, "-CAfile", scene.files.caFile, ...args);
  return unserved(client, ...said) ?? toldOnce(scene, "MSG_AUTH_REJECTED");
}

async function resumed(scene: Scene, version: string, flag: string): Promise<string | undefined> {
  const { files, listen } = scene;
  const address = await listen(shows(files.server));
  const session = `${files.folder}/session${flag}`;
  const flags = ["-CAfile", files.caFile, flag];
  const first = served(await visit(address, ...flags, "-sess_out", session), `New, ${version}`);
  if (first !== undefined) return first;
  return served(await visit(address, ...flags, "-sess_in", session), `Reused, ${version}`);
}
