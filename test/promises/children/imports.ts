// Tells which of Node's large modules it has: once all is imported, and once TLS is used.
import process from "node:process";
import { tell } from "./parent.ts";

const large = ["tls", "zlib"];

function loaded(): string[] {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
  return large.filter((name) => moduleLoadList.includes(`NativeModule ${name}`));
}

const { Tcp, Tls, ReqSocket } = await import("msg-ts");
await new ReqSocket(new Tcp()).close();
tell({ loaded: loaded() });
await new ReqSocket(new Tls()).close();
tell({ loaded: loaded() });
process.disconnect();
