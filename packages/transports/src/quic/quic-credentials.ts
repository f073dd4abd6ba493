import { Buffer } from "node:buffer";
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { MsgError } from "@msg-ts/core";
import { nodeCrypto, nodeTls } from "../node-tls.ts";
import { PeerCertificate } from "../certificates/peer-certificate.ts";
import { authoritiesOf, identityOf, privateKeyOf } from "../certificates/read-pem.ts";
import type { ContextSettings, EngineConnection } from "./engine.ts";
import { isPinned, pinOf, resolvePins } from "../certificates/public-key-pin.ts";
import type { QuicCertificates, ResolvedQuicOptions } from "./quic-options.ts";
import type { SelfSignedIdentity } from "../certificates/self-signed-identity.ts";

type ContextCredentials = Pick<
  ContextSettings,
  "certificate" | "privateKey" | "authorities" | "verify"
>;

/** Who a peer turned out to be, or why it is not accepted. */
export type Verdict =
  | { readonly certificate: PeerCertificate | undefined; readonly refusal?: undefined }
  | { readonly certificate?: undefined; readonly refusal: MsgError };

/** The certificates of a transport, read and checked, and how those of peers are judged. */
export class QuicCredentials {
  readonly #options: ResolvedQuicOptions;
  readonly #authorities: readonly string[] | undefined;
  readonly #pins: ReadonlySet<string> | undefined;
  readonly #certificate: string | undefined;
  readonly #privateKey: string | undefined;
  readonly #ownPin: string | undefined;
  readonly #selfSigned: () => SelfSignedIdentity;

  /**
   * @param selfSigned - what a listener shows that was given no certificate.
   * @throws MsgError `MSG_INVALID_OPTION`, naming what cannot be used, and why.
   */
  constructor(
    certificates: QuicCertificates,
    options: ResolvedQuicOptions,
    selfSigned: () => SelfSignedIdentity,
  ) {
    const { cert, key, passphrase, ca, pins } = certificates;
    this.#options = options;
    this.#selfSigned = selfSigned;
    const identity = identityOf("", cert, key, passphrase);
    this.#authorities = authoritiesOf(ca);
    this.#pins = pins === undefined ? undefined : resolvePins(pins);
    if (options.clientCertificates === "required" && !this.#isJudging) {
      const text = `clientCertificates is "required", must be "none" without ca and pins`;
      throw new MsgError("MSG_INVALID_OPTION", text);
    }
    if (options.insecure && this.#isJudging) {
      const text = "insecure is true, must be false with ca or pins: they would not be looked at";
      throw new MsgError("MSG_INVALID_OPTION", text);
    }
    if (identity.cert === undefined || identity.key === undefined) return;
    this.#certificate = identity.cert;
    this.#ownPin = pinOf(new (nodeCrypto().X509Certificate)(identity.cert));
    const privateKey = privateKeyOf(identity.key, identity.passphrase);
    this.#privateKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  }

  /** The pin of what a listener shows. */
  get pin(): string {
    return this.#ownPin ?? this.#selfSigned().pin;
  }

  /** What the contexts of dialers are made with. */
  get dialing(): ContextCredentials {
    const own = { certificate: bytesOf(this.#certificate), privateKey: bytesOf(this.#privateKey) };
    if (!this.#isChainVerified) return { ...own, authorities: undefined, verify: "shown" };
    const authorities = this.#authorities ?? nodeTls().rootCertificates;
    return { ...own, authorities: bytesOf(authorities.join("\n")), verify: "chain" };
  }

  /** What the contexts of listeners are made with. */
  get listening(): ContextCredentials {
    const own = {
      certificate: bytesOf(this.#certificate ?? this.#selfSigned().cert),
      privateKey: bytesOf(this.#privateKey ?? this.#selfSigned().key),
    };
    if (this.#options.clientCertificates === "none") {
      return { ...own, authorities: undefined, verify: "none" };
    }
    const authorities = bytesOf(this.#authorities?.join("\n"));
    return { ...own, authorities, verify: authorities === undefined ? "shown" : "chain" };
  }

  /** Judges the server behind a connection that we dialed; its chain was verified, or is not to be. */
  judgeServer(connection: EngineConnection, serverName: string): Verdict {
    const certificate = leafOf(connection);
    if (certificate === undefined) return { refusal: refused("it showed no certificate") };
    const refusal = this.#pinRefusal(certificate) ?? this.#nameRefusal(certificate, serverName);
    if (refusal !== undefined) return { refusal };
    const isProven = this.#isChainVerified || this.#pins !== undefined;
    return { certificate: new PeerCertificate(certificate, isProven) };
  }

  /** Judges a client that dialed us; its chain was verified, or is not to be. */
  judgeClient(connection: EngineConnection): Verdict {
    if (this.#options.clientCertificates === "none") return { certificate: undefined };
    const certificate = leafOf(connection);
    if (certificate === undefined) return { refusal: refused("it showed no certificate") };
    const refusal = this.#pinRefusal(certificate);
    if (refusal !== undefined) return { refusal };
    return { certificate: new PeerCertificate(certificate, true) };
  }

  /** Whether there is something of ours that certificates are held against. */
  get #isJudging(): boolean {
    return this.#authorities !== undefined || this.#pins !== undefined;
  }

  /** Pins alone need no authority; msg-rs verifies nothing by itself. */
  get #isChainVerified(): boolean {
    if (this.#authorities !== undefined) return true;
    const { insecure, compat } = this.#options;
    return !insecure && compat === undefined && this.#pins === undefined;
  }

  #pinRefusal(certificate: X509Certificate): MsgError | undefined {
    if (this.#pins === undefined || isPinned(certificate, this.#pins)) return undefined;
    return refused(`its public key ${shownPin(certificate)} is none of pins`);
  }

  /** The engine compares names, but not addresses. */
  #nameRefusal(certificate: X509Certificate, serverName: string): MsgError | undefined {
    if (!this.#isChainVerified) return undefined;
    const isFor =
      isIP(serverName) === 0
        ? certificate.checkHost(serverName, { subject: "never" })
        : certificate.checkIP(serverName);
    if (isFor !== undefined) return undefined;
    const names = certificate.subjectAltName ?? "no name";
    return refused(`its certificate is not for ${serverName}, but for ${names}`);
  }
}

/** So many certificates that were read lately are kept, of all transports together. */
const maxKept = 32;

/**
 * To read one takes Node.js 0.3 ms, a tenth of a whole handshake, and it is the same one again for
 * all who dial one server. It cannot be changed, so they may share it.
 */
const readLately: Map<string, X509Certificate> = new Map();

function leafOf(connection: EngineConnection): X509Certificate | undefined {
  const [leaf] = connection.peerCertificates;
  if (leaf === undefined) return undefined;
  const bytes = Buffer.from(leaf);
  const key = bytes.toString("latin1");
  try {
    const certificate = readLately.get(key) ?? new (nodeCrypto().X509Certificate)(bytes);
    readLately.delete(key);
    readLately.set(key, certificate);
    if (readLately.size > maxKept) readLately.delete(readLately.keys().next().value ?? "");
    return certificate;
  } catch {
    return undefined;
  }
}

function shownPin(certificate: X509Certificate): string {
  try {
    return pinOf(certificate);
  } catch {
    return "of an unknown kind";
  }
}

function bytesOf(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}

function refused(why: string): MsgError {
  return new MsgError("MSG_AUTH_REJECTED", `peer was refused: ${why}`);
}
