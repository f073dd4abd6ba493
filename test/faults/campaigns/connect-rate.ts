/** Connections that come and go, at a rate. */
import process from "node:process";
import type { Campaign, CampaignContext, CampaignResult } from "../campaign.ts";
import { machineTime, othersShare } from "../machine.ts";
import type { Pair } from "../pair.ts";
import type { CallsReport } from "../roles.ts";
import { Worker } from "../worker.ts";
import { onPair } from "./life.ts";

/** So many processes call: none of them is what the rate depends on. */
const callers = 2;
const perSecond = 1_000;

/** Over QUIC each costs a TLS handshake on either side: how many come is told, and no must. */
const mustReachOver = new Set(["tcp", "ipc"]);

/** A machine whose others use more cannot say what we reach. */
const quietShare = 0.1;

/** Of what is asked for: the last slot may be cut. */
const reachedShare = 0.98;

interface Rate {
  readonly reached: number;
  readonly rejections: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** How much of the machine others used meanwhile. */
  readonly others: number;
}

async function cpuMs(workers: readonly Worker[]): Promise<number> {
  const { user, system } = process.cpuUsage();
  const used = await Promise.all(workers.map((worker) => worker.ask<number>("cpuMs")));
  return used.reduce((sum, ms) => sum + ms, (user + system) / 1000);
}

async function measure(
  pair: Pair,
  crowds: readonly Worker[],
  seconds: number,
): Promise<{ rate: Rate; sent: number }> {
  const all = [pair.server, pair.client, ...crowds];
  const [usedBefore, before] = [await cpuMs(all), machineTime()];
  const told = { seconds, perSecond: perSecond / crowds.length };
  const withinMs = 1_000 * seconds + 60_000;
  const reports = await Promise.all(
    crowds.map((crowd) => crowd.ask<CallsReport>("call", told, withinMs)),
  );
  const [after, usedAfter] = [machineTime(), await cpuMs(all)];
  const rejections: Record<string, number> = {};
  for (const report of reports) {
    for (const [code, count] of Object.entries(report.rejections)) {
      rejections[code] = (rejections[code] ?? 0) + count;
    }
  }
  const sent = reports.reduce((sum, report) => sum + report.sent, 0);
  const took = Math.max(...reports.map((report) => report.seconds));
  const slowestMs = Math.max(...reports.map((report) => report.slowestMs));
  const others = othersShare(before, after, usedAfter - usedBefore);
  return { sent, rate: { reached: sent / took, rejections, slowestMs, others } };
}

/**
 * What is wrong with a rate. That everybody is served is a must anywhere; that they are as many as was
 * asked for is one where the machine was ours.
 */
export function problemsOfRate(
  { reached, rejections, others }: Rate,
  mustReach: boolean,
): readonly string[] {
  const problems = Object.entries(rejections).map(([code, count]) => `${count} calls: ${code}`);
  const isReached = reached >= reachedShare * perSecond;
  if (mustReach && others < quietShare && !isReached) {
    const share = (100 * others).toFixed(0);
    problems.push(
      `${reached.toFixed(0)} connections a second of ${perSecond}, others used ${share} % of the machine`,
    );
  }
  return problems;
}

async function connectRate(context: CampaignContext): Promise<CampaignResult> {
  const { isShort, transport } = context;
  const seconds = isShort ? 4 : 60;
  return onPair(context, {}, async (pair) => {
    const crowds = Array.from({ length: callers }, () => new Worker("crowd", pair.crowd()));
    try {
      await Promise.all(crowds.map((crowd) => crowd.ready));
      const { rate, sent } = await measure(pair, crowds, seconds);
      await pair.recovers();
      const problems = problemsOfRate(rate, !isShort && mustReachOver.has(transport));
      const rejected = Object.values(rate.rejections).reduce((sum, count) => sum + count, 0);
      const note = `${sent} connections, ${rate.reached.toFixed(0)} a second of ${perSecond}, ${rejected} rejected, the slowest answer after ${rate.slowestMs.toFixed(0)} ms; others used ${(100 * rate.others).toFixed(0)} % of the machine`;
      return { faults: sent, notes: [note], problems };
    } finally {
      await Promise.all(crowds.map((crowd) => crowd.kill()));
    }
  });
}

/** The campaign with connections that come and go. */
export const rateCampaigns: readonly Campaign[] = [
  {
    name: "connect-rate",
    what: "1,000 connections a second for a minute, each for one request",
    transports: ["tcp", "ipc", "quic"],
    run: connectRate,
  },
];
