import { MsgError } from "@msg-ts/core";
import type { SimNode } from "./scenario.ts";
import type { Step } from "./schedule.ts";
import type { World } from "./world.ts";

/** What a dialer may have heard last of an endpoint, before nobody was left to come. */
const lastFailures: ReadonlySet<string> = new Set([
  "MSG_DIAL_FAILED",
  "MSG_PEER_LOST",
  "MSG_AUTH_REJECTED",
  "MSG_HANDSHAKE_TIMEOUT",
]);

/** What happens to the nodes of any pattern: the steps of every network. */
export class Harm {
  readonly #world: World;
  readonly #nodes: readonly SimNode[];
  readonly #begin: (node: SimNode) => void;

  /** @param begin - makes a new process for a node. */
  constructor(world: World, nodes: readonly SimNode[], begin: (node: SimNode) => void) {
    this.#world = world;
    this.#nodes = nodes;
    this.#begin = begin;
  }

  /** Takes a step; false when it is one of the pattern's own. */
  async take({ op, a, b, c }: Step): Promise<boolean> {
    const node = this.#nodes[a % this.#nodes.length];
    if (node === undefined) throw new Error("there are no nodes");
    const { process } = node;
    switch (op) {
      case "pass":
        await this.#world.pass(a % 10 === 0 ? b % 1_500 : b % 60);
        return true;
      case "cut":
        this.#someLink(a)?.cut();
        return true;
      case "flap":
        for (const link of process.faults.links) link.cut();
        // Those who dial are back.
        await this.#world.pass(60);
        return true;
      case "hold":
        this.#someLink(a)?.hold(b % 2 === 0 ? "incoming" : "outgoing");
        return true;
      case "release":
        this.#someLink(a)?.release(b % 2 === 0 ? "incoming" : "outgoing");
        return true;
      case "dark":
        this.#darken(a);
        return true;
      case "kill":
        if (!process.isDead && !process.isGone)
          process.kill(b % 2 === 0 ? "reset" : "end", c % 300);
        return true;
      case "close":
        if (process.isLive) process.close([0, 1, 30, 200, 1_000][b % 5] ?? 0);
        return true;
      case "drain":
        if (process.isLive) process.drain([0, 50, 300, 1_500][b % 4] ?? 0);
        return true;
      case "ready":
        this.#ready(node, b, c);
        return true;
      case "restart":
        this.restart(node);
        return true;
      case "disconnect":
      case "reconnect":
      case "rebind":
        this.#moveEndpoint(node, op, b, c);
        return true;
      default:
        return false;
    }
  }

  restart(node: SimNode): void {
    if (node.process.isDead || node.process.isGone) this.#begin(node);
  }

  /** What a host's keep-alive would find is found, what was held goes on, who is down comes back. */
  heal(): void {
    for (const node of this.#nodes) {
      this.restart(node);
      for (const link of node.process.faults.links) {
        link.release("incoming");
        link.release("outgoing");
        if (link.isDoomed) link.cut();
      }
      if (!node.process.isLive) continue;
      for (const address of node.dials) void node.process.socket.connect(address);
    }
  }

  #ready({ process }: SimNode, b: number, c: number): void {
    if (!process.isLive) return;
    const timeoutMs = b % 500;
    const startMs = this.#world.now;
    const promise = process.socket.ready({ timeoutMs, peers: 1 + (c % 3) });
    const byMs = (): number => (process.isGone ? 0 : startMs + timeoutMs);
    this.#world.watch(`ready() of ${process.name}`, byMs, promise, {
      onValue: () => {},
      onError: (error) => {
        const isLate = MsgError.is(error, "MSG_TIMEOUT") && this.#world.now >= startMs + timeoutMs;
        const isClosed = MsgError.is(error, "MSG_CLOSED") && process.isClosing;
        // Nobody is left to come; it tells of the last who was not there, went, or said no.
        const isFailure = MsgError.is(error) && lastFailures.has(error.code);
        const isAlone = isFailure && (process.hasLetGo || process.hasGivenUp);
        if (!isLate && !isClosed && !isAlone) this.#world.fail(`ready() rejects: ${String(error)}`);
      },
    });
  }

  #someLink(number: number) {
    const links = this.#nodes.flatMap(({ process }) => process.faults.links);
    return links[number % links.length];
  }

  /** Both ends of one link hear nothing of each other any more. */
  #darken(number: number): void {
    const chosen = this.#someLink(number);
    const name = chosen?.remoteAddress.replace(/:\w+$/, "");
    for (const { process } of this.#nodes) {
      for (const link of process.faults.links) {
        if (link.remoteAddress.replace(/:\w+$/, "") === name) link.goDark();
      }
    }
  }

  #moveEndpoint(
    { process, binds, address, dials }: SimNode,
    op: string,
    b: number,
    c: number,
  ): void {
    if (!process.isLive) return;
    const { socket } = process;
    if (binds && op === "rebind") {
      void socket.unbind(address).then((wasBound) => {
        if (wasBound && process.isLive) void socket.bind(address);
      });
      return;
    }
    const to = dials[b % dials.length];
    if (to === undefined) return;
    if (op === "disconnect") process.hasLetGo = true;
    if (op === "disconnect") socket.disconnect(to, { lingerMs: [0, 20, 1_000][c % 3] ?? 0 });
    else void socket.connect(to);
  }
}
