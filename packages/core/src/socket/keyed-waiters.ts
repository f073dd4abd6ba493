import type { MsgError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { WaitOptions } from "./waiter-list.ts";
import { WaiterList } from "./waiter-list.ts";

/** Calls that wait for something about a topic; a topic nobody waits for takes no memory. */
export class KeyedWaiters {
  readonly #runtime: Runtime;
  readonly #lists: Map<string, WaiterList<void>> = new Map();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** What is waited for. */
  get keys(): string[] {
    return [...this.#lists.keys()];
  }

  get isEmpty(): boolean {
    return this.#lists.size === 0;
  }

  /** @param timeoutError - makes the error for a deadline that passed. */
  wait(
    key: string,
    options: WaitOptions,
    timeoutError: (timeoutMs: number) => MsgError,
  ): Promise<void> {
    const list = this.#lists.get(key) ?? new WaiterList<void>(this.#runtime);
    const promise = list.wait(options, timeoutError);
    this.#lists.set(key, list);
    const forget = (): void => {
      if (list.size === 0 && this.#lists.get(key) === list) this.#lists.delete(key);
    };
    promise.then(forget, forget);
    return promise;
  }

  resolve(key: string): void {
    const list = this.#lists.get(key);
    this.#lists.delete(key);
    list?.resolveAll();
  }

  /** False when nobody waited. */
  reject(key: string, error: MsgError): boolean {
    const list = this.#lists.get(key);
    this.#lists.delete(key);
    list?.rejectAll(error);
    return list !== undefined;
  }

  rejectAll(error: MsgError): void {
    for (const list of this.#lists.values()) list.rejectAll(error);
  }
}
