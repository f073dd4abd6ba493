import { randomUUID } from "node:crypto";
import { testTransport } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";

testTransport({
  name: "inproc",
  create: () => new Inproc(new InprocHub()),
  listenAddress: () => randomUUID(),
  badAddresses: ["two words", "x".repeat(256)],
});
