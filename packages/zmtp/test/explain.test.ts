import type { SocketEvents } from "@msg-ts/core";
import { RepSocket, ReqSocket } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { plain, zmtp } from "@msg-ts/zmtp";
import type { Mechanism } from "@msg-ts/zmtp";
import { curve, curveKeyPair } from "@msg-ts/zmtp/curve";
import { describe, expect, it } from "vitest";
import { command, greeting, RawPeer } from "./raw-peer.ts";
import { closing, inproc, record } from "./rig.ts";

const keys = curveKeyPair();

/** Our REQ dials somebody who says this much, and ends; the error that is told. */
async function toldAt(said: string, security?: Mechanism): Promise<unknown> {
  const net = inproc();
  const accept = await RawPeer.accept(net, "here");
  const req = closing(new ReqSocket(net, { protocol: zmtp({ security }) }));
  const retrying: SocketEvents["retrying"][] = record(req, "retrying");
  await req.connect("here");
  const raw = await accept();
  raw.hex(said);
  raw.link.end();
  await waitFor(() => retrying.length > 0, { what: "it is told" });
  return retrying[0]?.error;
}

// libzmq ends a connection without a word when it dislikes what it reads.
describe("the end of a connection in its handshake is explained", () => {
  const mechanism = "its security mechanism may be another";
  const curveGreeting = greeting({ mechanism: "CURVE" });
  const client = curve({ serverKey: keys.publicKey });

  it.each([
    ["before a byte", "", undefined, "MSG_PEER_LOST", `before it greeted: ${mechanism}`],
    ["in its signature", "ff00", undefined, "MSG_PEER_LOST", `before it greeted: ${mechanism}`],
    [
      "behind its signature",
      greeting().slice(0, 20),
      undefined,
      "MSG_PROTOCOL",
      `at our greeting: ${mechanism}`,
    ],
    [
      "behind its version",
      greeting().slice(0, 24),
      undefined,
      "MSG_PROTOCOL",
      `at our greeting: ${mechanism}`,
    ],
    [
      "instead of WELCOME",
      curveGreeting,
      client,
      "MSG_AUTH_REJECTED",
      "server ended the connection instead of its WELCOME: its secret key may be another's",
    ],
  ] as const)("%s", async (_when, said, security, code, message) => {
    const error = await toldAt(said, security);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(message);
    expect((error as Error).cause).toMatchObject({ code: "MSG_PEER_LOST" });
  });

  it.each([
    ["NULL, instead of READY", greeting(), undefined],
    [
      "PLAIN, instead of WELCOME",
      greeting({ mechanism: "PLAIN" }),
      plain({ username: "a", password: "b" }),
    ],
    [
      "PLAIN, instead of READY",
      greeting({ mechanism: "PLAIN" }) + command("WELCOME"),
      plain({ username: "a", password: "b" }),
    ],
  ])(
    "and left as it is where it means nothing in particular: %s",
    async (_when, said, security) => {
      expect(await toldAt(said, security)).toMatchObject({
        code: "MSG_PEER_LOST",
        message: "peer ended during the handshake",
      });
    },
  );

  it("but not a time-out, which says what it is", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol: zmtp(), handshakeTimeoutMs: 20 }));
    const refused = record(rep, "refused");
    await rep.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(greeting().slice(0, 20));
    await waitFor(() => refused.length > 0, { what: "it is told" });
    expect(refused[0]?.error.code).toBe("MSG_HANDSHAKE_TIMEOUT");
  });
});
