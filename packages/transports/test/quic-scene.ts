import type { UdpProxy } from "@msg-ts/testing";
import { udpProxy, waitFor } from "@msg-ts/testing";
import type { QuicOptions } from "@msg-ts/transports/quic";
import { Quic } from "@msg-ts/transports/quic";
import { expect, onTestFinished } from "vitest";
import type { HeardLink, Listening } from "./tls-scene.ts";
import { dial, listen } from "./tls-scene.ts";

/** What the first bytes of a dialer are in these tests: without any, nobody sees its link. */
const greeting = "hello";

/** How the ends of a {@link quicPair} are made. */
export interface PairOptions {
  readonly dialing?: QuicOptions;
  readonly listening?: QuicOptions;
}

/** Both ends of a link, and the network between them. */
export interface QuicPair {
  readonly dialing: Quic;
  readonly listening: Listening;
  readonly proxy: UdpProxy;
  readonly dialed: HeardLink;
  readonly accepted: HeardLink;
}

/** A link through a proxy on which the network can fail. */
export async function quicPair(options: PairOptions = {}): Promise<QuicPair> {
  const transport = new Quic(options.listening);
  const listening = await listen(transport);
  const proxy = await udpProxy({ to: listening.address });
  onTestFinished(() => proxy.close());
  const dialing = new Quic({ pins: transport.pin, ...options.dialing });
  const { dialed, accepted } = await linkOver(dialing, listening, proxy.address);
  return { dialing, listening, proxy, dialed, accepted };
}

/** One more link, dialed at `address`, which leads to the listener. */
export async function linkOver(
  dialing: Quic,
  { links }: Listening,
  address: string,
): Promise<{ readonly dialed: HeardLink; readonly accepted: HeardLink }> {
  const count = links.length;
  const dialed = await dial(dialing, address);
  say(dialed, greeting);
  await waitFor(() => links[count]?.text === greeting, { what: "the listener has the link" });
  const accepted = links[count];
  if (accepted === undefined) return expect.fail("there is no link");
  accepted.text = "";
  return { dialed, accepted };
}

/** Writes text. */
export function say({ link }: HeardLink, text: string): void {
  link.write([new TextEncoder().encode(text)]);
}

/** Waits until a link has heard `length` characters, in all. */
export function heardAll(heard: HeardLink, length: number, withinMs = 15_000): Promise<void> {
  return waitFor(() => heard.text.length >= length, { what: `${length} bytes came`, withinMs });
}

/** Sends text to and fro, and fails if the answer does not come. */
export async function roundTrip(from: HeardLink, to: HeardLink, text: string): Promise<void> {
  const [there, back] = [to.text.length + text.length, from.text.length + text.length];
  say(from, text);
  await heardAll(to, there);
  say(to, text);
  await heardAll(from, back);
}
