import type { MsgError } from "../errors.ts";

/**
 * Where a dialer stands. Only `Dialer.#enter` assigns one.
 *
 * `attempt` counts failures in a row. `isSuspect`: the connection before ended without having
 * proven itself, as with a full msg-rs server, which accepts and closes at once.
 */
export type DialerState =
  | { readonly phase: "dialing"; readonly attempt: number; readonly isSuspect: boolean }
  | {
      readonly phase: "connected";
      readonly attempt: number;
      readonly isSuspect: boolean;
      readonly isProven: boolean;
    }
  | {
      readonly phase: "waiting";
      readonly attempt: number;
      readonly isSuspect: boolean;
      readonly lastError: MsgError;
    }
  /** Closed; or, with an error, given up after `maxAttempts`. */
  | { readonly phase: "ended"; readonly lastError: MsgError | undefined };

/** What can happen to a dialer. */
export type DialerEvent =
  /** A link is there; its handshake is the connection's business. */
  | { readonly type: "linked" }
  /** The connection brought a frame or lived long enough: the back-off starts from the bottom. */
  | { readonly type: "proven" }
  | { readonly type: "failed"; readonly error: MsgError }
  | { readonly type: "waited" }
  | { readonly type: "close" };

/** Where every dialer begins. */
export const firstDialerState: DialerState = { phase: "dialing", attempt: 0, isSuspect: false };

/**
 * The whole reconnect policy, without timers or I/O.
 *
 * A connection that ended before it was proven counts as one more failed attempt, so that it is not
 * dialed again without a pause. An event that means nothing in a state leaves it as it is.
 */
export function nextDialerState(
  state: DialerState,
  event: DialerEvent,
  maxAttempts: number,
): DialerState {
  if (state.phase === "ended") return state;
  const { attempt, isSuspect } = state;
  switch (event.type) {
    case "linked":
      if (state.phase !== "dialing") return state;
      return { phase: "connected", attempt, isSuspect, isProven: false };
    case "proven":
      if (state.phase !== "connected" || state.isProven) return state;
      return { phase: "connected", attempt: 0, isSuspect: false, isProven: true };
    case "failed": {
      if (state.phase === "waiting") return state;
      // The end of a proven connection is no failure to connect: all attempts are still to come.
      const failures = state.phase === "connected" && state.isProven ? 0 : attempt + 1;
      if (failures >= maxAttempts) return { phase: "ended", lastError: event.error };
      return {
        phase: "waiting",
        attempt: failures,
        isSuspect: state.phase === "connected" && !state.isProven,
        lastError: event.error,
      };
    }
    case "waited":
      return state.phase === "waiting" ? { phase: "dialing", attempt, isSuspect } : state;
    case "close":
      return { phase: "ended", lastError: undefined };
  }
}
