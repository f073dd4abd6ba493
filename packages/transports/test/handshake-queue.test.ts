import { Buffer } from "node:buffer";
import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { HandshakeQueue } from "../src/quic/handshake-queue.ts";

const from = { host: "127.0.0.1", port: 1 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function queue(hear: (name: string) => void = () => {}) {
  const heard: string[] = [];
  const made = new HandshakeQueue((datagram) => {
    heard.push(datagram.toString());
    hear(datagram.toString());
  });
  const push = (name: string, isBegun = false): void => made.push(Buffer.from(name), from, isBegun);
  return { heard, made, push };
}

describe("HandshakeQueue", () => {
  it("hears nobody in the call that brings a datagram, and all soon behind it, in order", async () => {
    const { heard, push } = queue();
    const names = ["one", "two", "three"];
    for (const name of names) push(name);
    expect(heard).toEqual([]);
    await waitFor(() => heard.length === 3, { what: "all were heard" });
    expect(heard).toEqual(names);
  });

  it("hears those who are in the middle of a handshake before those who begin one", async () => {
    const { heard, push } = queue();
    push("new");
    push("begun", true);
    await waitFor(() => heard.length === 2, { what: "both were heard" });
    expect(heard).toEqual(["begun", "new"]);
  });

  it("takes in what the system has before it hears anybody", async () => {
    const { heard, push } = queue();
    for (let count = 0; count < 32; count++) push("a full batch");
    await turn();
    expect(heard).toEqual([]);
    push("the rest");
    await waitFor(() => heard.length === 33, { what: "all were heard" });
  });

  it("leaves the turn to others when it has heard some for a while", async () => {
    const { heard, push } = queue(() => {
      for (const endMs = performance.now() + 3; performance.now() < endMs;);
    });
    for (const name of ["one", "two"]) push(name);
    await turn();
    expect(heard).toEqual(["one"]);
    await waitFor(() => heard.length === 2, { what: "the other was heard" });
  });

  it("keeps no more than 4 MiB, and takes more when there is room again", async () => {
    const { heard, made } = queue();
    const large = Buffer.alloc(64 * 1_024);
    for (let count = 0; count < 100; count++) made.push(large, from, count % 2 === 0);
    await waitFor(() => heard.length >= 64, { what: "what was kept was heard" });
    await turn();
    expect(heard.length).toBe(64);
    made.push(large, from, false);
    await waitFor(() => heard.length === 65, { what: "there was room" });
  });

  it("hears nobody any more when it was cleared, also by what it hears", async () => {
    const { heard, made, push } = queue(() => made.clear());
    for (const name of ["one", "two"]) push(name);
    await turn();
    await turn();
    expect(heard).toEqual(["one"]);
  });

  it("lets an error of one through, and hears the others", async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const { heard, push } = queue((name) => {
      if (name === "bad") throw new Error(name);
    });
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", onError);
    try {
      for (const name of ["bad", "good"]) push(name);
      await waitFor(() => heard.length === 2, { what: "the other was heard" });
    } finally {
      process.off("uncaughtException", onError);
      for (const listener of before) process.on("uncaughtException", listener);
    }
    expect(errors).toMatchObject([{ message: "bad" }]);
  });
});
