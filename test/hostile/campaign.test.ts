import { describe, expect, it, onTestFinished } from "vitest";
import { attacks } from "./campaign/attacks.ts";
import { Campaign } from "./campaign/campaign.ts";
import { transportNames } from "./campaign/network.ts";

/** A few of each kind; `npm run test:hostile` does them all. */
const chosen = ["slowloris in the middle", "wrong tokens", "bombs", "never sent", "noise"];

describe("hostile peers", { timeout: 120_000 }, () => {
  for (const transport of transportNames) {
    it(`over ${transport} are told, stay in their bounds, and no bystander notices`, async () => {
      const campaign = await Campaign.start(transport);
      onTestFinished(() => campaign.end());
      const of = attacks.filter(({ name, over }) => {
        return (
          chosen.some((text) => name.includes(text)) && (over ?? [transport]).includes(transport)
        );
      });
      expect(of.length).toBeGreaterThanOrEqual(5);
      for (const attack of of) {
        const { name, failures, bystanders } = await campaign.attack(attack, 1, 200);
        expect([name, failures]).toEqual([name, []]);
        expect(bystanders).toBeGreaterThan(0);
      }
    });
  }
});
