import type { Report } from "./report.ts";
import type { Outcome, Scene } from "./scene.ts";
import { Stage } from "./stage.ts";

/** Most scenes wait for a process or a timer; the machine may have two cores. */
const sceneConcurrency = 4;
const defaultWithinMs = 60_000;

/** Runs the scenes of a suite: the light ones side by side, then the heavy ones by themselves. */
export async function playAll(
  suite: string,
  scenes: readonly Scene[],
  report: Report,
): Promise<void> {
  const light = scenes.filter((scene) => scene.isHeavy !== true).values();
  const worker = async (): Promise<void> => {
    for (const scene of light) await playOne(suite, scene, report);
  };
  await Promise.all(Array.from({ length: sceneConcurrency }, worker));
  for (const scene of scenes) {
    if (scene.isHeavy === true) await playOne(suite, scene, report);
  }
}

async function playOne(suite: string, scene: Scene, report: Report): Promise<void> {
  const stage = new Stage();
  try {
    report.held(suite, scene, await inTime(scene, stage));
  } catch (error) {
    report.failed(suite, scene, error);
  } finally {
    await stage.end();
  }
}

async function inTime(scene: Scene, stage: Stage): Promise<Outcome> {
  const withinMs = scene.withinMs ?? defaultWithinMs;
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    deadline = setTimeout(() => reject(new Error(`not over after ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([scene.run(stage), late]);
  } finally {
    clearTimeout(deadline);
  }
}
