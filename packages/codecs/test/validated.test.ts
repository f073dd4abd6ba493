import { cbor } from "@msg-ts/codecs/cbor";
import { json } from "@msg-ts/codecs/json";
import { text } from "@msg-ts/codecs/text";
import { validated } from "@msg-ts/codecs/validated";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { refusal } from "./refusal.ts";

interface Order {
  readonly id: string;
  readonly at: Date;
  readonly lines: readonly { readonly price: number }[];
}

/** The same schema by each library: `at` is text on the wire, and a `Date` behind it. */
const libraries: Readonly<Record<string, StandardSchemaV1<unknown, Order>>> = {
  zod: z.object({
    id: z.string(),
    at: z.string().transform((at) => new Date(at)),
    lines: z.array(z.object({ price: z.number() })),
  }),
  valibot: v.object({
    id: v.string(),
    at: v.pipe(
      v.string(),
      v.transform((at) => new Date(at)),
    ),
    lines: v.array(v.object({ price: v.number() })),
  }),
  arktype: type({
    id: "string",
    at: type("string").pipe((at) => new Date(at)),
    lines: [{ price: "number" }, "[]"],
  }),
};

const makers: readonly (typeof json)[] = [cbor, json];

const good = { id: "a", at: "2024-08-01T00:00:00Z", lines: [{ price: 1 }, { price: 2 }] };
const bad = { id: "a", at: "2024-08-01T00:00:00Z", lines: [{ price: 1 }, { price: "2" }] };

for (const [library, schema] of Object.entries(libraries)) {
  describe(`a schema of ${library}`, () => {
    for (const make of makers) {
      const codec = make({ schema });

      it(`gives its output, by ${codec.name}`, () => {
        const plain = make();
        const expected = { ...good, at: new Date(good.at) };
        expect(codec.decode(plain.encode(good))).toEqual(expected);
        expect(validated(make(), schema).decode(plain.encode(good))).toEqual(expected);
      });

      it(`refuses what does not fit, saying where, by ${codec.name}`, () => {
        const message = refusal("MSG_INVALID_VALUE", () => codec.decode(make().encode(bad)));
        expect(message).toMatch(/^\w+ value does not fit the schema: lines\[1\]\.price: ./);
        const nothing = refusal("MSG_INVALID_VALUE", () => codec.decode(make().encode(null)));
        expect(nothing).toMatch(/^\w+ value does not fit the schema: [^:]/);
      });

      it(`leaves what is sent unchecked, by ${codec.name}`, () => {
        const plain = make();
        expect(codec.encode(bad)).toEqual(plain.encode(bad));
      });

      it(`sees nothing of a payload that is no ${codec.name}`, () => {
        const message = refusal("MSG_DECODE_FAILED", () => codec.decode(Uint8Array.of(0x7d)));
        expect(message).toMatch(/^\w+ payload /);
      });
    }
  });
}

/** A schema that answers with `validate`. */
function schemaOf<Output>(
  validate: StandardSchemaV1.Props<unknown, Output>["validate"],
): StandardSchemaV1<unknown, Output> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

/** The message for a value with these issues. */
function messageOf(issues: readonly StandardSchemaV1.Issue[]): string {
  const codec = validated(
    json(),
    schemaOf(() => ({ issues })),
  );
  const message = refusal("MSG_INVALID_VALUE", () => codec.decode(Buffer.from("1")));
  return message.replace("json value does not fit the schema: ", "");
}

