import type { Socket } from "node:net";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { domainToASCII } from "node:url";
import { MsgError } from "@msg-ts/core";
import { dialAborted } from "../failures.ts";
import { isPinned, notPinnedText } from "../certificates/public-key-pin.ts";
import { remoteAddressOf } from "../tcp/tcp-socket.ts";
import { nodeTls } from "../node-tls.ts";
import { PeerCertificate } from "../certificates/peer-certificate.ts";
import type { TlsCredentials } from "./tls-credentials.ts";
import { tlsFailureText } from "./tls-failures.ts";
import { TlsLink } from "./tls-link.ts";

const whyEnded =
  "it ended the connection in the handshake; perhaps it speaks no TLS, or refuses our certificate";

/** A connection on which TLS is to begin. */
export interface TlsDialing {
  /** Connected, paused since its creation, may be half-open. */
  readonly raw: Socket;
  /** What was dialed, for error messages and sessions. */
  readonly target: string;
  /** What the server's certificate must be for. */
  readonly serverName: string;
  readonly credentials: TlsCredentials;
  readonly rejectUnauthorized: boolean;
}

/**
 * Shakes hands as the client, and gives the link; resumes the last session with the same server
 * where there is one. When `signal` aborts, or it fails, the connection is destroyed.
 *
 * @throws MsgError `MSG_DIAL_FAILED` that says why in plain words.
 */
export function secureDialed(dialing: TlsDialing, signal: AbortSignal): Promise<TlsLink> {
  const { raw, target, rejectUnauthorized } = dialing;
  const name = certificateName(dialing.serverName);
  const key = `${target} ${name}`;
  // What was not verified is not remembered: resuming would not look at it again.
  const sessions = rejectUnauthorized ? dialing.credentials.sessions : undefined;
  const { pins, verifiesChain } = dialing.credentials;
  const kept = sessions?.take(key);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      raw.destroy();
      return reject(dialAborted(target, signal));
    }
    const socket = nodeTls().connect({
      socket: raw,
      host: name,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(kept === undefined ? {} : { session: kept.session }),
      secureContext: dialing.credentials.clientContext,
      rejectUnauthorized: verifiesChain,
    });
    const fail = (error: MsgError): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(dialAborted(target, signal));
    signal.addEventListener("abort", onAbort);
    // It stays for good: a socket without one ends the process when it fails.
    socket.on("error", (cause) => {
      const text = `no TLS with ${target}: ${tlsFailureText(cause, whyEnded)}`;
      fail(new MsgError("MSG_DIAL_FAILED", text, { cause }));
    });
    let certificate: PeerCertificate | undefined;
    socket.on("session", (session) => {
      if (certificate !== undefined) sessions?.keep(key, { session, certificate });
    });
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", onAbort);
      const isResumed = kept !== undefined && socket.isSessionReused();
      const shown = isResumed ? kept.certificate : certificateFrom(socket, pins);
      if (pins !== undefined && shown?.authorized !== true) {
        const text = `no TLS with ${target}: ${notPinnedText(shown?.raw)}`;
        return fail(new MsgError("MSG_DIAL_FAILED", text));
      }
      certificate = shown;
      if (isResumed) {
        // A server that resumes gives no new one. One that then ends the connection is not asked again.
        sessions?.keep(key, kept);
        socket.once("close", () => {
          if (socket.bytesRead === 0) sessions?.forget(key);
        });
      }
      const remoteAddress = remoteAddressOf(raw);
      resolve(new TlsLink({ socket, raw, remoteAddress, certificate, isDialer: true }));
    });
  });
}

/** What the peer of a finished handshake showed, verified by its key where there are pins. */
export function certificateFrom(
  socket: TLSSocket,
  pins?: ReadonlySet<string>,
): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const isAuthorized = pins === undefined ? socket.authorized : isPinned(certificate, pins);
  return new PeerCertificate(certificate, isAuthorized);
}

/** A name as certificates have it: in ASCII, without a dot at its end; an address without a zone. */
function certificateName(host: string): string {
  if (isIP(host) !== 0) return host.replace(/%.*$/, "");
  const name = host.replace(/\.$/, "");
  return domainToASCII(name) || name;
}
