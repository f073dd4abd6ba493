/** This library over TLS. */
import { Tls } from "msg-ts";
import type { Contender } from "./contender.ts";
import { oursOver } from "./ours.ts";
import { identities } from "./ours-secure.ts";

/** Verified, as by default. */
export const contender: Contender = oursOver(
  "ours-tls",
  ["secure"],
  (_, end) => new Tls(identities[end]),
);
