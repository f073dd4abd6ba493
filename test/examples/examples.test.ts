import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { root, runSource } from "./run-node.ts";

const transports = ["tcp", "ipc", "inproc", "tls", "quic"];

/** What the output of each example must have in it, on every transport. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  auth: [
    /^alice: hello alice, admin$/m,
    /^bob: hello bob$/m,
    /^service: refused a client: MSG_AUTH_REJECTED$/m,
    /^mallory: MSG_AUTH_REJECTED, peer rejected the token$/m,
    /^service: let in 2, refused 1$/m,
  ],
  "cbor-typed": [
    /^quotes\.eth: 1900\.5 at 2026-01-31T00:00:00\.000Z, \d+ bytes$/m,
    /^dropped, unreadable: cbor value does not fit the schema: price: /m,
    /^quotes\.sol: 151\.25 at 2026-01-31T00:00:00\.000Z, \d+ bytes$/m,
    /^ETH costs 1900\.5$/m,
    /^the service could not read it: MSG_DECODE_FAILED, /m,
  ],
  challenge: [
    /^friend: hello, a friend$/m,
    /^refused with MSG_AUTH_FAILED: the proof is wrong$/m,
    /^refused with MSG_AUTH_FAILED: the service did not accept our proof$/m,
  ],
  compression: [
    /^plain: (\d+) bytes, \1 as sent,\n +0\.0 % saved$/m,
    /^gzip: \d+ bytes, \d+ as sent,\n +[78]\d\.\d % saved$/m,
    /^zstd: \d+ bytes, \d+ as sent,\n +[78]\d\.\d % saved$/m,
    /^snappy: \d+ bytes, \d+ as sent,\n +6\d\.\d % saved$/m,
    /^lz4: \d+ bytes, \d+ as sent,\n +6\d\.\d % saved$/m,
  ],
  "custom-transport": [
    /^connected to process \d+\nwork in process \d+\nconnected to process \d+\nmore work in process \d+\n/m,
    /^each did its part$/m,
  ],
  durable: [
    /^client: nobody is there yet \(MSG_DIAL_FAILED\), order 1 waits$/m,
    /^client: order 1 taken by the first server$/m,
    /^client: order 2 taken by the second server$/m,
    /^client: connected 2 times/m,
  ],
  ipc: [
    /^3 clients wait at the same time$/m,
    /^hello, client 1\nhello, client 2\nhello, client 3$/m,
    /^the socket file is gone$/m,
  ],
  mtls: [
    /^billing: read: done\nbilling: write: done$/m,
    /^report: read: done\nreport: write: not for URI:spiffe:\/\/example\/report$/m,
    /^ledger: refused a client, MSG_AUTH_REJECTED\nnobody: MSG_PEER_LOST$/m,
    /^ledger: refused a client, MSG_AUTH_REJECTED\nforger: MSG_PEER_LOST$/m,
    /^ledger: refused a client, MSG_AUTH_REJECTED\nguest: MSG_AUTH_REJECTED$/m,
  ],
  "mtls-quic": [
    /^till: umbrellas: 7 left\noffice: umbrellas: 7 left$/m,
    /^stock: refused a client, MSG_AUTH_REJECTED$/m,
    /^stranger: MSG_PEER_LOST$/m,
    /^till, of another service: MSG_DIAL_FAILED$/m,
  ],
  "many-endpoints": [
    /^red answered 10 of 30\ngreen answered 10 of 30\nblue answered 10 of 30$/m,
    /^heard: all is blue, all is green, all is red$/m,
    /^2 requests came through 2 doors$/m,
  ],
  pubsub: [
    /^celsius got 2, everything got 3$/m,
    /^celsius now has end and weather\.bern\.wind$/m,
    /^celsius got 0, everything got 3$/m,
  ],
  pushpull: [
    /^carol gives a job back: Error: a bad day$/m,
    /^6057 primes below 60000$/m,
    /^60 jobs done, 1 of them at the second try$/m,
    /^0 jobs lost$/m,
  ],
  reconnect: [
    /^subscriber: 1900 from the first publisher$/m,
    /^subscriber: gap of unknown messages$/m,
    /^subscriber: 2000 from the second publisher$/m,
    /^subscriber: connected 2 times, with 1 gap nobody can count$/m,
  ],
  "rolling-restart": [
    /^client: a server says goodbye, others get the requests$/m,
    /^red: drained, nothing left$/m,
    /^green: drained, nothing left$/m,
    /^blue: drained, nothing left$/m,
    /^red, green, blue of version 2 answer$/m,
    /^0 of more than 100 requests failed: true$/m,
  ],
  "rust-peer": [
    /^the other side is this process itself, without Rust$/m,
    /^the other side answered: how much is eth\?$/m,
    /^the other side counted 3 of 3 ticks$/m,
  ],
  "three-dialects": [
    /^native: you are served$/m,
    /^ZeroMQ: you are served$/m,
    /^the bytes of msg-rs: you are served, as request 7$/m,
    /^3 requests came through one door$/m,
  ],
  "zeromq-peer": [
    /^client: (?:pyzmq|this process itself, without Python)$/m,
    /^client: 1 \+ 2 \+ 39 is 42$/m,
    /^client: one \+ two is MSG-ERROR, NOT_A_NUMBER, only numbers have a sum$/m,
  ],
  tls: [
    /^orders says: hello, alice$/m,
    /^without ca: MSG_DIAL_FAILED, .* not in ca/m,
    /^as bank\.example: MSG_DIAL_FAILED, its certificate is not for bank\.example, but for /m,
    /^bob sees the new certificate$/m,
    /^hello, alice, again$/m,
    /^alice was connected 1 time$/m,
  ],
  reqrep: [
    /^12 squared is 144$/m,
    /^the squares of 1 to 1000 add up to 333833500$/m,
    /^the service refused: NOT_A_NUMBER, a dozen is none$/m,
  ],
};

describe.concurrent("the examples", { timeout: 60_000 }, () => {
  it("are all run here", ({ expect }) => {
    const files = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".ts"));
    const names = files.map((file) => file.slice(0, -".ts".length));
    expect(names.toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  it("are all listed by `npm run example`, with a title", async ({ expect }) => {
    const { code, output } = await runSource("scripts/example.ts", []);
    expect(code).toBe(0);
    for (const name of Object.keys(expected)) {
      expect(output).toMatch(new RegExp(`^${name} +[A-Z].{20,}\\.$`, "m"));
    }
  });

  it("refuse a transport that is none, naming those there are", async ({ expect }) => {
    const { code, errors } = await runSource("examples/reqrep.ts", ["--transport", "pigeon"]);
    expect(errors).toBe('--transport is "pigeon", must be one of tcp, ipc, inproc, tls, quic\n');
    expect(code).toBe(2);
  });

  for (const [name, lines] of Object.entries(expected)) {
    for (const transport of transports) {
      it(`${name} runs on ${transport}`, async ({ expect }) => {
        const outcome = await runSource(`examples/${name}.ts`, ["--transport", transport]);
        expect(outcome).toMatchObject({ code: 0, errors: "" });
        for (const line of lines) expect(outcome.output).toMatch(line);
      });
    }
  }
});
