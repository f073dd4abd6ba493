import { spawnSync } from "node:child_process";

/** A host of the lab: a network namespace with one device. */
export interface LabHost {
  readonly name: string;
  readonly ipv4: string;
  /** Absent where the kernel has no IPv6. */
  readonly ipv6: string | undefined;
  /** What stands before a command that is to run on it: `["ip", "netns", "exec", ...]`. */
  readonly prefix: readonly string[];
}

/** How a host is known to the system. */
export interface HostNames {
  readonly namespace: string;
  readonly device: string;
}

/** Makes the namespace and moves the device into it. */
export function raiseHost(
  { namespace, device }: HostNames,
  { ipv4, ipv6 }: LabHost,
  mtu: number,
): void {
  ip("netns", "add", namespace);
  ip("link", "set", device, "netns", namespace);
  const inside = ["-n", namespace];
  ip(...inside, "link", "set", "lo", "up");
  ip(...inside, "addr", "add", `${ipv4}/24`, "dev", device);
  // The queue of the device must hold a burst: what is lost is chosen by the forwarder alone.
  ip(...inside, "link", "set", device, "mtu", String(mtu), "txqueuelen", "20000", "up");
  if (ipv6 !== undefined) ip(...inside, "-6", "addr", "add", `${ipv6}/64`, "dev", device, "nodad");
}

/** Packets that the device itself dropped, because the forwarder was too slow. */
export function deviceDrops({ namespace, device }: HostNames): number {
  const shown = ip("-n", namespace, "-s", "-j", "link", "show", device);
  const [link] = JSON.parse(shown) as { stats64: Record<"rx" | "tx", { dropped: number }> }[];
  return (link?.stats64.tx.dropped ?? 0) + (link?.stats64.rx.dropped ?? 0);
}

/** Removes a namespace; one that is not there is fine. */
export function removeNamespace(namespace: string): void {
  spawnSync("ip", ["netns", "del", namespace]);
}

/** Namespaces whose names begin so. */
export function namespaces(prefix: string): string[] {
  const names = ip("netns", "list").split("\n");
  return names.map((line) => line.split(" ")[0] ?? "").filter((name) => name.startsWith(prefix));
}

function ip(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`ip ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}
