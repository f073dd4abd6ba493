import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import process from "node:process";
import type { DatagramFaults } from "../datagram-faults.ts";
import { resolveDatagramFaults } from "../datagram-faults.ts";
import { Forwarder } from "./forwarder.ts";
import type { HostNames, LabHost } from "./host.ts";
import { deviceDrops, namespaces, raiseHost, removeNamespace } from "./host.ts";

/** What a {@link NetLab} is made of. */
export interface NetLabOptions {
  /** Names of the hosts, 2 to 16. */
  readonly hosts: readonly string[];
  /** Of the chance of all faults. @defaultValue 1 */
  readonly seed?: number;
  /** On every way. @defaultValue none */
  readonly faults?: DatagramFaults;
  /** Bytes of the largest IP packet. 1,280 to 65,535. @defaultValue 1_500 */
  readonly mtu?: number;
}

/** What happened to packets from one host to another. */
export interface WayCounts {
  readonly from: string;
  readonly to: string;
  readonly received: number;
  readonly receivedBytes: number;
  readonly sent: number;
  readonly sentBytes: number;
  readonly lost: number;
  readonly blocked: number;
  readonly overflowed: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** The receiving host did not take them. */
  readonly refused: number;
  /** Under way in the lab. */
  readonly waiting: number;
}

/** What happened on all ways. */
export interface LabCounts {
  readonly ways: readonly WayCounts[];
  /** Packets for no host of the lab, such as multicast. */
  readonly strays: number;
  /** Lost because the forwarder was too slow: not asked for, and 0 in a run that is worth anything. */
  readonly deviceDrops: number;
}

/** Which ways are meant: all, those of one host to all others, or those between two; both ways. */
export interface WayChoice {
  readonly from?: string;
  readonly to?: string;
  /** Only from `from` to `to`. @defaultValue false */
  readonly isOneWay?: boolean;
}

const namePrefix = "msgts-";

/** Why this host cannot run a {@link netLab}; undefined when it can. */
export function netLabMissing(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "this needs root";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "/dev/net/tun may not be opened";
  }
  for (const program of ["ip", "python3"]) {
    const flag = program === "ip" ? "-Version" : "--version";
    if (spawnSync(program, [flag]).status !== 0) return `there is no ${program}`;
  }
  const trial = `${namePrefix}${process.pid}-trial`;
  const { status, stderr } = spawnSync("ip", ["netns", "add", trial], { encoding: "utf8" });
  if (status !== 0) return `namespaces may not be made: ${stderr.trim()}`;
  removeNamespace(trial);
  return undefined;
}

/**
 * Network namespaces on this machine, joined by a process that carries every packet between them
 * and lets the network fail: what netem does, where the kernel has none.
 */
export class NetLab {
  readonly hosts: readonly LabHost[];
  readonly #names: readonly HostNames[];
  readonly #forwarder: Forwarder;

  private constructor(
    hosts: readonly LabHost[],
    names: readonly HostNames[],
    forwarder: Forwarder,
  ) {
    this.hosts = hosts;
    this.#names = names;
    this.#forwarder = forwarder;
  }

