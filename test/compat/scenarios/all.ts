import { addresses } from "./addresses.ts";
import { closing } from "./closing.ts";
import { delivering } from "./delivering.ts";
import { events } from "./events.ts";
import { exits } from "./exits.ts";
import { options } from "./options.ts";
import { proxies } from "./proxies.ts";
import type { Carrier, Group, Scenario } from "./scenario.ts";
import { security } from "./security.ts";
import { sending } from "./sending.ts";
import { threads } from "./threads.ts";
import { waiting } from "./waiting.ts";

/** All scenarios, in the order of the table. */
export const groups: readonly Group[] = [
  delivering,
  sending,
  addresses,
  closing,
  options,
  events,
  security,
  proxies,
  threads,
  exits,
  waiting,
];

/** What of zeromq.js' own list is not played, and why. */
export const notPlayed: readonly { readonly what: string; readonly why: string }[] = [
  { what: "drafts", why: "the npm package of zeromq.js is built without them" },
  {
    what: "typings across TypeScript versions",
    why: "they are no behaviour; ours are checked with one version",
  },
  {
    what: "the limit on file descriptors",
    why: "it is the system's; 1,200 sockets are played instead",
  },
];

/** One scenario over one carrier. */
export interface Play {
  readonly scenario: Scenario;
  readonly carrier: Carrier;
}

/** Everything that there is to play. */
export const plays: readonly Play[] = groups.flatMap(({ scenarios }) =>
  scenarios.flatMap((scenario) =>
    (scenario.over ?? (["tcp"] as const)).map((carrier) => ({ scenario, carrier })),
  ),
);
