/**
 * Plays scenarios with one of the two libraries, one after the other: `player.ts SIDE`. Each message
 * from the parent is the number of a play; each to it what came of it. It may crash or hang: the
 * parent has a deadline, and starts another one.
 */
import process from "node:process";
import { plays } from "../scenarios/all.ts";
import { codeOf, expectOutcome } from "../scenarios/outcome.ts";
import type { Side } from "../scenarios/scenario.ts";
import { libraryOf, Stage } from "../scenarios/stage.ts";

const side = process.argv[2] as Side;
const zmq = await libraryOf(side);

process.on("message", (index: number) => {
  void play(index).then((outcome) => process.send?.(outcome));
});
// What a scenario left behind rejects when its sockets are closed: its outcome is known by then.
process.on("unhandledRejection", () => {});
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function play(index: number): Promise<string> {
  const found = plays[index];
  if (found === undefined) throw new Error(`there is no play ${index}`);
  expectOutcome(side === "ours" ? found.scenario.ours : undefined);
  const stage = new Stage(side, zmq, found.carrier);
  try {
    return await found.scenario.run(stage);
  } catch (error) {
    return `throws ${codeOf(error)}: ${error instanceof Error ? error.message : ""}`;
  } finally {
    await stage.end();
  }
}
