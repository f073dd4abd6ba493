// For vitest, which compiles the main thread by itself: only worker threads started by a test need tsx,
// and only where Node cannot strip types.
import process from "node:process";
import { isMainThread } from "node:worker_threads";

if (!isMainThread && !process.features.typescript) {
  const { register } = await import("tsx/esm/api");
  register();
}
