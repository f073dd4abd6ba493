/** Removes everything that scripts made: what `tsc -b --clean` leaves of renamed files too. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { packages } from "./files.ts";

for (const { folder } of packages()) {
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  rmSync(join(folder, ".tsbuildinfo"), { force: true });
}
for (const folder of [".pack", "coverage"]) rmSync(folder, { recursive: true, force: true });
