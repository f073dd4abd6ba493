import { createServer } from "node:net";
import { expectNoLeaks, LeakWatch, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";

function leakWatch(): LeakWatch {
  const watch = new LeakWatch();
  onTestFinished(() => watch.stop());
  return watch;
}

describe("what is left behind", () => {
  it("is nothing when nothing was made", () => {
    expect(leakWatch().leaks()).toEqual([]);
  });

  it("is a timer that was not cleared, with the place where it was set", async () => {
    const watch = leakWatch();
    const timer = setTimeout(() => {}, 60_000);
    expect(watch.leaks()).toEqual([expect.stringMatching(/^a timer set at .*no-leaks\.test\.ts/)]);
    clearTimeout(timer);
    await waitFor(() => watch.leaks().length === 0, { what: "the timer is gone" });
  });

  it("is not a timer that ran", async () => {
    const watch = leakWatch();
    setTimeout(() => {}, 5);
    expect(watch.leaks().length).toBe(1);
    await waitFor(() => watch.leaks().length === 0, { what: "the timer ran" });
  });

  it("is an interval, until it is cleared", async () => {
    const watch = leakWatch();
    let runs = 0;
    const timer = setInterval(() => runs++, 1);
    await waitFor(() => runs > 2, { what: "the interval ran" });
    expect(watch.leaks().length).toBe(1);
    clearInterval(timer);
    await waitFor(() => watch.leaks().length === 0, { what: "the interval is gone" });
  });

  it("is not a timer that keeps nothing alive, or that was there before", () => {
    const earlier = setTimeout(() => {}, 60_000);
    const watch = leakWatch();
    const timer = setTimeout(() => {}, 60_000).unref();
    expect(watch.leaks()).toEqual([]);
    clearTimeout(timer);
    clearTimeout(earlier);
  });

  it("is a server that still listens", async () => {
    const watch = leakWatch();
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    expect(watch.leaks()).toEqual(["TCPServerWrap +1"]);
    server.close();
    await waitFor(() => watch.leaks().length === 0, { what: "the server is gone" });
  });
});

describe("a test that expects no leaks", () => {
  expectNoLeaks({ withinMs: 150 });

  it("passes when it cleans up itself, or registers it", () => {
    const timer = setTimeout(() => {}, 60_000);
    onTestFinished(() => clearTimeout(timer));
    expect(timer.hasRef()).toBe(true);
  });

  it("passes when what it left ends by itself soon", () => {
    const timer = setTimeout(() => {}, 20);
    expect(timer.hasRef()).toBe(true);
  });

  it.fails("fails when it leaves a timer behind", () => {
    const timer = setTimeout(() => {}, 60_000);
    // Behind the check, so that it keeps nothing alive for long.
    setTimeout(() => clearTimeout(timer), 1_000).unref();
    expect(timer.hasRef()).toBe(true);
  });
});
