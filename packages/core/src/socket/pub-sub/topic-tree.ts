import type { Match } from "./match-cache.ts";
import { MatchCache } from "./match-cache.ts";
import type { Subscribers } from "./subscribers.ts";
import { nobody, SubscriberCollector, withoutSubscriber, withSubscriber } from "./subscribers.ts";
import { hasWildcard, startsWithWildcard } from "./subscription-matches.ts";
import { collect, TopicNode } from "./topic-node.ts";
import { WildcardChanges } from "./wildcard-changes.ts";

/** A slice of a topic longer than this is copied: it would keep the whole topic in memory. */
const maxSlicedLength = 256;

/** How many tokens are looked up at once: each length in use costs every new topic a look-up. */
const maxPrefixTokens = 8;

/** More matches than this are not kept with their topic, of which there is no end, but in the cache. */
const maxKeptMatches = 16;

/** The version of a match that must be looked for. */
const unknown = -1;

/** A topic that is subscribed to as it is, and what was found for it, when that is little. */
class ExactTopic<S> implements Match<S> {
  own: Subscribers<S> = undefined;
  subscribers: readonly S[] = nobody;
  version = unknown;
  /** Too much was found for it. */
  isCrowded = false;
}

/**
 * Who subscribed to what.
 *
 * NATS' grammar: tokens between dots; `*` stands for one token, also an empty one; `>`, as the last,
 * for one or more. All branches are followed, so `a.b.c` does not hide `a.*.d`.
 *
 * Subscriptions without wildcards are found by one look-up; the others by one look-up for each
 * length of what stands before their wildcards, and a walk down the rest (bench scenario:
 * subscriptions). A walk visits no more nodes than subscriptions made.
 */
export class TopicTree<S> {
  readonly #exact: Map<string, ExactTopic<S>> = new Map();
  /** By the tokens before the first wildcard, {@link maxPrefixTokens} at most, each with its dot. */
  readonly #prefixes: Map<string, TopicNode<S>> = new Map();
  /** How many prefixes there are, by how many tokens they have. */
  readonly #prefixCounts: number[] = Array.from({ length: maxPrefixTokens + 1 }, () => 0);
  readonly #changes: WildcardChanges = new WildcardChanges();
  readonly #cache: MatchCache<S> = new MatchCache();
  readonly #found: SubscriberCollector<S> = new SubscriberCollector();
  /** What was found last, as a rule what is looked for next. */
  #lastTopic = "";
  #last: Match<S> | undefined;

  /** Adds a subscription; adding it again changes nothing. */
  add(topic: string, subscriber: S): void {
    if (hasWildcard(topic)) {
      this.#addToTree(topic, subscriber);
      this.#changes.add(topic);
      return;
    }
    let exact = this.#exact.get(topic);
    if (exact === undefined) {
      exact = new ExactTopic();
      this.#exact.set(topic, exact);
    }
    exact.own = withSubscriber(exact.own, subscriber);
    this.#forget(topic, exact);
  }

  /** Takes a subscription away, and the branch that led to it alone. */
  remove(topic: string, subscriber: S): void {
    if (hasWildcard(topic)) {
      this.#removeFromTree(topic, subscriber);
      this.#changes.add(topic);
      return;
    }
    const exact = this.#exact.get(topic);
    if (exact === undefined) return;
    exact.own = withoutSubscriber(exact.own, subscriber);
    if (exact.own === undefined) this.#exact.delete(topic);
    this.#forget(topic, exact);
  }

