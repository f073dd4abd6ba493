/** One value, as both languages write it. */
export interface SharedValue {
  readonly name: string;
  /** An expression of Python. */
  readonly python: string;
  readonly value: unknown;
  /** Which way it goes. @defaultValue both */
  readonly only?: "read by us" | "read by the other";
  /** How Python is to encode it. */
  readonly settings?: Readonly<Record<string, boolean>>;
}

/** A value that one side encodes, and ours refuses. */
export interface RefusedValue {
  readonly name: string;
  readonly python: string;
  readonly settings?: Readonly<Record<string, boolean>>;
}

/** A value that ours does not encode. */
export interface UnsentValue {
  readonly name: string;
  readonly value: unknown;
}

/** Edges of what CBOR writes in 1, 2, 3 and 5 bytes. */
const smallIntegers = [
  0,
  1,
  10,
  23,
  24,
  25,
  100,
  127,
  128,
  255,
  256,
  1000,
  32_767,
  32_768,
  65_535,
  65_536,
  1_000_000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** Integers that a number can hold, in 9 bytes. */
const largeIntegers = [2 ** 32, 1e12, 2 ** 53 - 2];

/** What fits into 64 bits, or into 65 with the sign, but not into a number. */
const bigIntegers = [2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
const bignums = [2n ** 64n, 2n ** 64n + 1n, 2n ** 100n, 2n ** 1000n, 2n ** 8192n - 1n];

function same(value: number | bigint): SharedValue {
  const text = String(value);
  return { name: text.length > 40 ? `${text.slice(0, 40)}...` : text, python: text, value };
}

/** -1 - n, which CBOR has as n: the edges of the negative integers are those. */
function negative(value: number | bigint): number | bigint {
  return typeof value === "bigint" ? -1n - value : -1 - value;
}

/** Behind 32 bits the two kinds of numbers part: a number is sent as a float, an integer comes as a bigint. */
function parting(value: number): readonly SharedValue[] {
  const python = String(value);
  return [
    { name: `${python}, an integer there`, python, value: BigInt(value) },
    { name: `${python}, a number here`, python: `${python}.0`, value },
  ];
}

const integers: readonly SharedValue[] = [
  ...[...smallIntegers, ...bigIntegers, ...bignums].flatMap((value) => [
    same(value),
    same(negative(value)),
  ]),
  ...largeIntegers.flatMap((value) => [...parting(value), ...parting(-1 - value)]),
];

const floats: readonly SharedValue[] = [
  { name: "half", python: "1.5", value: 1.5 },
  { name: "pi", python: "math.pi", value: Math.PI },
  { name: "a third, negative", python: "-1/3", value: -1 / 3 },
  { name: "the largest", python: "1.7976931348623157e308", value: Number.MAX_VALUE },
  { name: "the smallest", python: "5e-324", value: 5e-324 },
  { name: "single", python: "0.10000000149011612", value: Math.fround(0.1) },
  { name: "infinity", python: "math.inf", value: Infinity },
  { name: "minus infinity", python: "-math.inf", value: -Infinity },
  { name: "no number", python: "math.nan", value: Number.NaN },
  { name: "minus zero", python: "-0.0", value: -0, only: "read by us" },
  {
    name: "minus zero, which is written as zero",
    python: "0",
    value: -0,
    only: "read by the other",
  },
  { name: "one as a float", python: "1.0", value: 1, only: "read by us" },
  { name: "2^53 as a float", python: "2.0**53", value: 2 ** 53, only: "read by us" },
];

/** Python takes the shortest form of a float then, half and single ones among them. */
const shortFloats: readonly SharedValue[] = floats
  .filter(({ only }) => only !== "read by the other")
  .map((each) => ({
    ...each,
    name: `${each.name}, canonical`,
    only: "read by us",
    settings: { canonical: true },
  }));

const longText = "ä€𝄞 ".repeat(20_000);

const texts: readonly SharedValue[] = [
  { name: "no text", python: '""', value: "" },
  { name: "ASCII", python: '"hello"', value: "hello" },
  { name: "umlauts", python: '"grüße"', value: "grüße" },
  { name: "Chinese", python: '"漢字"', value: "漢字" },
  { name: "outside the first plane", python: '"🎉𝄞"', value: "🎉𝄞" },
  { name: "control characters", python: '"a\\0b\\n\\x7f"', value: "a\0b\n\u007f" },
  { name: "a byte order mark", python: '"\\ufeffx"', value: "\uFEFFx" },
  {
    name: "a byte order mark and much",
    python: '"\\ufeff" + "x" * 1000',
    value: `\uFEFF${"x".repeat(1000)}`,
  },
  { name: "23 characters", python: '"a" * 23', value: "a".repeat(23) },
  { name: "24 characters", python: '"a" * 24', value: "a".repeat(24) },
  { name: "300 characters", python: '"ä" * 300', value: "ä".repeat(300) },
  { name: "80,000 characters", python: '"ä€𝄞 " * 20000', value: longText },
];

const someBytes = Uint8Array.from({ length: 70_000 }, (_, at) => at % 256);

const byteStrings: readonly SharedValue[] = [
  { name: "no bytes", python: 'b""', value: new Uint8Array(0) },
  { name: "bytes", python: 'b"\\x00\\xff\\x80"', value: Uint8Array.of(0, 255, 128) },
  { name: "256 bytes", python: "bytes(range(256))", value: someBytes.slice(0, 256) },
  { name: "70,000 bytes", python: "bytes(i % 256 for i in range(70000))", value: someBytes },
];

const simple: readonly SharedValue[] = [
  { name: "true", python: "True", value: true },
  { name: "false", python: "False", value: false },
  { name: "null", python: "None", value: null },
  { name: "undefined", python: "cbor2.undefined", value: undefined },
];

const nested = { a: { b: [{ c: [] }, { d: {} }, [[[1]]]] }, "": null, "ä b": true };

const collections: readonly SharedValue[] = [
  { name: "no items", python: "[]", value: [] },
  { name: "items", python: '[1, "two", 3.5, None, [True]]', value: [1, "two", 3.5, null, [true]] },
  { name: "23 items", python: "list(range(23))", value: Array.from({ length: 23 }, (_, at) => at) },
  {
    name: "300 items",
    python: "list(range(300))",
    value: Array.from({ length: 300 }, (_, at) => at),
  },
  { name: "70,000 items", python: "[7] * 70000", value: Array.from({ length: 70_000 }, () => 7) },
  { name: "no keys", python: "{}", value: {} },
  { name: "keys", python: '{"id": 1, "name": "x"}', value: { id: 1, name: "x" } },
  {
    name: "nested maps",
    python: '{"a": {"b": [{"c": []}, {"d": {}}, [[[1]]]]}, "": None, "ä b": True}',
    value: nested,
  },
  {
    name: "300 keys",
    python: '{"key %d" % i: i for i in range(300)}',
    value: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`key ${at}`, at])),
  },
  {
    name: "keys that JavaScript knows",
    python: '{"constructor": 1, "toString": 2, "length": 3}',
    value: { constructor: 1, toString: 2, length: 3 },
  },
  { name: "60 deep", python: 'eval("[" * 60 + "]" * 60)', value: nestedArrays(60) },
  // An object's keys are text: integers become that.
  {
    name: "integer keys",
    python: '{1: "a", -2: "b"}',
    value: { 1: "a", "-2": "b" },
    only: "read by us",
  },
  {
    name: "a Map, which is written with a tag",
    python: 'cbor2.CBORTag(259, {1: "a", "b": [2]})',
    value: new Map<unknown, unknown>([
      [1, "a"],
      ["b", [2]],
    ]),
  },
];

