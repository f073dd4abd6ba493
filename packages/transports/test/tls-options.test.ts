import { Tls } from "@msg-ts/transports/tls";
import { describe, expect, it } from "vitest";

const versions = '"TLSv1.2", "TLSv1.3"';

describe("options of Tls", () => {
  it.each([
    {},
    { serverName: undefined, rejectUnauthorized: undefined, clientCertificates: undefined },
    { minVersion: undefined, maxVersion: undefined, handshakeTimeoutMs: undefined },
    { maxHandshakes: undefined, cert: undefined, key: undefined, ca: undefined, sni: undefined },
    { serverName: "orders.example", rejectUnauthorized: false },
    { clientCertificates: "none" },
    { minVersion: "TLSv1.3" },
    { maxVersion: "TLSv1.2" },
    { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
    { handshakeTimeoutMs: 1 },
    { handshakeTimeoutMs: 2_147_483_647 },
    { maxHandshakes: 1 },
    { maxHandshakes: Infinity },
    { keepAliveMs: 1_000, lookup: async () => [] },
  ] as const)("take %j", (options) => {
    expect(() => new Tls(options)).not.toThrow();
  });

  it.each([
    [{ serverName: "" }, 'serverName is "", must be a name of 1 to 253 characters without spaces'],
    [
      { serverName: "a b" },
      'serverName is "a b", must be a name of 1 to 253 characters without spaces',
    ],
    [{ serverName: 1 }, "serverName is 1, must be a name of 1 to 253 characters without spaces"],
    [{ rejectUnauthorized: 0 }, "rejectUnauthorized is 0, must be true or false"],
    [
      { clientCertificates: true },
      'clientCertificates is true, must be "none", "optional", "required"',
    ],
    [{ minVersion: "TLSv1.1" }, `minVersion is "TLSv1.1", must be ${versions}`],
    [{ maxVersion: "TLSv1" }, `maxVersion is "TLSv1", must be ${versions}`],
    [
      { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" },
      'minVersion is "TLSv1.3", must be at most TLSv1.2',
    ],
    [{ handshakeTimeoutMs: 0 }, "handshakeTimeoutMs is 0, must be 1 to 2147483647"],
    [
      { handshakeTimeoutMs: 2_147_483_648 },
      "handshakeTimeoutMs is 2147483648, must be 1 to 2147483647",
    ],
    [{ handshakeTimeoutMs: Number.NaN }, "handshakeTimeoutMs is NaN, must be 1 to 2147483647"],
    [{ handshakeTimeoutMs: Infinity }, "handshakeTimeoutMs is Infinity, must be 1 to 2147483647"],
    [{ maxHandshakes: 0 }, "maxHandshakes is 0, must be a whole number, 1 or more, or Infinity"],
    [
      { maxHandshakes: 1.5 },
      "maxHandshakes is 1.5, must be a whole number, 1 or more, or Infinity",
    ],
    [
      { maxHandshakes: Number.NaN },
      "maxHandshakes is NaN, must be a whole number, 1 or more, or Infinity",
    ],
    [{ keepAliveMs: 1 }, "keepAliveMs is 1, must be 1000 to 32767000 or Infinity"],
    [{ lookup: "dns" }, "lookup is string, must be a function"],
  ])("refuse %j, naming it and its limits", (options, message) => {
    expect(() => new Tls(options as never)).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_OPTION", message }),
    );
  });

  it("are not changed", () => {
    const options = Object.freeze({ serverName: "orders.example" });
    expect(() => new Tls(options)).not.toThrow();
  });
});
