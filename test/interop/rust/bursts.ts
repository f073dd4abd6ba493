import type { Compressor } from "@msg-ts/core";
import { expect, expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import type { Scene } from "../scene.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasReceived, isSubscribed, pairs, pause, scenesOf } from "./pairs.ts";
import type { RustPeer } from "./rust-peer.ts";

const burst = 20_000;
const size = 64;
/** Nothing more comes. */
const quietMs = 300;

/** What a PUB of msg-rs keeps for a subscriber that it does not get to: a power of two. */
const highWaterMark = 1_024;

async function settled(peer: RustPeer): Promise<number> {
  for (let last = -1; ;) {
    const { received } = await peer.subCounts();
    if (received === last && received > 0) return received;
    last = received;
    await pause(quietMs);
  }
}

const unpaced: Runs = {
  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub", ["--high-water-mark", String(highWaterMark)]);
    const sub = await ends.sub(peer.address, ["numbers"]);
    await peer.ask(`publish numbers ${burst} ${size} 0 0`, "published");
    for (let number = burst - highWaterMark; number < burst; number++) {
      const message = await sub.receive({ timeoutMs: 20_000 });
      expectEqual("number", numberOf(message.payload), number);
    }
    expectEqual("losses that our SUB could see", sub.stats().lost, 0);
    const note = `its PUB drops all but the last ${highWaterMark} of a burst of ${burst}, and does not number the lost`;
    return { messages: highWaterMark, note };
  },

  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub({ whenSlow: "wait" });
    const peer = await ends.rust("sub", ["--topic", "numbers"], pub.address);
    await isSubscribed(pub, "numbers");
    for (let number = 0; number < burst; number++) {
      await pub.publish("numbers", numbered(number, size));
    }
    const received = await settled(peer);
    const { wrong, repeated, disordered, dropped } = await peer.subCounts();
    expectEqual(
      "faults",
      { wrong, repeated, disordered },
      { wrong: 0, repeated: 0, disordered: 0 },
    );
    expectEqual("dropped by our PUB", pub.stats().dropped, {});
    expect(received <= burst, "no more than were published");
    const note = "its SUB loses most of an unpaced burst inside, and counts none of it";
    expectEqual("losses that msg-rs counted", dropped, 0);
    return { messages: received, note };
  },
};

/** Bytes that no algorithm takes, where zstd was announced. */
const broken: Compressor = {
  id: 2,
  name: "broken zstd",
  compress: () => Uint8Array.of(1, 2, 3),
  decompress: (payload) => payload,
};

const damaged: Runs = {
  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub({ compressor: broken, minCompressBytes: 1_000 });
    const peer = await ends.rust("sub", ["--topic", "numbers"], pub.address);
    await isSubscribed(pub, "numbers");
    await pub.publish("numbers", numbered(0, size));
    await hasReceived(peer, 1);
    await pub.publish("numbers", numbered(1, 2_000));
    for (let number = 2; number < 5; number++) await pub.publish("numbers", numbered(number, size));
    await pause(quietMs);
    expectEqual("received behind the damaged one", (await peer.subCounts()).received, 1);
    await peer.ask("subscribe another", "done");
    await hasReceived(peer, 4);
    const note = "a message that it cannot decompress silences its SUB until a command wakes it up";
    return { messages: 4, note };
  },
};

/** More than the other side can take at once, and what it cannot read. */
export function burstScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  const frame = { carrier, onStage };
  return [
    ...scenesOf(unpaced, { what: "a burst", isHeavy: true, ...frame }),
    ...scenesOf(damaged, { what: "a damaged message", ...frame }),
  ];
}