const tagged: readonly SharedValue[] = [
  {
    name: "a date as text, tag 0",
    python: "datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)",
    value: new Date("2023-11-14T22:13:20Z"),
  },
  {
    name: "a date as seconds, tag 1",
    python: "datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)",
    value: new Date("2023-11-14T22:13:20Z"),
    settings: { datetime_as_timestamp: true },
  },
  {
    name: "a date with a fraction, as text",
    python: "datetime.datetime(2023, 11, 14, 22, 13, 20, 250000, tzinfo=datetime.timezone.utc)",
    value: new Date("2023-11-14T22:13:20.250Z"),
  },
  {
    name: "a date with a fraction, as seconds",
    python: "datetime.datetime(2023, 11, 14, 22, 13, 20, 250000, tzinfo=datetime.timezone.utc)",
    value: new Date("2023-11-14T22:13:20.250Z"),
    settings: { datetime_as_timestamp: true },
  },
  {
    name: "a date before 1970",
    python: "datetime.datetime(1901, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)",
    value: new Date("1901-02-03T04:05:06Z"),
  },
  {
    name: "a date of another zone",
    python:
      "datetime.datetime(2023, 11, 15, 3, 43, 20, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))",
    value: new Date("2023-11-14T22:13:20Z"),
    only: "read by us",
  },
  { name: "a set", python: '{1, 2, "three"}', value: new Set([1, 2, "three"]) },
  { name: "no members", python: "set()", value: new Set() },
  {
    name: "doubles, tag 86",
    python: 'cbor2.CBORTag(86, struct.pack("<3d", 1.5, -2.0, 1e300))',
    value: Float64Array.of(1.5, -2, 1e300),
  },
  {
    name: "u16, tag 69",
    python: 'cbor2.CBORTag(69, struct.pack("<3H", 1, 2, 65535))',
    value: Uint16Array.of(1, 2, 65_535),
  },
  {
    name: "i32, tag 78",
    python: 'cbor2.CBORTag(78, struct.pack("<2i", -1, 2147483647))',
    value: Int32Array.of(-1, 2_147_483_647),
  },
  {
    name: "the mark of CBOR, tag 55799",
    python: 'cbor2.CBORTag(55799, {"a": 1})',
    value: { a: 1 },
    only: "read by us",
  },
];

