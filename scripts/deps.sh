#!/usr/bin/env bash
# deps.sh - deps.sh SET... installs the Debian packages that a set of work needs and that are missing: build, parts, stores, demo, test, more, guests, rust.
# A package is taken for present when the program or file beside it is there, wherever it came from. MOTE_DEPS=skip turns this off.
set -euo pipefail

clang=$(for v in 24 23 22 21 20 19; do command -v clang-$v >/dev/null && echo $v && break; done || true)

# The newest clang from 19 on that apt can give.
offered_clang() {
    local v
    for v in 24 23 22 21 20 19; do
        if apt-cache show --no-all-versions clang-$v >/dev/null 2>&1; then echo $v; return; fi
    done
}

# One package a line: PACKAGE WITNESS, the witness being a command or, with a '/', a file pattern.
packages() {
    case $1 in
    build) printf '%s\n' "cmake cmake" "ninja-build ninja" "libc6-dev /usr/include/stdio.h" "clang-$clang clang-$clang" \
        "lld-$clang ld.lld-$clang" "musl-tools musl-gcc" "linux-libc-dev /usr/include/linux/futex.h" ;;
    demo) printf '%s\n' "lld-$clang wasm-ld-$clang" "wasi-libc /usr/lib/wasm32-wasi/libc.a" \
        "libclang-rt-$clang-dev-wasm32 /usr/lib/llvm-$clang/lib/clang/*/lib/*/libclang_rt.builtins*wasm32*" ;;
    test) packages demo; printf '%s\n' "pkg-config pkg-config" "ca-certificates /etc/ssl/certs/ca-certificates.crt"
        cargo_is_new || echo "cargo-web cargo-web" ;;
    more) printf '%s\n' "gcc gcc" "libclang-rt-$clang-dev /usr/lib/llvm-$clang/lib/clang/*/lib/*/libclang_rt.asan*" \
        "gdb gdb" "linux-perf perf" "binutils objdump" \
        "gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc" "libc6-dev-arm64-cross /usr/aarch64-linux-gnu/lib/libc.a" "qemu-user qemu-aarch64" ;;
    parts) printf '%s\n' "pkg-config pkg-config" "libfyaml-dev /usr/include/libfyaml.h" "libevent-dev /usr/include/event2/event.h" \
        "libsqlite3-dev /usr/include/sqlite3.h" "libmariadb-dev /usr/include/mariadb/mysql.h" "libpq-dev /usr/include/postgresql/libpq-fe.h" ;;
    stores) printf '%s\n' "sqlite3 sqlite3" "redis-server redis-server" "redis-tools redis-cli" "util-linux setpriv" \
        "mariadb-server /usr/sbin/mariadbd" "mariadb-client mariadb" "postgresql /usr/lib/postgresql/*/bin/initdb" "postgresql-client psql" ;;
    guests) printf '%s\n' "tcl tclsh" "dpkg-dev dpkg-source" "python3-pip pip3" "emscripten em++" ;;
    rust) printf '%s\n' "rustc /usr/bin/rustc" "libstd-rust-dev-wasm32 /usr/lib/rustlib/wasm32-wasi/lib" ;; # not beside cargo-web
    *) echo "deps.sh: no such set: $1 (build, parts, stores, demo, test, more, guests, rust)" >&2; exit 2 ;;
    esac
}

# The specification suite comes through a cargo that knows the 2024 edition.
cargo_is_new() {
    local version
    version=$(cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 85 ]
}

is_there() { case $1 in /*) compgen -G "$1" >/dev/null ;; *) command -v "$1" >/dev/null ;; esac; }

missing() {
    local set package witness
    for set in "$@"; do
        packages "$set" | while read -r package witness; do is_there "$witness" || echo "$package"; done
    done | sort -u
}

# Says what is missing and stops: $1 is why it could not be installed.
give_up() {
    echo "mote needs these Debian packages: $(missing "$@" 2>/dev/null | tr '\n' ' ')"
    echo "$reason"
    echo "Install them (or the same programs from elsewhere) and run this again; MOTE_DEPS=skip goes on without."
    exit 1
} >&2

# Packages of servers must not start them as services of the machine: the tests start their own.
keep_servers_off() {
    local policy=/usr/sbin/policy-rc.d
    [ ! -e $policy ] || return 0
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
    trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
}

[ "${MOTE_DEPS:-}" != skip ] || exit 0
[ $# -gt 0 ] || set -- build
if [ -n "$clang" ] && [ -z "$(missing "$@")" ]; then exit 0; fi

reason="This machine has no apt-get, so nothing was installed."
if ! command -v apt-get >/dev/null; then clang=${clang:-22}; give_up "$@"; fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    reason="Installing needs root, and there is no sudo."
    as_root=(sudo)
    command -v sudo >/dev/null || { clang=${clang:-22}; give_up "$@"; }
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q || echo "apt-get update failed; trying with the lists that are there" >&2
clang=${clang:-$(offered_clang)}
reason="No clang from 19 on is on offer: Debian 12 with its security suite (bookworm-security), or a newer Debian, has one."
if [ -z "$clang" ]; then clang=22; give_up "$@"; fi
todo=$(missing "$@")
[ -n "$todo" ] || exit 0
echo "installing:" $todo
reason="apt-get could not install them: Debian 12 with its security suite (bookworm-security), or a newer Debian, has all of them."
keep_servers_off
# shellcheck disable=SC2086 # one word per package
"${as_root[@]}" apt-get install -q -y --no-install-recommends --no-remove $todo </dev/null || give_up "$@"
