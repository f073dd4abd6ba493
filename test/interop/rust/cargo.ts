/** Builds the msg-rs peer with cargo: for the tests, and for the bench. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installCommand, installPackages } from "../../crosscheck/install.ts";

const manifest = fileURLToPath(new URL("../msg-rs/Cargo.toml", import.meta.url));
const ownTarget = fileURLToPath(new URL("../../../.cargo-target/", import.meta.url));

/** `dev` is built sooner, `release` is measured. */
export type Profile = "dev" | "release";

/** The first version that compiles libmsg. */
const minMinor = 89;

/** What the crate `openssl` is compiled with. */
const debianPackages = ["libssl-dev", "pkg-config"];

/** A program that can be run, or why there can be none here. */
export type Built = { readonly program: string } | { readonly unavailable: string };

/** Why nothing can be built here; `undefined` when it can. */
export function missingCargo(): string | undefined {
  const advice = `install Rust 1.${minMinor} or newer: https://rustup.rs`;
  const version = cargoVersion();
  if (version === undefined) return `cargo is not there: ${advice}`;
  const minor = Number(/^cargo 1\.(\d+)/.exec(version)?.[1]);
  return minor >= minMinor ? undefined : `${version} is too old: ${advice}`;
}

/** The version of cargo; `undefined` when it is not there. */
export function cargoVersion(): string | undefined {
  const { status, stdout } = spawnSync("cargo", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Builds it, where that was not done yet; what cargo says goes to standard error. It builds in
 * `.cargo-target` of the repository, or where `CARGO_TARGET_DIR` says: several copies of the
 * repository may share one.
 *
 * @throws Error when everything that it needs is there, and the compiler refuses it.
 */
export function buildPeer(profile: Profile): Built {
  const unavailable = missingCargo() ?? missingHeaders() ?? missingCrates();
  if (unavailable !== undefined) return { unavailable };
  const flags = ["--profile", profile, "--offline", "--message-format=json-render-diagnostics"];
  const { status, stdout } = cargo("build", ...flags);
  const program = executableOf(stdout);
  if (status === 0 && program !== undefined) return { program };
  throw new Error(`cargo build of ${manifest} ended with ${status}`);
}

/** Installs them where that is possible. */
function missingHeaders(): string | undefined {
  if (hasHeaders()) return undefined;
  const failure = installPackages(debianPackages);
  if (failure === undefined || hasHeaders()) return undefined;
  return `the headers of OpenSSL are not there (${failure}): ${installCommand(debianPackages)}`;
}

function hasHeaders(): boolean {
  return spawnSync("pkg-config", ["--exists", "openssl"]).status === 0;
}

function missingCrates(): string | undefined {
  const { status } = cargo("fetch");
  return status === 0 ? undefined : `the crates could not be fetched: cargo ended with ${status}`;
}

function cargo(command: string, ...args: string[]): { status: number | null; stdout: string } {
  const all = [command, "--quiet", "--locked", "--manifest-path", manifest, ...args];
  return spawnSync("cargo", all, {
    env: { CARGO_TARGET_DIR: ownTarget, ...process.env },
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: Infinity,
    encoding: "utf8",
  });
}

/** Each line is a message of cargo; that of the crate itself names what came of it. */
function executableOf(messages: string): string | undefined {
  for (const line of messages.trimEnd().split("\n").toReversed()) {
    const { executable } = JSON.parse(line || "{}") as { readonly executable?: string | null };
    if (typeof executable === "string") return executable;
  }
  return undefined;
}
