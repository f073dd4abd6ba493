import type { KeyObject, X509Certificate } from "node:crypto";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { MsgError } from "@msg-ts/core";
import { pinOf, resolvePins } from "../quic/public-key-pin.ts";
import { nodeCrypto, nodeTls } from "./node-tls.ts";
import type { Pem, ResolvedTlsOptions, TlsCertificates, TlsIdentity } from "./tls-options.ts";
import { TlsSessions } from "./tls-sessions.ts";

const sessionIdContextBytes = 16;

/**
 * The certificates of a transport at one time, read and checked. Never changed, only replaced.
 *
 * Tickets and sessions belong to it: whoever comes back after a change of certificates goes through
 * a whole handshake, and is looked at anew.
 */
export class TlsCredentials {
  /** What listeners show when no other server name is asked for. */
  readonly serverOptions: SecureContextOptions;
  readonly clientContext: SecureContext;
  readonly sessions: TlsSessions = new TlsSessions();
  /** False when a listener would have nothing to show. */
  readonly canListen: boolean;
  /** The keys of servers, one of which they must have. */
  readonly pins: ReadonlySet<string> | undefined;
  /** Whether authority, name and time of a server are verified. */
  readonly verifiesChain: boolean;
  readonly #sni: TlsCertificates["sni"];
  readonly #byName: ReadonlyMap<string, SecureContext>;
  readonly #byIdentity: WeakMap<TlsIdentity, SecureContext> = new WeakMap();

  /** @throws MsgError `MSG_INVALID_OPTION`, naming what cannot be used, and why. */
  constructor(certificates: TlsCertificates, options: ResolvedTlsOptions) {
    const { cert, key, passphrase, sni } = certificates;
    const identity = identityOf("", cert, key, passphrase);
    const ca = authoritiesOf(certificates.ca);
    if (ca === undefined && options.clientCertificates !== "none") {
      const text = `clientCertificates is "${options.clientCertificates}", must be "none" without ca`;
      throw new MsgError("MSG_INVALID_OPTION", text);
    }
    this.pins = certificates.pins === undefined ? undefined : resolvePins(certificates.pins);
    if (this.pins !== undefined && !options.rejectUnauthorized) {
      throw invalid("", "rejectUnauthorized is false, must be true with pins");
    }
    this.verifiesChain =
      options.rejectUnauthorized && (this.pins === undefined || ca !== undefined);
    const { minVersion, maxVersion } = options;
    const shared = { minVersion, maxVersion, ...identity };
    this.serverOptions = {
      ...shared,
      // Without any: whoever was not asked for a certificate needs no authority.
      ca: ca ?? [],
      sessionIdContext: nodeCrypto().randomBytes(sessionIdContextBytes).toString("hex"),
    };
    this.clientContext = contextOf("cert and key", ca === undefined ? shared : { ...shared, ca });
    this.#sni = sni;
    this.#byName = this.#contextsOf(sni);
    this.canListen =
      identity.cert !== undefined || this.#byName.size > 0 || typeof sni === "function";
  }

  /** The pin of what listeners show when no other server name is asked for. */
  get pin(): string | undefined {
    const { cert } = this.serverOptions;
    if (typeof cert !== "string") return undefined;
    const { X509Certificate } = nodeCrypto();
    return pinOf(new X509Certificate(cert));
  }

  /** What to show for a server name; `undefined` for {@link serverOptions}. */
  async contextFor(serverName: string): Promise<SecureContext | undefined> {
    const name = serverName.toLowerCase();
    if (typeof this.#sni !== "function") {
      return this.#byName.get(name) ?? this.#byName.get(name.replace(/^[^.]*/, "*"));
    }
    const identity = await this.#sni(name);
    return identity === undefined ? undefined : this.#contextOf(`sni of ${name}: `, identity);
  }

  #contextsOf(sni: TlsCertificates["sni"]): Map<string, SecureContext> {
    const contexts = new Map<string, SecureContext>();
    if (sni === undefined || typeof sni === "function") return contexts;
    if (typeof sni !== "object" || sni === null) {
      throw new MsgError(
        "MSG_INVALID_OPTION",
        `sni is ${typeof sni}, must be an object or function`,
      );
    }
    for (const [name, identity] of Object.entries(sni)) {
      contexts.set(name.toLowerCase(), this.#contextOf(`sni of ${name}: `, identity));
    }
    return contexts;
  }

  #contextOf(where: string, identity: TlsIdentity): SecureContext {
    const found = this.#byIdentity.get(identity);
    if (found !== undefined) return found;
    const { cert, key, passphrase } = identity;
    const known = identityOf(where, cert, key, passphrase);
    if (known.cert === undefined) throw invalid(where, "cert and key are not given");
    const context = contextOf(`${where}cert and key`, { ...this.serverOptions, ...known });
    this.#byIdentity.set(identity, context);
    return context;
  }
}

interface ReadIdentity {
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** Checks one part after the other, because OpenSSL does not say which of them it means. */
function identityOf(where: string, cert?: Pem, key?: Pem, passphrase?: string): ReadIdentity {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined) throw invalid(where, "key is given without cert");
  if (key === undefined) throw invalid(where, "cert is given without key");
  if (passphrase !== undefined && typeof passphrase !== "string") {
    throw invalid(where, `passphrase is ${typeof passphrase}, must be a string`);
  }
  const certText = textOf(where, "cert", cert);
  const [leaf] = certificatesIn(where, "cert", certText);
  const keyText = textOf(where, "key", key);
  const privateKey = read(where, "key", () => privateKeyOf(keyText, passphrase));
  if (leaf?.checkPrivateKey(privateKey) !== true)
    throw invalid(where, "key does not belong to cert");
  return {
    cert: certText,
    key: keyText,
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

function privateKeyOf(key: string, passphrase?: string): KeyObject {
  return nodeCrypto().createPrivateKey({
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

function authoritiesOf(ca: TlsCertificates["ca"]): string[] | undefined {
  if (ca === undefined) return undefined;
  const given: readonly Pem[] = Array.isArray(ca) ? ca : [ca as Pem];
  if (given.length === 0) throw invalid("", "ca is empty, must have a certificate");
  return given.map((pem, index) => {
    const name = Array.isArray(ca) ? `ca[${index}]` : "ca";
    const text = textOf("", name, pem);
    certificatesIn("", name, text);
    return text;
  });
}

function textOf(where: string, name: string, pem: unknown): string {
  if (typeof pem === "string") return pem;
  if (pem instanceof Uint8Array) return new TextDecoder().decode(pem);
  throw invalid(where, `${name} is ${typeof pem}, must be PEM: a string or bytes`);
}

function certificatesIn(where: string, name: string, text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw invalid(where, `${name} has no certificate in PEM form in it`);
  const { X509Certificate } = nodeCrypto();
  return blocks.map((block) => read(where, name, () => new X509Certificate(block)));
}

function contextOf(name: string, options: SecureContextOptions): SecureContext {
  return read("", name, () => nodeTls().createSecureContext(options));
}

function read<T>(where: string, name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(where, `${name} could not be read: ${reasonOf(error)}`, error);
  }
}

/** OpenSSL's own words without its numbers; nothing of a key is in them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("reason" in error && typeof error.reason === "string") return error.reason;
  return error.message.replace(/^error:[^:]*:[^:]*:[^:]*:/, "");
}

function invalid(where: string, why: string, cause?: unknown): MsgError {
  return new MsgError("MSG_INVALID_OPTION", where + why, { cause });
}
