/**
 * A transport of your own: requests to a child process through its standard input and output.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Link, Listener, ListenerHandlers, Transport } from "msg-ts";
import { MsgError, RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";
import { StreamLink } from "./support/stream-link.ts";

/**
 * Dialing starts a program and talks to its stdio; listening takes the stdio of this process.
 *
 * With `ssh` as the command the program may as well run on another machine.
 */
class Stdio implements Transport {
  readonly name = "stdio";
  readonly dialerSpeaksFirst = false;

  parseAddress(address: string): string {
    const program = address.replace(/^stdio:\/\//, "");
    if (program !== "" && !program.includes("://")) return program;
    throw new MsgError("MSG_INVALID_ADDRESS", `address ${JSON.stringify(address)}: is no program`);
  }

  async dial(program: string, signal: AbortSignal): Promise<Link> {
    const child = spawn(process.execPath, [...process.execArgv, program], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, SERVE_STDIO: "1" },
    });
    try {
      await once(child, "spawn", { signal });
    } catch (cause) {
      child.kill();
      throw new MsgError("MSG_DIAL_FAILED", `${program} could not be started`, { cause });
    }
    return new StreamLink(child.stdout, child.stdin, `process ${child.pid}`);
  }

  async listen(address: string, handlers: ListenerHandlers): Promise<Listener> {
    handlers.onLink(new StreamLink(process.stdin, process.stdout, `process ${process.ppid}`));
    return { address, close: async () => {} };
  }
}

/** What the child does: its standard output carries frames, so it must not print there. */
async function serve(): Promise<void> {
  await using rep = new RepSocket(new Stdio());
  rep.serve((request) => `${request.text()} in process ${process.pid}`);
  const left = rep.once("disconnected");
  await rep.bind("parent");
  await left;
}

async function ask(): Promise<void> {
  const { name } = exampleOptions();
  console.log(`this example is about a transport of its own: it does not use ${name}`);
  const req = new ReqSocket(new Stdio(), {
    timeoutMs: 20_000, // A program takes its time to start.
    reconnect: { minDelayMs: 20, maxDelayMs: 200 },
  });
  req.on("connected", ({ peer }) => console.log(`connected to ${peer.address}`));
  await req.connect(fileURLToPath(import.meta.url));

  const first = await req.request("work");
  console.log(first.text());
  // The socket reconnects, as on every transport: here that starts the program again.
  process.kill(Number(first.peer.address.replace("process ", "")));
  await req.once("disconnected");
  const second = await req.request("more work");
  console.log(second.text());
  console.log(first.text() === second.text() ? "the same process" : "each did its part");
  await req.close();
}

await (process.env["SERVE_STDIO"] === undefined ? ask() : serve());
