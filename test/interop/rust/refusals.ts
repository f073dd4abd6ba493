import type { RepSocket } from "msg-ts";
import { ReplyError } from "msg-ts";
import { expect, expectEqual, expectRejection } from "../expect.ts";
import type { Scene } from "../scene.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasPeers, pairs, pause, scenesOf } from "./pairs.ts";
import type { RustPeer } from "./rust-peer.ts";

const kibibyte = 1_024;
const mebibyte = kibibyte * kibibyte;
const hurried = ["--backoff-ms", "20"];
/** For a request that will not be answered. */
const patienceMs = 400;

/** Gives the error of a request. */
async function errorOf(peer: RustPeer, text: string): Promise<unknown> {
  return (await peer.ask(`ask ${text}`, "failed"))["error"];
}

async function expectEcho(peer: RustPeer, text: string): Promise<void> {
  expectEqual("reply", (await peer.ask(`ask ${text}`, "answered"))["text"], text);
}

/** Checks that it is still the connection that it began with. */
function expectOneConnection(rep: RepSocket): void {
  const { connects, disconnects } = rep.stats();
  expectEqual("connections", { connects, disconnects }, { connects: 1, disconnects: 0 });
}

const errorReply: Runs = {
  [pairs.rustReq]: async (ends) => {
    const rep = await ends.rep();
    rep.serve((request) => {
      if (request.text() === "bad") throw new ReplyError("NOT_FOUND", "there is none");
      return request.payload;
    });
    const peer = await ends.rust("req", hurried, rep.address);
    expectEqual("error", await errorOf(peer, "bad"), "Wire(Decompression)");
    await expectEcho(peer, "good");
    expectOneConnection(rep);
    const note = "fails that one request at once, as Wire(Decompression); the connection stays";
    return { messages: 4, note };
  },
};

const goodbye: Runs = {
  [pairs.rustReq]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const rep = await ends.rep({}, address);
    const peer = await ends.rust("req", hurried, address);
    const asked = peer.ask("ask slowly", "answered");
    const request = await rep.receive({ timeoutMs: 20_000 });
    // Says goodbye now, and waits for the answer.
    const closed = rep.close({ lingerMs: 10_000 });
    await pause(patienceMs / 4);
    request.respond("answered");
    expectEqual("reply", (await asked)["text"], "answered");
    expectEqual("unsent", (await closed).unsent, 0);
    await ends.echo({}, address);
    await expectEcho(peer, "again");
    const note =
      "the goodbye is a reply that nobody waits for: ignored; it dials again after the end";
    return { messages: 4, note };
  },
};

const overOurLimit: Runs = {
  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo({ maxMessageBytes: kibibyte });
    const args = [...hurried, "--timeout-ms", String(patienceMs)];
    const peer = await ends.rust("req", args, rep.address);
    await expectEcho(peer, "small");
    const disconnected = rep.once("disconnected");
    const { failed } = await peer.askAll(1, 1, 2 * kibibyte);
    expectEqual("failed", failed, { Timeout: 1 });
    expectEqual("closed with", (await disconnected).reason?.code, "MSG_PAYLOAD_TOO_LARGE");
    await expectEcho(peer, "small again");
    const note = "the connection is closed; the request times out, and the next one is answered";
    return { messages: 5, note };
  },

  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const req = await ends.req(peer.address, { maxMessageBytes: kibibyte });
    const disconnected = req.once("disconnected");
    await expectRejection(req.request(`grow ${2 * kibibyte}`), "MSG_PEER_LOST");
    expectEqual("closed with", (await disconnected).reason?.code, "MSG_PAYLOAD_TOO_LARGE");
    expectEqual("reply", (await req.request("small")).text(), "small");
    return { messages: 3 };
  },
};

/** More than our default limit allows. */
const largeBytes = 65 * mebibyte;

const large: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const req = await ends.req(peer.address, { maxMessageBytes: 2 * largeBytes });
    const payload = Buffer.alloc(largeBytes, "msg");
    const reply = await req.request(payload, { timeoutMs: 50_000 });
    expect(payload.equals(reply.payload), "the reply is the request");
    const note = "msg-rs has no limit on a frame: 65 MiB went there and back";
    return { messages: 2, note };
  },

  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo({ maxMessageBytes: 2 * largeBytes });
    const peer = await ends.rust("req", ["--timeout-ms", "50000"], rep.address);
    const { right } = await peer.askAll(1, 1, largeBytes);
    expectEqual("right", right, 1);
    return { messages: 2 };
  },
};

const unanswered: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const req = await ends.req(peer.address);
    const timeoutMs = patienceMs;
    await expectRejection(req.request("drop", { timeoutMs }), "MSG_TIMEOUT");
    await expectRejection(req.request("PING", { timeoutMs }), "MSG_TIMEOUT");
    expectEqual("late replies", req.stats().dropped["unexpected-reply"], 1);
    const late = await req.request(`slow ${patienceMs / 4}`);
    expectEqual("reply", late.text(), `slow ${patienceMs / 4}`);
    expectEqual("requests", (await peer.repCounts()).requests, 2);
    const note =
      "a dropped request and the payload PING end by deadline: no error replies, PONG has the id 0";
    return { messages: 4, note };
  },

  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo();
    const peer = await ends.rust("req", hurried, rep.address);
    await expectEcho(peer, "PING");
    const probed = await ends.echo({ answerPing: true });
    const prober = await ends.rust("req", hurried, probed.address);
    expectEqual("reply", (await prober.ask("ask PING", "answered"))["text"], "PONG");
    await hasPeers(probed, 1);
    return { messages: 4 };
  },
};

/** What a Rust peer does when ours says no, ends, or is silent, and the other way round. */
export function refusalScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  const frame = { carrier, onStage };
  return [
    ...scenesOf(errorReply, { what: "error reply", ...frame }),
    ...scenesOf(goodbye, { what: "goodbye", ...frame }),
    ...scenesOf(overOurLimit, { what: "frame over our limit", ...frame }),
    ...scenesOf(unanswered, { what: "no answer, PING", ...frame }),
    ...scenesOf(large, { what: "65 MiB", isHeavy: true, ...frame }),
  ];
}
