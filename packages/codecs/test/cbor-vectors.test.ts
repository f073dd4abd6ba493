import { cbor } from "@msg-ts/codecs/cbor";
import { bytes } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { naiveCbor } from "./naive-cbor.ts";

const oneTo25 = Array.from({ length: 25 }, (_, index) => index + 1);

/** RFC 8949, appendix A: what each payload stands for. */
const values: readonly (readonly [hex: string, value: unknown])[] = [
  ["00", 0],
  ["01", 1],
  ["0a", 10],
  ["17", 23],
  ["1818", 24],
  ["1819", 25],
  ["1864", 100],
  ["1903e8", 1000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000n],
  ["1bffffffffffffffff", 18_446_744_073_709_551_615n],
  ["c249010000000000000000", 18_446_744_073_709_551_616n],
  ["3bffffffffffffffff", -18_446_744_073_709_551_616n],
  ["c349010000000000000000", -18_446_744_073_709_551_617n],
  ["20", -1],
  ["29", -10],
  ["3863", -100],
  ["3903e7", -1000],
  ["f90000", 0],
  ["f98000", -0],
  ["f93c00", 1],
  ["fb3ff199999999999a", 1.1],
  ["f93e00", 1.5],
  ["f97bff", 65_504],
  ["fa47c35000", 100_000],
  ["fa7f7fffff", 3.402_823_466_385_288_6e38],
  ["fb7e37e43c8800759c", 1e300],
  ["f90001", 5.960_464_477_539_063e-8],
  ["f90400", 0.000_061_035_156_25],
  ["f9c400", -4],
  ["fbc010666666666666", -4.1],
  ["f97c00", Infinity],
  ["f97e00", Number.NaN],
  ["f9fc00", -Infinity],
  ["fa7f800000", Infinity],
  ["fa7fc00000", Number.NaN],
  ["faff800000", -Infinity],
  ["fb7ff0000000000000", Infinity],
  ["fb7ff8000000000000", Number.NaN],
  ["fbfff0000000000000", -Infinity],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["f7", undefined],
  ["c074323031332d30332d32315432303a30343a30305a", new Date("2013-03-21T20:04:00Z")],
  ["c11a514b67b0", new Date(1_363_896_240_000)],
  ["c1fb41d452d9ec200000", new Date(1_363_896_240_500)],
  ["40", new Uint8Array(0)],
  ["4401020304", Uint8Array.of(1, 2, 3, 4)],
  ["60", ""],
  ["6161", "a"],
  ["6449455446", "IETF"],
  ["62225c", '"\\'],
  ["62c3bc", "\u00fc"],
  ["63e6b0b4", "\u6c34"],
  ["64f0908591", "\ud800\udd51"],
  ["80", []],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["98190102030405060708090a0b0c0d0e0f101112131415161718181819", oneTo25],
  ["a0", {}],
  ["a201020304", { "1": 2, "3": 4 }],
  ["a26161016162820203", { a: 1, b: [2, 3] }],
  ["826161a161626163", ["a", { b: "c" }]],
  ["a56161614161626142616361436164614461656145", { a: "A", b: "B", c: "C", d: "D", e: "E" }],
  ["9fff", []],
  ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
  ["9f01820203820405ff", [1, [2, 3], [4, 5]]],
  ["83018202039f0405ff", [1, [2, 3], [4, 5]]],
  ["83019f0203ff820405", [1, [2, 3], [4, 5]]],
  ["9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", oneTo25],
  ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
  ["826161bf61626163ff", ["a", { b: "c" }]],
  ["bf6346756ef563416d7421ff", { Fun: true, Amt: -2 }],
];

/** RFC 8949, appendix A: what is refused, as the README says. */
const refused: readonly (readonly [hex: string, message: string])[] = [
  ["f0", "cbor payload has the unknown simple value 16 at byte 0"],
  ["f8ff", "cbor payload has the unknown simple value 255 at byte 0"],
  ["d74401020304", "cbor payload has tag 23, which is not read, at byte 0"],
  ["d818456449455446", "cbor payload has tag 24, which is not read, at byte 0"],
  [
    "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
    "cbor payload has tag 32, which is not read, at byte 0",
  ],
  ["5f42010243030405ff", "cbor payload has text or bytes in pieces without a length at byte 0"],
  [
    "7f657374726561646d696e67ff",
    "cbor payload has text or bytes in pieces without a length at byte 0",
  ],
];

