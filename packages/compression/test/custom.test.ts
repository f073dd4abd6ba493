import { MsgError } from "@msg-ts/core";
import { custom } from "@msg-ts/compression/custom";
import type { CustomOptions } from "@msg-ts/compression/custom";
import { bytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

const payload = bytes("616263");

/** One that reverses the bytes, with some things changed. */
function reversing(changes: Partial<CustomOptions> = {}) {
  return custom({
    id: 5,
    compress: (plain) => plain.toReversed(),
    decompress: (compressed) => compressed.toReversed(),
    ...changes,
  });
}

/** What is not of the declared type, as a program without types may give it. */
const untyped = (value: unknown): never => value as never;

describe("a custom compressor", () => {
  it("has the id and the name that it is given, or is called custom", () => {
    expect(reversing()).toMatchObject({ id: 5, name: "custom" });
    expect(reversing({ id: 6, name: "reverse" })).toMatchObject({ id: 6, name: "reverse" });
    expect(reversing({ name: undefined }).name).toBe("custom");
  });

  it("gives at once what its functions give at once", () => {
    const compressor = reversing();
    const compressed = compressor.compress(payload);
    expect(compressed).toEqual(bytes("636261"));
    expect(compressor.decompress(bytes("636261"), 3)).toEqual(payload);
  });

  it("gives later what its functions give later", async () => {
    const compressor = reversing({
      compress: async (plain) => plain.toReversed(),
      decompress: async (compressed) => compressed.toReversed(),
    });
    expect(hex(await compressor.compress(payload))).toBe("636261");
    expect(hex(await compressor.decompress(bytes("636261"), 3))).toBe("616263");
  });

  it("tells its function the limit", () => {
    const limits: number[] = [];
    const decompress = (compressed: Uint8Array, maxBytes: number): Uint8Array => {
      limits.push(maxBytes);
      return compressed;
    };
    expect(reversing({ decompress }).decompress(payload, 1000)).toBe(payload);
    expect(limits).toEqual([1000]);
  });

  it("may decompress to nothing, also when the limit is 0", () => {
    const decompressed = reversing().decompress(new Uint8Array(0), 0);
    expect(decompressed).toEqual(new Uint8Array(0));
  });

  it("keeps the functions that it was made with", () => {
    const options = {
      id: 5 as const,
      compress: (plain: Uint8Array) => plain.toReversed(),
      decompress: (compressed: Uint8Array) => compressed,
    };
    const compressor = custom(options);
    options.compress = () => new Uint8Array(0);
    expect(compressor.compress(payload)).toEqual(bytes("636261"));
  });
});

describe("the options of custom", () => {
  for (const id of [0, 1, 4, 7, 5.5, Number.NaN, "5"]) {
    it(`refuse an id of ${JSON.stringify(id)} or ${id}, naming it and its limits`, () => {
      expect(() => reversing({ id: untyped(id) })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: expect.stringMatching(/^custom id is .*, must be a whole number, 5 to 6$/),
        }),
      );
    });
  }

  for (const [name, shown] of [
    ["", "empty"],
    [7, "number"],
    [{}, "object"],
  ] as const) {
    it(`refuse a name of ${JSON.stringify(name)}`, () => {
      expect(() => reversing({ name: untyped(name) })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: `custom name is ${shown}, must be a text of one or more characters`,
        }),
      );
    });
  }

  for (const which of ["compress", "decompress"] as const) {
    it(`refuse a ${which} that is no function`, () => {
      for (const value of [undefined, null, "gzip", {}]) {
        expect(() => reversing({ [which]: untyped(value) })).toThrow(
          expect.objectContaining({
            code: "MSG_INVALID_OPTION",
            message: `custom ${which} is ${typeof value}, must be a function`,
          }),
        );
      }
    });
  }
});

const directions = [
  { which: "compress", code: "MSG_COMPRESS_FAILED" },
  { which: "decompress", code: "MSG_DECOMPRESS_FAILED" },
] as const;

for (const { which, code } of directions) {
  /** What comes of a function for this direction, thrown or rejected. */
  const outcome = async (change: () => unknown): Promise<Uint8Array> => {
    const compressor = reversing({ [which]: untyped(change) });
    return which === "compress"
      ? compressor.compress(payload)
      : compressor.decompress(payload, 100);
  };

  describe(`a custom ${which}`, () => {
    const cause = new Error("no");

    it(`fails with ${code} and the error as its cause when it throws, at once`, () => {
      const throwing = (): never => {
        throw cause;
      };
      const compressor = reversing({ name: "reverse", [which]: throwing });
      expect(() =>
        which === "compress" ? compressor.compress(payload) : compressor.decompress(payload, 100),
      ).toThrow(expect.objectContaining({ code, cause, message: `reverse could not ${which}` }));
    });

    it(`fails with ${code} and the error as its cause when it rejects`, async () => {
      await expect(outcome(() => Promise.reject(cause))).rejects.toMatchObject({ code, cause });
    });

    it("fails with its own MsgError, thrown or rejected", async () => {
      const error = new MsgError("MSG_PAYLOAD_TOO_LARGE", "too much of it");
      const throwing = (): never => {
        throw error;
      };
      await expect(outcome(throwing)).rejects.toBe(error);
      await expect(outcome(() => Promise.reject(error))).rejects.toBe(error);
    });

    for (const [value, shown] of [
      [undefined, "undefined"],
      [null, "null"],
      ["abc", "string"],
      [[1, 2], "object"],
      [new ArrayBuffer(2), "object"],
      [new Uint16Array(2), "object"],
    ] as const) {
      it(`fails with ${code} when it gives ${Object.prototype.toString.call(value)}`, async () => {
        const message = `${which} gave ${shown}, must be a Uint8Array`;
        const failure = { code, cause: expect.objectContaining({ message }) };
        await expect(outcome(() => value)).rejects.toMatchObject(failure);
        await expect(outcome(async () => value)).rejects.toMatchObject(failure);
      });
    }
  });
}

describe("a custom compress", () => {
  it("fails when it gives no bytes, which no receiver would take", async () => {
    for (const result of [new Uint8Array(0), Promise.resolve(new Uint8Array(0))]) {
      const call = async () => reversing({ compress: () => result }).compress(payload);
      await expect(call()).rejects.toMatchObject({
        code: "MSG_COMPRESS_FAILED",
        cause: expect.objectContaining({ message: "compress gave no bytes" }),
      });
    }
  });
});

describe("a custom decompress over the limit", () => {
  const refusal = {
    code: "MSG_PAYLOAD_TOO_LARGE",
    message: "payload decompresses to over 2 bytes, maxMessageBytes is 2",
  };

  it("is refused when it gives more than the limit, at once or later", async () => {
    expect(() => reversing().decompress(payload, 2)).toThrow(expect.objectContaining(refusal));
    const later = reversing({ decompress: async (compressed) => compressed });
    await expect(later.decompress(payload, 2)).rejects.toMatchObject(refusal);
    expect(reversing().decompress(payload, 3)).toEqual(bytes("636261"));
  });

  it("is refused when it fails with what node:zlib throws past maxOutputLength", async () => {
    const error = Object.assign(new RangeError("too large"), { code: "ERR_BUFFER_TOO_LARGE" });
    const throwing = (): never => {
      throw error;
    };
    for (const decompress of [throwing, () => Promise.reject(error)]) {
      const call = async () => reversing({ decompress }).decompress(payload, 2);
      await expect(call()).rejects.toMatchObject(refusal);
    }
  });
});
