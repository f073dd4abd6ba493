import type { CandidatePeer, ExplainEnd, HandshakeLink } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Command } from "../wire/command.ts";
import { decodeCommand, encodeCommand } from "../wire/command.ts";
import { encodeFrame, frameFlag } from "../wire/frame.ts";

/** The longest body of a command in a handshake: nothing more is stored for a peer that nobody let in. */
const maxHandshakeCommandBytes = 8 * 1024;

/** A connection in its handshake, as commands. */
export class CommandLink {
  readonly #link: HandshakeLink;

  constructor(link: HandshakeLink) {
    this.#link = link;
  }

  get peer(): CandidatePeer {
    return this.#link.peer;
  }

  get signal(): AbortSignal {
    return this.#link.signal;
  }

  /**
   * The next command. One that is not marked as a command is taken too, as libzmq does.
   *
   * Rejects with `MSG_PROTOCOL` when it is too long or malformed, and as `HandshakeLink.read` does.
   *
   * @param explain - what it means when the peer ends the connection instead.
   */
  async read(explain?: ExplainEnd): Promise<Command> {
    const header = await this.#link.read(2, explain);
    const isLong = ((header[0] ?? 0) & frameFlag.long) !== 0;
    const length = isLong ? await this.#readLong(header[1] ?? 0) : (header[1] ?? 0);
    if (length > maxHandshakeCommandBytes) {
      const text = `peer announced a command of ${length} bytes in its handshake`;
      throw new MsgError("MSG_PROTOCOL", `${text}, the limit is ${maxHandshakeCommandBytes}`);
    }
    return decodeCommand(await this.#link.read(length));
  }

  write(name: string, data: Uint8Array): void {
    this.writeBody(encodeCommand(name, data));
  }

  writeBody(body: Uint8Array): void {
    this.#link.write(encodeFrame(frameFlag.command, body));
  }

  async #readLong(first: number): Promise<number> {
    const rest = await this.#link.read(7);
    let length = first;
    for (const byte of rest) length = length * 256 + byte;
    return length;
  }
}
