/** Scenes of QUIC with quinn, which shares no code with our engine: links alone, without messages. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@msg-ts/testing";
import type { QuicOptions } from "@msg-ts/transports/quic";
import { Quic } from "@msg-ts/transports/quic";
import { SelfSignedIdentity } from "@msg-ts/transports/tls";
import { expect, expectEqual, expectRejection } from "../expect.ts";
import { buildPeer, cargoVersion } from "../rust/cargo.ts";
import type { Certificates } from "../rust/carriers.ts";
import { makeCertificates } from "../rust/carriers.ts";
import type { Outcome, Scene, Suite } from "../scene.ts";
import type { Stage } from "../stage.ts";
import { echoing, isEchoed } from "./echo.ts";
import { QuinnPeer } from "./quinn-peer.ts";

/** Both ways, checked by its hash. */
const transferBytes = 20_000_000;
const idleTimeoutMs = 2_000;

/** What a scene has. */
interface Setting {
  readonly program: string;
  readonly certificates: Certificates;
  readonly stranger: Certificates;
}

/** ALPN `msg` and one link for each connection: what quinn is told to speak too. */
function ours(options: QuicOptions): Quic {
  return new Quic({ compat: "msg-rs", ...options });
}

function quinnIn(stage: Stage, program: string, args: readonly string[]): QuinnPeer {
  const peer = new QuinnPeer(program, args);
  stage.atEnd(() => peer.kill());
  return peer;
}

/** quinn dials a listener of ours, and has 20 MB echoed. */
async function quinnDials(
  stage: Stage,
  program: string,
  options: QuicOptions,
  args: readonly string[],
): Promise<Outcome> {
  const { listener } = await echoing(ours(options));
  stage.atEnd(() => listener.close());
  const bytes = ["--bytes", String(transferBytes)];
  const quinn = quinnIn(stage, program, ["dial", listener.address, ...bytes, ...args]);
  expectEqual("protocol", (await quinn.line("connected")).split(" ")[0], "msg");
  expectEqual("bytes", (await quinn.line("echoed")).split(" ")[0], String(transferBytes));
  expectEqual("failure of quinn", await quinn.failure(), "");
  return { messages: 1 };
}

/** We dial quinn, and have 20 MB echoed. */
async function weDial(
  stage: Stage,
  program: string,
  options: QuicOptions,
  args: readonly string[],
): Promise<Outcome> {
  const quinn = quinnIn(stage, program, ["serve", ...args]);
  const address = await quinn.line("listening");
  const link = await ours(options).dial(address, new AbortController().signal);
  stage.atEnd(() => link.destroy());
  expect(await isEchoed(link, transferBytes), "what came back is what was sent");
  if (args.includes("--retry")) await quinn.line("retried");
  const shown = (await quinn.line("connected")).split(" ").at(-1);
  expectEqual("our certificates", shown, options.cert === undefined ? "0" : "1");
  return { messages: 1 };
}

type MakeScene = (what: string, run: Scene["run"]) => Scene;

function scenesOf(pair: string): MakeScene {
  return (what, run) => ({ pair, transport: "quic", what, run });
}

function dialedScenes({ program, certificates, stranger }: Setting): Scene[] {
  const { ca, caFile, server, client } = certificates;
  const { cert, key } = server;
  const identity = { cert, key };
  const trusting = ["--ca", caFile];
  const mutual: QuicOptions = { ...identity, ca, clientCertificates: "required" };
  const scene = scenesOf("quinn -> ts");
  return [
    scene("20 MB echoed", (stage) => quinnDials(stage, program, identity, trusting)),
    scene("20 MB, each side with a certificate", (stage) =>
      quinnDials(stage, program, mutual, [...trusting, ...client.args]),
    ),
    scene("20 MB, with a proof of address first", (stage) =>
      quinnDials(stage, program, { ...identity, retry: "always" }, trusting),
    ),
    scene("20 MB, our certificate made by ourselves", (stage) => {
      const own = new SelfSignedIdentity();
      const file = join(certificates.folder, "self-signed.pem");
      writeFileSync(file, own.cert);
      return quinnDials(stage, program, { cert: own.cert, key: own.key }, ["--ca", file]);
    }),
    scene("20 MB, then longer silent than it takes to be given up", (stage) =>
      quinnDials(stage, program, { ...identity, idleTimeoutMs }, [
        ...trusting,
        "--idle-ms",
        String(idleTimeoutMs * 2),
      ]),
    ),
    scene("a client without a certificate is refused", (stage) =>
      isRefused(stage, program, mutual, trusting, "MSG_AUTH_REJECTED"),
    ),
    scene("a client of another authority is refused", (stage) =>
      isRefused(
        stage,
        program,
        mutual,
        [...trusting, ...stranger.client.args],
        "MSG_AUTH_REJECTED",
      ),
    ),
    scene("a client of another protocol is refused", (stage) =>
      isRefused(stage, program, identity, [...trusting, "--alpn", "h3"], "MSG_PROTOCOL"),
    ),
    scene("a client that expects another name leaves", (stage) =>
      isRefused(stage, program, identity, [...trusting, "--name", "elsewhere.example"]),
    ),
  ];
}

