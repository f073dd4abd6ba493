import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { bytes, waitFor } from "@msg-ts/testing";
import { expect, expectEqual, expectRejection } from "../expect.ts";
import type { Scene } from "../scene.ts";
import type { Stage } from "../stage.ts";
import type { Carrier } from "./carriers.ts";
import { ipc, tcp } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasPeers, pairs, pause, scenesOf } from "./pairs.ts";

const quietMs = 500;

const fullServer: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep", ["--max-clients", "1"]);
    const first = await ends.req(peer.address);
    expectEqual("reply", (await first.request("hello")).text(), "hello");
    // Without `retry` one request may be lost: to a connection that was accepted and then closed.
    const second = await ends.req(peer.address, { retry: true });
    await expectRejection(second.request("hello", { timeoutMs: quietMs }), "MSG_TIMEOUT");
    const { connects } = second.stats();
    expect(connects < 50, `dialed ${connects} times in ${quietMs} ms`);
    const waiting = second.request("hello");
    await first.close();
    expectEqual("reply", (await waiting).text(), "hello");
    const note =
      "a full server closes at once: ours backs off, and with `retry` gets in when there is room";
    return { messages: 4, note };
  },
};

const evicted: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const first = await ends.req(peer.address, {
      reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000 },
    });
    expectEqual("reply", (await first.request("hello")).text(), "hello");
    const gone = first.once("disconnected");
    const second = await ends.req(peer.address);
    await gone;
    expectEqual("reply", (await second.request("hello")).text(), "hello");
    await hasPeers(first, 0);
    const note = "its REP over IPC has one client: whoever comes later takes the place";
    return { messages: 4, note };
  },

  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub");
    const subs = [];
    for (let index = 0; index < 3; index++) subs.push(await ends.sub(peer.address, ["news"]));
    await peer.ask("say news hello", "published");
    for (const sub of subs) {
      expectEqual("message", (await sub.receive({ timeoutMs: 20_000 })).text(), "hello");
    }
    return { messages: subs.length, note: "its PUB over IPC serves several" };
  },
};

const leftBehind: Runs = {
  [pairs.rustReq]: async (ends) => {
    const address = await ends.carrier.knownAddress(ends.stage);
    const gone = await ends.rust("rep", [], address);
    await gone.kill();
    const rep = await ends.echo({}, address);
    const peer = await ends.rust("req", ["--backoff-ms", "20"], rep.address);
    expectEqual("reply", (await peer.ask("ask hello", "answered"))["text"], "hello");
    return { messages: 2, note: "ours takes over a socket file that a killed msg-rs left behind" };
  },
};

async function dialRaw(address: string, stage: Stage): Promise<Socket> {
  const [host = "", port = ""] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  stage.atEnd(() => socket.destroy());
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  return socket;
}

/** What its REP does with bytes that no peer of ours sends. */
const rawBytes: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const wrongKind = await dialRaw(peer.address, ends.stage);
    wrongKind.write(bytes("09 00 00000000 00000000"));
    await waitFor(() => wrongKind.readableEnded, { what: "an unknown kind is closed" });
    const huge = await dialRaw(peer.address, ends.stage);
    //                kind flags id       length
    huge.write(bytes("02   00    00000000 ffffffff"));
    await pause(quietMs);
    expect(!huge.readableEnded, "a frame of 4 GiB is waited for");
    const note = "closes a wrong first byte; waits for a frame of 4 GiB without a word";
    return { messages: 0, note };
  },
};

const leakedSlot: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep", ["--token", "secret", "--max-clients", "1"]);
    const rude = await dialRaw(peer.address, ends.stage);
    rude.write(bytes("01 000000"));
    await waitFor(() => rude.readableEnded, { what: "half an AUTH is closed" });
    const req = await ends.req(peer.address, { authToken: "secret" });
    await expectRejection(req.request("hello", { timeoutMs: quietMs }), "MSG_TIMEOUT");
    expectEqual("clients that it counts", (await peer.repCounts()).clients, 1);
    const note = "4 bytes of an AUTH take a place of `max_clients` for ever: put ours in front";
    return { messages: 0, note };
  },
};

/** Who shares a server of msg-rs, and who spoils it. */
export function crowdScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  const frame = { carrier, onStage };
  const common = scenesOf(fullServer, { what: "a full server", ...frame });
  if (carrier === tcp) {
    return [
      ...common,
      ...scenesOf(rawBytes, { what: "raw bytes", ...frame }),
      ...scenesOf(leakedSlot, { what: "half an AUTH", ...frame }),
    ];
  }
  if (carrier !== ipc) return common;
  return [
    ...scenesOf(evicted, { what: "several clients", ...frame }),
    ...scenesOf(leftBehind, { what: "a file left behind", ...frame }),
  ];
}
