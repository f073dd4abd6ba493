// Tells which of Node's large modules it has: once all is imported, and once TLS is used.
import { createRequire } from "node:module";
import { basename } from "node:path";
import process from "node:process";
import { tell } from "./parent.ts";

const large = ["tls", "zlib"];

function loaded(): string[] {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
  const builtin = large.filter((name) => moduleLoadList.includes(`NativeModule ${name}`));
  const native = Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    path.endsWith(".node"),
  );
  return [...builtin, ...native.map((path) => basename(path))];
}

const { Quic, Tcp, Tls, ReqSocket } = await import("msg-ts");
await new ReqSocket(new Tcp()).close();
tell({ loaded: loaded() });
await new ReqSocket(new Tls()).close();
tell({ loaded: loaded() });
await new ReqSocket(new Quic()).close();
tell({ loaded: loaded() });
process.disconnect();
