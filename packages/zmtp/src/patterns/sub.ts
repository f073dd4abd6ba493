import { copyOf, decodeText, emptyBytes, encodeText, viewOf } from "@msg-ts/core/building";
import type { SubSink, SubWriter, Wire } from "@msg-ts/core";
import { byteText } from "./byte-text.ts";
import { PrefixFilter } from "./prefix-filter.ts";
import { writeChange } from "./subscriptions.ts";
import type { WireParts } from "./wire-parts.ts";
import { openReader } from "./wire-parts.ts";

/** Of a message of one part, so much of its beginning is given as its topic. */
const maxTopicOfOnePart = 256;

/** SUB (RFC 29): the first part is the topic; of a message of one part that is all there is. */
export function openSub(parts: WireParts, sink: SubSink): Wire<"SUB"> {
  const writer = new SubscriptionWriter(parts);
  const topics = new TopicReader();
  let sequence = 0;
  const decoder = openReader(parts, {
    onMessage: (first, all) => {
      const topic = topics.read(all === undefined ? beginningOf(first) : first);
      const isWanted = writer.filter.matches(all === undefined ? byteText(first) : topic.asBytes);
      if (!isWanted) return;
      const payload = all === undefined ? first : (all[1] ?? emptyBytes);
      // A publisher does not number its messages: these are what came.
      sink.onMessage(topic.text, 0, sequence, payload, all);
      sequence = (sequence + 1) >>> 0;
    },
  });
  return { decoder, writer };
}

function beginningOf(only: Uint8Array): Uint8Array {
  return only.length <= maxTopicOfOnePart ? only : viewOf(only, 0, maxTopicOfOnePart);
}

/** Tells publishers what is wanted, in the style of their version. */
class SubscriptionWriter implements SubWriter {
  readonly isOneWay: boolean = true;
  readonly filter: PrefixFilter = new PrefixFilter();
  readonly #parts: WireParts;

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  extensions(): void {}

  subscribe(topic: string): void {
    const prefix = encodeText(topic);
    this.filter.add(byteText(prefix));
    this.#write(true, prefix);
  }

  unsubscribe(topic: string): void {
    const prefix = encodeText(topic);
    this.filter.delete(byteText(prefix));
    this.#write(false, prefix);
  }

  #write(isSubscribe: boolean, prefix: Uint8Array): void {
    const { writer, session } = this.#parts;
    writeChange(writer, session.minor, { isSubscribe, prefix });
  }
}

interface Topic {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly asBytes: string;
}

/** Reads topics; one equal to that before costs a comparison (bench scenario: pub-sub). */
class TopicReader {
  #last: Topic = { bytes: emptyBytes, text: "", asBytes: "" };

  read(bytes: Uint8Array): Topic {
    if (!isEqual(bytes, this.#last.bytes)) {
      this.#last = { bytes: copyOf(bytes), text: decodeText(bytes), asBytes: byteText(bytes) };
    }
    return this.#last;
  }
}

function isEqual(some: Uint8Array, others: Uint8Array): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}
