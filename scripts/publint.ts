/** Checks the manifest and the built files of every package that is published. */
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packages, readJson, report, shown } from "./files.ts";
import { join } from "node:path";

const violations: string[] = [];
const published = packages().filter(({ isPrivate }) => !isPrivate);
for (const { folder } of published) {
  const { messages } = await publint({ pkgDir: folder, strict: true });
  const manifest = readJson(join(folder, "package.json"));
  for (const message of messages) {
    if (message.type === "suggestion") continue;
    violations.push(
      `${shown(folder)}/package.json: ${formatMessage(message, manifest) ?? message.code}`,
    );
  }
}
report(violations, `publint: ${published.length} packages are fit to publish`);
