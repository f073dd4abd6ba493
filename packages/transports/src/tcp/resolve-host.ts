import { isIP } from "node:net";
import { MsgError } from "@msg-ts/core";
import { dialAborted, hostCodeOf } from "../failures.ts";
import type { HostLookup } from "./tcp-options.ts";

/** Listening on every interface is reached through this host; not every system dials these. */
const loopbacks = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/**
 * The IP addresses to dial for a host, each once, in the order of `lookup`.
 *
 * A lookup that `signal` aborts is not waited for.
 *
 * @throws MsgError `MSG_DIAL_FAILED`
 */
export async function resolveHost(
  host: string,
  lookup: HostLookup,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [loopbacks.get(host) ?? host];
  const found = await unlessAborted(host, lookup, signal);
  if (found.length > 0) return [...new Set(found)];
  throw new MsgError("MSG_DIAL_FAILED", `name ${host} has no address`);
}

function unlessAborted(
  host: string,
  lookup: HostLookup,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(dialAborted(host, signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort);
    new Promise<readonly string[]>((settle) => {
      settle(lookup(host, signal));
    })
      .then(resolve, (error: unknown) => {
        const text = `name ${host} could not be resolved: ${hostCodeOf(error)}`;
        reject(new MsgError("MSG_DIAL_FAILED", text, { cause: error }));
      })
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
