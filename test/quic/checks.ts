import type { Check } from "./check.ts";
import { intact } from "./intact.ts";

/** Every check, in the order in which they run. */
export const checks: readonly Check[] = [intact];
