import type { TopicMessage } from "@msg-ts/core";
import type { Frame } from "./frames.ts";
import { isIntact, textOf } from "./payloads.ts";
import type { SimProcess } from "./sim-process.ts";
import type { TapLink } from "./tap-transport.ts";
import { linkNumber } from "./tap-transport.ts";
import type { World } from "./world.ts";

/** One message, as an onlooker knows it. */
export interface PublishRecord {
  readonly number: number;
  readonly text: string;
  readonly topic: string;
  readonly bytes: number;
  readonly by: SimProcess;
  /** It waits in its PUB: who it is for is decided later. */
  isLate: boolean;
}

/** Whether a subscriber must be given a message, must not be, or nobody can tell from outside. */
type Due = "yes" | "no" | "perhaps";

/** What became of one subscription on one connection. */
interface Subscription {
  asked: number;
  acknowledged: number;
  denied: number;
  isTakenBack: boolean;
}

/** One connection between a PUB and a SUB: what was published for it, and what came. */
export class Feed {
  readonly link: number;
  /** Published while it stood, and may be for it; in order. */
  readonly due: { readonly record: PublishRecord; readonly how: Due }[] = [];
  readonly topics: Map<string, Subscription> = new Map();
  readonly came: Set<PublishRecord> = new Set();
  /** Up to where {@link due} is accounted for. */
  position = 0;
  /** What the next number is, as its PUB wrote it and as it came. */
  saidSequence = 0;
  nextSequence = 0;
  /** Numbers that were skipped since the last message. */
  skipped = 0;
  /** All of them; what the SUB told of them, and what the PUB did. */
  lost = 0;
  lostToSub = 0;
  lostToPub = 0;
  /** Messages that the application was given, and the last of them. */
  taken = 0;
  unreadable = 0;
  lastTaken = -1;
  isOver = false;

  constructor(link: number) {
    this.link = link;
  }

  subscription(topic: string): Subscription {
    let found = this.topics.get(topic);
    if (found === undefined) {
      found = { asked: 0, acknowledged: 0, denied: 0, isTakenBack: false };
      this.topics.set(topic, found);
    }
    return found;
  }
}

const literal = /^[^*>]*$/;

/** NATS' grammar once more, by a regular expression. */
function matches(subscription: string, topic: string): boolean {
  if (literal.test(subscription)) return subscription === topic;
  const tokens = subscription.split(".").map((token, index, all) => {
    if (token === "*") return "[^.]*";
    if (token === ">" && index === all.length - 1) return ".*";
    return token;
  });
  return new RegExp(`^${tokens.join("\\.")}$`, "s").test(topic);
}

/** Everything published, and what each connection should have brought. */
export class TopicModel {
  readonly records: PublishRecord[] = [];
  readonly feeds: Map<number, Feed> = new Map();
  readonly #world: World;
  /** What any PUB ever denied anybody. */
  readonly #denied: Set<string> = new Set();

  constructor(world: World) {
    this.#world = world;
  }

  isDenied(topic: string): boolean {
    return this.#denied.has(topic);
  }

  add(by: SimProcess, topic: string, bytes: number): PublishRecord {
    const number = this.records.length;
    const text = `msg ${number}`;
    const length = Math.max(bytes, 12, text.length + 1);
    const record = { number, text, topic, bytes: length, by, isLate: false };
    this.records.push(record);
    return record;
  }

  feed(address: string): Feed {
    const link = linkNumber(address);
    let feed = this.feeds.get(link);
    if (feed === undefined) {
      feed = new Feed(link);
      this.feeds.set(link, feed);
    }
    return feed;
  }

  /** A PUB gives a message to whoever is subscribed on a link; perhaps, when that comes later. */
  onPublished(feed: Feed, record: PublishRecord): void {
    let how: Due = "no";
    for (const [topic, { asked, acknowledged, denied, isTakenBack }] of feed.topics) {
      if (!matches(topic, record.topic)) continue;
      // It was asked for and never granted.
      if (asked === denied) continue;
      const isActive = asked === acknowledged && !isTakenBack && !record.isLate;
      if (isActive) how = "yes";
      else if (how === "no") how = "perhaps";
    }
    if (how !== "no") feed.due.push({ record, how });
  }

