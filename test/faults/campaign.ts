import type { Random } from "../fuzz/random.ts";
import type { Account } from "./account.ts";
import type { TransportName } from "./network.ts";
import type { Planted } from "./planted.ts";

/** What a campaign is given. */
export interface CampaignContext {
  readonly transport: TransportName;
  /** For sockets and logs; taken away when the campaign ends. */
  readonly folder: string;
  readonly random: Random;
  /** The short form takes seconds. */
  readonly isShort: boolean;
  /** How long one that runs by the clock takes; absent: as long as it thinks right. */
  readonly minutes: number | undefined;
  /** Faults of ours that its account is to notice. */
  readonly planted?: Planted;
}

/** What came of a campaign. */
export interface CampaignResult {
  /** How often something was broken. */
  readonly faults: number;
  /** By pattern, such as `requests`. */
  readonly accounts: Readonly<Record<string, Account>>;
  /** The most memory that one process had. */
  readonly highestBytes: number;
  /** The longest time from the end of a fault until every pattern went on; absent: none ended. */
  readonly recoveryMs?: number;
  /** What must not be, in words. */
  readonly problems: readonly string[];
  /** What was seen beside, in words. */
  readonly notes: readonly string[];
}

/** One way to break things. */
export interface Campaign {
  readonly name: string;
  /** What is broken, for the page. */
  readonly what: string;
  readonly transports: readonly TransportName[];
  /** Gives a reason where it cannot run. */
  run(context: CampaignContext): Promise<CampaignResult | string>;
}

/** Everything that is wrong with a result. */
export function wrongs({ accounts, problems }: CampaignResult): string[] {
  const ofAccounts = Object.entries(accounts).flatMap(([name, account]) => [
    ...account.problems.map((problem) => `${name}: ${problem}`),
    ...(account.unaccounted === 0 ? [] : [`${name}: ${account.unaccounted} unaccounted`]),
    ...(account.delivered > 0 ? [] : [`${name}: nothing was delivered`]),
  ]);
  return [...ofAccounts, ...problems];
}
