import { waitFor } from "@msg-ts/testing";
import type { SubSocket } from "msg-ts";
import { expect, expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import type { Scene } from "../scene.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasPeers, hasReceived, isSubscribed, pairs, pause, scenesOf } from "./pairs.ts";
import type { AskCounts, RustPeer } from "./rust-peer.ts";
import { askAll, expectAllRight, expectAllThere, publishPaced, takeAll } from "./traffic.ts";

const requests = 3_000;
const inFlight = 64;
const size = 100;
/** Of messages, before and after a restart. */
const batch = 500;
/** How long a REQ of msg-rs waits for an answer that will not come: longer than a REP takes to end. */
const timeoutMs = 4_000;
const quietMs = 1_000;
const hurriedReq = ["--timeout-ms", String(timeoutMs), "--backoff-ms", "20"];

/** Waits until so many requests were answered: in the middle of the traffic. */
async function isUnderWay(socket: {
  stats(): { readonly messagesReceived: number };
}): Promise<void> {
  const what = "requests are under way";
  await waitFor(() => socket.stats().messagesReceived >= requests / 10, { what });
}

const rustRestarts: Runs = {
  [pairs.tsReq]: async (ends) => {
    const first = await ends.rust("rep", [], await ends.carrier.knownAddress(ends.stage));
    const req = await ends.req(first.address, { retry: true });
    const asked = askAll(req, requests, inFlight, [size]);
    await isUnderWay(req);
    await first.kill();
    const second = await ends.rust("rep", [], first.address);
    expectAllRight(await asked, requests);
    expect((await second.repCounts()).requests > 0, "the second REP was asked");
    const note = "with `retry` every request is answered, across a kill";
    return { messages: 2 * requests, note };
  },

  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo();
    const first = await ends.rust("req", hurriedReq, rep.address);
    const cut = first.askAll(1_000_000, inFlight, size).catch(() => {});
    await isUnderWay(rep);
    await first.kill();
    await cut;
    const second = await ends.rust("req", hurriedReq, rep.address);
    expectAllRight(await second.askAll(batch, inFlight, size), batch);
    await hasPeers(rep, 1);
    return { messages: rep.stats().messagesReceived + batch };
  },

  [pairs.tsSub]: async (ends) => {
    const first = await ends.rust("pub", [], await ends.carrier.knownAddress(ends.stage));
    const sub = await ends.sub(first.address, ["numbers"]);
    await first.ask(`publish numbers ${batch} ${size} 0`, "published");
    await takeAll(sub, batch);
    const gap = sub.once("gap");
    await first.kill();
    const second = await ends.rust("pub", [], first.address);
    expectEqual("lost", (await gap).lost, undefined);
    await isSubscribedAgain(sub, second);
    await second.ask(`publish numbers ${batch} ${size} ${batch}`, "published");
    await takeAll(sub, batch, batch);
    return { messages: 2 * batch };
  },

  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub();
    for (let life = 0; life < 2; life++) {
      const peer = await ends.rust("sub", ["--topic", "numbers"], pub.address);
      await isSubscribed(pub, "numbers");
      await publishPaced(pub, peer, "numbers", batch, [size]);
      await peer.kill();
      await hasPeers(pub, 0);
    }
    return { messages: 2 * batch };
  },
};

/** Nothing tells when a PUB of msg-rs has read a subscription: it is asked until it answers. */
async function isSubscribedAgain(sub: SubSocket, peer: RustPeer): Promise<void> {
  for (;;) {
    await peer.ask("say numbers again", "published");
    const message = await sub.receive({ timeoutMs: 50 }).catch(() => undefined);
    if (message !== undefined) break;
  }
  // Those of the attempts that came late.
  for (;;) {
    const message = await sub.receive({ timeoutMs: 50 }).catch(() => undefined);
    if (message === undefined) return;
    expectEqual("number", numberOf(message.payload), undefined);
  }
}

