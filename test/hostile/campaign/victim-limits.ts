/** The bounds of the sockets that are attacked: low, so that an attack reaches them within a second. */
export const shared = {
  maxMessageBytes: 4 * 1024 * 1024,
  handshakeTimeoutMs: 700,
  frameTimeoutMs: 600,
  maxHandshakes: 64,
  maxClients: 256,
  sendHighWaterBytes: 256 * 1024,
} as const;

export const limits = {
  rep: { maxPending: 256, maxPendingBytes: 1024 * 1024, maxUnsentReplyBytes: 2 * 1024 * 1024 },
  pub: {
    maxQueued: 1_000,
    maxQueuedBytes: 1024 * 1024,
    maxSubscriptionsPerPeer: 10_000,
    maxSubscriptionBytesPerPeer: 8 * 1024 * 1024,
  },
  push: { maxUnacked: 1_000, maxUnackedBytes: 1024 * 1024 },
  pull: { window: 64, maxQueuedBytes: 1024 * 1024 },
  sub: { maxQueued: 100, maxQueuedBytes: 1024 * 1024 },
  req: { maxInFlight: 64, timeoutMs: 5_000 },
} as const;

/** Who is let in, by token. */
export const tokens: Readonly<Record<string, string>> = {
  "the good token": "good",
  "the bad token": "mallory",
};
