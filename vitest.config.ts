import { defineConfig } from "vitest/config";

const conditions = ["@msg-ts/source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["packages/testing/src/no-leaks-everywhere.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    execArgv: ["--import", "./dev/register-workers.mjs"],
    coverage: { provider: "v8", include: ["packages/*/src/**/*.ts"] },
  },
});
