/** libzmq in C: bench/native/libzmq.c, against the one of the host. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Contender, ProgramEnd } from "./contender.ts";

const source = fileURLToPath(new URL("../native/libzmq.c", import.meta.url));
const folder = fileURLToPath(new URL("../../.bench/", import.meta.url));
const program = `${folder}libzmq`;

function commandOf({ scenario, end, place, sizeBytes, count }: ProgramEnd): readonly string[] {
  const { transport, address } = place;
  const url = transport === "ipc" ? `ipc://${address}` : `tcp://${address.replace(/:0$/, ":*")}`;
  // Of `req-rep-64` the program wants `req-rep`, and the 64 as the count.
  const pattern = scenario.replace(/-\d+$/, "");
  return [program, pattern, end, url, String(sizeBytes), String(count)];
}

/** libzmq in C. */
export const contender: Contender = {
  name: "libzmq",
  transports: ["tcp", "ipc"],
  missing() {
    const args = ["-include", "zmq.h", "-fsyntax-only", "-x", "c", "/dev/null"];
    if (spawnSync("gcc", args).status === 0) return undefined;
    return "gcc or its headers are not there: apt install gcc libzmq3-dev";
  },
  prepare() {
    mkdirSync(folder, { recursive: true });
    const args = ["-O2", "-Wall", "-Wextra", "-o", program, source, "-lzmq", "-lpthread"];
    execFileSync("gcc", args, { stdio: ["ignore", 2, 2] });
  },
  program: {
    scenarios: [
      "push-pull",
      "pub-sub-1",
      "pub-sub-8",
      "pub-sub-64",
      "pub-sub-512",
      "req-rep-1",
      "req-rep-64",
      "req-rep-256",
      "req-rep-2048",
    ],
    command: commandOf,
  },
};
