import { readFileSync } from "node:fs";

/** By what the kernel's TCP decides how much it sends: it says a lot about TCP under loss. */
export function congestionControl(): string {
  try {
    return readFileSync("/proc/sys/net/ipv4/tcp_congestion_control", "utf8").trim();
  } catch {
    return "an unknown congestion control";
  }
}
