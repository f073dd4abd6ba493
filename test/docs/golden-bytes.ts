import { bytes } from "@msg-ts/testing";
import { document } from "./markdown.ts";

/** One vector of docs/wire-protocol.md, "Golden bytes". */
export interface DocumentedVector {
  readonly name: string;
  /** `acceptor`, `dialer`, or a socket type. */
  readonly reader: string;
  readonly bytes: Uint8Array;
  /** The type of the frame; `closed` when it is refused. */
  readonly type: string;
  /** The frame's other fields; payloads and tokens as bytes. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const form = /^# (?<name>.+)\n(?<reader>\w+): (?<literal>[\da-f ]+)\n=> (?<says>.+)$/;

/** `error reply id=2 code="NOT_FOUND"`: words, then fields. */
const sayingForm = /^(?<type>[a-z]+(?: [a-z]+(?=\s|$))*)(?: (?<rest>.*))?$/;

/** Every vector of the document, in its order. Throws at one that has another form. */
export function documentedVectors(): DocumentedVector[] {
  return document("docs/wire-protocol.md")
    .blocks.filter(({ language }) => language === "golden")
    .flatMap(({ text }) => text.trim().split(/\n\n+/))
    .map(parseVector);
}

function parseVector(text: string): DocumentedVector {
  const { name = "", reader = "", literal = "", says = "" } = form.exec(text)?.groups ?? {};
  const { type, rest = "" } = sayingForm.exec(says)?.groups ?? {};
  if (type === undefined) throw new Error(`not a golden vector:\n${text}`);
  const fields = type === "closed" ? { code: rest } : parseFields(rest);
  return { name, reader, bytes: bytes(literal), type, fields };
}

const byteFields = new Set(["payload", "token"]);

function parseFields(text: string): Record<string, unknown> {
  const pairs = [...text.matchAll(/(?<key>\w+)=(?<value>"[^"]*"|\S*)/g)];
  return Object.fromEntries(
    pairs.map(({ groups }) => {
      const { key = "", value = "" } = groups ?? {};
      return [key, byteFields.has(key) ? bytes(value) : JSON.parse(value)];
    }),
  );
}
