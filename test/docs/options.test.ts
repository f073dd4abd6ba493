import { describe, expect, it } from "vitest";
import {
  reconnectDefaults,
  resolveReconnectOptions,
} from "../../packages/core/src/connection/reconnect-options.ts";
import { MsgError } from "../../packages/core/src/errors.ts";
import {
  authorizationDefaults,
  resolveAuthorizationOptions,
} from "../../packages/core/src/socket/authorization.ts";
import {
  pubDefaults,
  resolvePubOptions,
} from "../../packages/core/src/socket/pub-sub/pub-options.ts";
import {
  pullDefaults,
  resolvePullOptions,
} from "../../packages/core/src/socket/push-pull/pull-options.ts";
import {
  pushDefaults,
  resolvePushOptions,
} from "../../packages/core/src/socket/push-pull/push-options.ts";
import {
  repDefaults,
  resolveRepOptions,
} from "../../packages/core/src/socket/req-rep/rep-options.ts";
import {
  reqDefaults,
  resolveReqOptions,
} from "../../packages/core/src/socket/req-rep/req-options.ts";
import {
  resolveSocketOptions,
  socketDefaults,
} from "../../packages/core/src/socket/socket-options.ts";
import {
  resolveSubOptions,
  subDefaults,
} from "../../packages/core/src/socket/pub-sub/sub-options.ts";
import {
  quicDefaults,
  resolveQuicOptions,
} from "../../packages/transports/src/quic/quic-options.ts";
import { documents } from "./markdown.ts";

type Value = number | string | boolean;

interface Source {
  readonly defaults: Readonly<Record<string, Value>>;
  /** Fills in and checks options; throws when one is out of range. */
  resolve(options: object): object;
}

const sources: Readonly<Record<string, Source>> = {
  authorizationDefaults: { defaults: authorizationDefaults, resolve: resolveAuthorizationOptions },
  socketDefaults: { defaults: socketDefaults, resolve: resolveSocketOptions },
  reconnectDefaults: { defaults: reconnectDefaults, resolve: resolveReconnectOptions },
  reqDefaults: { defaults: reqDefaults, resolve: resolveReqOptions },
  repDefaults: { defaults: repDefaults, resolve: resolveRepOptions },
  pubDefaults: { defaults: pubDefaults, resolve: resolvePubOptions },
  subDefaults: { defaults: subDefaults, resolve: resolveSubOptions },
  pushDefaults: { defaults: pushDefaults, resolve: resolvePushOptions },
  pullDefaults: { defaults: pullDefaults, resolve: resolvePullOptions },
  quicDefaults: { defaults: quicDefaults, resolve: resolveQuicOptions },
};

const tables = documents().flatMap(({ file, tables: found }) =>
  found.map((table) => ({ ...table, file })),
);

/** The number, text or truth that a cell shows in backticks; `undefined` when it shows none. */
function valueOf(cell: string): Value | undefined {
  const [, code] = /^`(.*)`$/.exec(cell) ?? [];
  if (code === undefined) return undefined;
  if (code === "Infinity") return Infinity;
  return JSON.parse(code.replaceAll("_", "")) as Value;
}

function nameOf(cell: string): string {
  return cell.replaceAll("`", "");
}

for (const { file, line, argument, rows } of tables.filter(({ name }) => name === "options")) {
  describe(`the table of options in ${file}, line ${line}`, () => {
    const source = sources[argument];

    it("is about defaults that there are", () => {
      expect(Object.keys(sources)).toContain(argument);
    });

    it("shows every default as it is", () => {
      const shown = rows
        .filter((row) => valueOf(row["default"] ?? "") !== undefined)
        .map((row) => [nameOf(row["option"] ?? ""), valueOf(row["default"] ?? "")]);
      expect(Object.fromEntries(shown)).toEqual(source?.defaults);
    });

    for (const { name, value, isLegal } of rows.flatMap(claimsOf)) {
      it(`is right that ${name} may ${isLegal ? "" : "not "}be ${value}`, () => {
        expect(isAccepted(source, { [name]: value })).toBe(isLegal);
      });
    }
  });
}

interface Claim {
  readonly name: string;
  readonly value: number;
  readonly isLegal: boolean;
}

/** What a row says of its option's range: `1 to 255`, `1 or more`, `…, or Infinity`. */
function claimsOf(row: Readonly<Record<string, string>>): Claim[] {
  const name = nameOf(row["option"] ?? "");
  const cell = row["range"] ?? "";
  const { low, high } = /^(?<low>[\d_]+) (?:to (?<high>[\d_]+)|or more)/.exec(cell)?.groups ?? {};
  if (low === undefined) return [];
  const lowest = Number(low.replaceAll("_", ""));
  const claims = [
    { name, value: lowest, isLegal: true },
    { name, value: lowest - 1, isLegal: false },
    { name, value: Number.NaN, isLegal: false },
    { name, value: Infinity, isLegal: cell.includes("Infinity") },
  ];
  if (high === undefined) return claims;
  const highest = Number(high.replaceAll("_", ""));
  return [
    ...claims,
    { name, value: highest, isLegal: true },
    { name, value: highest + 1, isLegal: false },
  ];
}

function isAccepted(source: Source | undefined, options: object): boolean {
  try {
    source?.resolve(options);
    return true;
  } catch (error) {
    if (MsgError.is(error, "MSG_INVALID_OPTION")) return false;
    throw error;
  }
}

describe("the options of the sockets", () => {
  it("have a table each", () => {
    const shown = tables.filter(({ name }) => name === "options").map(({ argument }) => argument);
    const owed = Object.keys(sources).filter((name) => !/^pu[sl][hl]/.test(name));
    expect(shown).toEqual(expect.arrayContaining(owed));
  });
});

const sourceOf: Readonly<Record<string, string>> = {
  "every socket": "socketDefaults",
  ReqSocket: "reqDefaults",
  RepSocket: "repDefaults",
  PubSocket: "pubDefaults",
  SubSocket: "subDefaults",
  PushSocket: "pushDefaults",
  PullSocket: "pullDefaults",
  Quic: "quicDefaults",
};

describe("the table of limits", () => {
  const [table] = tables.filter(({ name }) => name === "limits");

  for (const row of table?.rows ?? []) {
    const option = nameOf(row["option"] ?? "");
    const of = row["of"] ?? "";
    it(`shows the ${option} of ${of} as it is`, () => {
      const defaults = sources[sourceOf[of] ?? ""]?.defaults;
      expect(valueOf(row["default"] ?? "")).toBe(defaults?.[option]);
    });
  }

  it("has every option that is a number and bounds something", () => {
    const listed = new Set(
      table?.rows.map((row) => `${sourceOf[row["of"] ?? ""]}.${nameOf(row["option"] ?? "")}`),
    );
    const bounds = Object.entries(sources).flatMap(([name, { defaults }]) =>
      Object.keys(defaults)
        .filter((option) => /^max[A-Z]|HighWater|^window$/.test(option))
        .map((option) => `${name}.${option}`),
    );
    const paces = /reconnectDefaults|RedeliveryDelay/;
    expect(bounds.filter((name) => !listed.has(name) && !paces.test(name))).toEqual([]);
  });
});
