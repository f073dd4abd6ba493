import { cbor } from "@msg-ts/codecs/cbor";
import type { CborOptions } from "@msg-ts/codecs/cbor";
import type { JsonOptions } from "@msg-ts/codecs/json";
import { json } from "@msg-ts/codecs/json";
import { text } from "@msg-ts/codecs/text";
import { validated } from "@msg-ts/codecs/validated";
import type { Codec, Decoder, Encoder } from "@msg-ts/core";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

interface Quote {
  symbol: string;
  bid: number;
}
interface Ask {
  symbol: string;
}

const quote = z.object({ symbol: z.string(), bid: z.number() });
const event = z.object({ at: z.string().transform((at) => new Date(at)) });
type EventSent = { at: string };
type EventReceived = { at: Date };

// The compiler is the test here; what is made is not used.
describe("the types of cbor", () => {
  it("are given, or unknown", () => {
    expectTypeOf(cbor()).toEqualTypeOf<Codec<unknown>>();
    expectTypeOf(cbor<Quote>()).toEqualTypeOf<Codec<Quote>>();
    expectTypeOf(cbor<Quote, Ask>()).toEqualTypeOf<Codec<Ask, Quote>>();
    expectTypeOf(cbor<Quote>({ maxItems: 10 })).toEqualTypeOf<Codec<Quote>>();
  });

  it("come from where the codec goes", () => {
    const both: Codec<Quote> = cbor();
    const each: Codec<Ask, Quote> = cbor({ maxItems: 10 });
    const parts: Encoder<Ask> & Decoder<Quote> = cbor();
    const decoder: Decoder<Quote> = cbor();
    const encoder: Encoder<Ask> = cbor();
    const take = (options: { codec: Encoder<Ask> & Decoder<Quote> }): unknown => options;
    take({ codec: cbor() });
    expectTypeOf({ both, each, parts, decoder, encoder }).not.toBeAny();
  });

  it("come from a schema: its input is sent, its output received", () => {
    expectTypeOf(cbor({ schema: quote })).toEqualTypeOf<Codec<Quote>>();
    expectTypeOf(cbor({ schema: event })).toEqualTypeOf<Codec<EventSent, EventReceived>>();
    expectTypeOf(cbor({ schema: v.object({ a: v.number() }) })).toEqualTypeOf<
      Codec<{ a: number }>
    >();
    expectTypeOf(cbor({ schema: type({ a: "number" }) })).toEqualTypeOf<Codec<{ a: number }>>();
  });

  it("come from both, and must agree", () => {
    const both: Codec<Quote> = cbor({ schema: quote });
    const each: Codec<Ask, Quote> = cbor({ schema: quote, maxItems: 10 });
    const parts: Encoder<Ask> & Decoder<Quote> = cbor({ schema: quote });
    const named = cbor<Quote>({ schema: quote });
    // @ts-expect-error - the schema makes something else
    const wrong: Codec<Ask, EventReceived> = cbor({ schema: quote });
    // @ts-expect-error - the schema makes something else
    cbor<EventReceived>({ schema: quote });
    expectTypeOf({ both, each, parts, named, wrong }).not.toBeAny();
  });

  it("are those of json too", () => {
    const alike: typeof json = cbor;
    const back: <Received>(options: JsonOptions<Received>) => Codec<Received> = json;
    expectTypeOf({ alike, back }).not.toBeAny();
  });
});

describe("the types of validated", () => {
  it("are the codec's for what is sent, the schema's for what is received", () => {
    expectTypeOf(validated(json<unknown, Ask>(), event)).toEqualTypeOf<Codec<Ask, EventReceived>>();
    expectTypeOf(validated(text(), z.string().transform(Number))).toEqualTypeOf<
      Codec<string, number>
    >();
    const inferred: Codec<Quote> = validated(cbor(), quote);
    expectTypeOf(inferred).toEqualTypeOf<Codec<Quote>>();
  });
});

describe("the types of options", () => {
  it("may be undefined, and are named", () => {
    const options: CborOptions<Quote> = { maxDepth: undefined, schema: undefined };
    expectTypeOf(cbor(options)).toEqualTypeOf<Codec<Quote>>();
    // @ts-expect-error - no such option
    cbor({ maxLength: 1 });
    // @ts-expect-error - json has no depth
    json({ maxDepth: 1 });
  });
});
