# stores.sh - sourced by scripts that run programs over every store: which there are, and the component file of each. What a server's port is says
# with-servers; a driver that is not built is no store.

# driver NAME : whether it is built; the folder is DRIVERS.
driver() { [ -e "${DRIVERS:-build/release/drivers}/$1.so" ]; }

# stores : prints the names of those that can be used.
stores() {
    driver sqlite && echo sqlite
    [ -n "${MOTE_REDIS_PORT:-}" ] && echo redis
    [ -n "${MOTE_MYSQL_PORT:-}" ] && driver mysql && echo mysql
    [ -n "${MOTE_POSTGRES_PORT:-}" ] && driver postgresql && echo postgresql
    return 0
}

# component NAME TYPE [VERSION] : the head of a component file; lines of metadata follow.
component() { printf 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: %s\nspec:\n  type: %s\n  version: %s\n  metadata:\n' "$1" "$2" "${3:-v1}"; }
entry() { printf '  - name: %s\n    value: "%s"\n' "$1" "$2"; }

# store_yaml STORE NAME FOLDER : the component file of a state store, with its data in the folder or in a database of the tests.
store_yaml() {
    case $1 in
    sqlite) component "$2" state.sqlite; entry connectionString "$3/data.db" ;;
    redis) component "$2" state.redis; entry redisHost "127.0.0.1:$MOTE_REDIS_PORT" ;;
    mysql) component "$2" state.mysql
        entry connectionString "plain:plain@tcp(127.0.0.1:$MOTE_MYSQL_PORT)/?allowNativePasswords=true"; entry schemaName mote_programs ;;
    postgresql) component "$2" state.postgresql v2
        entry connectionString "host=127.0.0.1 port=$MOTE_POSTGRES_PORT user=plain password=plain database=plain" ;;
    esac
}
