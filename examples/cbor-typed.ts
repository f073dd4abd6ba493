/**
 * Typed values: a feed and a service whose messages are objects, checked by a schema on arrival.
 */
import { cbor } from "@msg-ts/codecs/cbor";
import { MsgError, PubSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import { z } from "zod";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

const quoteSchema = z.object({ symbol: z.string(), price: z.number().positive(), at: z.date() });
type Quote = z.infer<typeof quoteSchema>;

// A publisher of quotes, and a subscriber that trusts no publisher: what does not fit its schema
// is dropped, counted, and told with the place where it does not fit.
await using pub = new PubSocket<Quote>(transport(), { codec: cbor() });
await using sub = new SubSocket(transport(), { codec: cbor({ schema: quoteSchema }) });
sub.on("dropped", ({ reason, error }) => console.log(`dropped, ${reason}: ${error?.message}`));
await sub.connect(await pub.bind(address("quotes")));
await sub.subscribe("quotes.*");

const at = new Date(Date.UTC(2026, 0, 31));
await pub.publish("quotes.eth", { symbol: "ETH", price: 1900.5, at });
await pub.publish("quotes.btc", { symbol: "BTC", price: -1, at });
await pub.publish("quotes.sol", { symbol: "SOL", price: 151.25, at });
for (let count = 0; count < 2; count++) {
  const { topic, value, payload } = await sub.receive({ timeoutMs: 5_000 });
  // `value` is a Quote here: its date is a Date again.
  console.log(`${topic}: ${value.price} at ${value.at.toISOString()}, ${payload.length} bytes`);
}

// A question of one type, answered in another.
const lookupSchema = z.object({ symbol: z.string() });
type Lookup = z.infer<typeof lookupSchema>;

await using rep = new RepSocket<Lookup, Quote>(transport(), {
  codec: cbor({ schema: lookupSchema }),
});
rep.serve(({ value }) => ({ symbol: value.symbol, price: 1900.5, at }));
const endpoint = await rep.bind(address("lookups"));

await using req = new ReqSocket<Lookup, Quote>(transport(), { codec: cbor() });
await req.connect(endpoint);
const reply = await req.request({ symbol: "ETH" });
console.log(`${reply.value.symbol} costs ${reply.value.price}`);

// Somebody who does not know the types: the service says so, and goes on.
await using stranger = new ReqSocket(transport());
await stranger.connect(endpoint);
try {
  await stranger.request("how much is the fish?");
} catch (error) {
  if (!MsgError.is(error, "MSG_REMOTE")) throw error;
  console.log(`the service could not read it: ${error.remoteCode}, ${error.message}`);
}
