import { expectNoLeaks } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { compressors, isSame, payloads, transports } from "./matrix.ts";
import { patterns } from "./patterns.ts";
import { patienceMs } from "./sockets.ts";

const timeout = 4 * patienceMs;

for (const pattern of patterns) {
  for (const transport of transports) {
    for (const { name, compressor } of compressors) {
      describe(`${pattern.name} over ${transport.name}, compressed by ${name}`, { timeout }, () => {
        expectNoLeaks({ withinMs: patienceMs });

        for (const binder of ["sender", "receiver"] as const) {
          it(`brings every payload when the ${binder} binds`, async () => {
            const network = transport.network();
            const ends = () => ({ transport: network.create(), compressor });
            const pair = pattern.create(ends(), ends());
            const dialer = binder === "sender" ? "receiver" : "sender";
            await pair[dialer].connect(await pair[binder].bind(network.address()));
            for (const { name: what, payload } of payloads) {
              const received = await pair.roundTrip(payload);
              expect([what, isSame(payload, received)]).toEqual([what, true]);
            }
          });
        }

        it("brings payloads between ends of which only one compresses", async () => {
          const network = transport.network();
          const plain = { transport: network.create(), compressor: undefined };
          const pair = pattern.create({ transport: network.create(), compressor }, plain);
          await pair.receiver.connect(await pair.sender.bind(network.address()));
          for (const { name: what, payload } of payloads) {
            if (payload.length > 1_000_000) continue;
            const received = await pair.roundTrip(payload);
            expect([what, isSame(payload, received)]).toEqual([what, true]);
          }
        });
      });
    }
  }
}
