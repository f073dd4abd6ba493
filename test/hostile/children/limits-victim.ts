// One socket with the options that sockets have by themselves; tells what is held for its peers.
import process from "node:process";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket, Tcp } from "msg-ts";
import type { SocketName } from "../campaign/reports.ts";

interface Start {
  readonly name: SocketName;
  /** REP: how large each reply is. PUB and PUSH: how large each message is. */
  readonly bytes: number;
  /** PUB and PUSH: how many are sent when it is asked to. */
  readonly count: number;
  /** Nobody is ever let in. */
  readonly isClosedToAll: boolean;
}

// Without its parent there is nobody to tell.
process.once("disconnect", () => process.exit());
process.once("message", (start) => void run(start as Start));

async function run({ name, bytes, count, isClosedToAll }: Start): Promise<void> {
  const options = isClosedToAll ? { hook: () => new Promise<never>(() => {}) } : {};
  const transport = new Tcp();
  const rep = (): RepSocket => {
    const socket = new RepSocket(transport, options);
    // Each reply has memory of its own, as those of an application have.
    if (bytes > 0) socket.serve(async () => Buffer.alloc(bytes, 1));
    return socket;
  };
  const make = {
    rep,
    req: () => new ReqSocket(transport, options),
    pub: () => new PubSocket(transport, options),
    sub: () => new SubSocket(transport, options),
    push: () => new PushSocket(transport, options),
    pull: () => new PullSocket(transport, options),
  } as const;
  const socket = make[name]();
  if (socket instanceof SubSocket) void socket.subscribe(">");
  const address = await socket.bind("127.0.0.1:0");
  process.on("message", ({ isSending }: { readonly isSending: boolean }) => {
    const wanted = isSending ? count : 0;
    for (let i = 0; i < wanted; i++) {
      const payload = Buffer.alloc(bytes, i);
      if (socket instanceof PubSocket) void socket.publish("a", payload);
      if (socket instanceof PushSocket) void socket.send(payload);
    }
    process.send?.({ heldBytes: heldBytes(), peers: socket.peers.length });
  });
  // Once, so that its own code is there before anything is measured.
  heldBytes();
  process.send?.({ address, heldBytes: heldBytes() });
}

/** What is in use when all that is not is collected. */
function heldBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