describe("the message for a value that does not fit", () => {
  it("names the first three places, and how many there are more", () => {
    const issues = ["a", "b", "c", "d", "e"].map((key) => ({ message: `bad ${key}`, path: [key] }));
    expect(messageOf(issues)).toBe("a: bad a; b: bad b; c: bad c; and 2 more");
    expect(messageOf(issues.slice(0, 3))).toBe("a: bad a; b: bad b; c: bad c");
    expect(messageOf([])).toBe("");
  });

  it("shows a place as it is written in code, from keys and from segments", () => {
    const path = ["a", { key: 0 }, "b c", { key: "d" }, Symbol("e"), 1];
    expect(messageOf([{ message: "bad", path }])).toBe('a[0]["b c"].d["Symbol(e)"][1]: bad');
    expect(messageOf([{ message: "bad", path: [] }])).toBe("bad");
    expect(messageOf([{ message: "bad" }])).toBe("bad");
  });

  it("is short and on one line, whatever keys and the library say", () => {
    const issue = { message: "x\n\u2028".repeat(1_000), path: ["k\n".repeat(1_000), "a"] };
    const message = messageOf([issue, issue, issue, issue]);
    expect(message.length).toBeLessThan(1_000);
    expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect(messageOf([{ message: "bad", path: ["k".repeat(10_000)] }]).length).toBeLessThan(150);
    const deep = Array.from({ length: 10_000 }, () => "a");
    expect(messageOf([{ message: "bad", path: deep }]).length).toBeLessThan(150);
  });
});

describe("a schema that answers later", () => {
  it("is refused at once where it says so itself", () => {
    const schema = v.objectAsync({ a: v.string() });
    for (const make of makers) {
      expect(refusal("MSG_INVALID_OPTION", () => make({ schema }))).toMatch(
        /^(cbor|json) schema is asynchronous: .* validate in the handler instead$/,
      );
    }
  });

  it("is refused with the first message otherwise, and its rejection is nobody's", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    try {
      const late = [
        z.string().refine(() => Promise.resolve(true)),
        z.string().transform((): never => {
          throw new Error("no");
        }),
        schemaOf(() => Promise.reject(new Error("no"))),
        schemaOf(() => Promise.resolve({ value: 1 })),
      ];
      for (const schema of late) {
        const codec = json({ schema });
        const decode = (): unknown => codec.decode(Buffer.from('"a"'));
        expect(refusal("MSG_DECODE_FAILED", decode)).toMatch(
          /^json schema gave a promise, as it is asynchronous or threw: .* in the handler instead$/,
        );
      }
      // Unhandled rejections are told before the next turn of the event loop.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
  });
});

describe("a schema that throws", () => {
  it("is the cause of the error", () => {
    const cause = new Error("no");
    const codec = validated(
      json(),
      schemaOf(() => {
        throw cause;
      }),
    );
    expect(() => codec.decode(Buffer.from("1"))).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_VALUE", cause }),
    );
  });

  it("because the value is deeper than its stack, is no crash", () => {
    interface Tree {
      readonly a: Tree | null;
    }
    const tree: v.GenericSchema<Tree> = v.object({ a: v.nullable(v.lazy(() => tree)) });
    const deep = '{"a":'.repeat(100_000) + "null" + "}".repeat(100_000);
    const codec = json({ schema: tree });
    expect(refusal("MSG_INVALID_VALUE", () => codec.decode(Buffer.from(deep)))).toBe(
      "json schema threw on a value",
    );
  });
});

describe("what is no Standard Schema", () => {
  const notSchemas: readonly unknown[] = [
    null,
    "a",
    {},
    () => true,
    { "~standard": null },
    { "~standard": { version: 2, vendor: "test", validate: () => ({ value: 1 }) } },
    { "~standard": { version: 1, vendor: "test" } },
  ];
  for (const [index, given] of notSchemas.entries()) {
    it(`is refused where the codec is made, as number ${index}`, () => {
      const schema = given as StandardSchemaV1;
      for (const make of [
        () => cbor({ schema }),
        () => json({ schema }),
        () => validated(text(), schema),
      ]) {
        expect(refusal("MSG_INVALID_OPTION", make)).toMatch(
          /^(cbor|json|text) schema must follow Standard Schema, version 1/,
        );
      }
    });
  }

  it("is not an absent one", () => {
    expect(() => cbor({ schema: undefined })).not.toThrow();
    expect(() => json({ schema: undefined })).not.toThrow();
  });
});

describe("validated", () => {
  it("wraps any codec, and keeps its name", () => {
    const port = validated(text(), z.string().regex(/^\d+$/).transform(Number));
    expect(port.name).toBe("text");
    expect(port.decode(port.encode("80"))).toBe(80);
    refusal("MSG_INVALID_VALUE", () => port.decode(port.encode("http")));
  });
});
