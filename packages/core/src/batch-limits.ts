// What the batches of all protocols have in common. The rest is how a frame is written, which is in the
// hot path of a PUB, so that there is no class for both.

/** Bytes of a batch: as much as a chunk of an outbox takes. */
export const batchBytes: number = 64 * 1024;

/** Larger payloads gain nothing by being copied twice. */
export const maxBatchedPayloadBytes: number = 4 * 1024;
