import { readFileSync } from "node:fs";
import { PullSocket } from "@msg-ts/core";
import { hex, waitFor } from "@msg-ts/testing";
import { zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { asHex, command, greeting, RawPeer, readyOf } from "../raw-peer.ts";
import { closing, inproc, record } from "../rig.ts";

/** What became of it at libzmq's PULL, a line for each try. */
interface Edge {
  /** What the application got. */
  readonly got: string | undefined;
  readonly isClosed: boolean;
  readonly bytes: number;
}

const line = /^(.*) -> (\S+) \| closed by libzmq: (true|false) \| we received (\d+) B/;

function edgesOf(file: string): ReadonlyMap<string, readonly Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const text of readFileSync(new URL(file, import.meta.url), "utf8").split("\n")) {
    const [, what, got, closed, bytes] = line.exec(text) ?? [];
    if (what === undefined) continue;
    const found = edges.get(what) ?? [];
    edges.set(what, found);
    const isNothing = got === "EAGAIN";
    found.push({
      got: isNothing ? undefined : got,
      isClosed: closed === "true",
      bytes: Number(bytes),
    });
  }
  return edges;
}

const push = readyOf("PUSH");
const message = (text: string): string =>
  `00${(text.length + 256).toString(16).slice(1)}${asHex(text)}`;
const greetingBytes = 64;
/** Our greeting and READY. */
const all = greetingBytes + 28;

interface Replay {
  /** Says it; `raw.take` waits for ours in between. */
  readonly say: (raw: RawPeer) => void | Promise<void>;
  /** What ours makes of it. */
  readonly ours: Edge;
  /** In what that is not what libzmq did, and why. */
  readonly but?: string;
}

const replays: Readonly<Record<string, Replay>> = {
  "greeting+READY+message in one write": {
    say: (raw) => raw.hex(greeting() + push + message("early")),
    ours: { got: "early", isClosed: false, bytes: all },
    but: "ours takes the message, in which nothing is unclear",
  },
  "greeting+READY, then message after peer READY seen": {
    say: async (raw) => {
      raw.hex(greeting() + push);
      await raw.take(all);
      raw.hex(message("ok"));
    },
    ours: { got: "ok", isClosed: false, bytes: all },
  },
  "greeting, then READY+message once peer greeting seen": {
    say: async (raw) => {
      raw.hex(greeting());
      await raw.take(greetingBytes);
      raw.hex(push + message("early2"));
    },
    ours: { got: "early2", isClosed: false, bytes: all },
  },
  "READY without Socket-Type": {
    say: (raw) => raw.hex(greeting() + command("READY") + message("x")),
    ours: { got: "x", isClosed: false, bytes: all },
  },
  "READY framed as message": {
    say: (raw) => raw.hex(greeting() + push.replace(/^04/, "00") + message("x")),
    ours: { got: "x", isClosed: false, bytes: all },
  },
  "HTTP GET": {
    say: (raw) => raw.hex(asHex("GET / HTTP/1.1\r\nHost: here\r\n\r\n")),
    ours: { got: undefined, isClosed: true, bytes: greetingBytes },
    but: "ours ends it at once and tells, instead of waiting for the end of ZMTP 1.0's greeting",
  },
  "garbage first byte ff but bit0 of byte 9 clear": {
    say: (raw) => raw.hex(`ff${"00".repeat(8)}7e`),
    ours: { got: undefined, isClosed: true, bytes: greetingBytes },
    but: "ours has greeted in full",
  },
};

describe("libzmq's PULL at the edges of a handshake: what it did, ours does", () => {
  const edges = edgesOf("handshake-edges.log");

  for (const [what, { say, ours, but }] of Object.entries(replays)) {
    it(`${what}${but === undefined ? "" : `, but ${but}`}`, async () => {
      const theirs = edges.get(what) ?? [];
      expect(theirs.length).toBeGreaterThan(0);
      // Where nothing is said to differ, it is what libzmq did, each time.
      expect(but === undefined ? theirs : []).toEqual(
        but === undefined ? theirs.map(() => ours) : [],
      );

      const net = inproc();
      const pull = closing(new PullSocket(net, { protocol: zmtp() }));
      const refused = record(pull, "refused");
      await pull.bind("here");
      const raw = await RawPeer.dial(net, "here");
      let said = 0;
      const take = raw.take.bind(raw);
      raw.take = (length) => {
        said += length;
        return take(length);
      };
      await say(raw);
      if (ours.isClosed) {
        await raw.over();
        await waitFor(() => refused.length > 0, { what: "it is told" });
      }
      const code = ours.isClosed ? "MSG_PROTOCOL" : undefined;
      const got = ours.isClosed ? undefined : (await pull.receive()).text();
      expect([got, refused[0]?.error.code]).toEqual([ours.got, code]);
      await waitFor(() => said + raw.received.length >= ours.bytes, { what: "ours has spoken" });
      expect(said + raw.received.length).toBe(ours.bytes);
      expect([raw.isOver, hex(raw.received).includes(asHex("ERROR"))]).toEqual([
        ours.isClosed,
        false,
      ]);
    });
  }

  it("leaves no line of the capture out", () => {
    expect([...edges.keys()].toSorted()).toEqual(Object.keys(replays).toSorted());
  });
});
