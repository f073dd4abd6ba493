/** msg-rs in Rust, each end on a single-threaded runtime: test/interop/msg-rs, with libmsg 0.1.6. */
import { buildPeer, missingCargo } from "../../test/interop/rust/cargo.ts";
import type { Contender, ProgramEnd } from "./contender.ts";

let program: string | undefined;

function commandOf({ scenario, end, place, sizeBytes, count }: ProgramEnd): readonly string[] {
  if (program === undefined) throw new Error("msg-rs was not built");
  // Of `req-rep-64` the program wants `req-rep`, and the 64 as the count.
  const pattern = scenario.replace(/-\d+$/, "");
  const words = [pattern, end, place.transport, place.address, String(sizeBytes), String(count)];
  return [program, "bench", ...words];
}

/** msg-rs. */
export const contender: Contender = {
  name: "msg-rs",
  transports: ["tcp", "ipc"],
  missing() {
    return missingCargo();
  },
  prepare() {
    const built = buildPeer("release");
    if ("unavailable" in built) throw new Error(`msg-rs was not built: ${built.unavailable}`);
    program = built.program;
  },
  program: {
    scenarios: ["pub-sub-1", "pub-sub-8", "req-rep-1", "req-rep-64", "req-rep-256", "req-rep-2048"],
    command: commandOf,
  },
};
