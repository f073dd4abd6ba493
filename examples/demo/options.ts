import { parseArgs } from "node:util";

/** What the demo was asked to do. */
export interface DemoOptions {
  readonly transport: TransportName;
  /** Whose files are hashed. */
  readonly folder: string;
  readonly maxFiles: number;
  readonly maxBytes: number;
  /** How long readings are published and questions asked at least. */
  readonly minSeconds: number;
}

/** The transports that reach another process. */
export type TransportName = "tcp" | "ipc" | "quic";

/** The command line asks for what cannot be done; the message says what and is for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** How to call the demo. */
export const usage = `npm run demo -- [options]
  --transport tcp|ipc|quic  how the processes reach each other (tcp)
  --folder PATH             whose files are hashed (node_modules)
  --max-files COUNT         at most so many of them, 1 to 100000 (4000)
  --max-mb SIZE             at most so many mebibytes of them, 1 to 1024 (64)
  --seconds SECONDS         the least time to publish and ask for, 1 to 3600 (5)
  --help                    shows this`;

const mebibyte = 1024 * 1024;

/**
 * Reads the command line. Gives `undefined` when it asks for help.
 *
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): DemoOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  return {
    transport: transportNamed(values.transport),
    folder: values.folder,
    maxFiles: whole("max-files", values["max-files"], 100_000),
    maxBytes: whole("max-mb", values["max-mb"], 1_024) * mebibyte,
    minSeconds: whole("seconds", values.seconds, 3_600),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        transport: { type: "string", default: "tcp" },
        folder: { type: "string", default: "node_modules" },
        "max-files": { type: "string", default: "4000" },
        "max-mb": { type: "string", default: "64" },
        seconds: { type: "string", default: "5" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function transportNamed(name: string): TransportName {
  if (name === "tcp" || name === "ipc" || name === "quic") return name;
  const why = name === "inproc" ? ": the demo runs in several processes" : "";
  throw new UsageError(`--transport is "${name}", must be tcp, ipc or quic${why}`);
}

function whole(name: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= max) return value;
  throw new UsageError(`--${name} is "${text}", must be a whole number, 1 to ${max}`);
}
