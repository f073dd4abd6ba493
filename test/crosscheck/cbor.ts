import { isDeepStrictEqual, inspect } from "node:util";
import { cbor } from "@msg-ts/codecs/cbor";
import type { ErrorCode } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { hex } from "@msg-ts/testing";
import type { SharedValue } from "./cbor-values.ts";
import { refusedValues, sharedValues, unsentValues } from "./cbor-values.ts";
import type { CheckContext } from "./checks.ts";
import type { PythonPeer } from "./python-peer.ts";

const codec = cbor();
const noBytes = new Uint8Array(0);

/** Encodes values there and decodes them here, and the other way round. */
export async function compareCbor({ version, python, tally }: CheckContext): Promise<void> {
  const subject = `python-cbor2 ${version}`;
  for (const shared of sharedValues) {
    if (shared.only !== "read by the other") {
      await tally.check(subject, "the other's, read by us", shared.name, () =>
        readByUs(shared, python),
      );
    }
    if (shared.only !== "read by us") {
      await tally.check(subject, "ours, read by the other", shared.name, () =>
        readByPython(shared, python),
      );
    }
  }
  for (const { name, python: expression, settings } of refusedValues) {
    await tally.check(subject, "the other's, refused by us", name, async () => {
      const payload = await python.run("cbor.encode", noBytes, { expression, ...settings });
      return refusal(() => codec.decode(payload), "MSG_DECODE_FAILED");
    });
  }
  for (const { name, value } of unsentValues) {
    await tally.check(subject, "not encoded by us", name, async () =>
      refusal(() => codec.encode(value), "MSG_ENCODE_FAILED"),
    );
  }
}

async function readByUs(shared: SharedValue, python: PythonPeer): Promise<string | undefined> {
  const settings = { expression: shared.python, ...shared.settings };
  const payload = await python.run("cbor.encode", noBytes, settings);
  const value = codec.decode(payload);
  if (isDeepStrictEqual(value, shared.value)) return undefined;
  return `${shown(payload)} is ${inspect(value)}, not ${inspect(shared.value)}`;
}

async function readByPython(shared: SharedValue, python: PythonPeer): Promise<string | undefined> {
  const payload = codec.encode(shared.value);
  const expression = shared.python;
  const other = await python.run("cbor.compare", payload, { expression });
  if (other.length === 0) return undefined;
  return `${shown(payload)} is ${Buffer.from(other).toString()}, not ${expression}`;
}

/** What is wrong unless `call` throws that code. */
function refusal(call: () => unknown, code: ErrorCode): string | undefined {
  try {
    return `it was taken: ${inspect(call())}`;
  } catch (error) {
    return MsgError.is(error, code) ? undefined : `it was refused with ${String(error)}`;
  }
}

function shown(payload: Uint8Array): string {
  return hex(payload.subarray(0, 40));
}
