# stages.sh - sourced by the scripts behind `make test` and its like: runs named stages, times them, adds up their counts.
# A stage's count is the last line "N passed, N failed" that it printed; a stage that fails without one counts as one failure. Its lines "not run: WHAT ..."
# are counted apart and said again at the end.
passed=0 failed=0
stage_log=$(mktemp) not_run=$(mktemp)
trap 'rm -f "$stage_log" "$not_run"' EXIT
jobs=$(nproc 2>/dev/null || echo 2)

# stage TITLE COMMAND... : runs it (its output is shown), goes on after a failure.
stage() {
    local title=$1 began=$SECONDS code=0 ok bad
    shift
    echo "== $title"
    "$@" </dev/null 2>&1 | tee "$stage_log"
    code=${PIPESTATUS[0]}
    sed -n 's/^ *\(not run: \)/\1/p' "$stage_log" >>"$not_run"
    read -r ok bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$stage_log" | tail -n 1) || true
    ok=${ok:-0} bad=${bad:-0}
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    passed=$((passed + ok)) failed=$((failed + bad))
    echo "-- $title: $ok passed, $bad failed, $((SECONDS - began)) s"
    return "$code"
}

# build PRESET FOLDER OPTION... : configures and builds quietly.
build() {
    local preset=$1 folder=$2 launcher=()
    shift 2
    if command -v ccache >/dev/null; then launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache); export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1; fi
    [ -z "${CI:-}" ] || set -- -DMOTE_WERROR=ON "$@"
    mkdir -p "$folder"
    cmake --preset "$preset" -B "$folder" "${launcher[@]}" "$@" >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log"; return 1; }
    cmake --build "$folder" -j "$jobs" -- --quiet
}

# run_tests FOLDER OPTION... : ctest with its counts.
run_tests() {
    local folder=$1
    shift
    ctest --test-dir "$folder" -V -j "$jobs" "$@" >"$folder/tests.log" 2>&1 || true
    awk -f scripts/ctest-report.awk "$folder/tests.log"
}

# What was not run, then the combined line; fails when anything failed or nothing ran.
finish() {
    sort -u -o "$not_run" "$not_run"
    if [ -s "$not_run" ]; then echo "$(wc -l <"$not_run") not run:"; sed 's/^/  /' "$not_run"; fi
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
