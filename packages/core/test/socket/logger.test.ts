import { describe, expect, it } from "vitest";
import { Scene } from "./scene.ts";

function recordingLogger() {
  const lines: string[] = [];
  const write = (level: string) => (details: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(details)}`);
  return { lines, debug: write("debug"), warn: write("warn") };
}

function letAnnIn() {
  return { identity: "ann", session: "secret-claim" };
}

describe("a logger", () => {
  it("is told of events by name, of trouble as warnings", async () => {
    const scene = new Scene();
    const logger = recordingLogger();
    const rep = scene.rep({ logger, authenticator: ({ token }) => token.length === 4 });
    await scene.join(rep, scene.req({ authToken: "good" }), scene.req({ authToken: "wrong" }));
    const told = logger.lines.map((line) => line.split(" ").slice(0, 3).join(" "));
    expect(told).toContain("debug REP listening");
    expect(told).toContain("debug REP connected");
    expect(told).toContain("warn REP refused");
  });

  it("sees no token, no claim and no payload", async () => {
    const scene = new Scene();
    const logger = recordingLogger();
    const rep = scene.rep({ logger, authenticator: letAnnIn });
    const req = scene.req({ logger, authToken: "secret-token" });
    await scene.join(rep, req);
    const controller = new AbortController();
    void req.request("secret-request", { signal: controller.signal });
    await scene.settle();
    const request = rep.receive();
    controller.abort();
    (await request).respond("secret-reply");
    await scene.settle();
    const lines = logger.lines.join("\n");
    expect(lines).toContain("warn REQ dropped");
    expect(lines).toContain('"identity":"ann"');
    expect(lines).not.toContain("secret");
  });
});
