import { createRequire } from "node:module";
import process from "node:process";

/** What of this there is since Node 20.16 and 22.3. */
interface BuiltinModules {
  getBuiltinModule?(id: string): unknown;
}

/** A module of Node.js, loaded now; the caller knows of what type it is. */
export function builtinModule(id: string): unknown {
  return (process as BuiltinModules).getBuiltinModule?.(id) ?? createRequire(import.meta.url)(id);
}
