/**
 * Tokens: a service that knows its clients by name, and turns a stranger away.
 */
import { RepSocket, ReqSocket, tokensEqual } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

const tokens = new Map([
  ["alice", "alice's secret"],
  ["bob", "bob's secret"],
]);

await using rep = new RepSocket(transport(), {
  // What it gives, the claims, is on every message's `peer`. It may also be asynchronous.
  authenticator: ({ token }) => {
    for (const [identity, expected] of tokens) {
      if (tokensEqual(token, expected)) return { identity, isAdmin: identity === "alice" };
    }
    return false;
  },
});
rep.serve(
  ({ peer }) => `hello ${peer.identity}${peer.claims["isAdmin"] === true ? ", admin" : ""}`,
);
rep.on("refused", ({ error }) => console.log(`service: refused a client: ${error.code}`));
const endpoint = await rep.bind(address("greetings"));

for (const [name, authToken] of tokens) {
  // A function instead of a string is asked again at each connect: for tokens that expire.
  await using req = new ReqSocket(transport(), { authToken: async () => authToken });
  await req.connect(endpoint);
  console.log(`${name}: ${(await req.request("hi")).text()}`);
}

await using mallory = new ReqSocket(transport(), { authToken: "a guess" });
const refusals = [mallory.once("refused"), rep.once("refused")] as const;
await mallory.connect(endpoint);
const [{ error }] = await Promise.all(refusals);
console.log(`mallory: ${error.code}, ${error.message}`);

// A refused client goes on dialing, slowly: the token may become valid. It is no crash and no hang.
const { connects, refused } = rep.stats();
console.log(`service: let in ${connects}, refused ${refused}`);
