/** This library over QUIC, with datagrams as networks take them. */
import { Quic } from "msg-ts";
import type { Contender } from "./contender.ts";
import { oursOver } from "./ours.ts";
import { identities } from "./ours-secure.ts";

const maxDatagramBytes = 1_350;

/** Verified, as by default. */
export const contender: Contender = oursOver(
  "ours-quic-1350",
  ["secure"],
  (_, end) => new Quic({ ...identities[end], maxDatagramBytes }),
);
