/**
 * What the compiler infers and refuses. The functions here are compiled, by `npm run typecheck`;
 * nobody calls them. `@ts-expect-error` fails where there is no error.
 */
import { cbor } from "@msg-ts/codecs/cbor";
import { json } from "@msg-ts/codecs/json";
import { text } from "@msg-ts/codecs/text";
import type { Codec, Job, Message, Payload, PubOptions, TopicMessage, Transport } from "msg-ts";
import { PubSocket, PullSocket, PushSocket, raw, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

interface Quote {
  symbol: string;
  price: number;
}

interface Lookup {
  symbol: string;
}

declare const transport: Transport;
declare const quote: Quote;

describe("sockets of typed values", () => {
  it("without a codec send bytes and text, and receive bytes", () => {
    void ((): unknown => {
      const sub = new SubSocket(transport);
      expectTypeOf(sub.receive()).resolves.toEqualTypeOf<TopicMessage>();
      const pull = new PullSocket(transport, { window: 1 });
      expectTypeOf(pull.receive()).resolves.toEqualTypeOf<Job>();
      const req = new ReqSocket(transport, {});
      expectTypeOf(req.request("text")).resolves.toEqualTypeOf<Message>();
      const pub = new PubSocket(transport);
      expectTypeOf<Parameters<typeof pub.publish>[1]>().toEqualTypeOf<Payload>();
      // @ts-expect-error a number is neither bytes nor text
      void pub.publish("n", 1);
      return new RepSocket(transport).serve((request) => request.payload);
    });
  });

  it("take their type from what is named, and their codec from that", () => {
    void ((): unknown => {
      const sub = new SubSocket<Quote>(transport, { codec: cbor() });
      expectTypeOf(sub.receive()).resolves.toHaveProperty("value").toEqualTypeOf<Quote>();
      const pub = new PubSocket<Quote>(transport, { codec: cbor() });
      void pub.publish("n", quote);
      // @ts-expect-error a price is missing
      void pub.publish("n", { symbol: "eth" });
      const push = new PushSocket<Quote>(transport, { codec: json() });
      void push.send(quote);
      // @ts-expect-error text is no quote
      push.trySend("eth");
      const pull = new PullSocket<Quote>(transport, { codec: json() });
      return pull.consume(({ value }) => void expectTypeOf(value).toEqualTypeOf<Quote>());
    });
  });

  it("take their type from the codec where none is named", () => {
    void ((): unknown => {
      const sub = new SubSocket(transport, { codec: cbor<Quote>() });
      expectTypeOf(sub.receive()).resolves.toHaveProperty("value").toEqualTypeOf<Quote>();
      const unknowns = new SubSocket(transport, { codec: json() });
      expectTypeOf(unknowns.receive()).resolves.toHaveProperty("value").toEqualTypeOf<unknown>();
      const pub = new PubSocket(transport, { codec: text() });
      expectTypeOf<Parameters<typeof pub.publish>[1]>().toEqualTypeOf<string>();
      return new SubSocket(transport, { codec: raw() }).receive();
    });
  });

  it("take their type from a schema: what comes in is what the schema makes", () => {
    void ((): unknown => {
      const schema = z.object({ symbol: z.string(), at: z.string().transform(Number) });
      const sub = new SubSocket(transport, { codec: cbor({ schema }) });
      return expectTypeOf(sub.receive())
        .resolves.toHaveProperty("value")
        .toEqualTypeOf<{ symbol: string; at: number }>();
    });
  });

  it("ask in one type and are answered in another, at both ends", () => {
    void ((): unknown => {
      const req = new ReqSocket<Lookup, Quote>(transport, { codec: cbor() });
      expectTypeOf(req.request({ symbol: "eth" }))
        .resolves.toHaveProperty("value")
        .toEqualTypeOf<Quote>();
      // @ts-expect-error a lookup has a symbol
      void req.request({ name: "eth" });
      const rep = new RepSocket<Lookup, Quote>(transport, { codec: cbor() });
      // @ts-expect-error a quote has a price
      rep.serve(({ value }) => ({ symbol: value.symbol }));
      return rep.serve(({ value }) => ({ symbol: value.symbol, price: 1 }));
    });
  });

  it("must be given a codec when they are not of bytes", () => {
    const options: PubOptions = { heartbeatMs: 1_000 };
    const wrong = (): unknown => [
      // @ts-expect-error quotes need a codec
      new SubSocket<Quote>(transport),
      // @ts-expect-error quotes need a codec
      new PubSocket<Quote>(transport, options),
      // @ts-expect-error quotes need a codec
      new PushSocket<Quote>(transport),
      // @ts-expect-error quotes need a codec
      new PullSocket<Quote>(transport, {}),
      // @ts-expect-error quotes need a codec, also where questions are text
      new ReqSocket<string, Quote>(transport),
      // @ts-expect-error quotes need a codec, also where questions are bytes
      new RepSocket<Uint8Array, Quote>(transport),
      // Text that is sent needs none.
      new PubSocket<string>(transport),
      new ReqSocket<string>(transport),
    ];
    expectTypeOf(wrong).toBeFunction();
  });

  it("refuse a codec of something else", () => {
    const strings: Codec<string> = text();
    const wrong = (): unknown => [
      // @ts-expect-error text is no quote
      new SubSocket<Quote>(transport, { codec: strings }),
      // @ts-expect-error a quote is no text
      new PubSocket<Quote>(transport, { codec: strings }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });
});
