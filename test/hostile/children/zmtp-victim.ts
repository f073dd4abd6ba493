// Sockets over ZMTP whose handshakes others hold up; tells what is held for those.
import process from "node:process";
import { plain, plainServer, zmtp } from "@msg-ts/zmtp";
import type { Mechanism } from "@msg-ts/zmtp";
import { curve, curveServer } from "@msg-ts/zmtp/curve";
import { RepSocket, ReqSocket, Tcp } from "msg-ts";

/** Which side of which mechanism it is. */
export interface Start {
  readonly mechanism: "NULL" | "PLAIN" | "CURVE";
  readonly keys: { readonly publicKey: string; readonly secretKey: string };
  /** Where as many clients dial; none is a server. */
  readonly dial?: { readonly address: string; readonly clients: number };
}

/** Longer than it takes to measure. */
const handshakeTimeoutMs = 120_000;

/** Who is asked about a peer never answers. */
const authenticate = (): Promise<never> => new Promise(() => {});

// Without its parent there is nobody to tell.
process.once("disconnect", () => process.exit());
process.once("message", (start) => void run(start as Start));

function securityOf({ mechanism, keys, dial }: Start): Mechanism | undefined {
  const isServer = dial === undefined;
  if (mechanism === "PLAIN") {
    return isServer ? plainServer({ authenticate }) : plain({ username: "a", password: "b" });
  }
  if (mechanism === "NULL") return undefined;
  return isServer
    ? curveServer({ secretKey: keys.secretKey, authenticate })
    : curve({ serverKey: keys.publicKey, secretKey: keys.secretKey });
}

async function run(start: Start): Promise<void> {
  const options = { protocol: zmtp({ security: securityOf(start) }), handshakeTimeoutMs };
  let address = "";
  let hasPeers: () => boolean;
  if (start.dial === undefined) {
    const rep = new RepSocket(new Tcp(), options);
    address = await rep.bind("127.0.0.1:0");
    hasPeers = () => rep.peers.length > 0;
  } else {
    const transport = new Tcp();
    const clients = Array.from({ length: start.dial.clients }, () => {
      return new ReqSocket(transport, options);
    });
    for (const client of clients) await client.connect(start.dial.address);
    hasPeers = () => clients.some(({ peers }) => peers.length > 0);
  }
  process.on("message", () => {
    process.send?.({ heldBytes: heldBytes(), isSomebodyLetIn: hasPeers() });
  });
  // Once, so that its own code is there before anything is measured.
  heldBytes();
  process.send?.({ address });
}

/** What is in use, in the heap and outside of it, when all that is not is collected. */
function heldBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
