import type { Pulse, WireContext } from "../contracts/protocol.ts";
import type { Connection } from "../connection/connection.ts";
import type { Compression } from "../wire/compression.ts";

/** What the wire of one connection needs; a class, because there is one for each that is idle. */
export class SocketWireContext implements WireContext {
  readonly maxMessageBytes: number;
  readonly gate: Connection;
  readonly #compression: Compression;

  constructor(maxMessageBytes: number, gate: Connection, compression: Compression) {
    this.maxMessageBytes = maxMessageBytes;
    this.gate = gate;
    this.#compression = compression;
  }

  decompress(id: number, payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array> {
    return this.#compression.decompress(id, payload, maxBytes);
  }

  fail(error: unknown): void {
    this.gate.fail(error);
  }

  get pulse(): Pulse {
    return this.gate;
  }
}
