import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { Random } from "../fuzz/random.ts";
import type { CampaignContext, CampaignResult } from "./campaign.ts";
import { wrongs } from "./campaign.ts";
import { onPair } from "./campaigns/life.ts";
import { workerCampaigns } from "./campaigns/workers.ts";
import type { Pair } from "./pair.ts";
import type { Planted } from "./planted.ts";

/** What is done to a pair, so that the fault has something to show on. */
type Harm = "none" | "slow subscriber" | "server restarts" | "both are killed";

interface Plant {
  readonly planted: Planted;
  readonly harm: Harm;
  /** What the account says of it. */
  readonly shows: RegExp;
}

const quickFeed = { burst: 10, everyMs: 5, bytes: 64 };
/** More than sockets and kernels hold while nobody reads. */
const heavyFeed = { burst: 20, everyMs: 10, bytes: 65_536 };

/** Longer than it takes on any machine. */
const withinMs = 60_000;

/** Waits until a process did so much more. */
async function grows(of: Pair["client"], more: Readonly<Record<string, number>>): Promise<void> {
  const before = of.progress;
  const isDone = ([name, count]: readonly [string, number]): boolean =>
    (of.progress[name] ?? 0) >= (before[name] ?? 0) + count;
  const what = `${JSON.stringify(more)} more`;
  await waitFor(() => Object.entries(more).every(isDone), { what, withinMs });
}

/** Waits until a process told several times that it did no more. */
async function standsStill(of: Pair["client"], name: string): Promise<void> {
  let [last, times] = [of.progress, 0];
  const isStill = (): boolean => {
    if (of.progress !== last) times = of.progress[name] === last[name] ? times + 1 : 0;
    last = of.progress;
    return times === 5;
  };
  await waitFor(isStill, { what: `no more is ${name}`, withinMs });
}

const harms: Readonly<Record<Harm, (pair: Pair) => Promise<void>>> = {
  // Several times what a planted fault waits for.
  none: ({ server }) => grows(server, { ran: 200, done: 200, published: 400 }),
  "slow subscriber": (pair) => pair.fault(() => pair.client.ask("block", 800)),
  "server restarts": (pair) =>
    pair.fault(async () => {
      await pair.killServer();
      await pair.startServer();
    }),
  // The server first: what it has not read is lost with it, and the client cannot give it again.
  "both are killed": (pair) =>
    pair.fault(async () => {
      pair.server.signal("SIGSTOP");
      await standsStill(pair.client, "pushed");
      await pair.killServer();
      await pair.killClient();
      await pair.startServer();
      await pair.startClient();
    }),
};

const plants: readonly Plant[] = [
  {
    planted: { server: "a message is left out" },
    harm: "none",
    shows: /a message has a number of another/,
  },
  {
    planted: { server: "a message takes a number and is not written" },
    harm: "none",
    shows: /its two ends tell of other losses: PUB of 0/,
  },
  {
    planted: { server: "a drop is told twice" },
    harm: "slow subscriber",
    shows: /its two ends tell of other losses/,
  },
  {
    planted: { server: "a drop is counted twice" },
    harm: "slow subscriber",
    shows: /messages dropped by PUB: \d+ counted/,
  },
  {
    planted: { client: "a gap is not told" },
    harm: "slow subscriber",
    shows: /messages: \d+ unaccounted/,
  },
  {
    planted: { client: "a gap is told twice" },
    harm: "slow subscriber",
    shows: /messages: \d+ unaccounted/,
  },
  {
    planted: { client: "a gap is told and counts for nothing" },
    harm: "slow subscriber",
    shows: /messages lost to SUB: 0 counted/,
  },
  {
    planted: { client: "the gap of a lost connection is not told" },
    harm: "server restarts",
    shows: /a new connection without a gap/,
  },
  {
    planted: { server: "the end of what was published is lost" },
    harm: "none",
    shows: /messages: \d+ unaccounted/,
  },
  {
    planted: { client: "a message is given twice" },
    harm: "none",
    shows: /a message came out of order or twice/,
  },
  {
    planted: { server: "a job is acknowledged that nobody did" },
    harm: "none",
    shows: /jobs: \d+ unaccounted/,
  },
  {
    planted: { server: "a job is done twice" },
    harm: "none",
    shows: /two first deliveries of a job/,
  },
  {
    planted: { client: "jobs are settled before they are done" },
    harm: "both are killed",
    shows: /jobs: \d+ unaccounted/,
  },
  {
    planted: { client: "an acknowledgement is counted twice" },
    harm: "none",
    shows: /jobs acknowledged to PUSH: \d+ counted/,
  },
  {
    planted: { server: "a request runs twice" },
    harm: "none",
    shows: /a request ran twice/,
  },
  {
    planted: { server: "a request is answered that did not run" },
    harm: "none",
    shows: /an answer to a request that did not run/,
  },
  {
    planted: { server: "an answer is damaged" },
    harm: "none",
    shows: /the content is another/,
  },
];

async function inFolder<T>(
  planted: Planted,
  run: (context: CampaignContext) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "msg-planted-"));
  const random = new Random(1);
  try {
    return await run({
      transport: "ipc",
      folder,
      random,
      isShort: true,
      minutes: undefined,
      planted,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runPair(planted: Planted, harm: Harm): Promise<CampaignResult> {
  const feed = harm === "slow subscriber" ? heavyFeed : quickFeed;
  return inFolder(planted, (context) =>
    onPair(context, { feed }, async (pair) => {
      await harms[harm](pair);
      return undefined;
    }),
  );
}

describe("the account of a campaign", { timeout: 120_000 }, () => {
  for (const harm of Object.keys(harms) as Harm[]) {
    it(`finds nothing wrong when nothing is: ${harm}`, async () => {
      const result = await runPair({}, harm);
      expect(wrongs(result)).toEqual([]);
      if (harm !== "slow subscriber") return;
      expect(result.accounts["messages"]?.reportedLost).toBeGreaterThan(0);
    });
  }

  for (const { planted, harm, shows } of plants) {
    it(`notices when ${Object.values(planted).join(" and ")}`, async () => {
      expect(wrongs(await runPair(planted, harm)).join("\n")).toMatch(shows);
    });
  }
});

describe("the account of killed workers", { timeout: 120_000 }, () => {
  const [campaign] = workerCampaigns;

  it("notices when a delivery is not counted", async () => {
    const result = await inFolder({ pusher: "a delivery is not counted" }, async (context) =>
      campaign?.run(context),
    );
    expect(wrongs(result as CampaignResult).join("\n")).toMatch(/came twice as a first delivery/);
  });

  it("notices when an acknowledgement is counted twice", async () => {
    const result = await inFolder(
      { pusher: "an acknowledgement is counted twice" },
      async (context) => campaign?.run(context),
    );
    expect(wrongs(result as CampaignResult).join("\n")).toMatch(/acknowledged of \d+ sent/);
  });
});
