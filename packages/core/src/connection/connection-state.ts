import type { MsgError } from "../errors.ts";

/** Where a connection stands. Only `Connection.#enter` assigns one. */
export type ConnectionState =
  /** The peer is not let in yet. */
  | { readonly phase: "handshaking" }
  /** Frames flow both ways. */
  | { readonly phase: "ready" }
  /** The peer ended its side; what we owe it may still go out. */
  | { readonly phase: "half-open" }
  /** Our side is ended; what comes in is discarded until the peer ends too. */
  | { readonly phase: "ending"; readonly reason: MsgError | undefined }
  | { readonly phase: "closed"; readonly reason: MsgError | undefined };

/** What can happen to a connection. */
export type ConnectionEvent =
  | { readonly type: "welcomed" }
  | { readonly type: "peer-ended" }
  | { readonly type: "close"; readonly reason: MsgError | undefined }
  | { readonly type: "link-closed"; readonly reason: MsgError | undefined };

/** One for all connections that are ready: idle ones are to cost little. */
const ready: ConnectionState = { phase: "ready" };

/**
 * The life of a connection, without timers or I/O. It only ever moves downwards in the list above.
 *
 * An event that means nothing in a state leaves it as it is: the first reason to close stays.
 */
export function nextConnectionState(
  state: ConnectionState,
  event: ConnectionEvent,
): ConnectionState {
  if (state.phase === "closed") return state;
  switch (event.type) {
    case "welcomed":
      return state.phase === "handshaking" ? ready : state;
    case "peer-ended":
      return state.phase === "ready" ? { phase: "half-open" } : state;
    case "close":
      return state.phase === "ending" ? state : { phase: "ending", reason: event.reason };
    case "link-closed":
      return { phase: "closed", reason: state.phase === "ending" ? state.reason : event.reason };
  }
}
