/** Numbers from a seed, the same ones on every machine. */
export type Random = (below: number) => number;

/** A xorshift generator. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

/** First bytes of items that a reader may stumble over. */
const heads = [
  0x1b, 0x3b, 0x40, 0x58, 0x5b, 0x5f, 0x60, 0x6f, 0x78, 0x7b, 0x7f, 0x80, 0x98, 0x9b, 0x9f, 0xa0,
  0xb8, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc6, 0xd8, 0xd9, 0xdb, 0xe0, 0xf8, 0xf9, 0xfb, 0xff,
];

const maxDepth = 4;

/** One well-formed item, mostly of what is let pass. */
export function randomItem(random: Random, depth = 0): number[] {
  const kind = depth === maxDepth ? random(3) : random(8);
  if (kind === 0) return randomNumber(random);
  if (kind === 1) return randomText(random);
  if (kind === 2) return randomTagged(random, depth);
  const count = random(4);
  const isEndless = random(3) === 0;
  const isMap = kind > 5;
  const items = Array.from({ length: count }, () => [
    ...(isMap ? randomText(random) : []),
    ...randomItem(random, depth + 1),
  ]).flat();
  const type = isMap ? 0xa0 : 0x80;
  return isEndless ? [type + 31, ...items, 0xff] : [type + count, ...items];
}

function randomNumber(random: Random): number[] {
  const head = [0x00, 0x20, 0xe0][random(3)] ?? 0;
  if (head === 0xe0 && random(2) === 0) return [0xf4 + random(4)];
  if (head !== 0xe0 && random(2) === 0) return [head + random(24)];
  const size = head === 0xe0 ? 1 + random(3) : random(4);
  return [head + 24 + size, ...randomBytes(random, 1 << size)];
}

function randomText(random: Random): number[] {
  const texts = ["", "a", "\u00fc\u6c34\u{10151}", "[object Object]", "__proto", "length"];
  const text = random(3) === 0 ? "x".repeat(random(24)) : (texts[random(texts.length)] ?? "");
  const utf8 = [...new TextEncoder().encode(text)];
  return random(4) === 0 ? [0x78, utf8.length, ...utf8] : [0x60 + utf8.length, ...utf8];
}

function randomTagged(random: Random, depth: number): number[] {
  const length = random(3) * 8;
  const content = [0x40 + length, ...randomBytes(random, length)];
  switch (random(6)) {
    case 0:
      return [0xc1, 0x1a, ...randomBytes(random, 4)];
    case 1:
      return [0xc2 + random(2), ...content];
    case 2:
      return [0xd9, 0x01, 0x02, 0x82, 0x01, ...randomNumber(random)];
    case 3:
      if (depth === maxDepth) return content;
      return [0xd9, 0x01, 0x03, 0xa1, ...randomItem(random, depth + 1), ...randomNumber(random)];
    case 4:
      return [0xd8, 64 + random(24), ...content];
    default:
      return content;
  }
}

function randomBytes(random: Random, length: number): number[] {
  return Array.from({ length }, () => random(256));
}

/** Changes, inserts or removes a few bytes. */
export function mutate(bytes: number[], random: Random): Uint8Array {
  for (let left = random(4); left > 0; left--) {
    const at = random(bytes.length);
    const head = heads[random(heads.length)] ?? 0;
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = head;
    else if (kind === 2) bytes.splice(at, 1);
    else bytes.splice(at, 0, head);
  }
  return Uint8Array.from(bytes);
}
