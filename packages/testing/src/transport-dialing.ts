import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { TransportSuite } from "./transport-rig.ts";
import { TransportRig } from "./transport-rig.ts";
import { waitFor } from "./wait-for.ts";

const never: AbortSignal = new AbortController().signal;

/** What holds for dialing and listening. */
export function describeTransportDialing(suite: TransportSuite): void {
  describe("dialing", () => {
    it("rejects with MSG_DIAL_FAILED where nobody listens, naming the address", async () => {
      const rig = new TransportRig(suite);
      const address = await rig.deserted();
      await expect(rig.transport.dial(address, never)).rejects.toMatchObject({
        code: "MSG_DIAL_FAILED",
        message: expect.stringContaining(address) as string,
      });
    });

    it("rejects when it was aborted before, and the listener sees no link", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      const signal = AbortSignal.abort(new Error("no more"));
      await expect(rig.transport.dial(listener.address, signal)).rejects.toMatchObject({
        code: "MSG_DIAL_FAILED",
        cause: signal.reason as unknown,
      });
      await rig.settle();
      expect(accepted).toEqual([]);
    });

    it("rejects when it is aborted on its way, and leaves no link open", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      const abort = new AbortController();
      const dialing = rig.transport.dial(listener.address, abort.signal);
      abort.abort();
      await expect(dialing).rejects.toMatchObject({ code: "MSG_DIAL_FAILED" });
      await rig.settle();
      for (const link of accepted) link.end();
      await waitFor(() => accepted.every(({ isClosed }) => isClosed), {
        what: "what the listener saw is gone",
      });
    });

    it("does not care about its signal any more once the link is made", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      const abort = new AbortController();
      const dialed = await rig.dial(listener.address, abort.signal);
      expect(getEventListeners(abort.signal, "abort")).toEqual([]);
      abort.abort();
      dialed.say("still here");
      await waitFor(() => accepted[0]?.text === "still here", { what: "the text has arrived" });
      expect(dialed.isClosed).toBe(false);
    });

    it("makes 100 links at a time, each with its own bytes and name", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      const dialed = await Promise.all(numbers.map(() => rig.dial(listener.address)));
      dialed.forEach((link, index) => link.say(`<${index}>`));
      await waitFor(() => accepted.filter(({ text }) => text.endsWith(">")).length === 100, {
        what: "every link brought its text",
      });
      expect(new Set(accepted.map(({ text }) => text))).toEqual(
        new Set(numbers.map((index) => `<${index}>`)),
      );
      expect(new Set(accepted.map(({ link }) => link.remoteAddress)).size).toBe(100);
      for (const link of accepted) link.say(link.text);
      await waitFor(() => dialed.every(({ text }, index) => text === `<${index}>`), {
        what: "every answer came back to its link",
      });
    });

    it("says where the peer is", async () => {
      const rig = new TransportRig(suite);
      const { listener } = await rig.listen();
      const { link } = await rig.dial(listener.address);
      expect(link.remoteAddress).toBe(listener.address);
    });
  });

  describe("listening", () => {
    it("tells an address that dial and parseAddress take", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      expect(rig.transport.parseAddress(listener.address)).toBe(listener.address);
      await rig.dial(listener.address);
      await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    });

    it("rejects with MSG_LISTEN_FAILED where another listens, who goes on", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      await expect(rig.listen({ address: listener.address })).rejects.toMatchObject({
        code: "MSG_LISTEN_FAILED",
        message: expect.stringContaining(listener.address) as string,
      });
      // Not the only link perhaps: who asked may have looked whether anybody is there.
      const dialed = await rig.dial(listener.address);
      dialed.say("hello");
      await waitFor(() => accepted.some(({ text }) => text === "hello"), {
        what: "the text has arrived",
      });
    });

    it("lets exactly one have an address that several ask for at once", async () => {
      const rig = new TransportRig(suite);
      const address = await rig.deserted();
      const asking = Array.from({ length: 8 }, () => rig.listen({ address }));
      const outcomes = await Promise.allSettled(asking);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        expect(outcome.reason).toMatchObject({ code: "MSG_LISTEN_FAILED" });
      }
    });

    it("frees the address by the time close resolves, also with links alive", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      await rig.dial(listener.address);
      await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
      await listener.close();
      const again = await rig.listen({ address: listener.address });
      expect(again.listener.address).toBe(listener.address);
      await rig.dial(listener.address);
      await waitFor(() => again.accepted.length === 1, { what: "the new listener has a link" });
    });

    it("leaves its links alive when it closes, and takes no more", async () => {
      const rig = new TransportRig(suite);
      const { listener, accepted } = await rig.listen();
      const dialed = await rig.dial(listener.address);
      await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
      await listener.close();
      dialed.say("question");
      await waitFor(() => accepted[0]?.text === "question", { what: "the question is there" });
      accepted[0]?.say("answer");
      await waitFor(() => dialed.text === "answer", { what: "the answer is there" });
      await expect(rig.transport.dial(listener.address, never)).rejects.toMatchObject({
        code: "MSG_DIAL_FAILED",
      });
    });

    it("may be closed again, also while it closes", async () => {
      const rig = new TransportRig(suite);
      const { listener } = await rig.listen();
      await Promise.all([listener.close(), listener.close()]);
      await expect(listener.close()).resolves.toBeUndefined();
    });

    it("does not take the address from a later listener when it is closed again", async () => {
      const rig = new TransportRig(suite);
      const { listener } = await rig.listen();
      await listener.close();
      const later = await rig.listen({ address: listener.address });
      await listener.close();
      const dialed = await rig.dial(listener.address);
      await waitFor(() => later.accepted.length === 1, { what: "the link has arrived" });
      expect(dialed.isClosed).toBe(false);
    });

    it("may destroy a link as it arrives; its dialer is told, and others are served", async () => {
      const rig = new TransportRig(suite);
      let arrived = 0;
      const { listener } = await rig.listen({
        onLink: (link) => {
          arrived += 1;
          if (arrived === 1) link.destroy();
          else link.start();
        },
      });
      const refused = await rig.dial(listener.address);
      await waitFor(() => refused.hasPeerEnded || refused.isClosed, {
        what: "the dialer knows that its link is gone",
      });
      const served = await rig.dial(listener.address);
      await waitFor(() => arrived === 2, { what: "the next link has arrived" });
      expect(served.isClosed).toBe(false);
    });
  });
}