  /**
   * Everybody who subscribed to something that matches, each once.
   *
   * What was found is found again until a subscription comes or goes that concerns this topic: who
   * subscribes all the time does not slow down what others are sent. Only after many changes with
   * wildcards between two messages of a topic it is looked for again whatever they were.
   */
  match(topic: string): readonly S[] {
    let match = this.#last;
    if (match === undefined || topic !== this.#lastTopic) {
      const exact = this.#exact.get(topic);
      match = exact === undefined || exact.isCrowded ? this.#cache.get(topic) : exact;
      if (match === undefined || !this.#isRight(match, topic)) match = this.#find(topic, exact);
    } else if (!this.#isRight(match, topic)) match = this.#find(topic, this.#exact.get(topic));
    this.#lastTopic = topic;
    this.#last = match;
    return match.subscribers;
  }

  #isRight(match: Match<S>, topic: string): boolean {
    const { version } = this.#changes;
    if (match.version === version) return true;
    if (match.version === unknown || this.#changes.concern(topic, match.version)) return false;
    match.version = version;
    return true;
  }

  #find(topic: string, exact: ExactTopic<S> | undefined): Match<S> {
    this.#found.add(exact?.own);
    if (this.#prefixes.size > 0) this.#collect(topic);
    const subscribers = this.#found.take();
    const { version } = this.#changes;
    if (exact !== undefined) {
      exact.isCrowded = subscribers.length > maxKeptMatches;
      if (!exact.isCrowded) {
        exact.subscribers = subscribers;
        exact.version = version;
        return exact;
      }
    }
    const match = { subscribers, version };
    this.#cache.set(topic, match);
    return match;
  }

  #forget(topic: string, exact: ExactTopic<S>): void {
    exact.version = unknown;
    exact.subscribers = nobody;
    this.#cache.delete(topic);
    this.#last = undefined;
  }

  #collect(topic: string): void {
    let end = 0;
    for (let count = 0; count <= maxPrefixTokens; count++) {
      if (this.#prefixCounts[count] !== 0) {
        const root = this.#prefixes.get(topic.slice(0, end));
        if (root !== undefined) collect(root, topic, end, this.#found);
      }
      end = topic.indexOf(".", end) + 1;
      if (end === 0) return;
    }
  }

  #addToTree(topic: string, subscriber: S): void {
    const { prefix, prefixTokens, tokens, hasTail } = parse(topic);
    let node = this.#prefixes.get(prefix);
    if (node === undefined) {
      node = new TopicNode("");
      this.#prefixes.set(ownText(prefix, topic), node);
      this.#prefixCounts[prefixTokens]!++;
    }
    for (const token of tokens) node = childOf(node, token, topic);
    if (hasTail) node.tailSubscribers = withSubscriber(node.tailSubscribers, subscriber);
    else node.subscribers = withSubscriber(node.subscribers, subscriber);
  }

  #removeFromTree(topic: string, subscriber: S): void {
    const { prefix, prefixTokens, tokens, hasTail } = parse(topic);
    const root = this.#prefixes.get(prefix);
    if (root === undefined) return;
    const path = [root];
    let node = root;
    for (const token of tokens) {
      const child = token === "*" ? node.any : node.child(token);
      if (child === undefined) return;
      path.push(child);
      node = child;
    }
    if (hasTail) node.tailSubscribers = withoutSubscriber(node.tailSubscribers, subscriber);
    else node.subscribers = withoutSubscriber(node.subscribers, subscriber);
    for (let child = path.pop(); child?.isEmpty === true; child = path.pop()) {
      path.at(-1)?.removeChild(child);
    }
    if (!root.isEmpty) return;
    this.#prefixes.delete(prefix);
    this.#prefixCounts[prefixTokens]!--;
  }
}

/** A subscription with wildcards, in its parts. */
interface Parsed {
  readonly prefix: string;
  readonly prefixTokens: number;
  /** What stands behind the prefix, without `>`. */
  readonly tokens: readonly string[];
  readonly hasTail: boolean;
}

function parse(topic: string): Parsed {
  let end = 0;
  let prefixTokens = 0;
  while (prefixTokens < maxPrefixTokens && !startsWithWildcard(topic, end)) {
    end = topic.indexOf(".", end) + 1;
    prefixTokens++;
  }
  const tokens = topic.slice(end).split(".");
  const hasTail = tokens.at(-1) === ">";
  if (hasTail) tokens.pop();
  return { prefix: topic.slice(0, end), prefixTokens, tokens, hasTail };
}

function childOf<S>(node: TopicNode<S>, token: string, topic: string): TopicNode<S> {
  const known = token === "*" ? node.any : node.child(token);
  if (known !== undefined) return known;
  const child = new TopicNode<S>(ownText(token, topic));
  node.addChild(child);
  return child;
}

/** A part of a long topic as memory of its own: a slice would keep all of the topic. */
function ownText(part: string, topic: string): string {
  return topic.length > maxSlicedLength ? `.${part}`.slice(1) : part;
}
