import { describe, expect, it } from "vitest";
import { parseIpcAddress } from "../src/ipc/ipc-address.ts";
import { resolveIpcOptions } from "../src/ipc/ipc-options.ts";

const pipe = String.raw`\\.\pipe\orders`;

describe("parseAddress of Ipc", () => {
  it.each([
    ["/tmp/s", "linux", "file", "/tmp/s"],
    ["ipc:///tmp/s", "linux", "file", "/tmp/s"],
    ["ipc://s", "darwin", "file", "s"],
    ["./a b/%20", "linux", "file", "./a b/%20"],
    ["@name", "linux", "name", "\0name"],
    ["ipc://@name", "linux", "name", "\0name"],
    [pipe, "win32", "name", pipe],
    [`ipc://${pipe}`, "win32", "name", pipe],
  ] as const)("takes %s on %s as a %s", (address, platform, kind, path) => {
    expect(parseIpcAddress(address, platform)).toEqual({ kind, path });
  });

  it.each([
    ["", "linux", "it is empty"],
    ["tcp://localhost:1", "linux", "its scheme is tcp, must be ipc or absent"],
    ["/tmp/", "linux", "it is a folder, must be a file"],
    ["/tmp/a\0b", "linux", "it has a NUL in it"],
    ["@", "linux", "its name is empty"],
    ["@name", "darwin", "only Linux has abstract names"],
    ["x".repeat(108), "linux", "it has 108 bytes, must be at most 107"],
    ["x".repeat(104), "darwin", "it has 104 bytes, must be at most 103"],
    ["/tmp/s", "win32", String.raw`a local socket on Windows is a pipe: \\.\pipe\name`],
  ] as const)("refuses %j on %s: %s", (address, platform, why) => {
    expect(() => parseIpcAddress(address, platform)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_ADDRESS",
        message: `address ${JSON.stringify(address)}: ${why}`,
      }),
    );
  });

  it("knows no mode on Windows", () => {
    expect(() => resolveIpcOptions({ mode: 0o600 }, "win32")).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_OPTION",
        message: "mode is set, must be absent on Windows",
      }),
    );
  });
});
