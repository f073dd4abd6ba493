/**
 * Challenge and response: a connection hook by which the secret itself never travels.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { ConnectionHook } from "msg-ts";
import { RepSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

const nonceBytes = 32;
const proofBytes = 32;
const accepted = 1;

function proofOf(secret: string, dialerNonce: Uint8Array, acceptorNonce: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(dialerNonce).update(acceptorNonce).digest();
}

/**
 * Asks the peer for the HMAC of a fresh nonce: an answer that was overheard is worth nothing later.
 * The peer begins, with a nonce of its own: over QUIC nobody sees a dialer before it has spoken.
 *
 * It owns the connection's bytes until it returns what it found out about the peer, or throws.
 */
function challenger(secret: string): ConnectionHook {
  return async (link) => {
    const dialerNonce = await link.read(nonceBytes);
    const nonce = randomBytes(nonceBytes);
    link.write(nonce);
    const proof = await link.read(proofBytes);
    const isRight = timingSafeEqual(proof, proofOf(secret, dialerNonce, nonce));
    link.write(Uint8Array.of(isRight ? accepted : 0));
    if (!isRight) throw new Error("the proof is wrong");
    return { identity: "a friend" };
  };
}

function prover(secret: string): ConnectionHook {
  return async (link) => {
    const nonce = randomBytes(nonceBytes);
    link.write(nonce);
    const acceptorNonce = await link.read(nonceBytes);
    link.write(proofOf(secret, nonce, acceptorNonce));
    const [verdict] = await link.read(1);
    if (verdict !== accepted) throw new Error("the service did not accept our proof");
  };
}

await using rep = new RepSocket(transport(), { hook: challenger("open sesame") });
rep.serve((request) => `hello, ${request.peer.identity}`);
const endpoint = await rep.bind(address("cave"));

await using friend = new ReqSocket(transport(), { hook: prover("open sesame") });
await friend.connect(endpoint);
console.log(`friend: ${(await friend.request("knock")).text()}`);

await using stranger = new ReqSocket(transport(), { hook: prover("open barley") });
const refusals = [rep.once("refused"), stranger.once("refused")];
await stranger.connect(endpoint);
for (const { error } of await Promise.all(refusals)) {
  const { message } = error.cause as Error;
  console.log(`refused with ${error.code}: ${message}`);
}
