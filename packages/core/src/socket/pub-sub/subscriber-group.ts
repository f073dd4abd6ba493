/** From this many on a look-up is worth a `Set`. */
const smallGroup = 16;

/** Several subscribers of one topic. */
class Group<S> {
  members: S[] | Set<S>;

  constructor(members: S[]) {
    this.members = members;
  }
}

/**
 * Who subscribed to one topic: as a rule one, who stands for himself; a group only where there are
 * more. 100,000 topics of one subscriber each must not cost 100,000 sets.
 */
export type Subscribers<S> = S | Group<S> | undefined;

/** Adds one; who is there already is not added again. */
export function withSubscriber<S>(held: Subscribers<S>, subscriber: S): Subscribers<S> {
  if (held === undefined) return subscriber;
  if (!(held instanceof Group)) {
    return held === subscriber ? held : new Group([held, subscriber]);
  }
  const { members } = held;
  if (members instanceof Set) members.add(subscriber);
  else if (!members.includes(subscriber)) {
    members.push(subscriber);
    if (members.length > smallGroup) held.members = new Set(members);
  }
  return held;
}

/** Takes one away; gives `undefined` when nobody is left. */
export function withoutSubscriber<S>(held: Subscribers<S>, subscriber: S): Subscribers<S> {
  if (!(held instanceof Group)) return held === subscriber ? undefined : held;
  const { members } = held;
  if (members instanceof Set) {
    members.delete(subscriber);
    if (members.size <= smallGroup / 2) held.members = [...members];
    return held;
  }
  const index = members.indexOf(subscriber);
  if (index >= 0) members.splice(index, 1);
  return members.length === 1 ? members[0] : held;
}

/** Puts together subscribers of several topics, each once; used again and again. */
export class SubscriberCollector<S> {
  #first: Subscribers<S>;
  #all: Set<S> | undefined;

  add(held: Subscribers<S>): void {
    if (held === undefined || held === this.#first) return;
    if (this.#first === undefined) {
      this.#first = held;
      return;
    }
    this.#all ??= new Set(listOf(this.#first));
    for (const subscriber of listOf(held)) this.#all.add(subscriber);
  }

  /** Gives them and forgets them. */
  take(): readonly S[] {
    const list = this.#all === undefined ? listOf(this.#first) : [...this.#all];
    this.#first = this.#all = undefined;
    return list;
  }
}

/** A list of its own: a group goes on changing. */
function listOf<S>(held: Subscribers<S>): S[] {
  if (held === undefined) return [];
  return held instanceof Group ? [...held.members] : [held];
}
