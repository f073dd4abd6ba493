import type { TlsOptions } from "@msg-ts/transports/tls";
import { Tls } from "@msg-ts/transports/tls";
import { waitFor } from "@msg-ts/testing";
import { expectEqual, expectRejection } from "../expect.ts";
import type { Scene } from "../scene.ts";
import type { Carrier, Certificates, Role } from "./carriers.ts";
import { tls } from "./carriers.ts";
import type { Ends, OnStage, Runs } from "./pairs.ts";
import { pairs, scenesOf } from "./pairs.ts";

const refusedMs = 400;

/** TLS with other settings than the rest of the scenes has. */
function special(
  certificates: Certificates,
  options: Partial<TlsOptions>,
  theirs: (role: Role, usual: readonly string[]) => readonly string[],
): Carrier {
  const usual = tls(certificates);
  const { ca, server } = certificates;
  return {
    ...usual,
    ours: () => new Tls({ ca, cert: server.cert, key: server.key, ...options }),
    theirs: (role) => theirs(role, usual.theirs(role)),
  };
}

async function askOnce(ends: Ends): Promise<{ readonly messages: number }> {
  const peer = await ends.rust("rep");
  const req = await ends.req(peer.address);
  expectEqual("reply", (await req.request("hello")).text(), "hello");
  return { messages: 2 };
}

async function beAskedOnce(ends: Ends): Promise<{ readonly messages: number }> {
  const rep = await ends.echo();
  const peer = await ends.rust("req", ["--backoff-ms", "20"], rep.address);
  expectEqual("reply", (await peer.ask("ask hello", "answered"))["text"], "hello");
  return { messages: 2 };
}

const asked: Runs = { [pairs.tsReq]: askOnce };
const beAsked: Runs = { [pairs.rustReq]: beAskedOnce };

/** Whoever dials trusts somebody else. */
const strangers: Runs = {
  [pairs.tsReq]: async (ends) => {
    const peer = await ends.rust("rep");
    const req = await ends.req(peer.address);
    const { error } = await req.once("retrying");
    expectEqual("error", error.code, "MSG_DIAL_FAILED");
    await expectRejection(req.request("hello", { timeoutMs: refusedMs }), "MSG_TIMEOUT");
    return { messages: 0 };
  },

  [pairs.rustReq]: async (ends) => {
    const rep = await ends.echo();
    await ends.rust("req", ["--backoff-ms", "20"], rep.address);
    await waitFor(() => rep.stats().refused >= 2, { what: "msg-rs comes, and goes again" });
    expectEqual("requests", rep.stats().messagesReceived, 0);
    return { messages: 0 };
  },
};

/** Versions, client certificates, and authorities that do not match. */
export function certificateScenes(
  certificates: Certificates,
  stranger: Certificates,
  onStage: OnStage,
): readonly Scene[] {
  const { caFile, client } = certificates;
  const versions = (["1.2", "1.3"] as const).flatMap((version) => {
    const carrier = special(certificates, {}, (_role, usual) => [...usual, "--tls", version]);
    return scenesOf({ ...asked, ...beAsked }, { what: `TLS ${version}`, carrier, onStage });
  });
  const weShow = special(certificates, { cert: client.cert, key: client.key }, (_role, usual) => [
    ...usual,
    "--ca",
    caFile,
  ]);
  const weAsk = special(certificates, { clientCertificates: "required" }, (_role, usual) => [
    ...usual,
    ...client.args,
  ]);
  const strange = special(certificates, { ca: stranger.ca }, (role, usual) =>
    role === "req" ? ["--transport", "tls", "--ca", stranger.caFile] : usual,
  );
  return [
    ...versions,
    ...scenesOf(asked, { what: "client certificates", carrier: weShow, onStage }),
    ...scenesOf(beAsked, { what: "client certificates", carrier: weAsk, onStage }),
    ...scenesOf(strangers, { what: "another authority", carrier: strange, onStage }),
  ];
}
