import { waitFor } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { PubSocket, SubSocket } from "@msg-ts/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { zmtp } from "../src/zmtp.ts";

function closing<S extends { close(options: { lingerMs: number }): Promise<unknown> }>(
  socket: S,
): S {
  onTestFinished(async () => void (await socket.close({ lingerMs: 0 })));
  return socket;
}

describe("a PUB with authorize that speaks ZMTP", () => {
  it("is asked about prefixes with a > behind them, so that none is taken for a topic", async () => {
    const hub = new InprocHub();
    const asked: (string | undefined)[] = [];
    const pub = closing(
      new PubSocket(new Inproc(hub), {
        protocol: zmtp(),
        authorize: ({ topic }) => {
          asked.push(topic);
          return topic !== "news" && topic !== "secret>" && topic !== ">";
        },
      }),
    );
    await pub.bind("here");
    const sub = closing(new SubSocket(new Inproc(hub), { protocol: zmtp() }));
    const heard: string[] = [];
    sub.consume((message) => void heard.push(message.topic));
    await sub.connect("here");
    await sub.ready();
    for (const topic of ["secret", "news", ""]) void sub.subscribe(topic);
    await waitFor(() => asked.length === 3, { what: "all are asked about" });
    expect(asked).toEqual(["secret>", "news>", ">"]);
    for (const topic of ["secrets", "newsroom", "other"]) void pub.publish(topic, "");
    await waitFor(() => heard.length > 0, { what: "it hears" });
    expect(heard).toEqual(["newsroom"]);
    expect(pub.stats()).toMatchObject({ subscriptions: 1, dropped: { forbidden: 2 } });
  });
});
