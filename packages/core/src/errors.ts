/** Every code this library raises. `docs/errors.md` is generated from this table. */
export const errorCodes = {
  MSG_ALREADY_ANSWERED: "A request is answered once. Answer it in one place only.",
  MSG_AUTH_REJECTED:
    "The peer refused our token or certificate, or we refused the peer's. Check both ends' secrets; the dialer keeps trying, more slowly.",
  MSG_AUTH_FAILED:
    "The authenticator, the connection hook or authorize itself failed, or took too long. Its own error is the cause; the peer was refused.",
  MSG_CLOSED: "The socket is closed, or drains and takes nothing new. Make a new one.",
  MSG_COMPRESS_FAILED: "The compressor failed on a payload. Its own error is the cause.",
  MSG_DECODE_FAILED:
    "A payload is not of the socket's codec, or is over one of the codec's limits. That message is lost, the connection lives. Check that both ends use the same codec; the cause says more.",
  MSG_DECOMPRESS_FAILED:
    "A compressed payload is damaged. That message is lost, the connection lives. The compressor's own error is the cause.",
  MSG_DIAL_FAILED:
    "No connection could be made. The cause says why; the socket keeps trying unless maxAttempts is reached.",
  MSG_DRAINING: "The peer is closing and ran nothing. A request goes to another peer by itself.",
  MSG_ENCODE_FAILED:
    "The codec cannot encode a value, which was not sent. The codec's own error is the cause.",
  MSG_FORBIDDEN:
    "The peer was let in, but may not do this. At a publisher or REP: what authorize said. At a subscriber: the publisher refused the subscription; check its authorize and its limits.",
  MSG_FRAME_TIMEOUT:
    "The peer began a frame and did not get on with it within frameTimeoutMs. Its connection was closed; raise the option for links that are that slow.",
  MSG_HANDSHAKE_TIMEOUT:
    "The peer did not finish its handshake within handshakeTimeoutMs. It may speak another protocol, or none.",
  MSG_HANDLER_FAILED: "A handler or listener of the application threw. Its error is the cause.",
  MSG_HIGH_WATER_MARK:
    "A queue is full. The message names the bound: wait, send less, or raise it.",
  MSG_INVALID_ADDRESS: "An address is malformed, or is not of this transport's scheme.",
  MSG_INVALID_ARGUMENT:
    "A value given to a method is of the wrong type or form. The message names it.",
  MSG_INVALID_OPTION:
    "An option is of the wrong type or out of range. The message names it and its limits.",
  MSG_INVALID_STATE:
    "The call is not possible now, such as two consumers on one socket. The message says why.",
  MSG_INVALID_TOPIC:
    "A topic is reserved (it begins with MSG), too long, not well-formed, or has a wildcard where none may be.",
  MSG_INVALID_VALUE:
    "A value that arrived does not fit the schema. That message is lost, the connection lives. The message names the first places where it does not fit.",
  MSG_LISTEN_FAILED:
    "The address could not be listened on. The cause says why: in use, not permitted, or not a socket file.",
  MSG_MISSING_PACKAGE:
    "An optional package is not installed, or has no build for this platform. The message names it: install it, or do without what needs it.",
  MSG_NO_ANSWER:
    "The peer received the request, but nobody answered it within its answerTimeoutMs.",
  MSG_NO_PEER: "No peer is connected and failFast is on. Leave it off to wait for one.",
  MSG_PAYLOAD_TOO_LARGE: "A message is over maxMessageBytes. Raise it on both ends or send less.",
  MSG_PEER_LOST:
    "The connection ended or went silent. The socket reconnects by itself; whether the request ran is not known.",
  MSG_PROTOCOL: "The peer sent bytes that are not this protocol. Its connection was closed.",
  MSG_REMOTE: "The peer answered with an error. `remoteCode` is its code.",
  MSG_SLOW_PEER: "A subscriber did not read fast enough and whenSlow is disconnect.",
  MSG_TIMEOUT: "What was asked for did not happen within timeoutMs.",
  MSG_TOO_MANY_PEERS: "A connection was refused: maxClients or maxHandshakes is reached.",
  MSG_TOO_MANY_SUBSCRIPTIONS:
    "A subscriber asked for more than maxSubscriptionsPerPeer. The rest is ignored.",
  MSG_UNKNOWN_COMPRESSION:
    "A message is compressed with an algorithm this end does not have. Add it to decompressors, or install the package that the message names.",
  MSG_WRONG_SOCKET_TYPE:
    "The peer is of a type that does not pair with this socket, such as SUB with PUSH.",
} as const;

/** One of the stable codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** What a {@link MsgError} may carry beside its code and message. */
export interface MsgErrorOptions extends ErrorOptions {
  /** The code of a remote error, with `MSG_REMOTE` only. */
  readonly remoteCode?: string;
}

/**
 * The only error class this library throws.
 *
 * Match on {@link code}: messages are for people and may change in any release.
 *
 * @example
 * ```ts
 * if (MsgError.is(error, "MSG_PEER_LOST")) metrics.increment("peer_lost");
 * ```
 */
export class MsgError extends Error {
  override readonly name = "MsgError";
  /** What happened, from the table {@link errorCodes}. */
  readonly code: ErrorCode;
  /** With `MSG_REMOTE`: the code that the peer's handler gave. */
  readonly remoteCode?: string;

  constructor(code: ErrorCode, message: string, options?: MsgErrorOptions) {
    super(message, options);
    this.code = code;
    if (options?.remoteCode !== undefined) this.remoteCode = options.remoteCode;
  }

  /** True for a `MsgError`, also one made by another installed copy of this package. */
  static is(error: unknown, code?: ErrorCode): error is MsgError {
    return (
      error instanceof Error &&
      error.name === "MsgError" &&
      "code" in error &&
      (code === undefined || error.code === code)
    );
  }

  /** Gives `error` as it is when it is ours, else wraps it once, as the cause of a new one. */
  static from(error: unknown, code: ErrorCode, message: string): MsgError {
    return MsgError.is(error) ? error : new MsgError(code, message, { cause: error });
  }
}
