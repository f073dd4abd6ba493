import { compareRandomCbor } from "./cbor-random.ts";
import { compareCbor } from "./cbor.ts";
import { comparers, compareCompression } from "./compression.ts";
import type { Program } from "./programs.ts";
import { programs } from "./programs.ts";
import type { PythonPeer } from "./python-peer.ts";
import type { Tally } from "./tally.ts";
import { compareDialer } from "./tls-dialer.ts";
import { compareListener } from "./tls-listener.ts";

/** What a check works with. */
export interface CheckContext {
  /** Of the other implementation. */
  readonly version: string;
  readonly python: PythonPeer;
  readonly tally: Tally;
}

/** A comparison with one other implementation. */
export interface Check {
  readonly name: string;
  readonly program: Program;
  readonly run: (context: CheckContext) => Promise<void>;
}

/** All comparisons, in the order in which they are made. */
export const checks: readonly Check[] = [
  ...(["gzip", "zstd", "snappy", "lz4"] as const).map((name) => ({
    name,
    program: programs[name],
    run: (context: CheckContext) => compareCompression(comparers[name], context),
  })),
  { name: "cbor", program: programs.cbor, run: compareCborBothWays },
  { name: "tls", program: programs.openssl, run: compareTls },
];

async function compareCborBothWays(context: CheckContext): Promise<void> {
  await compareCbor(context);
  await compareRandomCbor(context);
}

async function compareTls({ version, tally }: CheckContext): Promise<void> {
  await compareListener(`openssl ${version}`, tally);
  await compareDialer(`openssl ${version}`, tally);
}
