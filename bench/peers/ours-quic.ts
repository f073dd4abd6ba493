/** This library over QUIC, with datagrams as large as the loopback takes. */
import { Quic } from "msg-ts";
import type { Contender } from "./contender.ts";
import { oursOver } from "./ours.ts";
import { identities } from "./ours-secure.ts";

/** Verified, as by default. */
export const contender: Contender = oursOver(
  "ours-quic",
  ["secure"],
  (_, end) => new Quic(identities[end]),
);
