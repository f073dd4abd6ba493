import type { Authenticator } from "@msg-ts/core";
import { tokensEqual } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import type { Outcome, Scene } from "../scene.ts";
import { expect, expectEqual, expectRejection } from "../expect.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasReceived, isSubscribed, pairs, pause, scenesOf } from "./pairs.ts";

const token = "client1";
const lettingIn = ["--token", token];
const authenticator: Authenticator = (request) => tokensEqual(request.token, token);

/** Long enough that whoever was refused comes several times. */
const refusedMs = 400;

const accepted: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep", lettingIn);
    const req = await ends.req(peer.address, { authToken: token });
    expectEqual("reply", (await req.request("hello")).text(), "hello");
    return { messages: 2 };
  },

  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo({ authenticator });
    const peer = await ends.rust("req", [...lettingIn, "--backoff-ms", "20"], rep.address);
    expectEqual("reply", (await peer.ask("ask hello", "answered"))["text"], "hello");
    return { messages: 2 };
  },

  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub", lettingIn);
    const sub = await ends.sub(peer.address, ["news"], { authToken: token });
    await peer.ask("say news hello", "published");
    expectEqual("message", (await sub.receive({ timeoutMs: 20_000 })).text(), "hello");
    return { messages: 1 };
  },

  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub({ authenticator });
    const peer = await ends.rust("sub", [...lettingIn, "--topic", "news"], pub.address);
    await isSubscribed(pub, "news");
    await pub.publish("news", "hello");
    await hasReceived(peer, 1);
    return { messages: 1 };
  },
};

/** A socket of ours that dials, as far as a refusal is concerned. */
interface Dialer {
  once(name: "refused"): Promise<{ readonly error: { readonly code: string } }>;
  stats(): { readonly refused: number; readonly retries: number };
}

/** Refused: each time again, and ever more slowly. */
async function expectRefused(dialer: Dialer): Promise<void> {
  const { error } = await dialer.once("refused");
  expectEqual("refused with", error.code, "MSG_AUTH_REJECTED");
  await pause(refusedMs);
  const { refused } = dialer.stats();
  expect(refused >= 1 && refused < 100, `refused ${refused} times in ${refusedMs} ms`);
}

const refused: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep", ["--token", "another"]);
    const req = await ends.req(peer.address, { authToken: token });
    const request = req.request("hello", { timeoutMs: 2 * refusedMs });
    await Promise.all([expectRefused(req), expectRejection(request, "MSG_TIMEOUT")]);
    expectEqual("requests", (await peer.repCounts()).requests, 0);
    return { messages: 0 };
  },

  [pairs.rustReq]: async (ends) => {
    let isOpen = false;
    const rep = await ends.echo({ authenticator: () => isOpen });
    const args = [...lettingIn, "--backoff-ms", "20", "--timeout-ms", "100"];
    const peer = await ends.rust("req", args, rep.address);
    return letInLater(rep, peer.ask("ask hello", "answered"), () => (isOpen = true));
  },

  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub", ["--token", "another"]);
    const sub = await ends.sub(peer.address, [], { authToken: token });
    await expectRefused(sub);
    expectEqual("clients", await peer.clients(), 0);
    return { messages: 0 };
  },

  [pairs.rustSub]: async (ends) => {
    let isOpen = false;
    const pub = await ends.pub({ authenticator: () => isOpen });
    const args = [...lettingIn, "--backoff-ms", "20", "--topic", "news"];
    const peer = await ends.rust("sub", args, pub.address);
    const published = async (): Promise<void> => {
      await isSubscribed(pub, "news");
      await pub.publish("news", "hello");
      await hasReceived(peer, 1);
    };
    return letInLater(pub, published(), () => (isOpen = true));
  },
};

/** Refused for a while: msg-rs comes again and again, and says nothing of it to its application. */
async function letInLater(
  acceptor: { stats(): { readonly refused: number } },
  answer: Promise<unknown>,
  open: () => void,
): Promise<Outcome> {
  let isAnswered = false;
  const noted = answer.then(() => (isAnswered = true));
  await waitFor(() => acceptor.stats().refused >= 2, { what: "msg-rs was refused twice" });
  expect(!isAnswered, "who is refused is not served");
  open();
  await noted;
  return { messages: 1 };
}

/** What stands on one side only. */
const unequal: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const req = await ends.req(peer.address, { authToken: token });
    await expectRefused(req);
    return { messages: 0, note: "a REP without a hook ends a connection that begins with AUTH" };
  },
};

/** Tokens: those that are let in, and those that are not. */
export function tokenScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  return [
    ...scenesOf(accepted, { what: "token accepted", carrier, onStage }),
    ...scenesOf(refused, { what: "token refused", carrier, onStage }),
    ...scenesOf(unequal, { what: "token to a server without", carrier, onStage }),
  ];
}
