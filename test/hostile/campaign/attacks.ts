import { createSocket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import { joinBytes, naiveEncode } from "@msg-ts/testing";
import { Quic } from "msg-ts";
import type { Attack, AttackScene } from "./attack.ts";
import { auth, job, message, request, subscribe } from "./attack.ts";
import type { HostileLink } from "./hostile-link.ts";
import { HostileLink as Link } from "./hostile-link.ts";
import { limits, shared } from "./victim-limits.ts";

const MiB = 1024 * 1024;

/** What the victim's own good work, and its garbage, may add to any attack. */
const workMiB = 48;

/** Frames of 4 KiB at a time, made as they are needed. */
function* subscriptions(count: number, topicOf: (index: number) => string): Iterable<Uint8Array> {
  for (let index = 0; index < count;) {
    const frames: Uint8Array[] = [];
    for (let bytes = 0; bytes < 4_096 && index < count; index++) {
      const frame = naiveEncode(subscribe(topicOf(index)));
      frames.push(frame);
      bytes += frame.length;
    }
    yield joinBytes(frames);
  }
}

/** Calls again and again, several at a time, as long as the attack goes on. */
async function repeatedly(
  { forMs }: AttackScene,
  width: number,
  act: () => Promise<void>,
): Promise<void> {
  const endMs = performance.now() + forMs;
  const loop = async (): Promise<void> => {
    while (performance.now() < endMs) await act();
  };
  await Promise.all(Array.from({ length: width }, loop));
}

/** 32 MiB of zeros, by each algorithm that there is here. */
async function bombs(): Promise<(readonly [id: number, payload: Uint8Array])[]> {
  const plain = new Uint8Array(32 * MiB);
  const made: (readonly [number, Uint8Array])[] = [];
  for (const make of [gzip, zstd, snappy, lz4]) {
    const compressor = make();
    made.push([compressor.id, await compressor.compress(plain)]);
  }
  return made;
}

/** Waits until each was closed, as an attack of which every link must be. */
async function allOver(links: readonly HostileLink[]): Promise<void> {
  await Promise.all(links.map((link) => link.over()));
}

/** Every attack. Bounds are those of victim-limits.ts, added up as docs/limits.md does. */
export const attacks: readonly Attack[] = [
  {
    name: "slowloris in the handshake",
    isCore: true,
    told: ["REP refused MSG_HANDSHAKE_TIMEOUT"],
    mostMiB: workMiB + 16,
    run: async (scene) => {
      const links = await scene.dialMany("rep", shared.maxHandshakes);
      await Promise.all(links.map((link) => link.dribble(auth("x".repeat(1_000)), 100)));
      await allOver(links);
    },
  },
  {
    name: "four times as many as may shake hands",
    // Over the others a link may take longer to come than the ones before it may stay.
    over: ["tcp", "ipc"],
    isCore: true,
    told: ["REP refused MSG_TOO_MANY_PEERS"],
    mostMiB: workMiB + 16,
    run: async (scene) => {
      const links = await scene.dialMany("rep", shared.maxHandshakes * 4);
      for (const link of links) link.write("01");
      await allOver(links);
    },
  },
  {
    name: "slowloris in the middle of a frame",
    isCore: true,
    told: ["REP disconnected MSG_FRAME_TIMEOUT", "PULL disconnected MSG_FRAME_TIMEOUT"],
    mostMiB: workMiB + 16,
    run: async (scene) => {
      const links = [...(await scene.enterMany("rep", 24)), ...(await scene.enterMany("pull", 24))];
      const frames = [request(1, new Uint8Array(MiB)), job(0, new Uint8Array(MiB))];
      const [asked = new Uint8Array(0), given = new Uint8Array(0)] = frames.map(naiveEncode);
      await Promise.all(links.map((link, index) => link.dribble(index < 24 ? asked : given, 50)));
      await allOver(links);
    },
  },
  {
    name: "a flood of connections with wrong tokens",
    isCore: true,
    told: ["REP refused MSG_AUTH_REJECTED"],
    mostMiB: workMiB + 16,
    run: (scene) =>
      repeatedly(scene, 16, async () => {
        const link = await scene.dial("rep");
        link.write(auth("a wrong token"));
        await link.over();
        link.destroy();
      }),
  },
  {
    name: "connections that break at once",
    told: [],
    mostMiB: workMiB + 16,
    run: (scene) =>
      repeatedly(scene, 16, async () => {
        const link = await scene.dial("pull");
        link.write(auth("the bad token").subarray(0, Math.floor(scene.random() * 10)));
        link.destroy();
      }),
  },
  {
    name: "noise",
    isCore: true,
    told: ["REP refused MSG_PROTOCOL"],
    mostMiB: workMiB + 16,
    run: (scene) =>
      repeatedly(scene, 16, async () => {
        const link = await scene.dial("rep");
        // Never the first byte of AUTH, which would be waited for.
        link.write(joinBytes([new Uint8Array([0x47]), scene.noise(1 + scene.random() * 2_000)]));
        await link.over();
        link.destroy();
      }),
  },
  {
    name: "100,000 topics of one subscriber",
    isCore: true,
    told: ["PUB dropped ignored-frame"],
    mostMiB: workMiB + limits.pub.maxSubscriptionBytesPerPeer / MiB,
    run: async (scene) => {
      const link = await scene.enter("pub");
      await link.pour(subscriptions(100_000, (index) => `topic.${index}`));
    },
  },
  {
    name: "topics of 10,000 tokens, and of 65,525 bytes",
    told: ["PUB dropped ignored-frame"],
    mostMiB: workMiB + 2 * (limits.pub.maxSubscriptionBytesPerPeer / MiB),
    run: async (scene) => {
      const [deep, long] = await scene.enterMany("pub", 2);
      await deep?.pour(subscriptions(200, (index) => `${index}${".x".repeat(10_000)}`));
      await long?.pour(subscriptions(200, (index) => `${index}`.padEnd(65_525, "x")));
    },
  },
  {
    name: "bombs of gzip, zstd, snappy and lz4",
    isCore: true,
    told: ["REP dropped unreadable", "PULL dropped unreadable", "SUB dropped unreadable"],
    // Three peers, each of which may have twice maxMessageBytes decompressed, and a frame.
    mostMiB: workMiB + 3 * 3 * (shared.maxMessageBytes / MiB),
    run: async (scene) => {
      const [rep, pull, sub] = [
        await scene.enter("rep"),
        await scene.enter("pull"),
        await scene.enter("sub"),
      ];
      let number = 0;
      for (const [id, payload] of await bombs()) {
        await rep.pour([naiveEncode(request(++number, payload, id))]);
        await pull.pour([naiveEncode(job(number - 1, payload, id))]);
        await sub.pour([naiveEncode(message(number - 1, payload, id))]);
      }
      await delay(scene.forMs);
    },
  },
  {
    name: "lengths of 4 GiB",
    isCore: true,
    told: ["REP", "PULL", "SUB", "PUB", "REQ"].map(
      (type) => `${type} disconnected MSG_PAYLOAD_TOO_LARGE`,
    ),
    mostMiB: workMiB,
    run: async (scene) => {
      const frames = {
        rep: "02 00 00000001 ffffffff",
        req: "02 00 00000001 ffffffff",
        pull: "04 00 00000000 ffffffff",
        sub: "03 00 0001 61 0000000000000000 00000000 ffffffff",
        pub: "03 00 0009 4d53472e5355422e61 0000000000000000 00000000 ffffffff",
      } as const;
      for (const [name, frame] of Object.entries(frames)) {
        const link = await scene.enter(name as keyof typeof frames);
        link.write(frame);
        await link.over();
      }
    },
  },
  {
    name: "4 MiB announced by 60 peers, of which 1 byte comes",
    told: ["REP disconnected MSG_FRAME_TIMEOUT"],
    mostMiB: workMiB + 8,
    run: async (scene) => {
      const links = await scene.enterMany("rep", 60);
      for (const link of links) link.write("02 00 00000001 00400000 00");
      await allOver(links);
    },
  },
  {
    name: "ids used again, and replies to nobody",
    told: ["REQ dropped unexpected-reply"],
    mostMiB: workMiB + 8,
    run: async (scene) => {
      const rep = await scene.enter("rep");
      const payload = new Uint8Array(10);
      rep.send(...Array.from({ length: 200 }, () => request(7, payload)));
      await rep.has(2 + 200 * 20);
      const req = await scene.enter("req");
      for (let id = 0; id < 1_000; id++) req.send({ type: "reply", id, compression: 0, payload });
      await delay(scene.forMs / 2);
    },
  },
  {
    name: "acknowledgements of jobs that were never sent",
    isCore: true,
    told: ["PUSH disconnected MSG_PROTOCOL"],
    mostMiB: workMiB,
    run: async (scene) => {
      const links = await scene.enterMany("push", 3);
      links[0]?.send({ type: "ack", sequence: 1_000_000, count: 5 });
      links[1]?.send({ type: "nack", sequence: 0, count: 65_536 });
      links[2]?.send({ type: "ack", sequence: 0xffff_ffff, count: 2 });
      await allOver(links);
    },
  },
  {
    name: "windows of 2^32-1, and nothing settled",
    isCore: true,
    told: [],
    mostMiB: workMiB + 4 * (limits.push.maxUnackedBytes / MiB + 1),
    run: async (scene) => {
      const links = await scene.enterMany("push", 4);
      for (const link of links) link.send({ type: "window", count: 0xffff_ffff });
      await delay(scene.forMs);
    },
  },
  {
    name: "frames in the wrong direction",
    told: [
      ...["REP", "REQ", "SUB", "PULL", "PUSH"].map((type) => `${type} disconnected MSG_PROTOCOL`),
      "PUB dropped ignored-frame",
    ],
    mostMiB: workMiB,
    run: async (scene) => {
      const payload = new Uint8Array(10);
      const reply = naiveEncode({ type: "reply", id: 1, compression: 0, payload });
      const wrong = {
        rep: naiveEncode(job(0, payload)),
        req: naiveEncode(message(0, payload)),
        sub: reply,
        pull: naiveEncode(subscribe("a")),
        push: reply,
      } as const;
      for (const [name, frame] of Object.entries(wrong)) {
        const link = await scene.enter(name as keyof typeof wrong);
        link.write(frame);
        await link.over();
      }
      const pub = await scene.enter("pub");
      pub.write("03 00 0001 61 0000000000000000 00000000 00000000");
      await delay(50);
    },
  },
  {
    name: "a token behind data, and data before the token",
    told: ["REP disconnected MSG_PROTOCOL", "REP refused MSG_PROTOCOL"],
    mostMiB: workMiB,
    run: async (scene) => {
      const late = await scene.enter("rep");
      late.send(request(1, new Uint8Array(1)));
      late.write(auth("the good token"));
      const early = await scene.dial("rep");
      early.send(request(1, new Uint8Array(1)));
      early.write(auth("the good token"));
      await allOver([late, early]);
    },
  },
  {
    name: "good requests in writes of one byte, for ever",
    told: [],
    mostMiB: workMiB,
    run: async (scene) => {
      const links = await scene.enterMany("rep", 8);
      const frame = naiveEncode(request(1, new Uint8Array(5)));
      const endMs = performance.now() + scene.forMs;
      await Promise.all(
        links.map(async (link) => {
          while (performance.now() < endMs) await link.dribble(frame, 1);
          await link.has(2 + 15);
        }),
      );
    },
  },
  {
    name: "peers that ask for much and read a byte a second",
    isCore: true,
    told: ["PUB dropped slow-subscriber"],
    // Each: replies that wait, what is under way, its requests; the subscriber its queue too.
    mostMiB: workMiB + 8 * 5,
    run: async (scene) => {
      const askers = await scene.enterMany("rep", 4);
      const subscribers = await scene.enterMany("pub", 4);
      for (const link of subscribers) link.send(subscribe("flood"));
      for (const link of [...askers, ...subscribers]) link.setReading(false);
      const frame = naiveEncode(request(1, new Uint8Array(32 * 1024)));
      const asking = askers.map((link) => {
        const requests = Array.from({ length: 500 }, () => frame);
        return Promise.race([link.pour(requests), delay(scene.forMs + 500)]);
      });
      await Promise.all([...asking, delay(scene.forMs + 500)]);
    },
  },
  {
    name: "datagrams of noise",
    over: ["quic"],
    isCore: true,
    told: [],
    mostMiB: workMiB + 16,
    run: async (scene) => {
      const socket = createSocket("udp4");
      const port = Number(scene.addresses.rep.split(":").at(-1));
      await repeatedly(scene, 1, async () => {
        for (let i = 0; i < 100; i++) {
          // Now with the first bit of a long header, now of a short one.
          const noise = scene.noise(20 + scene.random() * 1_300);
          await new Promise((resolve) => socket.send(noise, port, "127.0.0.1", resolve));
        }
      });
      socket.close();
    },
  },
  {
    name: "sessions without a stream, and streams without data",
    over: ["quic"],
    isCore: true,
    told: ["REP refused MSG_HANDSHAKE_TIMEOUT"],
    mostMiB: workMiB + 24,
    run: async (scene) => {
      const { cert, key, ca } = scene.network;
      const sessions = Array.from({ length: 40 }, () => new Quic({ cert, key, ca }));
      const { rep } = scene.addresses;
      const links = await Promise.all(sessions.map((quic) => Link.dial(quic, rep)));
      // Half of them begin a stream and say no more.
      for (const link of links.slice(0, 20)) link.write("01");
      await Promise.all(links.slice(0, 20).map((link) => link.over()));
      for (const link of links) link.destroy();
    },
  },
  {
    name: "handshakes that are given up",
    over: ["quic", "tls"],
    told: [],
    mostMiB: workMiB + 24,
    run: (scene) =>
      repeatedly(scene, 8, async () => {
        const abort = new AbortController();
        const dialing = scene.dialUntil("rep", abort.signal);
        await delay(scene.random() * 5);
        abort.abort();
        await dialing;
      }),
  },
  {
    name: "a flood of streams on one session",
    over: ["quic"],
    isCore: true,
    told: ["REP refused MSG_HANDSHAKE_TIMEOUT"],
    mostMiB: workMiB + 24,
    run: async (scene) => {
      const links = await scene.dialMany("rep", 200);
      for (const link of links) link.write("01");
      await allOver(links);
    },
  },
];
