import { compressibleBytes } from "@msg-ts/testing";
import type { Compressor, Decompressor } from "msg-ts";
import { Inproc, InprocHub, RepSocket, ReqSocket } from "msg-ts";
import { describe, expect, it } from "vitest";
import { compressors, isSame } from "./matrix.ts";
import { closing, patienceMs } from "./sockets.ts";

const page = compressibleBytes(5_000);

/** The reply that a REQ with these decompressors gets of a REP with this compressor. */
async function reply(
  compressor: Compressor | undefined,
  decompressors: readonly Decompressor[] = [],
): Promise<Uint8Array> {
  const hub = new InprocHub();
  const rep = closing(new RepSocket(new Inproc(hub), { compressor }));
  const req = closing(new ReqSocket(new Inproc(hub), { decompressors, timeoutMs: patienceMs }));
  rep.serve(() => page);
  await req.connect(await rep.bind("rep"));
  const { payload } = await req.request("page");
  expect(rep.stats().compressedBytesSent < page.length).toBe(compressor !== undefined);
  return payload;
}

/** One of an application, which has its own idea of what payloads stand for. */
function own(id: number): Decompressor {
  return { id, name: "own", decompress: () => Buffer.from("own") };
}

describe("a socket of msg-ts", () => {
  for (const { name, compressor } of compressors) {
    it(`reads replies compressed by ${name} without being told how`, async () => {
      expect(isSame(page, await reply(compressor))).toBe(true);
    });

    it(`reads replies compressed by ${name} beside a decompressor of the application`, async () => {
      expect(isSame(page, await reply(compressor, [own(5)]))).toBe(true);
    });
  }

  for (const { name, compressor } of compressors) {
    if (compressor === undefined) continue;
    it(`lets the application read ${name} in its own way`, async () => {
      expect(isSame("own", await reply(compressor, [own(compressor.id)]))).toBe(true);
    });
  }

  it("refuses an algorithm that it has no decompressor for", async () => {
    const unknown: Compressor = { ...own(6), compress: () => Uint8Array.of(1) };
    await expect(reply(unknown)).rejects.toMatchObject({ code: "MSG_UNKNOWN_COMPRESSION" });
  });
});
