import fc from "fast-check";

/** Letters of one to four bytes in UTF-8, those that formats escape, and a byte order mark. */
const letters = ["a", "z", " ", "\u0000", '"', "\\", "[", ",", "\u00fc", "\u6c34", "\u{10151}"];

/** Well-formed text of all kinds of letters. */
export const arbitraryText: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(...letters, "\ufeff"),
  maxLength: 100,
});

/** Any value of JSON, without -0 and the key `__proto__`. */
export const arbitraryJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1.5, 2 ** 32, -(2 ** 31), 1e300),
    fc.integer(),
    arbitraryText,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(arbitraryText, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;
