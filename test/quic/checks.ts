import { besideTls } from "./beside-tls.ts";
import type { Check } from "./check.ts";
import { cycles } from "./cycles.ts";
import { garbage } from "./garbage.ts";
import { intact } from "./intact.ts";
import { killedServer } from "./killed-server.ts";
import { rebinding } from "./rebinding.ts";
import { sharedConnection } from "./shared-connection.ts";

/** Every check, in the order in which they run. */
export const checks: readonly Check[] = [
  intact,
  rebinding,
  killedServer,
  cycles,
  garbage,
  sharedConnection,
  besideTls,
];
