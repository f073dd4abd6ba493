import type { RemoteInfo, Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { waitFor } from "@msg-ts/testing";
import { afterEach, describe, expect, it } from "vitest";
import { RoamingSocket } from "../src/quic/roaming-socket.ts";

interface Peer {
  readonly socket: Socket;
  /** Ports that were heard, in the order in which they were first. */
  readonly ports: number[];
}

const open: { close(): unknown }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

async function peer(): Promise<Peer> {
  const socket = createSocket("udp4");
  open.push(socket);
  const ports: number[] = [];
  socket.on("message", (_: Uint8Array, { port }: RemoteInfo) => {
    if (!ports.includes(port)) ports.push(port);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, ports };
}

async function roamingTo({ socket }: Peer, heard: string[]): Promise<RoamingSocket> {
  const { port } = socket.address();
  const roaming = await RoamingSocket.connect(
    { host: "127.0.0.1", port },
    {
      onDatagram: (datagram) => heard.push(String(datagram)) > 0,
      onError: () => {},
    },
  );
  open.push(roaming);
  return roaming;
}

function say(roaming: RoamingSocket, text: string): void {
  roaming.scratchFor(text.length).set(new TextEncoder().encode(text));
  roaming.transmit(text.length);
}

/** Until the peer has heard it from three ports. */
async function lookTwice(roaming: RoamingSocket, ports: readonly number[]): Promise<void> {
  for (const count of [1, 2, 3]) {
    if (count > 1) roaming.look();
    const isHeard = (): boolean => {
      say(roaming, "are you there");
      return ports.length >= count;
    };
    await waitFor(isHeard, { what: `the peer hears ${count} ports` });
  }
}

describe("the UDP socket of a QUIC dialer that looked for another way", () => {
  it("hears what was sent to one that it gave up", async () => {
    const [remote, heard] = [await peer(), [] as string[]];
    const roaming = await roamingTo(remote, heard);
    await lookTwice(roaming, remote.ports);
    const [first, second, third] = remote.ports;
    // The peer was stopped, and answers each where it came from.
    remote.socket.send("one", first);
    await waitFor(() => heard.includes("one"), { what: "the first answer" });
    expect(roaming.isLooking).toBe(false);
    remote.socket.send("two", second);
    remote.socket.send("three", third);
    await waitFor(() => heard.length === 3, { what: "answers to sockets that were given up" });
    expect(heard.toSorted()).toEqual(["one", "three", "two"]);
  });

  it("goes on with the one on which it is heard, also one of before", async () => {
    const [remote, heard] = [await peer(), [] as string[]];
    const roaming = await roamingTo(remote, heard);
    await lookTwice(roaming, remote.ports);
    const [, second] = remote.ports;
    remote.socket.send("two", second);
    await waitFor(() => heard.length === 1, { what: "the answer" });
    expect(roaming.local.port).toBe(second);
  });
});