  /** Raises the hosts. Rejects, with nothing left behind, when that cannot be done. */
  static async create(options: NetLabOptions): Promise<NetLab> {
    const { hosts: names, seed = 1, faults = {}, mtu = 1_500 } = options;
    sweep();
    const id = `${process.pid}-${nextLab()}`;
    const hosts = names.map((name, index) => hostOf(name, index, id));
    const systemNames = names.map((_, index) => systemNamesOf(index, id));
    const forwarder = await Forwarder.start({
      devices: systemNames.map(({ device }) => device),
      hosts: hosts.map(addressBytes),
      seed,
    });
    const lab = new NetLab(hosts, systemNames, forwarder);
    try {
      systemNames.forEach((each, index) => raiseHost(each, lab.#at(index), mtu));
      await lab.setFaults(faults);
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  host(name: string): LabHost {
    return this.#at(this.#indexOf(name));
  }

  /** The process that carries packets. */
  get forwarderPid(): number | undefined {
    return this.#forwarder.pid;
  }

  /** From now on; faults that are not named are off. Packets have their headers: an MTU is the most. */
  async setFaults(faults: DatagramFaults, choice: WayChoice = {}): Promise<void> {
    const { bytesPerSecond, ...others } = resolveDatagramFaults(faults);
    const known = bytesPerSecond === Infinity ? others : { ...others, bytesPerSecond };
    await this.#forwarder.order({ faults: known, ways: this.#ways(choice) });
  }

  /** Carries nothing any more there; nobody is told. */
  async partition(choice: WayChoice = {}): Promise<void> {
    await this.#forwarder.order({ blocked: true, ways: this.#ways(choice) });
  }

  /** Ends {@link partition} there. */
  async heal(choice: WayChoice = {}): Promise<void> {
    await this.#forwarder.order({ blocked: false, ways: this.#ways(choice) });
  }

  async counts(): Promise<LabCounts> {
    const answer = (await this.#forwarder.order({ counts: true })) as {
      readonly ways: readonly (Omit<WayCounts, "from" | "to"> & { way: [number, number] })[];
      readonly strays: number;
    };
    const ways = answer.ways.map(({ way: [from, to], ...counts }) => ({
      ...counts,
      from: this.#at(from).name,
      to: this.#at(to).name,
    }));
    const drops = this.#names.map(deviceDrops).reduce((sum, count) => sum + count, 0);
    return { ways, strays: answer.strays, deviceDrops: drops };
  }

  /** Takes the hosts down. Processes that still run on them lose their network. */
  async close(): Promise<void> {
    await this.#forwarder.close();
    for (const { namespace } of this.#names) removeNamespace(namespace);
  }

  #at(index: number): LabHost {
    const host = this.hosts[index];
    if (host === undefined) throw new Error(`there is no host ${index}`);
    return host;
  }

  #indexOf(name: string): number {
    const index = this.hosts.findIndex((host) => host.name === name);
    if (index < 0) throw new Error(`there is no host ${name} in the lab`);
    return index;
  }

  #ways({ from, to, isOneWay = false }: WayChoice): [number, number][] {
    const source = from === undefined ? undefined : this.#indexOf(from);
    const target = to === undefined ? undefined : this.#indexOf(to);
    const isMeant = (a: number, b: number): boolean =>
      a !== b && (source ?? a) === a && (target ?? b) === b;
    const indexes = this.hosts.map((_, index) => index);
    const pairs = indexes.flatMap((a) => indexes.map((b): [number, number] => [a, b]));
    return pairs.filter(([a, b]) => isMeant(a, b) || (!isOneWay && isMeant(b, a)));
  }
}

let labCount = 0;

function nextLab(): number {
  labCount += 1;
  return labCount;
}

function systemNamesOf(index: number, id: string): HostNames {
  // Names of devices have at most 15 characters.
  const device = `mt${id.replace("-", "x")}h${index}`;
  return { namespace: `${namePrefix}${id}-${index}`, device };
}

function hostOf(name: string, index: number, id: string): LabHost {
  const hasIpv6 = existsSync("/proc/net/if_inet6");
  return {
    name,
    ipv4: `10.77.0.${index + 1}`,
    ipv6: hasIpv6 ? `fd77::${index + 1}` : undefined,
    prefix: ["ip", "netns", "exec", systemNamesOf(index, id).namespace],
  };
}

function addressBytes({ ipv4, ipv6 }: LabHost): string[] {
  const four = ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  const six = ipv6 === undefined ? [] : [`fd77${ipv6.slice("fd77::".length).padStart(28, "0")}`];
  return [four.join(""), ...six];
}

/** Removes what processes left behind that are gone. */
function sweep(): void {
  for (const namespace of namespaces(namePrefix)) {
    const pid = Number(namespace.split("-")[1]);
    if (!existsSync(`/proc/${pid}`)) removeNamespace(namespace);
  }
}