/** Values that both sides have. */
export const sharedValues: readonly SharedValue[] = [
  ...integers,
  ...floats,
  ...shortFloats,
  ...texts,
  ...byteStrings,
  ...simple,
  ...collections,
  ...tagged,
];

/** What Python encodes and ours refuses to read, by design: packages/codecs/README.md. */
export const refusedValues: readonly RefusedValue[] = [
  { name: "a bignum of 1,025 bytes", python: "2**8192" },
  { name: "a negative bignum of 1,025 bytes", python: "-2**8192 - 1" },
  { name: "a decimal, tag 4", python: 'decimal.Decimal("1.1")' },
  { name: "a bigfloat, tag 5", python: "cbor2.CBORTag(5, [-1, 3])" },
  { name: "a fraction, tag 30", python: "fractions.Fraction(1, 3)" },
  { name: "a regular expression, tag 35", python: 're.compile("a+")' },
  { name: "a UUID, tag 37", python: "uuid.UUID(int=1)" },
  { name: "an IP address, tag 260", python: 'ipaddress.ip_address("127.0.0.1")' },
  { name: "a day, tag 100", python: "cbor2.CBORTag(100, 19675)" },
  { name: "an unknown tag", python: 'cbor2.CBORTag(4000, "x")' },
  { name: "a tag of 8 bytes", python: 'cbor2.CBORTag(2**40, "x")' },
  { name: "a tag on another tag", python: "cbor2.CBORTag(258, cbor2.CBORTag(258, [1]))" },
  {
    name: "a shared value, tags 28 and 29",
    python: "[[1]] * 2",
    settings: { value_sharing: true },
  },
  { name: "an unknown simple value", python: "cbor2.CBORSimpleValue(99)" },
  { name: "an unassigned simple value", python: "cbor2.CBORSimpleValue(3)" },
  { name: "the key __proto__", python: '{"__proto__": {"isAdmin": True}}' },
  { name: "bytes as a key", python: '{b"a": 1}' },
  { name: "a tuple as a key", python: "{(1, 2): 3}" },
  { name: "a float as a key", python: "{1.5: 1}" },
  { name: "a boolean as a key", python: "{True: 1}" },
  { name: "65 deep", python: 'eval("[" * 65 + "]" * 65)' },
  { name: "more than a million values", python: "[0] * 1000000" },
  { name: "a date that no Date can be", python: "cbor2.CBORTag(1, 1e300)" },
  { name: "a date that is no text", python: "cbor2.CBORTag(0, 5)" },
  { name: "an odd number of bytes for u16", python: 'cbor2.CBORTag(69, b"abc")' },
];

/** What ours refuses to encode. */
export const unsentValues: readonly UnsentValue[] = [
  { name: "a bignum of 1,025 bytes", value: 2n ** 8192n },
  { name: "a function", value: () => 1 },
  { name: "a symbol", value: [Symbol("x")] },
  { name: "an error", value: new Error("x") },
  { name: "a regular expression", value: /a+/ },
  { name: "an invalid date", value: new Date(Number.NaN) },
  { name: "a lone surrogate", value: "\uD800" },
  { name: "65 deep", value: nestedArrays(65) },
  { name: "an array that contains itself", value: cyclic() },
  { name: "more than a million values", value: Array.from({ length: 1_000_000 }, () => 0) },
];

function nestedArrays(depth: number): unknown {
  let value: unknown[] = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

function cyclic(): unknown {
  const value: unknown[] = [];
  value.push(value);
  return value;
}
