import { joinBytes, waitFor } from "@msg-ts/testing";
import { curve, curveKeyPair } from "@msg-ts/zmtp/curve";
import type { Link } from "msg-ts";
import { Tcp } from "msg-ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { CommandLink } from "../../packages/zmtp/src/mechanisms/command-link.ts";
import { encodeCommand } from "../../packages/zmtp/src/wire/command.ts";
import { encodeFrame } from "../../packages/zmtp/src/wire/frame.ts";
import { encodeGreeting } from "../../packages/zmtp/src/wire/greeting.ts";
import { contextOf, TestHandshakeLink } from "../../packages/zmtp/test/handshake-scene.ts";
import { RawPeer } from "../../packages/zmtp/test/raw-peer.ts";
import { ServiceProcess } from "../rolling/service-process.ts";
import type { Start } from "./children/zmtp-victim.ts";

const KiB = 1024;
const attackers = 100;
const keys = curveKeyPair();
type Attack = (raw: RawPeer) => Promise<void>;

/** The longest command of a handshake, but for its last byte; the first bytes go one by one. */
async function lie(raw: RawPeer): Promise<void> {
  const header = Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0x20, 0);
  const body = new Uint8Array(8 * KiB - 1);
  for (const byte of [...header, ...body.subarray(0, 100)]) raw.bytes(Uint8Array.of(byte));
  raw.bytes(body.subarray(100));
}

/** More than it is going to read. */
function pour(raw: RawPeer): void {
  for (let i = 0; i < 16; i++) raw.bytes(new Uint8Array(16 * KiB));
}

function command(name: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encodeFrame(4, encodeCommand(name, data));
}

const helloOfPlain = command("HELLO", Uint8Array.of(1, 0x61, 1, 0x62));

/** A client of ours that does all right; resolves when it has said its INITIATE. */
async function initiateCurve(raw: RawPeer): Promise<void> {
  const link = new TestHandshakeLink();
  link.onWrite = (bytes) => raw.bytes(bytes);
  const running = curve({ serverKey: keys.publicKey })
    .run(new CommandLink(link), new Uint8Array(0), contextOf("REQ"))
    .catch(() => {});
  await raw.take(64);
  // WELCOME.
  await waitFor(() => raw.received.length >= 170, { what: "it is welcomed", withinMs: 30_000 });
  link.push(raw.received);
  await waitFor(() => link.written.length === 2, { what: "it says INITIATE", withinMs: 30_000 });
  link.end();
  await running;
}

interface Row {
  readonly mechanism: Start["mechanism"];
  readonly ours: "server" | "client";
  readonly what: string;
  readonly attack: Attack;
}

const rows: readonly Row[] = [
  { mechanism: "NULL", ours: "server", what: "a READY that does not end", attack: lie },
  { mechanism: "NULL", ours: "client", what: "a READY that does not end", attack: lie },
  { mechanism: "PLAIN", ours: "server", what: "a HELLO that does not end", attack: lie },
  {
    mechanism: "PLAIN",
    ours: "server",
    what: "much behind a HELLO that is asked about",
    attack: async (raw) => {
      raw.bytes(helloOfPlain);
      pour(raw);
    },
  },
  { mechanism: "PLAIN", ours: "client", what: "a WELCOME that does not end", attack: lie },
  {
    mechanism: "PLAIN",
    ours: "client",
    what: "a READY that does not end",
    attack: async (raw) => {
      raw.bytes(command("WELCOME"));
      await lie(raw);
    },
  },
  { mechanism: "CURVE", ours: "server", what: "a HELLO that does not end", attack: lie },
  {
    mechanism: "CURVE",
    ours: "server",
    what: "much behind an INITIATE that is asked about",
    attack: async (raw) => {
      await initiateCurve(raw);
      pour(raw);
    },
  },
  { mechanism: "CURVE", ours: "client", what: "a WELCOME that does not end", attack: lie },
];

interface Held {
  readonly heldBytes: number;
  readonly isSomebodyLetIn: boolean;
}

/** Raw links to a victim, in a process of its own, whichever side dials. */
async function joined(
  child: ServiceProcess,
  { mechanism, ours }: Row,
): Promise<readonly RawPeer[]> {
  if (ours === "server") {
    child.say({ mechanism, keys } satisfies Start);
    const { address } = await child.hear<{ address: string }>("where it listens");
    return Promise.all(Array.from({ length: attackers }, () => RawPeer.dial(new Tcp(), address)));
  }
  const links: Link[] = [];
  const listener = await new Tcp().listen("127.0.0.1:0", {
    onLink: (link) => void links.push(link),
    onError: () => {},
    onRefused: () => {},
  });
  onTestFinished(() => listener.close());
  const dial = { address: listener.address, clients: attackers };
  child.say({ mechanism, keys, dial } satisfies Start);
  await child.hear("that it dials");
  await waitFor(() => links.length === attackers, { what: "all dialed", withinMs: 30_000 });
  return links.map((link) => new RawPeer(link));
}

describe("before it is let in", { timeout: 120_000 }, () => {
  it.each(rows)("a peer has a $mechanism $ours hold less than 64 KiB: $what", async (row) => {
    const child = new ServiceProcess(new URL("children/zmtp-victim.ts", import.meta.url), {
      flags: ["--expose-gc"],
    });
    onTestFinished(() => child.kill());
    const raws = await joined(child, row);
    const ask = async (): Promise<Held> => {
      child.say({});
      return child.hear<Held>("what it holds");
    };
    const greeted = raws.map(async (raw) => {
      await waitFor(() => raw.received.length >= 64, { what: "it greets", withinMs: 30_000 });
    });
    await Promise.all(greeted);
    const before = await ask();
    await Promise.all(
      raws.map(async (raw) => {
        raw.bytes(encodeGreeting(row.mechanism, row.ours === "client"));
        await row.attack(raw);
      }),
    );
    // What was written is read a moment later: until it no longer grows.
    let most = 0;
    for (let still = 0; still < 4;) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 20);
      });
      const { heldBytes } = await ask();
      const each = (heldBytes - before.heldBytes) / attackers;
      still = each > 7 * KiB && each <= most + KiB ? still + 1 : 0;
      most = Math.max(most, each);
    }
    const { isSomebodyLetIn } = await ask();
    expect([isSomebodyLetIn, raws.some(({ isOver }) => isOver)]).toEqual([false, false]);
    expect(most).toBeLessThan(64 * KiB);
  });

  const lengths = [8 * KiB + 1, 2 ** 32, 2 ** 53];
  it.each(lengths)("a command of %d bytes is refused by its length alone", async (length) => {
    const link = new TestHandshakeLink();
    const header = new DataView(new ArrayBuffer(9));
    header.setUint8(0, 6);
    header.setBigUint64(1, BigInt(length));
    link.push(joinBytes([new Uint8Array(header.buffer)]));
    await expect(new CommandLink(link).read()).rejects.toMatchObject({
      code: "MSG_PROTOCOL",
      message: `peer announced a command of ${length} bytes in its handshake, the limit is 8192`,
    });
  });
});
