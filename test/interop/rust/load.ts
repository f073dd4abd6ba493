import type { Scene } from "../scene.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { isSubscribed, pairs, scenesOf } from "./pairs.ts";
import { askAll, expectAllRight, expectAllThere, publishPaced, takeAll } from "./traffic.ts";

const requests = 10_240;
const inFlight = 2_048;
const requestBytes = 200;
const published = 100_000;
const messageBytes = 64;
/** What a PUB of msg-rs publishes before it writes: far less than what it may keep for a subscriber. */
const rustTurn = 64;

const asking: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const req = await ends.req(peer.address);
    expectAllRight(await askAll(req, requests, inFlight, [requestBytes]), requests);
    return { messages: 2 * requests };
  },

  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo();
    const peer = await ends.rust("req", ["--timeout-ms", "30000"], rep.address);
    expectAllRight(await peer.askAll(requests, inFlight, requestBytes), requests);
    return { messages: 2 * requests };
  },
};

const publishing: Runs = {
  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub");
    const sub = await ends.sub(peer.address, ["numbers"]);
    const command = `publish numbers ${published} ${messageBytes} 0 ${rustTurn}`;
    const said = peer.ask(command, "published");
    await Promise.all([said, takeAll(sub, published)]);
    return { messages: published };
  },

  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub();
    const peer = await ends.rust("sub", ["--topic", "numbers"], pub.address);
    await isSubscribed(pub, "numbers");
    await publishPaced(pub, peer, "numbers", published, [messageBytes]);
    await expectAllThere(peer, published);
    return { messages: published };
  },
};

/** Many at a time, and many in all. */
export function loadScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  const heavy = { carrier, onStage, isHeavy: true };
  return [
    ...scenesOf(asking, { what: "2,048 in flight", ...heavy }),
    ...scenesOf(publishing, { what: "100,000 published", ...heavy }),
  ];
}
