import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Transport } from "msg-ts";
import { RepSocket, SubSocket } from "msg-ts";

/** The other side of examples/rust-peer.ts: a service that echoes, and a subscriber that counts. */
export interface OtherSide {
  readonly name: string;
  /** Answers each request with its payload, at `address`. */
  echo(address: string): Promise<void>;
  /** Subscribes at `address`. Gives what tells how many messages came. */
  count(address: string, topic: string): Promise<() => Promise<number>>;
  close(): Promise<void>;
}

/** The msg-rs program of test/interop/msg-rs, one process for each socket. */
export function rustSide(program: string, transport: string): OtherSide {
  // Over TLS it wants files, and over QUIC ours wants `compat: "msg-rs"`.
  const isPlain = transport === "tcp" || transport === "ipc";
  if (!isPlain) throw new Error(`with Rust this example runs over tcp or ipc, not ${transport}`);
  const closers: (() => void)[] = [];
  const start = async (...args: string[]) => {
    const child = spawn(program, [...args, "--transport", transport], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    closers.push(() => child.stdin.end());
    const lines = createInterface({ input: child.stdout });
    // It tells in its first line that it listens, or dials.
    await once(lines, "line");
    return async (command: string): Promise<Record<string, unknown>> => {
      const answered = once(lines, "line");
      child.stdin.write(`${command}\n`);
      return JSON.parse(String((await answered)[0])) as Record<string, unknown>;
    };
  };
  return {
    name: "msg-rs in Rust",
    echo: async (address) => void (await start("rep", "--address", address)),
    count: async (address, topic) => {
      const ask = await start("sub", "--address", address, "--topic", topic);
      return async () => Number((await ask("stats"))["received"]);
    },
    close: async () => closers.forEach((close) => close()),
  };
}

/** The same by sockets of this process, for where there is no Rust: the wire is the same. */
export function ownSide(transport: () => Transport): OtherSide {
  const rep = new RepSocket(transport());
  const sub = new SubSocket(transport());
  let count = 0;
  return {
    name: "this process itself, without Rust",
    echo: async (address) => {
      rep.serve((request) => request.payload);
      await rep.bind(address);
    },
    count: async (address, topic) => {
      sub.consume(() => void (count += 1));
      await sub.connect(address);
      await sub.subscribe(topic);
      return async () => count;
    },
    close: async () => void (await Promise.all([rep.close(), sub.close()])),
  };
}