/** quinn dials, and comes to nothing; our listener says why. */
async function isRefused(
  stage: Stage,
  program: string,
  options: QuicOptions,
  args: readonly string[],
  code?: string,
): Promise<Outcome> {
  const { listener, refused } = await echoing(ours(options));
  stage.atEnd(() => listener.close());
  const quinn = quinnIn(stage, program, ["dial", listener.address, "--bytes", "1", ...args]);
  const failure = await quinn.failure();
  expect(failure !== "", "quinn has failed");
  await waitFor(() => refused.length === 1, { what: "our listener tells of it" });
  if (code !== undefined) expectEqual("code", refused[0]?.code, code);
  return { messages: 0, note: refused[0]?.message ?? "" };
}

function dialingScenes({ program, certificates, stranger }: Setting): Scene[] {
  const { ca, caFile, server, client } = certificates;
  const { pin } = new Quic({ cert: server.cert, key: server.key });
  const wrong = new SelfSignedIdentity().pin;
  const mutual = { ca, cert: client.cert, key: client.key };
  const scene = scenesOf("ts -> quinn");
  const fails = (options: QuicOptions) => async (stage: Stage) => {
    const quinn = quinnIn(stage, program, ["serve", ...server.args]);
    const address = await quinn.line("listening");
    const dial = ours(options).dial(address, new AbortController().signal);
    await expectRejection(dial, "MSG_DIAL_FAILED");
    return { messages: 0 };
  };
  return [
    scene("20 MB echoed", (stage) => weDial(stage, program, { ca }, server.args)),
    scene("20 MB, its key known by its pin", (stage) =>
      weDial(stage, program, { pins: pin }, server.args),
    ),
    scene("20 MB, each side with a certificate", (stage) =>
      weDial(stage, program, mutual, [...server.args, "--ca", caFile]),
    ),
    scene("20 MB, with a proof of address first", (stage) =>
      weDial(stage, program, { ca }, [...server.args, "--retry"]),
    ),
    scene("a server of another authority is refused", fails({ ca: stranger.ca })),
    scene("a server with another key is refused", fails({ pins: wrong })),
  ];
}

/** The scenes with quinn: the program of ../msg-rs, as `quinn`. */
export const quinnSuite: Suite = {
  name: "quinn",
  async prepare({ mixedMinutes }) {
    const none = { title: "quinn", scenes: [], skips: [], dispose: () => {} };
    if (mixedMinutes !== undefined) return none;
    const unavailable = missingEngine();
    if (unavailable !== undefined) return { unavailable };
    const built = buildPeer("dev");
    if ("unavailable" in built) return built;
    const certificates = await makeCertificates();
    const stranger = await makeCertificates();
    const setting = { program: built.program, certificates, stranger };
    return {
      title: `quinn 0.11.12, rustls 0.23, ${cargoVersion()}`,
      scenes: [...dialedScenes(setting), ...dialingScenes(setting)],
      skips: [],
      dispose: () => {
        certificates.dispose();
        stranger.dispose();
      },
    };
  },
};

/** The native part of QUIC is not there for every platform. */
function missingEngine(): string | undefined {
  try {
    void new Quic();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
