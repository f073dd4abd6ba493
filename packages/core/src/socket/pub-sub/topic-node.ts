import type { SubscriberCollector, Subscribers } from "./subscribers.ts";

/**
 * One token of subscriptions with wildcards, from their first wildcard on. What most nodes lack is
 * absent, not empty: a `Map` for each would be most of what 100,000 subscriptions cost.
 */
export class TopicNode<S> {
  readonly token: string;
  /** The only child, or, with more than one, `undefined`. */
  only: TopicNode<S> | undefined = undefined;
  /** Children, when there is more than one; `*` is not among them. */
  many: Map<string, TopicNode<S>> | undefined = undefined;
  /** The child `*`. */
  any: TopicNode<S> | undefined = undefined;
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

  child(token: string): TopicNode<S> | undefined {
    const { only } = this;
    if (only !== undefined) return only.token === token ? only : undefined;
    return this.many?.get(token);
  }

  addChild(child: TopicNode<S>): void {
    const { only, many } = this;
    if (child.token === "*") this.any = child;
    else if (many !== undefined) many.set(child.token, child);
    else if (only === undefined) this.only = child;
    else {
      this.many = new Map<string, TopicNode<S>>().set(only.token, only).set(child.token, child);
      this.only = undefined;
    }
  }

  removeChild(child: TopicNode<S>): void {
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
 * Adds who subscribed to what matches a topic from `rootStart` on. Depth first, on a stack of its
 * own: a topic of thousands of tokens must not exhaust the other.
 */
export function collect<S>(
  root: TopicNode<S>,
  topic: string,
  rootStart: number,
  found: SubscriberCollector<S>,
): void {
  /** Branches `*` that wait, and where in the topic they go on. */
  let nodes: TopicNode<S>[] | undefined;
  let starts: number[] | undefined;
  let node: TopicNode<S> | undefined = root;
  let start = rootStart;
  while (node !== undefined) {
    const { any, tailSubscribers }: TopicNode<S> = node;
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
