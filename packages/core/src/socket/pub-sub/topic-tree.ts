import { MatchCache } from "./match-cache.ts";
import type { Subscribers } from "./subscriber-group.ts";
import { SubscriberCollector, withoutSubscriber, withSubscriber } from "./subscriber-group.ts";
import { hasWildcard, startsWithWildcard } from "./subscription-matches.ts";

/** A slice of a topic longer than this is copied: it would keep the whole topic in memory. */
const maxSlicedLength = 256;

/** How many tokens are looked up at once: each length in use costs every new topic a look-up. */
const maxPrefixTokens = 8;

/** One token of subscriptions with wildcards, from their first wildcard on; fields that most nodes lack are absent, not empty. */
class Node<S> {
  readonly token: string;
  /** The only child, or, with more than one, `undefined`. */
  only: Node<S> | undefined = undefined;
  /** Children, when there is more than one; `*` is not among them. */
  many: Map<string, Node<S>> | undefined = undefined;
  /** The child `*`. */
  any: Node<S> | undefined = undefined;
  /** Of subscriptions that end here. */
  subscribers: Subscribers<S> = undefined;
  /** Of subscriptions that end here with `>`: for one more token at least. */
  tailSubscribers: Subscribers<S> = undefined;

  constructor(token: string) {
    this.token = token;
  }

  /** Whether it has children other than `*`. */
  get hasLiterals(): boolean {
    return this.only !== undefined || this.many !== undefined;
  }

  get isEmpty(): boolean {
    return (
      !this.hasLiterals &&
      this.any === undefined &&
      this.subscribers === undefined &&
      this.tailSubscribers === undefined
    );
  }

  child(token: string): Node<S> | undefined {
    const { only } = this;
    if (only !== undefined) return only.token === token ? only : undefined;
    return this.many?.get(token);
  }

  addChild(child: Node<S>): void {
    const { only, many } = this;
    if (child.token === "*") this.any = child;
    else if (many !== undefined) many.set(child.token, child);
    else if (only === undefined) this.only = child;
    else {
      this.many = new Map<string, Node<S>>().set(only.token, only).set(child.token, child);
      this.only = undefined;
    }
  }

  removeChild(child: Node<S>): void {
    const { many } = this;
    if (child === this.any) this.any = undefined;
    else if (child === this.only) this.only = undefined;
    else if (many?.delete(child.token) === true && many.size === 1) {
      this.many = undefined;
      for (const left of many.values()) this.only = left;
    }
  }
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
  readonly #exact: Map<string, Subscribers<S>> = new Map();
  /** By the tokens before the first wildcard, {@link maxPrefixTokens} at most, each with its dot. */
  readonly #prefixes: Map<string, Node<S>> = new Map();
  /** How many prefixes there are, by how many tokens they have. */
  readonly #prefixCounts: number[] = Array.from({ length: maxPrefixTokens + 1 }, () => 0);
  readonly #cache: MatchCache<S> = new MatchCache();
  readonly #found: SubscriberCollector<S> = new SubscriberCollector();

  /** Adds a subscription; adding it again changes nothing. */
  add(topic: string, subscriber: S): void {
    if (hasWildcard(topic)) {
      this.#addToTree(topic, subscriber);
      this.#cache.onWildcardChange(topic);
    } else {
      this.#exact.set(topic, withSubscriber(this.#exact.get(topic), subscriber));
      this.#cache.onChange(topic);
    }
  }

  /** Takes a subscription away, and the branch that led to it alone. */
  remove(topic: string, subscriber: S): void {
    if (hasWildcard(topic)) {
      this.#removeFromTree(topic, subscriber);
      this.#cache.onWildcardChange(topic);
    } else {
      const left = withoutSubscriber(this.#exact.get(topic), subscriber);
      if (left === undefined) this.#exact.delete(topic);
      else this.#exact.set(topic, left);
      this.#cache.onChange(topic);
    }
  }

  /** Everybody who subscribed to something that matches, each once. The same list while it holds. */
  match(topic: string): readonly S[] {
    const known = this.#cache.get(topic);
    if (known !== undefined) return known;
    this.#found.add(this.#exact.get(topic));
    if (this.#prefixes.size > 0) this.#collect(topic);
    const subscribers = this.#found.take();
    this.#cache.set(topic, subscribers);
    return subscribers;
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
      node = new Node("");
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

function childOf<S>(node: Node<S>, token: string, topic: string): Node<S> {
  const known = token === "*" ? node.any : node.child(token);
  if (known !== undefined) return known;
  const child = new Node<S>(ownText(token, topic));
  node.addChild(child);
  return child;
}

/** A part of a long topic as memory of its own: a slice would keep all of the topic. */
function ownText(part: string, topic: string): string {
  return topic.length > maxSlicedLength ? `.${part}`.slice(1) : part;
}

/** Depth first, on a stack of its own: a topic of thousands of tokens must not exhaust the other. */
function collect<S>(
  root: Node<S>,
  topic: string,
  rootStart: number,
  found: SubscriberCollector<S>,
): void {
  /** Branches `*` that wait, and where in the topic they go on. */
  let nodes: Node<S>[] | undefined;
  let starts: number[] | undefined;
  let node: Node<S> | undefined = root;
  let start = rootStart;
  while (node !== undefined) {
    const { any, tailSubscribers }: Node<S> = node;
    found.add(tailSubscribers);
    const dot = topic.indexOf(".", start);
    const exact = node.hasLiterals ? node.child(tokenAt(topic, start, dot)) : undefined;
    node = undefined;
    if (dot < 0) {
      found.add(exact?.subscribers);
      found.add(any?.subscribers);
    } else if (exact !== undefined && any !== undefined) {
      (nodes ??= []).push(any);
      (starts ??= []).push(dot + 1);
      node = exact;
    } else node = exact ?? any;
    start = dot + 1;
    if (node === undefined && nodes !== undefined && starts !== undefined) {
      node = nodes.pop();
      start = starts.pop() ?? 0;
    }
  }
}

function tokenAt(topic: string, start: number, dot: number): string {
  return dot < 0 ? topic.slice(start) : topic.slice(start, dot);
}
