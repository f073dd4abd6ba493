interface Node<S> {
  readonly children: Map<string, Node<S>>;
  /** Subscriptions that end here. */
  readonly subscribers: Set<S>;
  /** Subscriptions that end here with `>`: for one more token at least. */
  readonly tailSubscribers: Set<S>;
}

/** How many topics' matches are remembered, how many matches of all, and how long such a topic may be. */
const maxCachedTopics = 4_096;
const maxCachedMatches = 262_144;
const maxCachedTopicLength = 256;

/**
 * Who subscribed to what.
 *
 * NATS' grammar: tokens between dots; `*` stands for one token, also an empty one; `>`, as the last,
 * for one or more. All branches are followed, so `a.b.c` does not hide `a.*.d`.
 */
export class TopicTree<S> {
  readonly #root: Node<S> = newNode();
  readonly #cache: Map<string, readonly S[]> = new Map();
  #cachedMatches = 0;

  /** Adds a subscription; adding it again changes nothing. */
  add(topic: string, subscriber: S): void {
    const tokens = topic.split(".");
    const hasTail = tokens.at(-1) === ">";
    if (hasTail) tokens.pop();
    let node = this.#root;
    for (const token of tokens) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = newNode();
        node.children.set(token, child);
      }
      node = child;
    }
    (hasTail ? node.tailSubscribers : node.subscribers).add(subscriber);
    this.#forget();
  }

  /** Takes a subscription away, and the branch that led to it alone. */
  remove(topic: string, subscriber: S): void {
    const tokens = topic.split(".");
    const hasTail = tokens.at(-1) === ">";
    if (hasTail) tokens.pop();
    const path: Node<S>[] = [this.#root];
    for (const token of tokens) {
      const child = path.at(-1)?.children.get(token);
      if (child === undefined) return;
      path.push(child);
    }
    const last = path.at(-1);
    (hasTail ? last?.tailSubscribers : last?.subscribers)?.delete(subscriber);
    for (let depth = path.length - 1; depth > 0 && isEmpty(path[depth]); depth--) {
      path[depth - 1]?.children.delete(tokens[depth - 1] ?? "");
    }
    this.#forget();
  }

  /** Everybody who subscribed to something that matches, each once. */
  match(topic: string): readonly S[] {
    const known = this.#cache.get(topic);
    if (known !== undefined) return known;
    const found = new Set<S>();
    collect(this.#root, topic.split("."), found);
    const matches = [...found];
    if (topic.length <= maxCachedTopicLength) {
      const isFull = this.#cachedMatches + matches.length > maxCachedMatches;
      if (isFull || this.#cache.size >= maxCachedTopics) this.#forget();
      this.#cachedMatches += matches.length;
      this.#cache.set(topic, matches);
    }
    return matches;
  }

  #forget(): void {
    this.#cache.clear();
    this.#cachedMatches = 0;
  }
}

function newNode<S>(): Node<S> {
  return { children: new Map(), subscribers: new Set(), tailSubscribers: new Set() };
}

function isEmpty<S>(node: Node<S> | undefined): boolean {
  return (
    node !== undefined &&
    node.children.size === 0 &&
    node.subscribers.size === 0 &&
    node.tailSubscribers.size === 0
  );
}

/** Breadth first, level by level: a topic of thousands of tokens must not exhaust the stack. */
function collect<S>(root: Node<S>, tokens: readonly string[], found: Set<S>): void {
  let level = [root];
  for (const token of tokens) {
    const next: Node<S>[] = [];
    for (const node of level) {
      for (const subscriber of node.tailSubscribers) found.add(subscriber);
      const exact = node.children.get(token);
      if (exact !== undefined) next.push(exact);
      const any = node.children.get("*");
      if (any !== undefined) next.push(any);
    }
    if (next.length === 0) return;
    level = next;
  }
  for (const node of level) for (const subscriber of node.subscribers) found.add(subscriber);
}
