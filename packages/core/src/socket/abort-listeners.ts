/** Who is told when a signal aborts. */
const callbacksOf: WeakMap<AbortSignal, Set<() => void>> = new WeakMap();

/**
 * Calls back once when the signal aborts, until {@link unlistenToAbort}.
 *
 * All callbacks of a signal share one listener: hosts look through the whole list at each new one,
 * and warn of a leak from the eleventh on, while a signal for a thousand requests is nothing odd.
 *
 * @param signal - not aborted yet.
 */
export function listenToAbort(signal: AbortSignal, callback: () => void): void {
  const callbacks = callbacksOf.get(signal);
  if (callbacks !== undefined) {
    callbacks.add(callback);
    return;
  }
  callbacksOf.set(signal, new Set([callback]));
  signal.addEventListener("abort", onAbort, { once: true });
}

/** Forgets a callback of {@link listenToAbort}; one that is not there is ignored. */
export function unlistenToAbort(signal: AbortSignal, callback: () => void): void {
  const callbacks = callbacksOf.get(signal);
  if (callbacks?.delete(callback) !== true || callbacks.size > 0) return;
  callbacksOf.delete(signal);
  signal.removeEventListener("abort", onAbort);
}

function onAbort(event: Event): void {
  const signal = event.target as AbortSignal;
  // Those that are called may forget others.
  for (const callback of callbacksOf.get(signal) ?? []) callback();
  callbacksOf.delete(signal);
}
