import { describe, expect, it } from "vitest";
import { patternBytes } from "./transport-pattern.ts";
import type { LinkProbe } from "./transport-probe.ts";
import type { TransportSuite } from "./transport-rig.ts";
import { TransportRig } from "./transport-rig.ts";
import { waitFor } from "./wait-for.ts";

/** What holds for the beginning and the end of a link, at both of its ends. */
export function describeTransportLinks(suite: TransportSuite): void {
  describe("a link", () => {
    for (const text of ["early", ""]) {
      const what = text === "" ? "an end" : "bytes and an end";

      it(`tells its acceptor nothing before start, and after it of ${what} until then`, async () => {
        const rig = new TransportRig(suite);
        const late: LinkProbe[] = [];
        const { listener } = await rig.listen({ onLink: (link) => late.push(link) });
        const dialed = await rig.dial(listener.address);
        dialed.say(text);
        dialed.end();
        await waitFor(() => late.length === 1, { what: "the link has arrived" });
        await rig.settle();
        expect(late[0]).toMatchObject({ receivedBytes: 0, hasPeerEnded: false });
        late[0]?.start();
        await waitFor(() => late[0]?.hasPeerEnded === true, { what: "the end was told" });
        expect(late[0]?.text).toBe(text);
      });

      it.skipIf(suite.create().dialerSpeaksFirst)(
        `tells its dialer nothing before start, and after it of ${what} until then`,
        async () => {
          const rig = new TransportRig(suite);
          const { listener, accepted } = await rig.listen();
          const late = await rig.dialOnly(listener.address);
          await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
          accepted[0]?.say(text);
          accepted[0]?.end();
          await rig.settle();
          expect(late).toMatchObject({ receivedBytes: 0, hasPeerEnded: false });
          late.start();
          await waitFor(() => late.hasPeerEnded, { what: "the end was told" });
          expect(late.text).toBe(text);
        },
      );
    }

    it("may be destroyed before start, and tells nothing but that after it", async () => {
      const rig = new TransportRig(suite);
      const { listener } = await rig.listen();
      for (const isAtOnce of [true, false]) {
        const dialed = await rig.dialOnly(listener.address);
        dialed.destroy();
        if (!isAtOnce) await rig.settle();
        dialed.start();
        expect(dialed.isClosed).toBe(false);
        await waitFor(() => dialed.isClosed, { what: "the link is closed" });
        expect(dialed).toMatchObject({ hasPeerEnded: false, closeReason: undefined });
      }
    });

    it("does no harm when it is never started and its peer goes", async () => {
      const rig = new TransportRig(suite);
      const idle: LinkProbe[] = [];
      const { listener } = await rig.listen({ onLink: (link) => idle.push(link) });
      const dialed = await rig.dial(listener.address);
      dialed.write(patternBytes(0, 1_000_000));
      await waitFor(() => idle.length === 1, { what: "the link has arrived" });
      dialed.destroy();
      await waitFor(() => dialed.isClosed, { what: "the dialer's end is closed" });
      await rig.settle();
      expect(idle[0]?.receivedBytes).toBe(0);
      idle[0]?.destroy();
    });

    it("ends and then closes both sides without a reason when both end", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      dialed.say("last words");
      dialed.end();
      await waitFor(() => accepted.hasPeerEnded, { what: "the end was told" });
      expect(accepted).toMatchObject({ text: "last words", isClosed: false });
      accepted.end();
      await waitFor(() => dialed.isClosed && accepted.isClosed, { what: "both are closed" });
      expect(dialed).toMatchObject({ hasPeerEnded: true, closeReason: undefined });
      expect(accepted).toMatchObject({ hasPeerEnded: true, closeReason: undefined });
    });

    it("closes without a reason when both end at the same moment", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      dialed.say("a");
      dialed.end();
      accepted.say("b");
      accepted.end();
      await waitFor(() => dialed.isClosed && accepted.isClosed, { what: "both are closed" });
      expect(dialed).toMatchObject({ text: "b", hasPeerEnded: true, closeReason: undefined });
      expect(accepted).toMatchObject({ text: "a", hasPeerEnded: true, closeReason: undefined });
    });

    it("sends everything queued before the end", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.keepsBytes = false;
      const length = 8 * 1024 * 1024;
      expect(dialed.write(patternBytes(0, length))).toBe(false);
      dialed.end();
      await waitFor(() => accepted.hasPeerEnded, { what: "the end was told", withinMs: 10_000 });
      expect(accepted.receivedBytes).toBe(length);
      await waitFor(() => dialed.drainCount === 1, { what: "the writer knows that all was taken" });
    });

    for (const ender of ["dialer", "acceptor"] as const) {
      it(`may be written to after its ${ender} ended`, async () => {
        const rig = new TransportRig(suite);
        const { dialed, accepted } = await rig.pair();
        const [first, second] = ender === "dialer" ? [dialed, accepted] : [accepted, dialed];
        first.end();
        await waitFor(() => second.hasPeerEnded, { what: "the end was told" });
        second.say("one more thing");
        await waitFor(() => first.text === "one more thing", { what: "the text has arrived" });
        expect(first.isClosed || second.isClosed).toBe(false);
      });

      it(`is closed at both ends, its own without a reason, when its ${ender} destroys it`, async () => {
        const rig = new TransportRig(suite);
        const { dialed, accepted } = await rig.pair();
        const [destroyer, other] = ender === "dialer" ? [dialed, accepted] : [accepted, dialed];
        destroyer.destroy();
        await waitFor(() => destroyer.isClosed, { what: "the destroyed end is closed" });
        expect(destroyer).toMatchObject({ closeReason: undefined });
        await waitFor(() => other.hasPeerEnded || other.isClosed, { what: "the other end knows" });
        other.end();
        await waitFor(() => other.isClosed, { what: "the other end is closed" });
      });
    }

    it("breaks with MSG_PEER_LOST, once, when its peer leaves without reading", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.setReading(false);
      dialed.write(patternBytes(0, 32 * 1024 * 1024));
      await rig.settle();
      accepted.destroy();
      await waitFor(() => dialed.isClosed, { what: "the writer's end is closed" });
      expect(dialed.closeReason).toMatchObject({ name: "MsgError", code: "MSG_PEER_LOST" });
      expect(dialed.link.bufferedBytes).toBe(0);
    });

    it("takes calls that come too late, and does nothing", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      dialed.say("in time");
      dialed.end();
      dialed.end();
      expect(dialed.say("too late")).toBe(true);
      await waitFor(() => accepted.hasPeerEnded, { what: "the end was told" });
      expect(accepted.text).toBe("in time");
      accepted.say("understood");
      await waitFor(() => dialed.text === "understood", { what: "the answer is there" });
      dialed.destroy();
      dialed.destroy();
      expect(dialed.say("much too late")).toBe(true);
      dialed.end();
      dialed.setReading(false);
      dialed.setReading(true);
      await waitFor(() => dialed.isClosed, { what: "the dialer's end is closed" });
      dialed.destroy();
      dialed.end();
      expect(dialed.say("for ever too late")).toBe(true);
      dialed.setReading(true);
      expect(dialed.link.bufferedBytes).toBe(0);
      await rig.settle();
      expect(accepted.text).toBe("in time");
    });

    it("delivers nothing more once it is destroyed within onData", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.onData = () => accepted.destroy();
      dialed.write(patternBytes(0, 4 * 1024 * 1024));
      await waitFor(() => accepted.isClosed, { what: "the destroyed end is closed" });
      expect(accepted).toMatchObject({ chunkCount: 1, closeReason: undefined });
      await waitFor(() => dialed.isClosed || dialed.hasPeerEnded, { what: "the writer knows" });
    });

    it("ends in order when it is ended within onData", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.onData = () => {
        accepted.say("bye");
        accepted.end();
      };
      dialed.say("go");
      await waitFor(() => dialed.hasPeerEnded, { what: "the end was told" });
      expect(dialed.text).toBe("bye");
    });
  });
}
