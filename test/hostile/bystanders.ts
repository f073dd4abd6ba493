import assert from "node:assert/strict";
import { waitFor } from "@msg-ts/testing";
import type { MsgError, PubSocket, RepSocket, SocketEvents } from "msg-ts";
import { ReqSocket, SubSocket, Tcp } from "msg-ts";
import { closing, patienceMs } from "../e2e/sockets.ts";

/** Somebody who uses the socket that is attacked, all the time, and checks what it gets. */
export interface Bystander {
  /** Waits for some more results; rejects when one was wrong, late or lost. */
  isWell(): Promise<true>;
}

const enough = 20;

/** Asks one question after the other. */
export async function asking(address: string, authToken?: string): Promise<Bystander> {
  const token = authToken === undefined ? {} : { authToken };
  const req = closing(new ReqSocket(new Tcp(), { ...token, timeoutMs: patienceMs }));
  await req.connect(address);
  await req.ready({ timeoutMs: patienceMs });
  let answered = 0;
  let failure: unknown;
  const ask = async (): Promise<void> => {
    while (!req.isClosed) {
      const question = `question ${answered}`;
      const reply = await req.request(question);
      assert.equal(reply.text(), `answer to ${question}`);
      answered++;
      await turn();
    }
  };
  ask().catch((error: unknown) => {
    if (!req.isClosed) failure = error;
  });
  return {
    isWell: async () => {
      await more(
        () => answered,
        () => failure,
        "answers",
      );
      assert.equal(req.stats().disconnects, 0);
      return true;
    },
  };
}

/** Answers as {@link asking} expects. */
export function serveAnswers(rep: RepSocket): void {
  rep.serve((request) => `answer to ${request.text()}`);
}

/** Subscribes to `good.*`, on which the publisher counts up without end. */
export async function listening(address: string): Promise<Bystander> {
  const sub = closing(new SubSocket(new Tcp()));
  await sub.connect(address);
  await sub.subscribe("good.*", { timeoutMs: patienceMs });
  let heard = 0;
  let expected: number | undefined;
  let failure: unknown;
  sub.consume((message) => {
    const number = Number(message.text());
    expected ??= number;
    if (number !== expected) failure ??= new Error(`heard ${number}, not ${expected}`);
    expected++;
    heard++;
  });
  return {
    isWell: async () => {
      await more(
        () => heard,
        () => failure,
        "messages",
      );
      assert.equal(sub.stats().disconnects + sub.stats().lost, 0);
      return true;
    },
  };
}

/** Counts up on `good.news` for {@link listening}, a little each turn. */
export function publishNumbers(pub: PubSocket): void {
  let number = 0;
  const go = async (): Promise<void> => {
    while (!pub.isClosed) {
      await pub.publish("good.news", `${number++}`);
      await turn();
    }
  };
  go().catch(() => {});
}

/** Every event of a name that tells of an error, by code. */
export function codesOf(
  socket: { on: ReqSocket["on"] },
  ...names: ("refused" | "error" | "dropped" | "disconnected")[]
): string[] {
  const codes: string[] = [];
  for (const name of names) {
    socket.on(name, (detail) => {
      const { error, reason } = detail as Partial<SocketEvents["refused"]> & {
        readonly reason?: MsgError | string;
      };
      const code = error?.code ?? (typeof reason === "object" ? reason.code : reason);
      if (code !== undefined) codes.push(`${name} ${code}`);
    });
  }
  return codes;
}

async function more(count: () => number, failure: () => unknown, what: string): Promise<void> {
  const before = count();
  const isEnough = (): boolean => failure() !== undefined || count() >= before + enough;
  await waitFor(isEnough, { what: `a bystander gets ${what}`, withinMs: patienceMs });
  assert.equal(failure(), undefined);
}

/** A millisecond or so for everybody else. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1);
  });
}
