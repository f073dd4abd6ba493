import type { ItemConsumer, ReceiveQueue } from "../receive-queue.ts";
import type { Consumer } from "../receivers.ts";
import type { RequestHandler } from "./rep.ts";
import type { Request } from "./request.ts";

/** What a {@link RequestServer} needs of its socket. */
export interface ServerHost<Asked, Answered> {
  /** Its answer comes later: from now on it is one of those without an answer. */
  enlist(request: Request<Asked, Answered>): void;
  /** @throws MsgError when this is no answer, or it has one already. */
  respond(request: Request<Asked, Answered>, value: Answered, copy: boolean): void;
  onHandlerError(error: unknown, request: Request<Asked, Answered>): void;
}

/**
 * Calls the handler of a REP for each request, at once when it arrives, at most `concurrency` at a
 * time: one that gives a promise is under way until that is settled. One that gives the answer itself
 * costs neither a promise nor a closure (bench scenarios: req-rep-1, req-rep-64).
 */
export class RequestServer<Asked, Answered>
  implements Consumer, ItemConsumer<Request<Asked, Answered>>
{
  readonly #queue: ReceiveQueue<Request<Asked, Answered>>;
  readonly #handler: RequestHandler<Asked, Answered>;
  readonly #concurrency: number;
  readonly #host: ServerHost<Asked, Answered>;
  #running = 0;
  /** A handler runs that has not returned. */
  #isCalling = false;
  #isStopped = false;
  readonly #onIdle: (() => void)[] = [];

  constructor(
    queue: ReceiveQueue<Request<Asked, Answered>>,
    handler: RequestHandler<Asked, Answered>,
    concurrency: number,
    host: ServerHost<Asked, Answered>,
  ) {
    this.#queue = queue;
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#host = host;
    queue.setConsumer(this);
    // Not inside this call: the handler may use what the caller makes of it.
    queueMicrotask(() => this.onItem());
  }

  stop(): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#queue.setConsumer(undefined);
      for (let count = this.#queue.size; count > 0; count--) this.#queue.wakeNext();
    }
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  get takesNow(): boolean {
    return !this.#isCalling && this.#running < this.#concurrency && !this.#isStopped;
  }

  onItem(): void {
    while (this.takesNow) {
      const request = this.#queue.take();
      if (request === undefined) break;
      this.#call(request);
    }
  }

  consume(request: Request<Asked, Answered>): void {
    this.#call(request);
    // Something may have come while the handler ran.
    if (this.#queue.size > 0) this.onItem();
  }

  /** Never throws. */
  #call(request: Request<Asked, Answered>): void {
    this.#isCalling = true;
    try {
      const result = this.#handler(request);
      if (isPromise(result)) this.#await(request, result);
      else this.#host.respond(request, result, false);
    } catch (error) {
      this.#host.onHandlerError(error, request);
    }
    this.#isCalling = false;
  }

  #await(request: Request<Asked, Answered>, result: Promise<Answered>): void {
    this.#host.enlist(request);
    this.#running++;
    result.then(
      (value) => this.#onResult(request, value),
      (error: unknown) => {
        this.#host.onHandlerError(error, request);
        this.#onEnd();
      },
    );
  }

  #onResult(request: Request<Asked, Answered>, value: Answered): void {
    try {
      this.#host.respond(request, value, false);
    } catch (error) {
      this.#host.onHandlerError(error, request);
    }
    this.#onEnd();
  }

  #onEnd(): void {
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.onItem();
  }
}

/** Bytes, what nearly every handler gives, are told apart without a search for `then`. */
function isPromise<T>(result: T | Promise<T>): result is Promise<T> {
  if (typeof result !== "object" || result === null || result instanceof Uint8Array) return false;
  return "then" in result && typeof result.then === "function";
}
