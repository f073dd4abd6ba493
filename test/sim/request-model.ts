import type { Frame } from "./frames.ts";
import { isIntact, textOf } from "./payloads.ts";
import type { SimProcess } from "./sim-process.ts";
import type { TapLink } from "./tap-transport.ts";
import type { World } from "./world.ts";

/** One request from its call on, as an onlooker knows it. */
export interface RequestRecord {
  readonly number: number;
  readonly text: string;
  readonly bytes: number;
  readonly by: SimProcess;
  readonly retry: boolean;
  readonly failFast: boolean;
  readonly deadlineMs: number;
  readonly abort: AbortController | undefined;
  /** Applications that were given it. */
  seen: number;
  hasEnded: boolean;
  /** From then on it has an end. */
  abortedMs: number;
  /** All is well: it has no reason to fail. */
  mustSucceed: boolean;
}

type AskedRecord = Omit<
  RequestRecord,
  "number" | "text" | "seen" | "hasEnded" | "abortedMs" | "mustSucceed"
>;

/** An answer that an application gave. */
interface AnswerRecord {
  readonly request: RequestRecord;
  readonly bytes: number;
  isDelivered: boolean;
}

/** What an error reply may say. */
const remoteCodes = new Set([
  "NOPE",
  "FORBIDDEN",
  "INTERNAL",
  "MSG_DECOMPRESS_FAILED",
  "MSG_DECODE_FAILED",
  "MSG_PAYLOAD_TOO_LARGE",
  "REPLIES_UNREAD",
]);

/** Every request and answer, and what was written for them. */
export class RequestModel {
  readonly requests: RequestRecord[] = [];
  readonly #answers: AnswerRecord[] = [];
  readonly #world: World;
  readonly #openOf: Map<SimProcess, number> = new Map();
  /** Requests that came on a link at a REP and have no reply, by id. */
  readonly #open: Map<TapLink, Map<number, number>> = new Map();
  /** By REP's connection: what its application was given. */
  readonly #given: Set<string> = new Set();

  constructor(world: World) {
    this.#world = world;
  }

  add(record: AskedRecord): RequestRecord {
    const number = this.requests.length;
    const text = `ask ${number}`;
    const bytes = Math.max(record.bytes, 12, text.length + 1);
    const own = { seen: 0, hasEnded: false, abortedMs: Infinity, mustSucceed: false };
    const request = { ...record, ...own, number, text, bytes };
    this.requests.push(request);
    this.#world.count("sent");
    this.#openOf.set(request.by, this.openOf(request.by) + 1);
    return request;
  }

  /** How many requests of a REQ have no end. */
  openOf(process: SimProcess): number {
    return this.#openOf.get(process) ?? 0;
  }

  /** A REP was given a request by its link. */
  onAsked(link: TapLink, frame: Frame): void {
    if (frame.type !== "exchange") return;
    const open = this.#open.get(link) ?? new Map<number, number>();
    this.#open.set(link, open);
    open.set(frame.id, (open.get(frame.id) ?? 0) + 1);
  }

  /** A REP wrote a reply. */
  onAnswered(link: TapLink, frame: Frame): void {
    if (frame.type !== "exchange" || frame.id === 0xffff_ffff) return;
    const open = this.#open.get(link);
    const count = open?.get(frame.id) ?? 0;
    if (count === 0) this.#world.fail(`a reply to ${frame.id} is written that nobody waits for`);
    open?.set(frame.id, count - 1);
  }

  /** An application was given a request. */
  onGiven(process: SimProcess, peerId: number, payload: Uint8Array): RequestRecord | undefined {
    const text = textOf(payload);
    const request = this.requests[Number(text.replace("ask ", ""))];
    if (request === undefined || !isIntact(payload, request.text, request.bytes)) {
      this.#world.fail(`a request came that was not sent so: ${text}`);
      return undefined;
    }
    const key = `${process.name} ${peerId} ${request.number}`;
    if (this.#given.has(key)) this.#world.fail(`${request.text} is given twice by one peer`);
    this.#given.add(key);
    request.seen++;
    if (request.seen > 1 && !request.retry) {
      this.#world.fail(`${request.text} runs ${request.seen} times, without retry`);
    }
    return request;
  }

  /** The text of a new answer. */
  answer(request: RequestRecord, bytes: number): { readonly text: string; readonly bytes: number } {
    const text = `say ${this.#answers.length}`;
    const length = Math.max(bytes, 12, text.length + 1);
    this.#answers.push({ request, bytes: length, isDelivered: false });
    return { text, bytes: length };
  }

  /** A request resolved. */
  onReply(request: RequestRecord, payload: Uint8Array): void {
    const text = textOf(payload);
    const answer = this.#answers[Number(text.replace("say ", ""))];
    if (answer === undefined || !isIntact(payload, text, answer.bytes)) {
      this.#world.fail(`${request.text} got an answer that nobody gave: ${text}`);
      return;
    }
    if (answer.request !== request) {
      this.#world.fail(`${request.text} got the answer to ${answer.request.text}`);
    }
    if (answer.isDelivered) this.#world.fail(`${text} is delivered twice`);
    answer.isDelivered = true;
    this.#world.count("delivered");
    this.#end(request);
  }

  /** A request rejected. */
  onError(request: RequestRecord, error: unknown): void {
    this.#end(request);
    this.#world.count("reported lost");
    const why = this.#wrongness(request, error);
    if (why !== undefined) this.#world.fail(`${request.text} rejects, ${why}: ${String(error)}`);
  }

  #end(request: RequestRecord): void {
    if (request.hasEnded) this.#world.fail(`${request.text} ends twice`);
    request.hasEnded = true;
    this.#openOf.set(request.by, this.openOf(request.by) - 1);
  }

  #wrongness(request: RequestRecord, error: unknown): string | undefined {
    const { abort, by, deadlineMs, failFast, mustSucceed } = request;
    if (mustSucceed) return "all is well";
    const { code, remoteCode } = error as { readonly code?: string; readonly remoteCode?: string };
    switch (code) {
      case "MSG_TIMEOUT":
        return this.#world.now >= deadlineMs ? undefined : "before its deadline";
      case "MSG_CLOSED":
        return by.isClosing ? undefined : "nobody closed it";
      case "MSG_NO_PEER":
        return failFast ? undefined : "it may wait";
      case "MSG_REMOTE":
        return remoteCodes.has(remoteCode ?? "") ? undefined : "no REP says that";
      case "MSG_DIAL_FAILED":
        return by.hasGivenUp ? undefined : "nobody gave up";
      case "MSG_PEER_LOST":
      case "MSG_NO_ANSWER":
      case "MSG_HIGH_WATER_MARK":
      case "MSG_COMPRESS_FAILED":
      case "MSG_DECOMPRESS_FAILED":
      case "MSG_DECODE_FAILED":
        return undefined;
      default:
        return abort?.signal.aborted === true && error === abort.signal.reason
          ? undefined
          : "for no reason there is";
    }
  }
}
