/** The addon of this folder, as `src/` makes it. `build.sh` builds it. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Where `build.sh` puts it. */
export const addonPath: string = fileURLToPath(
  new URL("../../../.bench/quinn/quinn-engine.node", import.meta.url),
);

/** Options of a context: see `src/configs.rs`. */
export interface AddonOptions {
  readonly protocols: readonly string[];
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly authorities?: string | undefined;
  readonly verify: string;
  readonly idleTimeoutMs: number;
  readonly streamWindowBytes: number;
  readonly maxStreams: number;
  readonly maxControlStreams: number;
  readonly maxDatagramBytes: number;
  readonly congestion: string;
}

export interface AddonConnection {
  readonly isEstablished: boolean;
  readonly isClosed: boolean;
  readonly isAcknowledged: boolean;
  readonly isStreamEnd: boolean;
  readonly protocol: string;
  readonly peerCertificates: readonly Uint8Array[];
  readonly closed: {
    readonly kind: string;
    readonly code: number;
    readonly reason: string;
    readonly isLocal: boolean;
  };
  readonly stats: {
    readonly receivedPackets: number;
    readonly receivedBytes: number;
    readonly sentBytes: number;
    readonly lostPackets: number;
    readonly lostBytes: number;
    readonly roundTripMs: number;
    readonly congestionWindowBytes: number;
  };
  receive(datagram: Uint8Array, host: string, port: number): void;
  send(into: Uint8Array): number;
  timeoutMs(): number;
  onTimeout(): void;
  ping(): void;
  readonly isReadable: boolean;
  readableStreams(): number[];
  isStreamReadable(id: number): boolean;
  streamSend(id: number, bytes: Uint8Array, isLast: boolean): number;
  streamReceive(id: number, into: Uint8Array): number;
  isStreamDone(id: number): boolean;
  streamReset(id: number, code: number): void;
  close(code: number, reason: string): void;
}

export interface AddonContext {
  connect(serverName: string, sourceId: Uint8Array, host: string, port: number): AddonConnection;
  accept(sourceId: Uint8Array): AddonConnection;
}

export interface Addon {
  readonly QuinnContext: new (options: AddonOptions, isServer: boolean) => AddonContext;
}

/** What there is to do before it can be loaded; `undefined` when it is there. */
export function whatIsMissing(): string | undefined {
  return existsSync(addonPath) ? undefined : "run bench/native/quinn/build.sh, which needs cargo";
}

export function loadAddon(): Addon {
  return createRequire(import.meta.url)(addonPath) as Addon;
}
