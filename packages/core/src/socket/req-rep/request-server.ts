import { CallingConsumer, isPromiseLike } from "../calling-consumer.ts";
import type { ReceiveQueue } from "../receive-queue.ts";
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
 * Calls the handler of a REP for each request. One that gives a promise is under way until that is
 * settled. One that gives the answer itself costs neither a promise nor a closure (bench scenarios:
 * req-rep-1, req-rep-64).
 */
export class RequestServer<Asked, Answered> extends CallingConsumer<Request<Asked, Answered>> {
  readonly #handler: RequestHandler<Asked, Answered>;
  readonly #host: ServerHost<Asked, Answered>;

  constructor(
    queue: ReceiveQueue<Request<Asked, Answered>>,
    handler: RequestHandler<Asked, Answered>,
    concurrency: number,
    host: ServerHost<Asked, Answered>,
  ) {
    super(queue, concurrency);
    this.#handler = handler;
    this.#host = host;
  }

  protected override call(request: Request<Asked, Answered>): boolean {
    try {
      const result = this.#handler(request);
      if (isPromiseLike(result)) {
        this.#await(request, result);
        return true;
      }
      this.#host.respond(request, result, false);
    } catch (error) {
      this.#host.onHandlerError(error, request);
    }
    return false;
  }

  #await(request: Request<Asked, Answered>, result: PromiseLike<Answered>): void {
    this.#host.enlist(request);
    result.then(
      (value) => this.#onResult(request, value),
      (error: unknown) => {
        this.#host.onHandlerError(error, request);
        this.onCallEnded();
      },
    );
  }

  #onResult(request: Request<Asked, Answered>, value: Answered): void {
    try {
      this.#host.respond(request, value, false);
    } catch (error) {
      this.#host.onHandlerError(error, request);
    }
    this.onCallEnded();
  }
}