const tsRestarts: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const first = await ends.req(peer.address);
    const cut = askAll(first, requests, inFlight, [size]);
    await isUnderWay(first);
    await first.close({ lingerMs: 0 });
    const { right, wrong, failed } = await cut;
    const lost = Object.values(failed).reduce((sum, count) => sum + count);
    expectEqual("outcomes", [right + lost, wrong], [requests, 0]);
    const second = await ends.req(peer.address);
    expectAllRight(await askAll(second, batch, inFlight, [size], requests), batch);
    expectEqual("requests that came twice", (await peer.repCounts()).repeated, 0);
    return { messages: 2 * (right + batch) };
  },

  [pairs.rustReq]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const first = await ends.echo({}, address);
    const peer = await ends.rust("req", hurriedReq, address);
    const asked = peer.askAll(requests, inFlight, size);
    await isUnderWay(first);
    await first.close();
    const served = first.stats().messagesReceived;
    const second = await ends.echo({}, address);
    const outcome = await asked;
    expectFewLost(outcome);
    expect(served + second.stats().messagesReceived <= requests, "no request came twice");
    const note =
      "what a closing REP did not run fails, as Timeout or Wire(Decompression); nothing is sent again";
    return { messages: 2 * outcome.right, note };
  },

  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub");
    for (let life = 0; life < 2; life++) {
      const sub = await ends.sub(peer.address, ["numbers"]);
      await peer.ask(`publish numbers ${batch} ${size} 0`, "published");
      await takeAll(sub, batch);
      await sub.close();
    }
    await isForgotten(peer);
    return { messages: 2 * batch };
  },

  [pairs.rustSub]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const first = await ends.pub({}, address);
    const peer = await ends.rust("sub", ["--topic", "numbers", "--backoff-ms", "20"], address);
    await isSubscribed(first, "numbers");
    await publishPaced(first, peer, "numbers", batch, [size]);
    await first.close();
    const second = await ends.pub({}, address);
    await pause(quietMs);
    expectEqual("connects by itself", second.stats().connects, 0);
    await peer.ask("disconnect", "done");
    await peer.ask("connect", "done");
    await isSubscribed(second, "numbers");
    await publishPaced(second, peer, "numbers", batch, [size]);
    const note = "a SUB never dials again by itself; `disconnect` and `connect` bring it back";
    return { messages: 2 * batch, note };
  },
};

/** As in a rolling restart: nothing that was asked or published before is lost. */
const tsDrains: Runs = {
  [pairs.rustReq]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const first = await ends.echo({}, address);
    const peer = await ends.rust("req", hurriedReq, address);
    const asked = peer.askAll(requests, inFlight, size);
    await isUnderWay(first);
    const { isComplete, unsent } = await first.drain();
    expectEqual("drained", { isComplete, unsent }, { isComplete: true, unsent: 0 });
    await ends.echo({}, address);
    const outcome = await asked;
    expectFewLost(outcome);
    expectEqual("refused", outcome.failed["Wire(Decompression)"], undefined);
    const note = "all that was read is answered; what was on its way at the end times out";
    return { messages: 2 * outcome.right, note };
  },

  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub();
    const peer = await ends.rust("sub", ["--topic", "numbers"], pub.address);
    await isSubscribed(pub, "numbers");
    for (let number = 0; number < batch; number++) {
      await pub.publish("numbers", numbered(number, size));
    }
    expectEqual("drained", (await pub.drain()).isComplete, true);
    await hasReceived(peer, batch);
    await expectAllThere(peer, batch);
    return { messages: batch, note: "all that was published before arrives" };
  },
};

/**
 * A REQ of msg-rs sends nothing again: what a closing REP did not answer is lost. Answers that say
 * so fail at once, and whoever asks again at once is told so again until the stream ends.
 */
function expectFewLost({ sent, right, wrong, failed }: AskCounts): void {
  const { Timeout: timedOut = 0, "Wire(Decompression)": refused = 0, ...others } = failed;
  expectEqual("other errors", others, {});
  expectEqual("outcomes", [sent, right + timedOut + refused, wrong], [requests, requests, 0]);
  expect(timedOut <= inFlight, `${timedOut} requests timed out, with ${inFlight} in flight`);
}

async function isForgotten(peer: RustPeer): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while ((await peer.clients()) > 0) {
    if (performance.now() > deadlineMs) throw new Error("the PUB keeps a client that is gone");
    await pause(5);
  }
}

/** Either side ends in the middle of the traffic, and comes back. */
export function restartScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  return [
    ...scenesOf(rustRestarts, { what: "rust side restarted", carrier, onStage }),
    ...scenesOf(tsRestarts, { what: "ts side restarted", carrier, onStage }),
    ...scenesOf(tsDrains, { what: "ts side drained", carrier, onStage }),
  ];
}
