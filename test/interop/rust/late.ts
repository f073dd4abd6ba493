import type { Scene } from "../scene.ts";
import { expectEqual } from "../expect.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasReceived, isSubscribed, pairs, pause, scenesOf } from "./pairs.ts";

/** Whoever dials has failed several times by then. */
const lateMs = 300;

const late: Runs = {
  [pairs.tsReq]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const req = await ends.req(address);
    const reply = req.request("hello");
    await pause(lateMs);
    await ends.rust("rep", [], address);
    expectEqual("reply", (await reply).text(), "hello");
    return { messages: 2 };
  },

  [pairs.rustReq]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const peer = await ends.rust("req", ["--backoff-ms", "20"], address);
    const reply = peer.ask("ask hello", "answered");
    await pause(lateMs);
    await ends.echo({}, address);
    expectEqual("reply", (await reply)["text"], "hello");
    return { messages: 2 };
  },

  [pairs.tsSub]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const subscribed = ends.sub(address, ["news"]);
    await pause(lateMs);
    const peer = await ends.rust("pub", [], address);
    const sub = await subscribed;
    await peer.ask("say news hello", "published");
    expectEqual("message", (await sub.receive({ timeoutMs: 20_000 })).text(), "hello");
    return { messages: 1 };
  },

  [pairs.rustSub]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const peer = await ends.rust("sub", ["--topic", "news", "--backoff-ms", "20"], address);
    await pause(lateMs);
    const pub = await ends.pub({}, address);
    await isSubscribed(pub, "news");
    await pub.publish("news", "hello");
    await hasReceived(peer, 1);
    return { messages: 1 };
  },
};

/** Who dials is there before who binds. */
export function lateScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  return scenesOf(late, { what: "bound late", carrier, onStage });
}
