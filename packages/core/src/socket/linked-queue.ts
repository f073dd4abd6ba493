/** What can stand in a {@link LinkedQueue}, in one at a time. Only the queue changes these fields. */
export interface Linked<T> {
  previousInQueue: T | undefined;
  nextInQueue: T | undefined;
  inQueue: object | undefined;
}

/**
 * A queue out of which anything can be taken at once: a request that is aborted, a job that is
 * settled. The links are in the items, so nothing is allocated.
 */
export class LinkedQueue<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  size = 0;

  get first(): T | undefined {
    return this.#first;
  }

  append(item: T): void {
    item.previousInQueue = this.#last;
    item.nextInQueue = undefined;
    if (this.#last === undefined) this.#first = item;
    else this.#last.nextInQueue = item;
    this.#last = item;
    this.#onAdded(item);
  }

  prepend(item: T): void {
    item.nextInQueue = this.#first;
    item.previousInQueue = undefined;
    if (this.#first === undefined) this.#last = item;
    else this.#first.previousInQueue = item;
    this.#first = item;
    this.#onAdded(item);
  }

  /** Takes an item out. One that is not in this queue is left as it is. */
  remove(item: T): boolean {
    if (item.inQueue !== this) return false;
    const { previousInQueue: previous, nextInQueue: next } = item;
    if (previous === undefined) this.#first = next;
    else previous.nextInQueue = next;
    if (next === undefined) this.#last = previous;
    else next.previousInQueue = previous;
    item.previousInQueue = item.nextInQueue = item.inQueue = undefined;
    this.size--;
    return true;
  }

  shift(): T | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  #onAdded(item: T): void {
    item.inQueue = this;
    this.size++;
  }
}
