import { describe, expect, it } from "vitest";
import { accountOfJobs, accountOfMessages, accountOfRequests } from "./account.ts";
import type { EventKind, IdRecord } from "./id-log.ts";
import { events } from "./id-log.ts";

function record(kind: EventKind, id: number, more: Partial<IdRecord> = {}): IdRecord {
  return { kind, id, epoch: 0, extra: 0, number: 0, ...more };
}

/** Of one publisher, which told of every loss, and one subscriber. */
function account(sent: number, ...records: IdRecord[]) {
  const lost = records.filter(({ kind }) => kind === events.messagesLost);
  return accountOfMessages(
    [sent],
    [records],
    lost.reduce((sum, { id }) => sum + id, 0),
  );
}

describe("the account of requests", () => {
  const { requestSent, requestAnswered, requestRejected, requestRan } = events;

  it("counts answers, rejections, and what ended with a killed asker", () => {
    const asker = [
      record(requestSent, 1),
      record(requestSent, 2),
      record(requestAnswered, 1),
      record(requestSent, 1, { epoch: 1 }),
      record(requestRejected, 1, { epoch: 1 }),
    ];
    expect(accountOfRequests(asker, [record(requestRan, 1)], 1)).toEqual({
      sent: 3,
      delivered: 1,
      reportedLost: 2,
      unaccounted: 0,
      problems: [],
    });
  });

  it("finds one without an end", () => {
    expect(accountOfRequests([record(requestSent, 1)], [], 0).unaccounted).toBe(1);
  });

  it("finds one that ran twice, was answered twice, or was answered without having run", () => {
    const asker = [
      record(requestSent, 1),
      record(requestSent, 2),
      record(requestAnswered, 1),
      record(requestAnswered, 1),
      record(requestAnswered, 2),
    ];
    const ran = [record(requestRan, 1), record(requestRan, 1)];
    expect(accountOfRequests(asker, ran, 0).problems).toEqual([
      "a request ran twice: 0/1",
      "a request was answered twice: 0/1",
      "an answer to a request that did not run: 0/2",
    ]);
  });
});

describe("the account of jobs", () => {
  const { jobSent, jobsSettled, jobDone, jobDropped } = events;

  it("takes a job that was done twice for one, and a dropped one for reported", () => {
    const pusher = [record(jobSent, 1), record(jobSent, 2), record(jobDropped, 2)];
    const worker = [record(jobDone, 1, { extra: 1 }), record(jobDone, 1, { extra: 2 })];
    expect(accountOfJobs(pusher, worker, 0)).toMatchObject({ delivered: 1, reportedLost: 1 });
  });

  it("finds one that was acknowledged and not done, also of a killed PUSH", () => {
    const pusher = [record(jobSent, 1), record(jobSent, 2), record(jobsSettled, 2)];
    expect(accountOfJobs(pusher, [], 0).unaccounted).toBe(2);
    expect(accountOfJobs(pusher, [], 1)).toMatchObject({ unaccounted: 1, reportedLost: 1 });
  });

  it("finds two first deliveries", () => {
    const first = record(jobDone, 1, { extra: 1 });
    const { problems } = accountOfJobs([record(jobSent, 1)], [first, first], 0);
    expect(problems).toEqual(["two first deliveries of a job: 0/1"]);
  });
});

describe("the account of messages", () => {
  const { messageReceived, messagesLost, messagesGap } = events;

  function received(id: number, number = id, connection = 0): IdRecord {
    return record(messageReceived, id, { number, extra: connection });
  }

  it("takes a hole that was told exactly for reported", () => {
    const one = account(4, received(0), record(messagesLost, 1), received(2), received(3));
    expect(one).toMatchObject({ delivered: 3, reportedLost: 1, unaccounted: 0 });
  });

  it("finds a hole that nobody told, one told too large, and a lost end", () => {
    expect(account(3, received(0), received(2)).unaccounted).toBe(1);
    expect(account(3, received(0), record(messagesLost, 2), received(2)).unaccounted).toBe(1);
    expect(account(3, received(0), received(1)).unaccounted).toBe(1);
  });

  it("takes what was published between two connections for reported, when a gap was told", () => {
    const gap = record(messagesGap, 0);
    expect(account(6, received(0), gap, received(5, 0, 1))).toMatchObject({
      delivered: 2,
      reportedLost: 4,
      unaccounted: 0,
    });
    expect(account(6, received(0), received(5, 0, 1)).problems).toEqual([
      "a new connection without a gap: 1 of them",
    ]);
  });

  it("finds a loss of which its publisher tells otherwise, or not at all", () => {
    const records = [received(0), record(messagesLost, 1), received(2)];
    const told = (dropped: number) => accountOfMessages([3], [records], dropped).problems;
    expect(told(1)).toEqual([]);
    expect(told(2)).toEqual(["its two ends tell of other losses: PUB of 2, SUB of 1"]);
    expect(told(0)).toEqual(["its two ends tell of other losses: PUB of 0, SUB of 1"]);
    // One that was killed had no chance to tell of its last ones.
    expect(accountOfMessages([1, 3], [records], 0).problems).toEqual([]);
    const killed = accountOfMessages([9], [[received(0)], [received(8, 0, 1)]], 5);
    expect(killed.problems).toEqual([]);
  });

  it("finds an end that the last connection never heard of", () => {
    const gap = record(messagesGap, 0);
    expect(account(9, received(0), gap, received(5, 0, 1)).unaccounted).toBe(3);
  });

  it("finds a message that came twice, and one under a wrong number", () => {
    expect(account(2, received(0), received(0)).problems.length).toBeGreaterThan(0);
    expect(account(3, received(0), received(2, 1)).problems).toEqual([
      "a message has a number of another: 2",
    ]);
  });
});
