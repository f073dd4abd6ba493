import type { CandidatePeer, HandshakeContext, HandshakeLink } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { joinBytes } from "@msg-ts/testing";

const peer: CandidatePeer = { address: "there", transport: "test" };

/** One end of a connection in its handshake; what it writes is the other's to read. */
export class TestHandshakeLink implements HandshakeLink {
  readonly peer: CandidatePeer = peer;
  readonly isDialer: boolean = true;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly written: Uint8Array[] = [];
  onWrite: (bytes: Uint8Array) => void = () => {};
  #unread: Uint8Array = new Uint8Array(0);
  #waiter: (() => void) | undefined;
  #isEnded = false;

  push(bytes: Uint8Array): void {
    this.#unread = joinBytes([this.#unread, bytes]);
    this.#waiter?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#waiter?.();
  }

  get unread(): Uint8Array {
    return this.#unread;
  }

  async read(length: number): Promise<Uint8Array> {
    const bytes = await this.peek(length);
    this.#unread = this.#unread.subarray(length);
    return bytes;
  }

  async peek(length: number): Promise<Uint8Array> {
    while (this.#unread.length < length) {
      if (this.#isEnded) throw new MsgError("MSG_PEER_LOST", "peer ended during the handshake");
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
    }
    return this.#unread.subarray(0, length);
  }

  write(bytes: Uint8Array | string): void {
    const copy = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes.slice();
    this.written.push(copy);
    this.onWrite(copy);
  }
}

/** Two ends of one connection. */
export function linkPair(): [TestHandshakeLink, TestHandshakeLink] {
  const [one, other] = [new TestHandshakeLink(), new TestHandshakeLink()];
  one.onWrite = (bytes) => other.push(bytes);
  other.onWrite = (bytes) => one.push(bytes);
  return [one, other];
}

/** The context of a handshake without anything in it. */
export function contextOf(
  socketType: string,
  rest: Partial<HandshakeContext> = {},
): HandshakeContext {
  return { socketType, isDialer: true, name: "", ...rest };
}
