import { decodeText, viewAt } from "../../bytes.ts";

/** How many topics are remembered, and how long such a topic may be. */
const knownTopics = 64;
const maxKnownBytes = 64;

/** A topic that was read, in words of four bytes so that it is compared as fast as can be. */
class KnownTopic {
  readonly topic: string;
  /** Whether it begins as only what the protocol itself says does. */
  readonly isReserved: boolean;
  readonly #length: number;
  readonly #words: Int32Array;
  readonly #lastWord: number;

  constructor(view: DataView, start: number, length: number) {
    this.topic = decodeText(viewAt(view.buffer, view.byteOffset + start, length));
    this.isReserved = this.topic.startsWith("MSG.");
    this.#length = length;
    this.#words = new Int32Array(length >> 2);
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = view.getInt32(start + i * 4);
    this.#lastWord = lastWord(view, start, length);
  }

  equals(view: DataView, start: number, length: number): boolean {
    if (length !== this.#length || this.#lastWord !== lastWord(view, start, length)) return false;
    const words = this.#words;
    for (let i = 0; i < words.length; i++) {
      if (words[i] !== view.getInt32(start + i * 4)) return false;
    }
    return true;
  }
}

/**
 * Turns topic bytes into strings (bench scenario: pub-sub). A topic equal to the one before costs
 * one comparison, one of a few that take turns one look-up; only others are decoded.
 */
export class TopicReader {
  #last: KnownTopic = new KnownTopic(new DataView(new ArrayBuffer(0)), 0, 0);
  /** Each at the place its bytes lead to; made when a second topic comes. */
  #known: (KnownTopic | undefined)[] = [];

  read(view: DataView, start: number, length: number): KnownTopic {
    const last = this.#last;
    return last.equals(view, start, length) ? last : this.#readOther(view, start, length);
  }

  #readOther(view: DataView, start: number, length: number): KnownTopic {
    let topic: KnownTopic | undefined;
    if (length <= maxKnownBytes) {
      if (this.#known.length === 0) this.#known = Array.from({ length: knownTopics });
      const place = hashOf(view, start, length) & (knownTopics - 1);
      topic = this.#known[place];
      if (topic === undefined || !topic.equals(view, start, length)) {
        topic = new KnownTopic(view, start, length);
        this.#known[place] = topic;
      }
    } else topic = new KnownTopic(view, start, length);
    this.#last = topic;
    return topic;
  }
}

/** The last four bytes, or all of fewer. */
function lastWord(view: DataView, start: number, length: number): number {
  if (length >= 4) return view.getInt32(start + length - 4);
  let word = 0;
  for (let i = 0; i < length; i++) word = (word << 8) | view.getUint8(start + i);
  return word;
}

function hashOf(view: DataView, start: number, length: number): number {
  let hash = lastWord(view, start, length);
  for (let i = 0; i + 4 <= length; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(start + i), 0x9e37_79b1);
  }
  return hash ^ (hash >>> 15) ^ (hash >>> 24);
}
