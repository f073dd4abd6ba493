import type { MsgError } from "./errors.ts";

/** Gives an error that is made when it is first asked for, and the same one from then on. */
export type LazyError = () => MsgError;

/**
 * Puts off an error until somebody is told it. Most sockets end with nobody waiting for them, and an
 * error costs as much as a twentieth of a connection (bench scenario: connect-storm).
 */
export function lazyError(make: () => MsgError): LazyError {
  let made: MsgError | undefined;
  return () => (made ??= make());
}
