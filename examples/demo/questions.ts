import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { DurationStats } from "msg-ts";
import { ReqSocket } from "msg-ts";
import type { HashAnswer, Question, StatusAnswer } from "./control.ts";
import type { TransportName } from "./options.ts";
import { makeTransport } from "./transports.ts";

/** What came of all questions. */
export interface QuestionsReport {
  readonly asked: number;
  readonly answered: number;
  /** Answered, and not with what was expected. */
  readonly wrong: number;
  readonly roundTrip: DurationStats;
}

const atATime = 64;
const pauseMs = 50;

/** Asks the service again and again, many questions at a time. */
export class Questions {
  readonly #req: ReqSocket;
  #asked = 0;
  #answered = 0;
  #wrong = 0;

  constructor(transport: TransportName) {
    this.#req = new ReqSocket(makeTransport(transport), { name: "main", timeoutMs: 15_000 });
  }

  get report(): QuestionsReport {
    const { roundTrip } = this.#req.stats();
    return { asked: this.#asked, answered: this.#answered, wrong: this.#wrong, roundTrip };
  }

  async connect(endpoint: string): Promise<void> {
    await this.#req.connect(endpoint);
    await this.#req.ready();
  }

  /** Asks until `isOver` says so; everything that was asked has come to its end by then. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await Promise.all(Array.from({ length: atATime }, () => this.#ask()));
      await delay(pauseMs);
    }
  }

  async close(options?: { readonly lingerMs: number }): Promise<void> {
    await this.#req.close(options);
  }

  async #ask(): Promise<void> {
    const number = this.#asked++;
    const isStatus = number % atATime === 0;
    const text = `question ${number}`;
    const question: Question = isStatus ? { ask: "status" } : { ask: "hash", text };
    // A question that fails stays unanswered, and is missing in the count.
    const reply = await this.#req.request(JSON.stringify(question)).catch(() => undefined);
    if (reply === undefined) return;
    this.#answered++;
    const answer = reply.json();
    if (!(isStatus ? isStatusAnswer(answer) : isHashOf(text, answer))) this.#wrong++;
  }
}

function isStatusAnswer(answer: unknown): boolean {
  const { pid, uptimeSeconds } = answer as StatusAnswer;
  return pid > 0 && pid !== process.pid && uptimeSeconds > 0;
}

function isHashOf(text: string, answer: unknown): boolean {
  return (answer as HashAnswer).sha256 === createHash("sha256").update(text).digest("hex");
}
