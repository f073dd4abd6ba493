/** msg-rs in Rust, each end on a single-threaded runtime: bench/native/msg-rs, with libmsg 0.1.6. */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Contender, ProgramEnd } from "./contender.ts";

const manifest = fileURLToPath(new URL("../native/msg-rs/Cargo.toml", import.meta.url));
const target = fileURLToPath(new URL("../../.bench/msg-rs/", import.meta.url));
const program = `${target}release/msg-rs-bench`;

function commandOf({ scenario, end, place, sizeBytes, count }: ProgramEnd): readonly string[] {
  // Of `req-rep-64` the program wants `req-rep`, and the 64 as the count.
  const pattern = scenario.replace(/-\d+$/, "");
  return [program, pattern, end, place.transport, place.address, String(sizeBytes), String(count)];
}

/** msg-rs. */
export const contender: Contender = {
  name: "msg-rs",
  transports: ["tcp", "ipc"],
  missing() {
    if (spawnSync("cargo", ["--version"]).status === 0) return undefined;
    return "cargo is not there: install Rust";
  },
  prepare() {
    const args = ["build", "--quiet", "--release", "--locked", "--manifest-path", manifest];
    execFileSync("cargo", [...args, "--target-dir", target], { stdio: ["ignore", 2, 2] });
  },
  program: {
    scenarios: ["pub-sub-1", "pub-sub-8", "req-rep-1", "req-rep-64", "req-rep-256", "req-rep-2048"],
    command: commandOf,
  },
};
