/** A CPU profile of this process between two moments, so that its start is not in it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

/** How often the profiler looks. */
const intervalMicros = 100;

/** Where profiles are written. */
export const profileFolder: string = fileURLToPath(new URL("../../.bench/", import.meta.url));

const session = new Session();

/** Starts to look. */
export async function startProfile(): Promise<void> {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: intervalMicros });
  await session.post("Profiler.start");
}

/** Writes what was seen; the file opens in the developer tools of a browser. */
export async function stopProfile(name: string): Promise<string> {
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  mkdirSync(profileFolder, { recursive: true });
  const file = `${profileFolder}${name}.cpuprofile`;
  writeFileSync(file, JSON.stringify(profile));
  return file;
}
