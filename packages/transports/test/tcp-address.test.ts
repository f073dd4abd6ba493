import { Tcp } from "@msg-ts/transports/tcp";
import { describe, expect, it } from "vitest";

describe("parseAddress of Tcp", () => {
  const transport = new Tcp();

  it.each([
    ["localhost:4444", "localhost:4444"],
    ["tcp://localhost:4444", "localhost:4444"],
    ["TCP://localhost:4444", "localhost:4444"],
    ["127.0.0.1:0", "127.0.0.1:0"],
    ["a-b_c.example.:65535", "a-b_c.example.:65535"],
    ["bücher.example:00080", "bücher.example:80"],
    ["3com.example:1", "3com.example:1"],
    ["*:4444", "*:4444"],
    ["[::1]:4444", "[::1]:4444"],
    ["tcp://[fe80::1%eth0]:1", "[fe80::1%eth0]:1"],
  ])("takes %s as %s", (address, short) => {
    expect(transport.parseAddress(address)).toBe(short);
  });

  it.each([
    ["", "it is empty"],
    ["tcp://", "it is empty"],
    ["udp://localhost:1", "its scheme is udp, must be tcp or absent"],
    ["localhost", "its port is missing"],
    ["localhost:", "its port is missing"],
    [":4444", "its host is missing"],
    ["localhost:65536", "its port is 65536, must be 0 to 65535"],
    ["localhost:-1", "its port is -1, must be 0 to 65535"],
    ["localhost:+1", "its port is +1, must be 0 to 65535"],
    ["localhost:0x50", "its port is 0x50, must be 0 to 65535"],
    ["localhost:1e3", "its port is 1e3, must be 0 to 65535"],
    ["localhost:000080", "its port is 000080, must be 0 to 65535"],
    ["localhost:80/", "its port is 80/, must be 0 to 65535"],
    ["local host:80", "it has a space in it"],
    ["localhost:80\n", "it has a space in it"],
    ["localhost\0:80", "it has a space in it"],
    ["user@localhost:80", 'its host has a "@" in it'],
    ["a/b:80", 'its host has a "/" in it'],
    ["**:80", 'its host has a "*" in it'],
    ["localhost]:80", 'its host has a "]" in it'],
    ["::1:4444", "an IPv6 address stands in brackets, such as [::1]:4444"],
    ["[::1:4444", "its bracket is not closed"],
    ["[::1]", "its port is missing"],
    ["[::1]4444", '"4444" stands behind its bracket, must be :port'],
    ["[127.0.0.1]:80", '"127.0.0.1" is not an IPv6 address'],
    ["[]:80", '"" is not an IPv6 address'],
    ["256.0.0.1:80", '"256.0.0.1" is not an IPv4 address'],
    ["127.1:80", '"127.1" is not an IPv4 address'],
    [`${"a".repeat(254)}:80`, "its host has 254 characters, must be at most 253"],
  ])("refuses %j: %s", (address, why) => {
    expect(() => transport.parseAddress(address)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_ADDRESS",
        message: `address ${JSON.stringify(address)}: ${why}`,
      }),
    );
  });

  it("refuses what is no text", () => {
    expect(() => transport.parseAddress(4444 as unknown as string)).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_ADDRESS" }),
    );
  });
});

describe("options of Tcp", () => {
  it.each([undefined, 1_000, 10_000, 32_767_000, Infinity])(
    "take keepAliveMs %s",
    (keepAliveMs) => {
      expect(() => new Tcp({ keepAliveMs })).not.toThrow();
    },
  );

  it.each([0, 999, 32_767_001, -1, Number.NaN, -Infinity, "10000"])(
    "refuse keepAliveMs %j, naming it and its limits",
    (keepAliveMs) => {
      expect(() => new Tcp({ keepAliveMs: keepAliveMs as number })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: `keepAliveMs is ${keepAliveMs}, must be 1000 to 32767000 or Infinity`,
        }),
      );
    },
  );

  it("refuse a lookup that is no function", () => {
    expect(() => new Tcp({ lookup: "dns" as never })).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_OPTION",
        message: "lookup is string, must be a function",
      }),
    );
  });
});