  /** A SUB asks for something on a link. */
  onAsked(link: TapLink, frame: Frame): void {
    if (frame.type !== "message") return;
    const feed = this.feed(link.remoteAddress);
    if (frame.topic.startsWith("MSG.SUB.")) {
      const subscription = feed.subscription(frame.topic.slice(8));
      subscription.asked++;
      subscription.isTakenBack = false;
    } else if (frame.topic.startsWith("MSG.UNSUB.")) {
      feed.subscription(frame.topic.slice(10)).isTakenBack = true;
    }
  }

  /** A PUB writes a message, or acknowledges a subscription. */
  onSaid(link: TapLink, frame: Frame): void {
    if (frame.type !== "message") return;
    const feed = this.feed(link.remoteAddress);
    feed.saidSequence = frame.topic.startsWith("MSG.") ? frame.sequence : frame.sequence + 1;
    if (frame.topic.startsWith("MSG.DENY.")) {
      feed.subscription(frame.topic.slice(9)).denied++;
      this.#denied.add(frame.topic.slice(9));
    }
    if (!frame.topic.startsWith("MSG.ACK.")) return;
    feed.subscription(frame.topic.slice(8)).acknowledged++;
  }

  /** A SUB was given a frame by its link. */
  onCame(link: TapLink, frame: Frame): void {
    if (frame.type !== "message") return;
    const feed = this.feed(link.remoteAddress);
    const skipped = frame.sequence - feed.nextSequence;
    if (skipped < 0) this.#world.fail(`number ${frame.sequence} came after ${feed.nextSequence}`);
    feed.lost += skipped;
    feed.skipped += skipped;
    if (frame.topic.startsWith("MSG.")) {
      feed.nextSequence = frame.sequence;
      return;
    }
    feed.nextSequence = frame.sequence + 1;
    const record = this.records[Number(textOf(frame.payload).replace("msg ", ""))];
    if (record !== undefined) this.#onMessage(feed, record);
  }

  #onMessage(feed: Feed, record: PublishRecord): void {
    if (feed.came.has(record)) this.#world.fail(`${record.text} came twice on link ${feed.link}`);
    feed.came.add(record);
    const at = feed.due.findIndex((one, index) => index >= feed.position && one.record === record);
    if (at >= 0) {
      this.#checkLost(feed, at, record.text);
      feed.position = at + 1;
    } else if (!record.isLate) {
      this.#world.fail(`${record.text} came on link ${feed.link} late, or to who did not ask`);
    }
  }

  /** The numbers that were skipped before position `end` are the messages that are missing there. */
  #checkLost(feed: Feed, end: number, before: string): void {
    const between = feed.due.slice(feed.position, end);
    const least = between.filter(({ how }) => how === "yes").length;
    if (feed.skipped < least || feed.skipped > between.length) {
      const range = least === between.length ? String(least) : `${least} to ${between.length}`;
      this.#world.fail(
        `${feed.skipped} lost on link ${feed.link} before ${before}, in truth ${range}`,
      );
    }
    feed.skipped = 0;
  }

  /** An application was given a message. */
  onTaken(message: TopicMessage): void {
    const record = this.records[Number(textOf(message.payload).replace("msg ", ""))];
    if (record === undefined || !isIntact(message.payload, record.text, record.bytes)) {
      this.#world.fail(`a message came that nobody published: ${textOf(message.payload)}`);
      return;
    }
    if (message.topic !== record.topic) this.#world.fail(`${record.text} came under another topic`);
    const feed = this.feed(message.peer.address);
    if (record.number <= feed.lastTaken) {
      this.#world.fail(`${record.text} is given behind msg ${feed.lastTaken} of its publisher`);
    }
    feed.lastTaken = record.number;
    feed.taken++;
  }

  /** Nothing is under way on a connection that stands: both ends know what was lost, exactly. */
  checkEnd(feed: Feed): void {
    this.#checkLost(feed, feed.due.length, "its end");
    feed.position = feed.due.length;
    const { lost, lostToSub, lostToPub, link } = feed;
    if (lost !== lostToSub || lost !== lostToPub) {
      this.#world.fail(
        `link ${link} lost ${lost}: its SUB tells of ${lostToSub}, its PUB of ${lostToPub}`,
      );
    }
    if (feed.taken + feed.unreadable !== feed.came.size) {
      this.#world.fail(
        `link ${link} brought ${feed.came.size}, ${feed.taken} were taken, ${feed.unreadable} unreadable`,
      );
    }
  }
}
