/** From the start of a process to its first answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { EndContext, Measures, Scenario } from "../harness/scenario.ts";
import { quantile } from "../harness/statistics.ts";
import { Counter } from "../peers/contender.ts";
import { reqRep } from "./req-rep.ts";

const starts = 5;

/** Until it says something; it ends by itself then. */
async function timeOne(program: string): Promise<number> {
  const startMs = performance.now();
  const args = ["--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let answeredMs: number | undefined;
  child.stdout.once("data", () => {
    answeredMs = performance.now();
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (answeredMs === undefined) throw new Error(`a client ended with ${code}`);
  return answeredMs - startMs;
}

async function measure({ contender, place }: EndContext): Promise<Measures> {
  const program = contender.firstMessage?.(place) ?? "";
  const timesMs: number[] = [];
  for (let start = 0; start < starts; start++) timesMs.push(await timeOne(program));
  return {
    firstMessageMs: quantile(
      timesMs.toSorted((a, b) => a - b),
      0.5,
    ),
  };
}

/** The median of five starts. */
export const firstMessage: Scenario = {
  ...reqRep,
  title: "from the start of a process to its first answer",
  variantsOf: (contender) => (contender.firstMessage === undefined ? [] : [""]),
  sender: (context) => Promise.resolve({ counter: new Counter(), run: () => measure(context) }),
  drive: ({ sender }) => sender.ask("run") as Promise<Measures>,
};
