import { expectNoLeaks, expectNoLeaksOfFile } from "./no-leaks.ts";

// A setup file of vitest: it runs before each test file, so that none can forget to look. What a busy
// machine closes late is no leak; a test that wants it sooner says so with a call of its own.
const options = { withinMs: 8_000 };

expectNoLeaksOfFile(options);
expectNoLeaks(options);
