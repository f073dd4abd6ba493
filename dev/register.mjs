// Lets Node run TypeScript: `node --conditions=@msg-ts/source --import ./dev/register.mjs file.ts`.
// The main thread always goes through tsx, because Node 20 and 22 cannot parse `await using`;
// a worker thread does only where Node cannot strip types itself.
import process from "node:process";
import { isMainThread } from "node:worker_threads";

if (isMainThread || !process.features.typescript) {
  const { register } = await import("tsx/esm/api");
  register();
}
