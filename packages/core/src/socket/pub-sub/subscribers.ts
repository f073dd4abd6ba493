/** From this many on a look-up is worth a `Set`. */
const smallGroup = 16;

/**
 * Who subscribed to one topic, as a rule few: a list that is never changed, only replaced, so that
 * it can be given away as it is. 100,000 topics of one subscriber each must not cost 100,000 sets.
 */
export type Subscribers<S> = readonly S[] | Set<S> | undefined;

/** Adds one; who is there already is not added again. */
export function withSubscriber<S>(all: Subscribers<S>, subscriber: S): Subscribers<S> {
  if (all === undefined) return [subscriber];
  if (all instanceof Set) return all.add(subscriber);
  if (all.includes(subscriber)) return all;
  return all.length < smallGroup ? [...all, subscriber] : new Set(all).add(subscriber);
}

/** Takes one away; gives `undefined` when nobody is left. */
export function withoutSubscriber<S>(all: Subscribers<S>, subscriber: S): Subscribers<S> {
  if (all === undefined) return undefined;
  if (all instanceof Set) {
    all.delete(subscriber);
    return all.size > smallGroup / 2 ? all : [...all];
  }
  if (!all.includes(subscriber)) return all;
  return all.length === 1 ? undefined : all.filter((other) => other !== subscriber);
}

/** The list of no subscribers. */
export const nobody: readonly never[] = [];

/** Puts together subscribers of several topics, each once; used again and again. */
export class SubscriberCollector<S> {
  #first: Subscribers<S>;
  #all: Set<S> | undefined;

  add(some: Subscribers<S>): void {
    if (some === undefined) return;
    if (this.#first === undefined) {
      this.#first = some;
      return;
    }
    this.#all ??= new Set(this.#first);
    for (const subscriber of some) this.#all.add(subscriber);
  }

  /** Gives them, in a list that does not change, and forgets them. */
  take(): readonly S[] {
    const all = this.#all ?? this.#first;
    this.#first = this.#all = undefined;
    if (all === undefined) return nobody;
    return all instanceof Set ? [...all] : all;
  }
}
