/** Fuzzes one target, led by coverage, in a process of its own; started by `../guided-run.ts`. */
import { openSync, writeSync } from "node:fs";
import process from "node:process";
import { readInputs } from "../corpus.ts";
import { GuidedFuzzer } from "../guided.ts";
import type { GuidedEnd, GuidedOrder } from "../guided-run.ts";
import { targetNamed } from "../targets.ts";

const { name, seed, seconds, inputFile } = JSON.parse(process.argv[2] ?? "") as GuidedOrder;

/** What is read after a crash: how long the input is, and the input. */
const file = openSync(inputFile, "w");
const length = new Uint32Array(1);

function writeInput(input: Uint8Array): void {
  length[0] = input.length;
  writeSync(file, length, 0, 4, 0);
  writeSync(file, input, 0, input.length, 4);
}

const target = targetNamed(name);
const open = await target.open();
if (typeof open === "string") await tell({ unavailable: open });
else {
  const corpus = [...readInputs("corpus", name), ...readInputs("failed", name)];
  const fuzzer = new GuidedFuzzer(target, open, { beforeInput: writeInput });
  const { counts, blocks, corpus: kept } = await fuzzer.run({ seed, seconds, corpus });
  await open.close?.();
  const inputs = kept.map((input) => Buffer.from(input).toString("hex"));
  await tell({ counts, blocks, corpus: inputs });
}
process.disconnect();

async function tell(end: GuidedEnd): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send?.(end, undefined, {}, () => resolve());
  });
}
