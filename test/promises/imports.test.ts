import { expectNoLeaks } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { Child } from "./child.ts";

interface Loaded {
  readonly loaded: readonly string[];
}

describe("importing msg-ts", { timeout: 60_000 }, () => {
  expectNoLeaks();

  it("loads neither node:tls, node:zlib nor anything native before they are used", async () => {
    const child = new Child("imports");
    const imported = await child.hear<Loaded>("what it has");
    expect(imported.loaded).toEqual([]);
    // So that the list is known to tell.
    const withTls = await child.hear<Loaded>("what it has with TLS");
    expect(withTls.loaded).toEqual(["tls"]);
    const withQuic = await child.hear<Loaded>("what it has with QUIC");
    expect(withQuic.loaded).toEqual(["tls", "node.napi.node"]);
  });
});
