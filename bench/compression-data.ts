/** The plain bytes that compressors are measured on: the same on every machine, made from a seed. */

/** What the bytes are. */
export type DataKind = "json" | "text" | "random";

/** Every kind, in the order of the tables. */
export const dataKinds: readonly DataKind[] = ["json", "text", "random"];

/** How many bytes one kind has in all: more than most caches, so that each call meets new ones. */
const totalBytes = 4 * 1024 * 1024;

const seed = 20_240_817;

/** Numbers from 0 to below 1, the same for the same seed. */
type Random = () => number;

const makers: Readonly<Record<DataKind, (length: number, random: Random) => Uint8Array>> = {
  json: (length, random) => filled(length, recordMaker(random)),
  text: (length, random) => filled(length, sentenceMaker(random)),
  random: randomBytes,
};

/** Payloads of one size, all different, cut from 4 MiB without regard to where a record ends. */
export function payloadsOf(kind: DataKind, sizeBytes: number): readonly Uint8Array[] {
  const bytes = makers[kind](totalBytes, mulberry32(seed));
  const payloads: Uint8Array[] = [];
  for (let start = 0; start + sizeBytes <= bytes.length; start += sizeBytes) {
    payloads.push(bytes.subarray(start, start + sizeBytes));
  }
  return payloads;
}

/** The generator of that name: 32 bits of state, good enough that no compressor finds a pattern. */
function mulberry32(start: number): Random {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function filled(length: number, next: () => string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let end = 0; end < length;) end += bytes.write(next(), end);
  return bytes;
}

function randomBytes(length: number, random: Random): Uint8Array {
  const words = new Uint32Array(length / 4);
  for (let at = 0; at < words.length; at++) words[at] = random() * 2 ** 32;
  return new Uint8Array(words.buffer);
}

function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** One of them, each as likely as the others. */
function oneOf(random: Random, values: readonly string[]): string {
  return values[whole(random, values.length)] ?? "";
}

const symbols = ["BTC-EUR", "ETH-EUR", "BTC-USD", "ETH-USD", "SOL-EUR", "ADA-USD", "XRP-EUR"];
const states = ["new", "open", "partly filled", "filled", "cancelled"];
const venues = ["north", "south", "west"];

/** Orders, one JSON object a line: ids and times that count up, names that recur, random digits. */
function recordMaker(random: Random): () => string {
  let id = 81_000_000;
  let timeMs = Date.UTC(2024, 7, 17);
  return () => {
    id += 1 + whole(random, 9);
    timeMs += whole(random, 400);
    const record = {
      id,
      time: new Date(timeMs).toISOString(),
      reference: whole(random, 2 ** 48).toString(16),
      account: `acc-${whole(random, 50_000)}`,
      symbol: oneOf(random, symbols),
      side: random() < 0.5 ? "buy" : "sell",
      price: whole(random, 9_000_000) / 100,
      quantity: whole(random, 100_000) / 1_000,
      state: oneOf(random, states),
      venue: oneOf(random, venues),
      note: random() < 0.1 ? `checked by desk ${whole(random, 40)}` : null,
    };
    return `${JSON.stringify(record)}\n`;
  };
}

/** The commonest words of English, roughly in order; rarer ones are made of syllables. */
const commonWords =
  "the of and to a in is that it was for on as with he be at by had not but from his this they or an she which you we all one her would there their will when who has more no if out so up into than them can only other time new some could these two may then do first any my now such like our over me even most made after also did many before must through".split(
    " ",
  );
const syllables =
  "ba bel con da der di en er es fa for ga ge hal il im in ka kin la le lin lo ma men mi mo na ne nor on or pa per po ra re ri ro sa sen si so sta ta ter ti to tra tur un va ver vi wa wen".split(
    " ",
  );
const wordCount = 6_000;

function wordList(random: Random): readonly string[] {
  const words = new Set(commonWords);
  while (words.size < wordCount) {
    let word = "";
    for (let left = 2 + whole(random, 3); left > 0; left--) word += oneOf(random, syllables);
    words.add(word);
  }
  return [...words];
}

/** Words by rank as in real text: the n-th is about 1/n as frequent as the first. */
function wordMaker(random: Random): () => string {
  const words = wordList(random);
  const sums: number[] = [];
  for (let rank = 1; rank <= words.length; rank++) sums.push((sums.at(-1) ?? 0) + 1 / (rank + 2));
  const total = sums.at(-1) ?? 0;
  return () => {
    const wanted = random() * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return words[low] ?? "";
  };
}

/** Sentences of 5 to 24 words, a comma behind some, a new line behind every seventh or so. */
function sentenceMaker(random: Random): () => string {
  const word = wordMaker(random);
  return () => {
    const first = word();
    let text = (first[0] ?? "").toUpperCase() + first.slice(1);
    for (let left = 4 + whole(random, 20); left > 0; left--) {
      text += `${random() < 0.08 ? "," : ""} ${word()}`;
    }
    return `${text}.${random() < 0.15 ? "\n" : " "}`;
  };
}
