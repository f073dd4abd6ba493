import { describe, expect, it } from "vitest";
import type { ConnectionEvent, ConnectionState } from "../../src/connection/connection-state.ts";
import { nextConnectionState } from "../../src/connection/connection-state.ts";
import { MsgError } from "../../src/errors.ts";

const broken = new MsgError("MSG_PROTOCOL", "broken");
const lost = new MsgError("MSG_PEER_LOST", "lost");

const welcomed: ConnectionEvent = { type: "welcomed" };
const peerEnded: ConnectionEvent = { type: "peer-ended" };
const close: ConnectionEvent = { type: "close", reason: undefined };
const closeBroken: ConnectionEvent = { type: "close", reason: broken };
const linkClosed: ConnectionEvent = { type: "link-closed", reason: undefined };
const linkLost: ConnectionEvent = { type: "link-closed", reason: lost };

function run(...events: readonly ConnectionEvent[]): ConnectionState {
  return events.reduce<ConnectionState>(nextConnectionState, { phase: "handshaking" });
}

describe("the state of a connection", () => {
  it("is ready once the peer is let in", () => {
    expect(run(welcomed)).toEqual({ phase: "ready" });
  });

  it("is half-open once the peer ended", () => {
    expect(run(welcomed, peerEnded)).toEqual({ phase: "half-open" });
  });

  it("is ending once it is closed, from every phase before", () => {
    for (const events of [[], [welcomed], [welcomed, peerEnded]]) {
      expect(run(...events, close)).toEqual({ phase: "ending", reason: undefined });
    }
  });

  it("is closed once its link is, from every phase before", () => {
    for (const events of [[], [welcomed], [welcomed, peerEnded]]) {
      expect(run(...events, linkLost)).toEqual({ phase: "closed", reason: lost });
    }
  });

  it("keeps the first reason to close", () => {
    expect(run(welcomed, closeBroken, close)).toEqual({ phase: "ending", reason: broken });
    expect(run(welcomed, closeBroken, linkLost)).toEqual({ phase: "closed", reason: broken });
  });

  it("was closed in order when the link is lost behind an orderly close", () => {
    expect(run(welcomed, close, linkLost)).toEqual({ phase: "closed", reason: undefined });
  });

  it("is not half-open before the peer was let in, nor while it ends", () => {
    expect(run(peerEnded)).toEqual({ phase: "handshaking" });
    expect(run(welcomed, close, peerEnded)).toEqual({ phase: "ending", reason: undefined });
  });

  it("lets nobody in any more once it ends", () => {
    expect(run(close, welcomed)).toEqual({ phase: "ending", reason: undefined });
    expect(run(welcomed, peerEnded, welcomed)).toEqual({ phase: "half-open" });
  });

  it("stays as it is once it is closed", () => {
    const state = run(linkLost);
    for (const event of [welcomed, peerEnded, closeBroken, linkClosed]) {
      expect(nextConnectionState(state, event)).toBe(state);
    }
  });

  it("is the same object when an event means nothing", () => {
    const ready = run(welcomed);
    expect(nextConnectionState(ready, welcomed)).toBe(ready);
    const ending = run(close);
    expect(nextConnectionState(ending, closeBroken)).toBe(ending);
  });
});
