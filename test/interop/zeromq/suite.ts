import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";
import type { Scene, Skip, Suite } from "../scene.ts";
import type { Carrier } from "./ends.ts";
import { carriers } from "./ends.ts";
import { compatScenes } from "./compat.ts";
import type { Secured } from "./secured.ts";
import { byKeys, byPassword, open } from "./secured.ts";
import { specialScenes } from "./special.ts";
import { talks } from "./talks.ts";
import { waterMarkScenes } from "./water-marks.ts";
import type { Program } from "./zmq-peer.ts";
import { nodeProgram, pythonProgram, ZmqProcess } from "./zmq-peer.ts";

/** Pairs that cannot be, or need not. */
const skips: readonly Skip[] = [
  { what: "CLIENT, SERVER, RADIO, DISH, SCATTER, GATHER, CHANNEL, PEER", why: "drafts of libzmq" },
  { what: "STREAM", why: "raw TCP is no pattern of ours" },
  {
    what: "ts REP and ts ROUTER -> zmq REQ as PLAIN or CURVE server",
    why: "libzmq's REQ as a server takes no answer, from its own ROUTER neither",
  },
];

const bounds = ["ours", "theirs"] as const;

function everyPair(peer: ZmqProcess, carrier: Carrier, secured: Secured): Scene[] {
  return talks.flatMap(({ ours, theirs, run }) =>
    bounds.flatMap((bound): Scene[] => {
      if (bound === "theirs" && theirs === "REQ" && secured !== open) return [];
      const [dialer, listener] =
        bound === "theirs" ? [`ts ${ours}`, `zmq ${theirs}`] : [`zmq ${theirs}`, `ts ${ours}`];
      const scene: Scene = {
        pair: `${dialer} -> ${listener}`,
        transport: carrier.name,
        what: secured.name,
        run: async (stage) => ({
          messages: await run({ stage, peer, carrier, secured, bound }),
        }),
      };
      return [scene];
    }),
  );
}

/** The scenes with one build of libzmq. */
function suiteOf(
  name: string,
  program: Program,
  unavailable: () => string | undefined,
  scenesOf: (peer: ZmqProcess, program: Program) => Scene[],
): Suite {
  return {
    name,
    async prepare() {
      const why = unavailable();
      if (why !== undefined) return { unavailable: why };
      const peer = new ZmqProcess(program);
      const { version } = await peer.call("version");
      return {
        title: String(version),
        scenes: scenesOf(peer, program),
        skips,
        dispose: () => void peer.kill(),
      };
    },
  };
}

function everyScene(peer: ZmqProcess, program: Program): Scene[] {
  return [
    ...[open, byPassword, byKeys].flatMap((secured) =>
      carriers.flatMap((carrier) => everyPair(peer, carrier, secured)),
    ),
    ...specialScenes(peer, program),
    ...waterMarkScenes(peer, program),
  ];
}

/** libzmq 4.3.5, as the npm package zeromq brings it. */
export const zeromqSuite: Suite = suiteOf("zeromq.js", nodeProgram, () => undefined, everyScene);

/** The same, with our layer for zeromq.js on this side. */
export const compatSuite: Suite = suiteOf(
  "compat",
  nodeProgram,
  () => undefined,
  (peer) => compatScenes(peer),
);

/** libzmq 4.3.4, as Debian's python3-zmq brings it. */
export const pyzmqSuite: Suite = suiteOf(
  "pyzmq",
  pythonProgram,
  () => {
    if (!existsSync(pythonProgram.file)) return `${pythonProgram.file} is not there`;
    const { status } = spawnSync(pythonProgram.file, ["-c", "import zmq.auth.asyncio"]);
    return status === 0 ? undefined : "python3-zmq is not installed: apt-get install python3-zmq";
  },
  everyScene,
);
