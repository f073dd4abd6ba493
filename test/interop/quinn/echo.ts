import { createHash, randomBytes } from "node:crypto";
import type { Link, Listener, MsgError, Transport } from "@msg-ts/core";

const chunkBytes = 64 * 1024;

/** A listener of ours whose links give back what they get. */
export interface Echoing {
  readonly listener: Listener;
  readonly refused: MsgError[];
}

/** Listens on a port that the system chooses. */
export async function echoing(transport: Transport): Promise<Echoing> {
  const refused: MsgError[] = [];
  const listener = await transport.listen("127.0.0.1:0", {
    onLink: echo,
    onRefused: (_address, error) => void refused.push(error),
    onError: (error) => void refused.push(error),
  });
  return { listener, refused };
}

/** A peer that does not read what comes back is not read from. */
function echo(link: Link): void {
  link.start({
    onData: (chunk) => {
      if (!link.write([chunk])) link.setReading(false);
    },
    onDrain: () => link.setReading(true),
    onEnd: () => link.end(),
    onClose: () => {},
  });
}

/** Sends so many bytes and reads them back; whether they are the same. */
export function isEchoed(link: Link, bytes: number): Promise<boolean> {
  const sent = createHash("sha256");
  const received = createHash("sha256");
  let unsent = bytes;
  let missing = bytes;
  return new Promise((resolve, reject) => {
    const fill = (): void => {
      while (unsent > 0) {
        const chunk = randomBytes(Math.min(unsent, chunkBytes));
        unsent -= chunk.length;
        sent.update(chunk);
        if (!link.write([chunk])) return;
      }
    };
    link.start({
      onData: (chunk) => {
        received.update(chunk);
        missing -= chunk.length;
        if (missing <= 0) resolve(missing === 0 && sent.digest("hex") === received.digest("hex"));
      },
      onDrain: fill,
      onEnd: () => reject(new Error(`quinn ended with ${missing} bytes missing`)),
      onClose: (reason) => reject(reason ?? new Error(`closed, ${missing} bytes missing`)),
    });
    fill();
  });
}
