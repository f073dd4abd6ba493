import assert from "node:assert/strict";
import type { Compressor, Transport } from "msg-ts";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import type { Random } from "../fuzz/random.ts";

/** Where a lane runs. */
export interface Track {
  readonly name: string;
  transport(): Transport;
  /** A free place to bind. */
  address(): string;
  readonly compressor: Compressor | undefined;
}

/** What a lane counted. */
export interface LaneCounts {
  asked: number;
  answered: number;
  aborted: number;
  jobs: number;
  done: number;
  published: number;
  received: number;
}

const topic = "soak.all";

/** One pair of each pattern that lives as long as the soak, and is used again and again. */
export class Lane {
  readonly track: Track;
  readonly counts: LaneCounts = {
    asked: 0,
    answered: 0,
    aborted: 0,
    jobs: 0,
    done: 0,
    published: 0,
    received: 0,
  };
  readonly #rep: RepSocket;
  readonly #req: ReqSocket;
  readonly #pub: PubSocket;
  readonly #sub: SubSocket;
  readonly #push: PushSocket;
  readonly #pull: PullSocket;
  #lost = 0;

  constructor(track: Track) {
    const { compressor } = track;
    const options = { compressor, minCompressBytes: 256 };
    this.track = track;
    this.#rep = new RepSocket(track.transport(), options);
    this.#req = new ReqSocket(track.transport(), { ...options, timeoutMs: 60_000 });
    this.#pub = new PubSocket(track.transport(), options);
    this.#sub = new SubSocket(track.transport(), options);
    this.#push = new PushSocket(track.transport(), options);
    this.#pull = new PullSocket(track.transport(), options);
  }

  /** Where its REP is, for visitors. */
  get address(): string {
    return this.#rep.address;
  }

  /** Where its PUSH is, for visitors. */
  get jobAddress(): string {
    return this.#push.address;
  }

  async open(): Promise<void> {
    this.#rep.serve((request) => request.payload);
    this.#pull.consume(() => void this.counts.done++);
    this.#sub.consume(() => void this.counts.received++);
    this.#sub.on("gap", ({ lost }) => {
      assert.ok(lost !== undefined, `${this.track.name}: a connection was lost`);
      this.#lost += lost;
    });
    await this.#req.connect(await this.#rep.bind(this.track.address()));
    await this.#pull.connect(await this.#push.bind(this.track.address()));
    await this.#sub.connect(await this.#pub.bind(this.track.address()));
    await this.#sub.subscribe(topic, { timeoutMs: 30_000 });
  }

  /** Some of everything, to its end. */
  async work(random: Random): Promise<void> {
    const size = random.oneIn(50) ? random.between(70_000, 300_000) : random.small(4_096);
    const payload = Buffer.alloc(size, random.below(256));
    const count = size > 70_000 ? 2 : 16;
    const requests = Array.from({ length: count }, () => this.#ask(payload, random.oneIn(8)));
    for (let each = 0; each < count; each++) {
      await this.#push.send(payload);
      this.counts.jobs++;
      await this.#pub.publish(topic, payload);
      this.counts.published++;
    }
    await Promise.all(requests);
    await this.#push.settled({ timeoutMs: 60_000 });
  }

  /** What does not agree once all is quiet; call it last, it closes everything. */
  async close(): Promise<string[]> {
    await Promise.all([this.#pub.close({ lingerMs: 10_000 }), this.#push.close()]);
    await Promise.all([this.#req, this.#sub, this.#pull].map((socket) => socket.close()));
    await this.#rep.close();
    const { asked, answered, aborted, jobs, done, published, received } = this.counts;
    const wrong: string[] = [];
    const compare = (what: string, sent: number, ended: number): void => {
      if (sent !== ended) wrong.push(`${this.track.name}: ${sent} ${what}, ${ended} ended`);
    };
    compare("requests", asked, answered + aborted);
    compare("jobs", jobs, done);
    compare("messages", published, received + this.#lost);
    return wrong;
  }

  async #ask(payload: Uint8Array, isAborted: boolean): Promise<void> {
    this.counts.asked++;
    const controller = new AbortController();
    const reply = this.#req.request(payload, isAborted ? { signal: controller.signal } : {});
    if (isAborted) {
      controller.abort(new Error("no more"));
      await assert.rejects(reply, { message: "no more" });
      this.counts.aborted++;
      return;
    }
    const { payload: answer } = await reply;
    assert.equal(Buffer.compare(answer, payload), 0, `${this.track.name}: another answer`);
    this.counts.answered++;
  }
}
