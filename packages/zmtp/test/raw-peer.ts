import type { Link, Transport } from "@msg-ts/core";
import { bytes, hex, joinBytes, waitFor } from "@msg-ts/testing";
import { onTestFinished } from "vitest";

const ready = "READY";

/** One end of a link, by hand. */
export class RawPeer {
  readonly link: Link;
  readonly #chunks: Uint8Array[] = [];
  #taken = 0;
  /** How much came in all. */
  receivedBytes = 0;
  isOver = false;

  constructor(link: Link) {
    this.link = link;
    link.start({
      onData: (chunk) => {
        this.receivedBytes += chunk.length;
        this.#chunks.push(chunk.slice());
      },
      onDrain: () => {},
      onEnd: () => void (this.isOver = true),
      onClose: () => void (this.isOver = true),
    });
    onTestFinished(() => link.destroy());
  }

  /** Dials a socket of ours. */
  static async dial(transport: Transport, address: string): Promise<RawPeer> {
    return new RawPeer(await transport.dial(address, new AbortController().signal));
  }

  /** Waits for a socket of ours to dial. */
  static async accept(transport: Transport, address: string): Promise<() => Promise<RawPeer>> {
    const links: Link[] = [];
    const listener = await transport.listen(address, {
      onLink: (link) => void links.push(link),
      onError: () => {},
      onRefused: () => {},
    });
    onTestFinished(() => listener.close());
    return async () => {
      await waitFor(() => links.length > 0, { what: "it was dialed" });
      return new RawPeer(links.shift() as Link);
    };
  }

  hex(literal: string): void {
    this.link.write([bytes(literal)]);
  }

  bytes(chunk: Uint8Array): void {
    this.link.write([chunk]);
  }

  /** Everything that came and was not taken. */
  get received(): Uint8Array {
    return joinBytes(this.#chunks).subarray(this.#taken);
  }

  /** Takes the next bytes, waiting for them. */
  async take(length: number): Promise<string> {
    await waitFor(() => this.received.length >= length || this.isOver, {
      what: `${length} bytes came`,
    });
    const found = this.received.subarray(0, length);
    this.#taken += found.length;
    return hex(found);
  }

  /** Waits until the other side ended the connection. */
  async over(): Promise<void> {
    await waitFor(() => this.isOver, { what: "the connection is over" });
  }

  /** Greets and gets ready as a peer of this type, and takes what ours says for that. */
  async shakeHands(socketType: string, { minor = 1, identity = "" } = {}): Promise<void> {
    this.hex(greeting({ minor }));
    this.hex(readyOf(socketType, identity));
    await this.take(64);
    await this.takeFrame();
  }

  /** Takes a frame of ours; gives its flags and its body. */
  async takeFrame(): Promise<{ flags: number; body: Uint8Array }> {
    const header = bytes(await this.take(2));
    const [flags = 0, short = 0] = header;
    if ((flags & 2) === 0) return { flags, body: bytes(await this.take(short)) };
    const rest = bytes(await this.take(7));
    const length = new DataView(joinBytes([header.subarray(1), rest]).buffer).getUint32(4);
    return { flags, body: bytes(await this.take(length)) };
  }

  /** Takes a frame as text. */
  async takeText(): Promise<string> {
    return new TextDecoder().decode((await this.takeFrame()).body);
  }
}

/** A greeting, as it is on the wire. */
export function greeting({
  major = 3,
  minor = 1,
  mechanism = "NULL",
  isServer = false,
} = {}): string {
  const name = hex(new TextEncoder().encode(mechanism)).padEnd(40, "0");
  return `ff${"00".repeat(8)}7f${byte(major)}${byte(minor)}${name}${byte(Number(isServer))}${"00".repeat(31)}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** A command as a frame. */
export function command(name: string, data = ""): string {
  const body = `${name.length.toString(16).padStart(2, "0")}${asHex(name)}${data}`;
  const length = body.length / 2;
  return length > 255
    ? `06${length.toString(16).padStart(16, "0")}${body}`
    : `04${length.toString(16).padStart(2, "0")}${body}`;
}

/** One property of metadata. */
export function property(name: string, value: string): string {
  const length = (value.length / 2).toString(16).padStart(8, "0");
  return `${name.length.toString(16).padStart(2, "0")}${asHex(name)}${length}${value}`;
}

/** READY of a socket type, with an identity if there is one. */
export function readyOf(socketType: string, identity = ""): string {
  const type = property("Socket-Type", asHex(socketType));
  return command(ready, type + (identity === "" ? "" : property("Identity", asHex(identity))));
}

/** Text as hex. */
export function asHex(text: string): string {
  return hex(new TextEncoder().encode(text));
}