/** RFC 8949, appendix F: payloads that are not well-formed. */
const malformed = `
  18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000
  41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203
  81 818181818181818181 8200 a1 a20102 a100 a2000000 c0
  5f4100 7f6100 9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff
  1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe
  f800 f801 f818 f81f 5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff
  5f5f4100ffff 7f7f6100ffff ff 81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff
  9f829f819f9fffffffff bf00ff bf000000ff 1f 3f df
`;

describe("of the payloads in appendix A of RFC 8949", () => {
  for (const [hex, value] of values) {
    it(`${hex} is read`, () => {
      expect(cbor().decode(bytes(hex))).toStrictEqual(value);
      expect(naiveCbor(bytes(hex))).toStrictEqual(value);
    });
  }

  for (const [hex, message] of refused) {
    it(`${hex} is refused, saying why`, () => {
      expect(() => cbor().decode(bytes(hex))).toThrow(
        expect.objectContaining({ code: "MSG_DECODE_FAILED", message }),
      );
    });
  }
});

describe("what appendix F of RFC 8949 says is not well-formed", () => {
  for (const hex of malformed.trim().split(/\s+/)) {
    it(`${hex} is refused`, () => {
      expect(() => cbor().decode(bytes(hex))).toThrow(
        expect.objectContaining({ code: "MSG_DECODE_FAILED" }),
      );
    });
  }
});

/** What cbor2 6.2.1 of Python writes. */
const ofPython: readonly (readonly [python: string, hex: string, value: unknown])[] = [
  ["1700000000000", "1b0000018bcfe56800", 1_700_000_000_000n],
  ["-2**40", "3b000000ffffffffff", -1_099_511_627_776n],
  ["2**70", "c249400000000000000000", 2n ** 70n],
  ["(1, 2)", "820102", [1, 2]],
  ["{1: 'a', -2: 'b'}", "a2016161216162", { "1": "a", "-2": "b" }],
  ["frozenset([1])", "d901028101", new Set([1])],
  [
    "datetime(2024, 8, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)",
    "c0781b323032342d30382d30315431323a30303a30302e3132333435365a",
    new Date("2024-08-01T12:00:00.123Z"),
  ],
  [
    "datetime(2024, 8, 1, tzinfo=timezone(timedelta(hours=2)))",
    "c07819323032342d30382d30315430303a30303a30302b30323a3030",
    new Date("2024-07-31T22:00:00Z"),
  ],
  ["the same as a timestamp", "c1fb41d9aade3007e6b4", new Date("2024-08-01T12:00:00.123Z")],
];

const refusedOfPython: readonly (readonly [python: string, hex: string, reason: string])[] = [
  ["{True: 1}", "a1f501", "a key that is neither text nor an integer"],
  ["Decimal('1.1')", "c482200b", "tag 4"],
  ["UUID(int=5)", "d8255000000000000000000000000000000005", "tag 37"],
  ["Fraction(1, 3)", "d81e820103", "tag 30"],
  ["re.compile('a')", "d8236161", "tag 35"],
  ["ip_address('1.2.3.4')", "d8344401020304", "tag 52"],
  ["date(2024, 8, 1)", "d903ec6a323032342d30382d3031", "tag 1004"],
  ["[1], with value sharing", "d81c8101", "tag 28"],
];

describe("of what Python writes", () => {
  for (const [python, hex, value] of ofPython) {
    it(`${python} is read`, () => {
      expect(cbor().decode(bytes(hex))).toStrictEqual(value);
    });
  }

  for (const [python, hex, reason] of refusedOfPython) {
    it(`${python} is refused, saying why`, () => {
      expect(() => cbor().decode(bytes(hex))).toThrow(`cbor payload has ${reason}`);
    });
  }
});
