import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testTransport } from "@msg-ts/testing";
import { Ipc } from "@msg-ts/transports/ipc";

const folder = process.platform === "win32" ? String.raw`\\.\pipe` : tmpdir();

testTransport({
  name: "ipc",
  create: () => new Ipc(),
  listenAddress: () => join(folder, `${randomUUID()}.sock`),
  badAddresses: [`/tmp/${"x".repeat(200)}`, "/tmp/a\0b"],
});
