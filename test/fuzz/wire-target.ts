import { isDeepStrictEqual } from "node:util";
import type { NaiveRole } from "@msg-ts/testing";
import { joinBytes, naiveDecode } from "@msg-ts/testing";
import { asTold, decodePieces } from "../../packages/core/test/wire/decode-stream.ts";
import type { Case, Target } from "./case.ts";
import { mutated } from "./mutations.ts";
import type { Random } from "./random.ts";
import { anyStream, cut, editStream, maxMessageBytes, roles } from "./stream-inputs.ts";

/** What may end a stream. */
const refusals = {
  REQ: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE"],
  REP: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE", "MSG_WRONG_SOCKET_TYPE"],
  PUB: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE", "MSG_WRONG_SOCKET_TYPE"],
  SUB: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE"],
  PUSH: ["MSG_PROTOCOL"],
  PULL: ["MSG_PROTOCOL", "MSG_PAYLOAD_TOO_LARGE"],
} as const;

/** The decoder of each role: told as the oracle tells it, however the stream is cut. */
export const wireTargets: readonly Target[] = roles.map((role) => ({
  name: `wire ${role.toLowerCase()}`,
  refusals: refusals[role],
  open: async () => ({
    makeCase: (random: Random) => {
      const { input, how } = streamInput(random, () => anyStream(role, random));
      return { ...caseOf(role, input), how };
    },
    caseOf: (input: Uint8Array) => caseOf(role, input),
    editLength: editStream,
  }),
}));

/** The first byte says how the rest is cut. */
function caseOf(role: NaiveRole, input: Uint8Array): Case {
  const stream = input.subarray(1);
  let told: ReturnType<typeof decodePieces> | undefined;
  const judge = (): string | undefined => {
    const expected = asTold(naiveDecode(stream, { role, maxMessageBytes }));
    const actual = { frames: told?.frames, code: told?.error?.code };
    return isDeepStrictEqual(actual, expected) ? undefined : difference(actual, expected);
  };
  return {
    how: "given",
    input,
    take: () => {
      told = decodePieces(role, cut(stream, input[0] ?? 0), { maxMessageBytes });
      if (told.error !== undefined) throw told.error;
      return told;
    },
    wrongResult: judge,
    wrongRefusal: judge,
  };
}

/** A stream with the byte before it that says how it is cut, most of them damaged. */
export function streamInput(
  random: Random,
  make: () => Uint8Array,
): { readonly input: Uint8Array; readonly how: string } {
  const cutBy = Uint8Array.of(random.oneIn(4) ? 0 : random.below(256));
  if (random.oneIn(16))
    return { input: joinBytes([cutBy, random.bytes(random.small(300))]), how: "random" };
  const stream = make();
  if (random.oneIn(3)) return { input: joinBytes([cutBy, stream]), how: "made" };
  const { payload, how } = mutated(stream, random, make, editStream);
  return { input: joinBytes([cutBy, payload.subarray(0, 20_000)]), how: how.join(", ") };
}

/** Where what was told first differs from what the oracle tells. */
export function difference(actual: unknown, expected: unknown): string {
  const [told, wanted] = [asText(actual), asText(expected)];
  let at = 0;
  while (at < told.length && told[at] === wanted[at]) at++;
  const from = Math.max(0, at - 60);
  return `told ${told.slice(from, at + 100)}, the oracle ${wanted.slice(from, at + 100)}`;
}

function asText(value: unknown): string {
  return JSON.stringify(value, shownBytes) ?? "nothing";
}

function shownBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}
