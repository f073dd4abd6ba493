import type { SocketEvents } from "./events.ts";
import { withoutSecrets } from "./logger.ts";

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

interface DiagnosticsChannel {
  channel(name: string): Channel;
}

interface HostProcess {
  getBuiltinModule?(id: string): unknown;
}

// Asked for by name at run time, so that core runs where Node's modules do not exist.
const diagnostics = (globalThis as { readonly process?: HostProcess }).process?.getBuiltinModule?.(
  "node:diagnostics_channel",
) as DiagnosticsChannel | undefined;

const channels = new Map<keyof SocketEvents, Channel>();

/**
 * Publishes an event of a socket on the channel `msg-ts:<event>` of `node:diagnostics_channel`, as
 * `{ type, detail }`, without payloads and claims. Costs nothing that could be measured while nobody subscribed.
 */
export function publishDiagnostics(type: string, name: keyof SocketEvents, detail: object): void {
  if (diagnostics === undefined) return;
  let channel = channels.get(name);
  if (channel === undefined) {
    channel = diagnostics.channel(`msg-ts:${name}`);
    channels.set(name, channel);
  }
  if (channel.hasSubscribers) channel.publish({ type, detail: withoutSecrets(detail) });
}
