import root from "../../../vitest.config.ts";

/** Only for what needs the addon, which `npm test` never does. */
const config: typeof root = {
  ...root,
  test: { ...root.test, include: ["bench/native/quinn/*.test.ts"] },
};

export default config;
