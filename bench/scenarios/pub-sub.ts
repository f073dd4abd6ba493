/** Everything to `count` subscribers, which share a process. What is counted is deliveries. */
import type { EndContext, Scenario } from "../harness/scenario.ts";
import { Counter } from "../peers/contender.ts";
import { connectMany } from "./connect-many.ts";

function pubSubOf({ contender }: EndContext) {
  if (contender.pubSub === undefined) throw new Error(`${contender.name} publishes nothing`);
  return contender.pubSub;
}

/** One publisher, `count` subscribers. */
export const pubSub: Scenario = {
  title: "publishing",
  binds: "sender",
  variantsOf({ pubSub: pattern, program }, settings) {
    if (pattern !== undefined) return pattern.variants ?? [""];
    return program?.scenarios.includes(settings.scenario) === true ? [""] : [];
  },
  async sender(context) {
    const { place, variant, settings } = context;
    const publisher = await pubSubOf(context).publish(place, settings.count, variant);
    const counter = new Counter();
    return {
      address: publisher.address,
      counter,
      start: () => publisher.start(Buffer.alloc(settings.sizeBytes, 1), counter),
    };
  },
  async receiver(context) {
    const counter = new Counter();
    const { place, settings } = context;
    await connectMany(settings.count, () => pubSubOf(context).subscribe(place, counter));
    return { counter };
  },
  extra(received, sent, { count }) {
    return { deliveredShare: received.perSecond / (sent.perSecond * count) };
  },
};
