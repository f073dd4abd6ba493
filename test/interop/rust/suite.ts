import { runSource } from "../../examples/run-node.ts";
import { expect, expectEqual } from "../expect.ts";
import type { Scene, Skip, Suite } from "../scene.ts";
import { buildPeer, cargoVersion } from "./cargo.ts";
import type { Carrier } from "./carriers.ts";
import { ipc, makeCertificates, quic, tcp, tls } from "./carriers.ts";
import { burstScenes } from "./bursts.ts";
import { certificateScenes } from "./certificates.ts";
import { compressionScenes } from "./compressed.ts";
import { crowdScenes } from "./crowds.ts";
import { lateScenes } from "./late.ts";
import { loadScenes } from "./load.ts";
import { refusalScenes } from "./refusals.ts";
import { restartScenes } from "./restarts.ts";
import { playMixed } from "./mixed/mixed.ts";
import type { OnStage } from "./pairs.ts";
import { Ends } from "./pairs.ts";
import { tokenScenes } from "./tokens.ts";
import { topicScenes } from "./topics.ts";

/** Pairs that cannot be: the other side has no way to be that end. */
const impossible: readonly Skip[] = [
  { what: "rust REQ and rust SUB bound", why: "msg-rs' REQ and SUB have no bind" },
  { what: "rust REP and rust PUB dialing", why: "msg-rs' REP and PUB have no connect" },
  { what: "PUSH and PULL", why: "msg-rs has neither" },
];

/** The native part of QUIC is not there for every platform. */
function missingQuic(): readonly Skip[] {
  try {
    quic.ours();
    return [];
  } catch (error) {
    return [{ what: "quic", why: String(error) }];
  }
}

/** What is done over each transport. */
const kinds = [
  compressionScenes,
  tokenScenes,
  lateScenes,
  topicScenes,
  restartScenes,
  refusalScenes,
  crowdScenes,
  burstScenes,
  loadScenes,
];

const shortMixedMs = 10_000;
/** Beyond the traffic: for the ends to start, and for what is under way to arrive. */
const settlingMs = 120_000;

/** Every pair over every transport at once, for as long as is asked. */
function mixedScene(
  program: string,
  carriers: readonly Carrier[],
  minutes: number | undefined,
): Scene {
  const durationMs = minutes === undefined ? shortMixedMs : minutes * 60_000;
  const log = minutes === undefined ? () => {} : console.log;
  return {
    pair: "rust <-> ts",
    transport: "all",
    what: "mixed traffic",
    isHeavy: true,
    withinMs: durationMs + settlingMs,
    run: (stage) => playMixed(program, carriers, stage, { durationMs, log }),
  };
}

/** The example as a reader runs it. */
function exampleScenes(program: string): readonly Scene[] {
  return [tcp, ipc].map(({ name: transport }) => ({
    pair: "rust <-> ts",
    transport,
    what: "example rust-peer",
    run: async () => {
      const args = ["--transport", transport, program];
      const { code, output, errors } = await runSource("examples/rust-peer.ts", args);
      expectEqual("errors", [code, errors], [0, ""]);
      const isTold = output.includes("msg-rs in Rust") && output.includes("counted 3 of 3 ticks");
      expect(isTold, `the example tells of Rust: ${output}`);
      return { messages: 5 };
    },
  }));
}

/** The scenes with the Rust library msg-rs: the crate `libmsg` behind msg-rs/src/main.rs. */
export const rustSuite: Suite = {
  name: "msg-rs",
  async prepare({ mixedMinutes }) {
    const built = buildPeer("dev");
    if ("unavailable" in built) return built;
    const certificates = await makeCertificates();
    const stranger = await makeCertificates();
    const onStage: OnStage = (carrier, run) => (stage) =>
      run(new Ends(built.program, carrier, stage));
    const withoutQuic = missingQuic();
    const carriers = [tcp, ipc, tls(certificates)];
    if (withoutQuic.length === 0) carriers.push(quic);
    const everywhere = carriers.flatMap((carrier) =>
      kinds.flatMap((scenesOn) => scenesOn(carrier, onStage)),
    );
    const mixed = mixedScene(built.program, carriers, mixedMinutes);
    const special = [
      ...certificateScenes(certificates, stranger, onStage),
      ...exampleScenes(built.program),
    ];
    return {
      title: `libmsg 0.1.6, ${cargoVersion()}`,
      scenes: mixedMinutes === undefined ? [...everywhere, ...special, mixed] : [mixed],
      skips: [...impossible, ...withoutQuic],
      dispose: () => {
        certificates.dispose();
        stranger.dispose();
      },
    };
  },
};
