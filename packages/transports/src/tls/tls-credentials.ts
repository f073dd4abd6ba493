import type { SecureContext, SecureContextOptions } from "node:tls";
import { MsgError } from "@msg-ts/core";
import type { TlsIdentity } from "../certificates/certificate-options.ts";
import { pinOf, resolvePins } from "../certificates/public-key-pin.ts";
import { nodeCrypto, nodeTls } from "../node-tls.ts";
import { authoritiesOf, identityOf, invalid, read } from "../certificates/read-pem.ts";
import type { ResolvedTlsOptions, TlsCertificates } from "./tls-options.ts";
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

function contextOf(name: string, options: SecureContextOptions): SecureContext {
  return read("", name, () => nodeTls().createSecureContext(options));
}
