/**
 * Many endpoints on one socket: three services, three publishers, a service with two addresses.
 */
import { PubSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();
const colours = ["red", "green", "blue"];

/** One REQ, three REPs: each request goes to the one with the fewest unanswered ones. */
async function askThree(): Promise<void> {
  await using req = new ReqSocket(transport());
  const reps = colours.map(() => new RepSocket(transport()));
  for (const [index, rep] of reps.entries()) {
    const colour = colours[index] ?? "";
    await req.connect(await rep.bind(address(`rep-${colour}`)));
    rep.serve(() => colour);
  }
  while (req.peers.length < colours.length) await req.once("connected");

  const replies = await Promise.all(Array.from({ length: 30 }, () => req.request("who?")));
  for (const colour of colours) {
    const share = replies.filter((reply) => reply.text() === colour).length;
    console.log(`${colour} answered ${share} of ${replies.length}`);
  }
  await Promise.all(reps.map((rep) => rep.close()));
}

/** One SUB, three PUBs: one subscription holds for all of them. */
async function hearThree(): Promise<void> {
  await using sub = new SubSocket(transport());
  const pubs = colours.map(() => new PubSocket(transport()));
  for (const [index, pub] of pubs.entries()) {
    await sub.connect(await pub.bind(address(`pub-${colours[index]}`)));
  }
  while (sub.peers.length < colours.length) await sub.once("connected");
  await sub.subscribe("news");
  for (const [index, pub] of pubs.entries()) await pub.publish("news", `all is ${colours[index]}`);

  const heard: string[] = [];
  while (heard.length < pubs.length) heard.push((await sub.receive()).text());
  console.log(`heard: ${heard.toSorted().join(", ")}`);
  await Promise.all(pubs.map((pub) => pub.close()));
}

/** One REP, two addresses: a request's peer tells which of them it came through. */
async function answerAtTwo(): Promise<void> {
  await using rep = new RepSocket(transport());
  await rep.bind(address("front"));
  await rep.bind(address("back"));
  rep.serve(({ peer }) => peer.endpoint);
  for (const endpoint of rep.addresses) {
    await using req = new ReqSocket(transport());
    await req.connect(endpoint);
    await req.request("knock");
  }
  console.log(
    `${rep.stats().messagesReceived} requests came through ${rep.addresses.length} doors`,
  );
}

await askThree();
await hearThree();
await answerAtTwo();
