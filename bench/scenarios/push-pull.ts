/** Messages one way, as many as go, from one process to another. */
import { Counter } from "../peers/contender.ts";
import type { EndContext, Scenario } from "../harness/scenario.ts";

function oneWayOf({ contender }: EndContext) {
  if (contender.oneWay === undefined) throw new Error(`${contender.name} sends nothing one way`);
  return contender.oneWay;
}

/** `count` connections, which is one in the scenario of this name. */
export const pushPull: Scenario = {
  title: "one way, as many as go",
  variantsOf({ oneWay, program }, settings) {
    if (oneWay !== undefined) return oneWay.variants ?? [""];
    return program?.scenarios.includes(settings.scenario) === true ? [""] : [];
  },
  async receiver(context) {
    const counter = new Counter();
    const address = await oneWayOf(context).receive(context.place, counter, context.variant);
    return { address, counter };
  },
  async sender(context) {
    const { place, variant, settings } = context;
    const counter = new Counter();
    const payload = Buffer.alloc(settings.sizeBytes, 1);
    for (let connection = 0; connection < settings.count; connection++) {
      await oneWayOf(context).send(place, payload, counter, variant);
    }
    return { counter };
  },
};
