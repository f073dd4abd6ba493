// Sends one message of each compression, twice, through one connection without being told how to read
// any; then says what became of each, and which native packages were loaded when.
import { Inproc, InprocHub, PubSocket, SubSocket } from "msg-ts";
import type { Compressor } from "msg-ts";

const natives = /(snappy|lz4|zstd)[^/\\]*\.node$/;

/** 40 times "a", by other programs. */
const payloads: Readonly<Record<string, readonly [id: number, compressed: string]>> = {
  zstd: [2, "28b52ffd005845000010616101001f8005"],
  snappy: [3, "2800619a0100"],
  lz4: [4, "280000001f6101000e60616161616161"],
  gzip: [1, "1f8b08000000000000034b4c240e0000258a5bc928000000"],
};
const plain = "a".repeat(40);
const order = [...Object.keys(payloads), ...Object.keys(payloads)];

/** The native packages of compressors that this process has loaded. */
function loaded(): string[] {
  const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] };
  const found = sharedObjects.map((file) => natives.exec(file)?.[1]);
  return found.filter((name) => name !== undefined).toSorted();
}

const loadedByImport = loaded();
const outcomes: string[] = [];
let [id, compressed] = [1, ""];
const compressor: Compressor = {
  get id() {
    return id;
  },
  name: "ready-made",
  compress: () => Buffer.from(compressed, "hex"),
  decompress: (payload) => payload,
};

const hub = new InprocHub();
const pub = new PubSocket(new Inproc(hub), { compressor, minCompressBytes: 1 });
const sub = new SubSocket(new Inproc(hub));
let connections = 0;
sub.on("connected", () => connections++);
sub.on("dropped", ({ error }) => outcomes.push(`${error?.code}: ${error?.message}`));
await sub.connect(await pub.bind("all"));
await sub.subscribe(">");
const loadedBySockets = loaded();

for (const name of order) {
  [id, compressed] = payloads[name] ?? [0, ""];
  const before = outcomes.length;
  await pub.publish(name, plain);
  if (await isReceived(before)) outcomes.push("read");
}
const loadedAtLast = loaded();
await sub.close();
await pub.close();
console.log(
  JSON.stringify({
    loadedByImport,
    loadedBySockets,
    loadedAtLast,
    connections,
    outcomes: Object.fromEntries(order.map((name, i) => [`${i} ${name}`, outcomes[i]])),
  }),
);

/** Waits until the next message was read, or has failed. */
async function isReceived(before: number): Promise<boolean> {
  const ended = new AbortController();
  const onDropped = (): void => ended.abort();
  sub.on("dropped", onDropped);
  try {
    const { payload } = await sub.receive({ signal: ended.signal, timeoutMs: 20_000 });
    return Buffer.from(payload).toString() === plain;
  } catch (error) {
    if (outcomes.length > before) return false;
    throw error;
  } finally {
    sub.off("dropped", onDropped);
  }
}
