#!/usr/bin/env bash
# Builds the addon of this folder into .bench/quinn. Needs cargo (Rust 1.88 or newer), a C compiler for
# the cryptography, and crates.io; 2 to 4 minutes the first time. Nothing else of the repository needs it.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="$here/../../../.bench/quinn"
command -v cargo >/dev/null || { echo "quinn: cargo is not there: install Rust"; exit 2; }
cargo build --quiet --release --locked --manifest-path "$here/Cargo.toml" --target-dir "$target"
case "$(uname -s)" in
  Darwin) library="$target/release/libquinn_engine.dylib" ;;
  *) library="$target/release/libquinn_engine.so" ;;
esac
cp "$library" "$target/quinn-engine.node"
echo "quinn: $(du -k "$target/quinn-engine.node" | cut -f1) KiB at .bench/quinn/quinn-engine.node"
