import { waitFor } from "@msg-ts/testing";
import { describe, it, onTestFinished } from "vitest";
import { runSource, spawnSource } from "./run-node.ts";

const main = "examples/demo/main.ts";
const small = ["--folder", "packages/core/src", "--seconds", "1"];
const isWindows = process.platform === "win32";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Starts the demo and waits until all its processes are there. */
async function startDemo() {
  const child = spawnSource(main, [...small, "--seconds", "60"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  let errors = "";
  let pids: number[] = [];
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
    const [, line = ""] = /^processes (.*)\n/m.exec(output) ?? [];
    pids = [...line.matchAll(/ (\d{2,})(?=,|$)/g)].map(([, pid]) => Number(pid));
  });
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  const areThere = (): boolean => {
    if (child.exitCode !== null)
      throw new Error(`the demo ended with ${child.exitCode}: ${errors}`);
    return pids.length > 0;
  };
  await waitFor(areThere, { what: "all processes are there", withinMs: 60_000 });
  return { child, pids, errors: () => errors };
}

async function codeOf({ child }: Awaited<ReturnType<typeof startDemo>>): Promise<number | null> {
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await waitFor(hasEnded, { what: "the demo has ended", withinMs: 30_000 });
  return child.exitCode;
}

describe("the demo", { timeout: 120_000 }, () => {
  for (const transport of ["tcp", "ipc", "quic"]) {
    it(`runs over ${transport}, loses a worker, and every count is right`, async ({ expect }) => {
      const args = [...small, "--transport", transport];
      const { code, output, errors } = await runSource(main, args, { withinMs: 90_000 });
      expect(output).toMatch(new RegExp(`^summary +8 processes over ${transport}, `, "m"));
      expect(output).toMatch(/^publisher +[\d,]+ messages on \d+ topics, /m);
      expect(output).toMatch(/^metrics\.cpu\.\* [\d,]+ received, 0 lost, 0 gaps, /m);
      expect(output).toMatch(/^metrics\.> +[\d,]+ received, 0 lost, 0 gaps, /m);
      expect(output).toMatch(/^service +([\d,]+) questions, \1 answers, 0 wrong, /m);
      expect(output).toMatch(
        /^workers +worker 1 \d+, worker 2 \d+, worker 3 \d+ \(killed half way\)$/m,
      );
      expect(output).toMatch(
        /^killed one +\d+ jobs delivered again, \d+ results came twice, 0 missing$/m,
      );
      expect(output).toMatch(/^verdict +all \d+ counts are right$/m);
      expect({ code, errors }).toEqual({ code: 0, errors: "" });
    });
  }

  it("takes its children along when it is interrupted", { skip: isWindows }, async ({ expect }) => {
    const demo = await startDemo();
    expect(demo.pids).toHaveLength(7);
    demo.child.kill("SIGINT");
    expect(await codeOf(demo)).toBe(130);
    expect(demo.errors()).toBe("interrupted\n");
    expect(demo.pids.filter(isAlive)).toEqual([]);
  });

  it(
    "ends in order when nobody reads its output any more",
    { skip: isWindows },
    async ({ expect }) => {
      const demo = await startDemo();
      demo.child.stdout.destroy();
      expect(await codeOf(demo)).toBe(141);
      expect(demo.errors()).toBe("nobody reads the output\n");
      expect(demo.pids.filter(isAlive)).toEqual([]);
    },
  );

  it("fails, naming it, when a process is lost that should not be", async ({ expect }) => {
    const demo = await startDemo();
    const [publisher = Number.NaN] = demo.pids;
    process.kill(publisher, "SIGKILL");
    expect(await codeOf(demo)).toBe(1);
    expect(demo.errors()).toMatch(/^Error: publisher ended with SIGKILL before it was "report"$/m);
    expect(demo.pids.filter(isAlive)).toEqual([]);
  });

  it("leaves no children behind when it is killed", { skip: isWindows }, async ({ expect }) => {
    const demo = await startDemo();
    demo.child.kill("SIGKILL");
    await codeOf(demo);
    const allGone = (): boolean => !demo.pids.some(isAlive);
    await waitFor(allGone, { what: "every child is gone", withinMs: 20_000 });
    expect(demo.pids).toHaveLength(7);
  });

  it("shows how it is called", async ({ expect }) => {
    const { code, output } = await runSource(main, ["--help"]);
    expect(output).toMatch(/^npm run demo -- \[options\]\n/);
    expect(code).toBe(0);
  });

  for (const [args, message] of [
    [
      ["--transport", "inproc"],
      '--transport is "inproc", must be tcp, ipc or quic: the demo runs in',
    ],
    [["--folder", "no/such/folder"], '--folder "no/such/folder" has no files to read'],
  ] as const) {
    it(`refuses ${args.join(" ")} and says why`, async ({ expect }) => {
      const { code, output, errors } = await runSource(main, args);
      expect(errors.startsWith(message)).toBe(true);
      expect(errors).toMatch(/\n\nnpm run demo -- \[options\]\n/);
      expect({ code, output }).toEqual({ code: 2, output: "" });
    });
  }
});
