import { expectNoLeaks } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import type { QuicOptions } from "@msg-ts/transports/quic";
import { describe, expect, it } from "vitest";
import { loadQuiche } from "../src/quic/quiche-binding.ts";
import { authority, clientIdentity, serverIdentity } from "./tls-scene.ts";

const { cert, key } = serverIdentity;

/** What is wrong, and what the error says about it. */
const wrong: readonly (readonly [QuicOptions, string])[] = [
  [{ idleTimeoutMs: 0 }, "idleTimeoutMs is 0, must be 1 to 2147483647"],
  [{ idleTimeoutMs: Number.NaN }, "idleTimeoutMs is NaN, must be 1 to 2147483647"],
  [{ keepAliveMs: -1 }, "keepAliveMs is -1, must be 1 to 2147483647"],
  [
    { keepAliveMs: 15_000 },
    "keepAliveMs is 15000, must be less than idleTimeoutMs, which is 15000",
  ],
  [{ handshakeTimeoutMs: 2 ** 31 }, "handshakeTimeoutMs is 2147483648, must be 1 to 2147483647"],
  [{ maxHandshakes: 0 }, "maxHandshakes is 0, must be a whole number, 1 or more, or Infinity"],
  [
    { maxConnections: 1.5 },
    "maxConnections is 1.5, must be a whole number, 1 or more, or Infinity",
  ],
  [{ maxConnectionsPerAddress: -1 }, "maxConnectionsPerAddress is -1, must be"],
  [{ maxStreams: 0 }, "maxStreams is 0, must be a whole number, 1 to 65536"],
  [{ streamWindowBytes: 1_000 }, "streamWindowBytes is 1000, must be a whole number, 65536 to"],
  [{ maxDatagramBytes: 1_199 }, "maxDatagramBytes is 1199, must be a whole number, 1200 to 16383"],
  [
    { maxDatagramBytes: 16_384 },
    "maxDatagramBytes is 16384, must be a whole number, 1200 to 16383",
  ],
  [{ retry: "never" as "always" }, 'retry is "never", must be "under-load", "always"'],
  [{ compat: "nng" as "msg-rs" }, 'compat is "nng", must be "msg-rs"'],
  [{ serverName: "a b" }, 'serverName is "a b", must be a name of 1 to 253 characters'],
  [{ insecure: 1 as unknown as boolean }, "insecure is 1, must be true or false"],
  [
    { clientCertificates: "optional" as "none" },
    'clientCertificates is "optional", must be "none" or "required": the QUIC engine cannot',
  ],
  [
    { clientCertificates: "required" },
    'clientCertificates is "required", must be "none" without ca and pins',
  ],
  [{ insecure: true, ca: authority.cert }, "insecure is true, must be false with ca or pins"],
  [{ cert }, "cert is given without key"],
  [{ key }, "key is given without cert"],
  [{ cert, key: clientIdentity.key }, "key does not belong to cert"],
  [{ cert: "no PEM", key }, "cert has no certificate in PEM form in it"],
  [{ ca: [] }, "ca is empty, must have a certificate"],
  [{ pins: "sha1/abc" }, 'pins is "sha1/abc", must be sha256/'],
  [{ lookup: 1 as unknown as NonNullable<QuicOptions["lookup"]> }, "lookup is number, must be"],
];

describe("new Quic", () => {
  expectNoLeaks();

  it.each(wrong)("refuses %o, naming it and its limits", (options, text) => {
    const error = { code: "MSG_INVALID_OPTION", message: expect.stringContaining(text) as string };
    expect(() => new Quic(options)).toThrow(expect.objectContaining(error));
  });

  it("takes all of them at their ends, and does not change what it was given", () => {
    const options: QuicOptions = Object.freeze({
      idleTimeoutMs: Infinity,
      keepAliveMs: Infinity,
      handshakeTimeoutMs: 1,
      maxHandshakes: Infinity,
      maxConnections: 1,
      maxConnectionsPerAddress: Infinity,
      maxStreams: 65_536,
      streamWindowBytes: 65_536,
      maxDatagramBytes: 16_383,
      retry: "always",
      serverName: "orders.example",
      cert: Buffer.from(cert),
      key: Buffer.from(key),
      ca: [authority.cert],
      clientCertificates: "required",
    });
    expect(() => new Quic(options)).not.toThrow();
    expect(() => new Quic({ idleTimeoutMs: 1 })).not.toThrow();
  });

  it("shows one pin as long as it lives, another for each without a certificate", () => {
    const transport = new Quic();
    expect(transport.pin).toMatch(/^sha256\/[A-Za-z0-9+/]{43}=$/);
    expect(transport.pin).toBe(transport.pin);
    expect(new Quic().pin).not.toBe(transport.pin);
    expect(new Quic(serverIdentity).pin).toBe(new Quic(serverIdentity).pin);
    const before = transport.pin;
    transport.setCertificates({ ca: authority.cert });
    expect(transport.pin).toBe(before);
    transport.setCertificates(serverIdentity);
    expect(transport.pin).toBe(new Quic(serverIdentity).pin);
  });
});

function absent(name: string): never {
  throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
}

describe("the engine", () => {
  it("that is not installed is named with its platform, and what to install", () => {
    const error = {
      code: "MSG_MISSING_PACKAGE",
      message:
        "QUIC on darwin arm64 needs the package @matrixai/quic-darwin-arm64: npm install @matrixai/quic-darwin-arm64@2.0.9",
    };
    expect(() => loadQuiche("darwin arm64", absent)).toThrow(expect.objectContaining(error));
  });

  it("that there is none of for a platform is said, with what to use instead", () => {
    const error = {
      code: "MSG_MISSING_PACKAGE",
      message: expect.stringContaining("no build for freebsd x64, only for linux x64") as string,
    };
    expect(() => loadQuiche("freebsd x64", absent)).toThrow(expect.objectContaining(error));
  });

  it("that does not load says so, and why is its cause", () => {
    const cause = new Error("libc.musl-x86_64.so.1: cannot open shared object file");
    const load = (): never => {
      throw cause;
    };
    const error = { code: "MSG_MISSING_PACKAGE", cause };
    expect(() => loadQuiche("linux x64", load)).toThrow(expect.objectContaining(error));
    expect(() => loadQuiche("linux x64", load)).toThrow("which does not load on linux x64");
  });

  it("is found in any of the packages that have it", () => {
    const asked: string[] = [];
    const binding = loadQuiche("darwin x64", (name) => {
      asked.push(name);
      return name.endsWith("universal") ? { name } : absent(name);
    });
    expect(binding).toEqual({ name: "@matrixai/quic-darwin-universal" });
    expect(asked).toEqual(["@matrixai/quic-darwin-x64", "@matrixai/quic-darwin-universal"]);
  });
});
