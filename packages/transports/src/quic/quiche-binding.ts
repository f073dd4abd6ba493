import { createRequire } from "node:module";
import process from "node:process";
import { MsgError } from "@msg-ts/core";
import type { HostPort } from "./engine.ts";

/** The binding of quiche 0.18 that `@matrixai/quic` brings: what we use of it. */
export interface QuicheBinding {
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      authorities: Uint8Array | undefined,
      keys: readonly Uint8Array[] | undefined,
      certificates: readonly Uint8Array[] | undefined,
      signatureAlgorithms: string | undefined,
    ): QuicheConfig;
  };
  readonly Connection: {
    connect(
      serverName: string | null,
      sourceId: Uint8Array,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheConnection;
    accept(
      sourceId: Uint8Array,
      originalId: Uint8Array | null,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheConnection;
  };
  readonly Header: {
    fromSlice(datagram: Uint8Array, connectionIdBytes: number): QuicheHeader;
  };
  readonly Type: { readonly Initial: number; readonly Short: number };
  readonly Shutdown: { readonly Read: number; readonly Write: number };
  readonly CongestionControlAlgorithm: { readonly BBR: number };
  versionIsSupported(version: number): boolean;
  negotiateVersion(sourceId: Uint8Array, destinationId: Uint8Array, into: Uint8Array): number;
  retry(
    sourceId: Uint8Array,
    destinationId: Uint8Array,
    newSourceId: Uint8Array,
    token: Uint8Array,
    version: number,
    into: Uint8Array,
  ): number;
}

interface QuicheHeader {
  readonly ty: number;
  readonly version: number;
  readonly dcid: Uint8Array;
  readonly scid: Uint8Array;
  readonly token?: Uint8Array;
}

/** `quiche::Config`. */
export interface QuicheConfig {
  grease(isOn: boolean): void;
  setApplicationProtos(protocols: readonly string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(bytes: number): void;
  setMaxSendUdpPayloadSize(bytes: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamDataUni(bytes: number): void;
  setInitialMaxStreamsBidi(count: number): void;
  setInitialMaxStreamsUni(count: number): void;
  setActiveConnectionIdLimit(count: number): void;
  setMaxAckDelay(delayMs: number): void;
  setDisableActiveMigration(isOff: boolean): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxConnectionWindow(bytes: number): void;
  setCcAlgorithm(algorithm: number): void;
  enablePacing(isOn: boolean): void;
}

/** Why a connection was closed. */
export interface QuicheError {
  readonly isApp: boolean;
  readonly errorCode: number;
  readonly reason: Uint8Array;
}

/** `quiche::Connection`. What throws, throws an error whose text is the name of quiche's. */
export interface QuicheConnection {
  recv(datagram: Uint8Array, path: { readonly from: HostPort; readonly to: HostPort }): number;
  send(into: Uint8Array): [number, { readonly to: HostPort }] | null;
  sendOnPath(
    into: Uint8Array,
    from: HostPort,
    to: HostPort,
  ): [number, { readonly to: HostPort }] | null;
  isPathValidated(from: HostPort, to: HostPort): boolean;
  streamRecv(id: number, into: Uint8Array): [number, boolean] | null;
  streamSend(id: number, bytes: Uint8Array, isLast: boolean): number | null;
  streamShutdown(id: number, direction: number, code: number): void;
  streamCapacity(id: number): number;
  peerStreamsLeftBidi(): number;
  isReadable(): boolean;
  /** Thirty times dearer than the others. */
  readable(): Iterable<number>;
  streamReadable(id: number): boolean;
  timeout(): number | null;
  onTimeout(): void;
  close(isApp: boolean, code: number, reason: Uint8Array): void;
  destinationId(): Uint8Array;
  peerCertChain(): readonly Uint8Array[] | null;
  isEstablished(): boolean;
  isDraining(): boolean;
  isClosed(): boolean;
  isTimedOut(): boolean;
  peerError(): QuicheError | null;
  localError(): QuicheError | null;
  stats(): {
    readonly recv: number;
    readonly recvBytes: number;
    readonly sentBytes: number;
    readonly lost: number;
    readonly lostBytes: number;
    readonly peerMaxIdleTimeout: number;
  };
  pathStats(): readonly {
    readonly active: boolean;
    readonly rtt: number;
    readonly cwnd: number;
  }[];
  sendAckEliciting(): void;
}

const version = "2.0.9";

/**
 * The packages that may have a build for a platform, the likelier first. Only what npm can resolve
 * everywhere is installed by itself, see docs/decisions.
 */
const packagesByPlatform: Readonly<Record<string, readonly string[]>> = {
  "linux x64": ["@matrixai/quic-linux-x64"],
  "linux arm64": ["@infisical/quic-linux-arm64"],
  "darwin x64": ["@matrixai/quic-darwin-x64", "@matrixai/quic-darwin-universal"],
  "darwin arm64": ["@matrixai/quic-darwin-arm64", "@matrixai/quic-darwin-universal"],
  "win32 x64": ["@matrixai/quic-win32-x64"],
};

/**
 * Loads the build of quiche for a platform.
 *
 * @throws MsgError `MSG_MISSING_PACKAGE`, naming the platform and what to do.
 */
export function loadQuiche(
  platform: string = `${process.platform} ${process.arch}`,
  load: (name: string) => unknown = createRequire(import.meta.url),
): QuicheBinding {
  const names = packagesByPlatform[platform] ?? [];
  const [first] = names;
  if (first === undefined) {
    const known = Object.keys(packagesByPlatform).join(", ");
    const text = `QUIC has no build for ${platform}, only for ${known}: use tls there`;
    throw new MsgError("MSG_MISSING_PACKAGE", text);
  }
  let cause: unknown;
  for (const name of names) {
    try {
      return load(name) as QuicheBinding;
    } catch (error) {
      if (cause === undefined || !isAbsent(error)) cause = error;
    }
  }
  const text = isAbsent(cause)
    ? `QUIC on ${platform} needs the package ${first}: npm install ${first}@${versionOf(first)}`
    : `QUIC needs the package ${first}, which does not load on ${platform}: it is built for glibc 2.34 or newer, not for musl; use tls there`;
  throw new MsgError("MSG_MISSING_PACKAGE", text, { cause });
}

function versionOf(name: string): string {
  return name.startsWith("@infisical/") ? "1.0.8" : version;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
}
