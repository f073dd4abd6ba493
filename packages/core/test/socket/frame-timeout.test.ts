import { bytes, joinBytes, naiveEncode } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { RepOptions } from "../../src/socket/req-rep/rep-options.ts";
import { record, Scene } from "./scene.ts";

async function setUp(options: RepOptions = {}) {
  const scene = new Scene();
  const rep = scene.rep({ frameTimeoutMs: 1_000, ...options });
  rep.serve((request) => request.payload);
  await rep.bind("here");
  const [end, other] = [await scene.rawDial(), await scene.rawDial()];
  await scene.settle();
  const lost = record(rep, "disconnected");
  return { scene, rep, end, other, lost };
}

/** A request of so many bytes. */
function frame(length: number): Uint8Array {
  const payload = new Uint8Array(length);
  return naiveEncode({ type: "request", id: 1, compression: 0, payload });
}

describe("a frame that a peer began", () => {
  it("and does not get on with ends its connection with MSG_FRAME_TIMEOUT, and no other", async () => {
    const { scene, rep, end, other, lost } = await setUp();
    end.link.write([frame(100).subarray(0, 50)]);
    await scene.pass(999);
    expect(lost).toEqual([]);
    await scene.pass(251);
    end.link.end();
    await scene.settle();
    expect(lost).toMatchObject([
      {
        reason: {
          code: "MSG_FRAME_TIMEOUT",
          message: "a frame of the peer grew by 0 bytes in 1000 ms, frameTimeoutMs is 1000",
        },
      },
    ]);
    other.request(1, "still here");
    await scene.settle();
    expect([other.frames("REQ").length, rep.peers.length]).toEqual([1, 1]);
  });

  it("a byte at a time, for ever, is not waited for", async () => {
    const { scene, end, lost } = await setUp();
    const whole = frame(10_000);
    for (let i = 0; i < 20; i++) {
      end.link.write([whole.subarray(i, i + 1)]);
      await scene.pass(100);
    }
    end.link.end();
    await scene.settle();
    expect(lost).toMatchObject([{ reason: { code: "MSG_FRAME_TIMEOUT" } }]);
  });

  it("and that grows by 64 KiB each time is waited for, as long as it takes", async () => {
    const { scene, end, lost } = await setUp();
    const whole = frame(10 * 70_000);
    for (let i = 0; i < whole.length; i += 70_000) {
      end.link.write([whole.subarray(i, i + 70_000)]);
      await scene.pass(900);
    }
    expect([lost, end.frames("REQ").length]).toEqual([[], 1]);
  });

  it("is not confused with the next one: small frames in writes of one byte are well", async () => {
    const { scene, end, lost } = await setUp();
    const stream = joinBytes(Array.from({ length: 20 }, () => frame(1)));
    for (const byte of stream) {
      end.link.write([new Uint8Array([byte])]);
      await scene.pass(80);
    }
    expect([lost, end.frames("REQ").length]).toEqual([[], 20]);
  });

  it("is waited for while it is we who do not read", async () => {
    const scene = new Scene();
    const rep = scene.rep({ frameTimeoutMs: 1_000, maxPending: 1 });
    await rep.bind("here");
    const end = await scene.rawDial();
    const lost = record(rep, "disconnected");
    end.link.write([joinBytes([frame(1), frame(100).subarray(0, 50)])]);
    await scene.pass(10_000);
    expect([lost, rep.stats().pending]).toEqual([[], 1]);
    (await rep.receive()).respond("");
    await scene.pass(1_500);
    end.link.end();
    await scene.settle();
    expect(lost).toMatchObject([{ reason: { code: "MSG_FRAME_TIMEOUT" } }]);
  });

  it("is waited for without end when frameTimeoutMs is Infinity", async () => {
    const { scene, end, lost } = await setUp({ frameTimeoutMs: Infinity });
    end.link.write([bytes("02")]);
    await scene.pass(1_000_000);
    expect([lost, scene.runtime.timersInMs]).toEqual([[], []]);
  });

  it("needs a timer only as long as there is one", async () => {
    const { scene, end } = await setUp();
    const whole = frame(100);
    expect(scene.runtime.timersInMs).toEqual([]);
    end.link.write([whole.subarray(0, 50)]);
    await scene.settle();
    expect(scene.runtime.timersInMs).toEqual([250]);
    end.link.write([whole.subarray(50)]);
    await scene.pass(250);
    const others = scene.runtime.timersInMs.filter((ms) => ms < 1_000);
    expect([end.frames("REQ").length, others]).toEqual([1, []]);
  });

  it("of a connection that ends leaves no timer", async () => {
    const { scene, end } = await setUp();
    end.link.write([bytes("02 00")]);
    await scene.settle();
    end.link.destroy();
    await scene.settle();
    expect(scene.runtime.timersInMs).toEqual([]);
  });
});
