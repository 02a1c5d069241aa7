# toolchains.sh - sourced by tests/guests/run: programs of our own in each toolchain. All tours print the same where their toolchain reaches that far.

# tour NAME EXPECTED EXIT FAILING-EXIT WORDS : the tour of a toolchain, then its failure, which must say WORDS.
tour() {
    local name=$1 wasm=$out/$1.wasm
    check "$name" "$3" "$here/tour/$2" --dir "$here/data/texts::/texts" --dir "$scratch::/scratch" --env GREETING=hello -- "$wasm" one "two words" ü \
        <<<"from the runner"
    check "${name}_fails" "$4" - -- "$wasm" fail </dev/null
    [ -z "$5" ] || says "${name}_fails" "$5"
}

find_clang() { local v; for v in 24 23 22 21 20 19; do command -v clang-$v && return; done; return 1; }

# wasi_clang OUTPUT ARGUMENT... : compiles C with Debian's clang and wasi-libc.
wasi_clang() { "$(find_clang)" --target=wasm32-wasi --sysroot=/usr -O2 -Wno-deprecated -mbulk-memory -mnontrapping-fptoint "${@:2}" -o "$1"; }

has_wasi_clang() { find_clang >/dev/null && [ -e /usr/lib/wasm32-wasi/libc.a ]; }

has_go() {
    local minor
    minor=$(go version 2>/dev/null | sed -n 's/.*go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 21 ]
}
go_how="Go from 1.21 on: Debian 12 has 1.19; the package golang-go of a newer Debian or backports"

guest_tour_c() {
    has_wasi_clang || { not_run tour_c "clang with wasi-libc" "scripts/deps.sh build demo"; return; }
    quietly tour_c wasi_clang "$out/tour_c.wasm" "$here/tour/tour.c" && tour tour_c tour.expected 0 134 "about to abort"
}

go_build() { (cd "$1" && GOOS=wasip1 GOARCH=wasm go build -o "$2" "$3"); }

guest_tour_go() {
    has_go || { not_run tour_go "Go" "$go_how"; return; }
    quietly tour_go go_build "$here/tour/go" "$out/tour_go.wasm" . || return
    tour tour_go tour.expected 0 2 "panic: as asked"
    echo "recovered from: assignment to entry in nil map" >"$out/recover.expected"
    check tour_go_recovers 0 "$out/recover.expected" -- "$out/tour_go.wasm" recover
}

# The rustc whose library for wasm32-wasi is installed: Debian's, not necessarily the first on PATH.
find_rustc() {
    local rustc
    for rustc in /usr/bin/rustc rustc; do
        command -v $rustc >/dev/null && [ -d "$($rustc --target wasm32-wasi --print target-libdir 2>/dev/null)" ] && echo $rustc && return
    done
    return 1
}

guest_tour_rust() {
    local rustc
    rustc=$(find_rustc) || { not_run tour_rust "rustc with its wasm32-wasi library" "apt-get install rustc libstd-rust-dev-wasm32"; return; }
    quietly tour_rust "$rustc" --target wasm32-wasi -O "$here/tour/tour.rs" -o "$out/tour_rust.wasm" && tour tour_rust tour.expected 0 134 "panicked at"
}

zig_get() {
    [ -e "$out/zig/ziglang" ] || pip3 install -q --no-deps --target "$out/zig" ziglang==0.17.1 >"$out/zig.log" 2>&1
}

guest_tour_zig() {
    zig_get || { not_fetched tour_zig pip3 "PyPI's ziglang 0.17.1" "$out/zig.log"; return; }
    ZIG_GLOBAL_CACHE_DIR=$out/zig-cache PYTHONPATH=$out/zig quietly tour_zig python3 -m ziglang build-exe "$here/tour/tour.zig" -target wasm32-wasi \
        -O ReleaseSafe --cache-dir "$out/zig-cache" -femit-bin="$out/tour_zig.wasm" && tour tour_zig tour.expected 0 134 "panic: as asked"
}

asc_get() {
    [ -e "$out/asc/node_modules/assemblyscript" ] ||
        npm install --silent --no-fund --no-audit --prefix "$out/asc" assemblyscript@0.28.20 @assemblyscript/wasi-shim@0.1.0 >"$out/asc.log" 2>&1
}

asc_build() {
    cp "$here/tour/tour.ts" "$out/asc/" && cd "$out/asc" &&
        node node_modules/assemblyscript/bin/asc.js tour.ts -o "$out/tour_assemblyscript.wasm" -O \
            --config node_modules/@assemblyscript/wasi-shim/asconfig.json
}

guest_tour_assemblyscript() {
    asc_get || { not_fetched tour_assemblyscript npm "npm's assemblyscript 0.28.20" "$out/asc.log"; return; }
    quietly tour_assemblyscript asc_build && tour tour_assemblyscript ts.expected 0 255 "as asked"
}

# The older exception instructions, which Emscripten 3.1 emits.
guest_tour_emscripten() {
    command -v em++ >/dev/null || { not_run tour_emscripten "Emscripten" "apt-get install emscripten"; return; }
    quietly tour_emscripten em++ -O2 -fwasm-exceptions "$here/tour/tour.cpp" -s STANDALONE_WASM -o "$out/tour_emscripten.wasm" &&
        tour tour_emscripten cpp.expected 5 134 ""
}
