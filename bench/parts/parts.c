/* parts.c - what a component costs beside the raw client: memory, SQLite, Redis, MySQL, PostgreSQL,
 * and files over them. Built by `ninja -C build/release bench-parts`; run as
 * tests/parts/with-servers build/release/bench-parts, with MOTE_DRIVERS=build/release/drivers. A
 * word takes only the rows whose names hold it. slices.h says what counts. Client and server on one
 * processor (taskset -c 1 before it all) show what each of them costs; on one each (taskset -c 0
 * tests/parts/with-servers taskset -c 1 build/release/bench-parts), what many in flight gain. */
#define _GNU_SOURCE
#include "raw_redis.h"
#include "slices.h"
#include <mote/parts.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

static mote_parts *parts;
static const char value[] = "{\"id\": 17, \"name\": \"a thing of middling size\", \"price\": 12.5, "
                            "\"tags\": [\"one\", \"two\"]}";

static void fail(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* ---- Components. ---- */

static void one(const char *component, mote_parts_verb verb) {
    mote_parts_item item = {.key = {"key", 3}, .value = {value, sizeof value - 1}};
    mote_parts_op op = {.verb = verb, .items = &item, .item_count = 1};
    if (mote_parts_call(parts, component, &op) ||
        (verb == MOTE_PARTS_GET && item.found.size != sizeof value - 1))
        fail(op.text);
    mote_parts_op_deinit(&op);
}

static unsigned landed;
static bool all_landed;
static void land(mote_parts_op *op) {
    if (op->code) fail(op->text);
    all_landed = ++landed == FLIGHT;
}

static void many(const char *component, mote_parts_verb verb) {
    static mote_parts_op ops[FLIGHT];
    static mote_parts_item items[FLIGHT];
    landed = 0;
    all_landed = false;
    for (int i = 0; i < FLIGHT; i++) {
        items[i] = (mote_parts_item){.key = {"key", 3}, .value = {value, sizeof value - 1}};
        ops[i] = (mote_parts_op){.verb = verb, .items = &items[i], .item_count = 1, .done = land};
        mote_parts_submit(parts, component, &ops[i]);
    }
    mote_parts_drive(parts, &all_landed, UINT64_MAX);
    for (int i = 0; i < FLIGHT; i++) mote_parts_op_deinit(&ops[i]);
}

static mote_vfs_node *mounts[3];
static void read_file(int which) {
    char text[200];
    size_t done;
    mote_vfs_node *file;
    if (mounts[which]->ops->open(mounts[which], "key", MOTE_VFS_READ, &file)) fail("open");
    if (file->ops->pread(file, &(mote_vfs_iovec){text, sizeof text}, 1, 0, &done) ||
        done != sizeof value - 1)
        fail("read");
    if (mote_vfs_release(file)) fail("close");
}

/* ---- Raw clients, which ask for what Dapr's own drivers ask for; MySQL's for what mote's does,
 * which takes the server less. ---- */

static sqlite3_stmt *raw_statement;
static void open_raw_sqlite(const char *path) {
    sqlite3 *db;
    const char *sql = "SELECT value, is_binary, etag, expiration_time FROM state WHERE key = ?1 "
                      "AND (expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)";
    if (sqlite3_open(path, &db) || sqlite3_prepare_v2(db, sql, -1, &raw_statement, NULL))
        fail("raw SQLite");
}

static void raw_sqlite_get(void) {
    sqlite3_bind_text(raw_statement, 1, "mote||key", -1, SQLITE_STATIC);
    if (sqlite3_step(raw_statement) != SQLITE_ROW) fail("raw SQLite: no row");
    char *copy = strdup((const char *)sqlite3_column_text(raw_statement, 0)),
         *etag = strdup((const char *)sqlite3_column_text(raw_statement, 2));
    free(copy), free(etag);
    sqlite3_reset(raw_statement);
}

/* The statement that mote's driver asks with, and the one that Dapr's does. */
static MYSQL_STMT *raw_mysql, *raw_mysql_of_dapr;
static char raw_columns[7][1000];
static unsigned long raw_sizes[7];
static my_bool raw_nulls[7];

/* The first `texts` columns are taken as text, the others as numbers. */
static MYSQL_STMT *prepare_raw_mysql(MYSQL *db, int texts, const char *sql) {
    static char key[] = "mote||key";
    MYSQL_BIND parameter = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = key, .buffer_length = sizeof key - 1};
    MYSQL_BIND columns[7] = {0};
    for (int i = 0; i < 7; i++)
        columns[i] =
            (MYSQL_BIND){.buffer_type = i < texts ? MYSQL_TYPE_STRING : MYSQL_TYPE_LONGLONG,
                         .buffer = raw_columns[i],
                         .buffer_length = sizeof raw_columns[i],
                         .length = &raw_sizes[i],
                         .is_null = &raw_nulls[i]};
    MYSQL_STMT *statement = mysql_stmt_init(db);
    if (mysql_stmt_prepare(statement, sql, strlen(sql)) ||
        mysql_stmt_bind_param(statement, &parameter) || mysql_stmt_bind_result(statement, columns))
        fail(mysql_stmt_error(statement));
    return statement;
}

static void open_raw_mysql(int port) {
    MYSQL *db = mysql_init(NULL);
    if (!mysql_real_connect(db, "127.0.0.1", "mote", "pass@word/1", "mote_bench", (unsigned)port,
                            NULL, 0))
        fail(mysql_error(db));
    raw_mysql =
        prepare_raw_mysql(db, 3,
                          "SELECT id, value, eTag, isbinary, UNIX_TIMESTAMP(expiredate), "
                          "UNIX_TIMESTAMP(updateDate), UNIX_TIMESTAMP() FROM state WHERE id = ?");
    raw_mysql_of_dapr = prepare_raw_mysql(
        db, 5,
        "SELECT id, value, eTag, isbinary, IFNULL(expiredate, '') FROM state "
        "WHERE id = ? AND (expiredate IS NULL OR expiredate > CURRENT_TIMESTAMP)");
}

static void raw_mysql_run(MYSQL_STMT *statement) {
    if (mysql_stmt_execute(statement) || mysql_stmt_store_result(statement) ||
        mysql_stmt_fetch(statement) || raw_sizes[1] != sizeof value - 1)
        fail("raw MySQL: no value");
    mysql_stmt_free_result(statement);
}

static void raw_mysql_get(void) { raw_mysql_run(raw_mysql); }
static void raw_mysql_get_of_dapr(void) { raw_mysql_run(raw_mysql_of_dapr); }

static PGconn *raw_postgres;
static void open_raw_postgres(const char *port) {
    char text[100];
    snprintf(text, sizeof text, "host=127.0.0.1 port=%s user=mote dbname=mote", port);
    setenv("PGPASSWORD", "pass word'1", 1);
    raw_postgres = PQconnectdb(text);
    PQclear(PQprepare(
        raw_postgres, "get",
        "SELECT value, etag::text, expires_at FROM state WHERE key = $1 AND (expires_at IS NULL "
        "OR expires_at >= now())",
        0, NULL));
    if (*PQerrorMessage(raw_postgres)) fail(PQerrorMessage(raw_postgres));
}

static void raw_postgres_get(void) {
    const char *key = "mote||key";
    PGresult *row = PQexecPrepared(raw_postgres, "get", 1, &key, NULL, NULL, 1);
    if (PQntuples(row) != 1 || PQgetlength(row, 0, 0) != sizeof value - 1)
        fail("raw PostgreSQL: no value");
    PQclear(row);
}

/* ---- Rows. ---- */

static void memory_get(void) { one("memory", MOTE_PARTS_GET); }
static void sqlite_get(void) { one("sqlite", MOTE_PARTS_GET); }
static void sqlite_set(void) { one("sqlite", MOTE_PARTS_SET); }
static void sqlite_sets(void) { many("sqlite", MOTE_PARTS_SET); }
static void redis_get(void) { one("redis", MOTE_PARTS_GET); }
static void redis_gets(void) { many("redis", MOTE_PARTS_GET); }
static void redis_sets(void) { many("redis", MOTE_PARTS_SET); }
static void mysql_get(void) { one("mysql", MOTE_PARTS_GET); }
static void mysql_gets(void) { many("mysql", MOTE_PARTS_GET); }
static void mysql_set(void) { one("mysql", MOTE_PARTS_SET); }
static void postgres_get(void) { one("postgres", MOTE_PARTS_GET); }
static void postgres_gets(void) { many("postgres", MOTE_PARTS_GET); }
static void postgres_set(void) { one("postgres", MOTE_PARTS_SET); }
static void memory_file(void) { read_file(0); }
static void sqlite_file(void) { read_file(1); }

static struct row {
    const char *name;
    void (*run)(void);
    int times, each, every; /* runs in a slice; operations in a run; in which turns it takes part */
    const char *server;     /* the variable of its port; "": none */
    void (*beside)(void);   /* what it is compared with; NULL: nothing */
} rows[] = {{"memory: get", memory_get, 500, 1, 1, "", NULL},
            {"memory: a file opened, read, closed", memory_file, 500, 1, 1, "", memory_get},
            {"SQLite raw: get", raw_sqlite_get, 50, 1, 1, "", NULL},
            {"SQLite: get", sqlite_get, 50, 1, 1, "", raw_sqlite_get},
            {"SQLite: a file opened, read, closed", sqlite_file, 50, 1, 1, "", sqlite_get},
            {"SQLite: set", sqlite_set, 1, 1, 10, "", NULL},
            {"SQLite: set, 100 in flight", sqlite_sets, 1, FLIGHT, 10, "", sqlite_set},
            {"Redis raw: HGETALL", raw_redis_get, 5, 1, 1, "MOTE_REDIS_PORT", NULL},
            {"Redis: get", redis_get, 5, 1, 1, "MOTE_REDIS_PORT", raw_redis_get},
            {"Redis raw: HGETALL, 100 in flight", raw_redis_gets, 1, FLIGHT, 5, "MOTE_REDIS_PORT",
             raw_redis_get},
            {"Redis: get, 100 in flight", redis_gets, 1, FLIGHT, 5, "MOTE_REDIS_PORT", redis_get},
            {"Redis: set, 100 in flight", redis_sets, 1, FLIGHT, 10, "MOTE_REDIS_PORT", NULL},
            {"MySQL raw: get", raw_mysql_get, 5, 1, 1, "MOTE_MYSQL_PORT", NULL},
            {"MySQL raw: get, Dapr's statement", raw_mysql_get_of_dapr, 5, 1, 1, "MOTE_MYSQL_PORT",
             raw_mysql_get},
            {"MySQL: get", mysql_get, 5, 1, 1, "MOTE_MYSQL_PORT", raw_mysql_get},
            {"MySQL: get, 100 in flight", mysql_gets, 1, FLIGHT, 10, "MOTE_MYSQL_PORT", mysql_get},
            {"MySQL: set", mysql_set, 1, 1, 10, "MOTE_MYSQL_PORT", NULL},
            {"PostgreSQL raw: get", raw_postgres_get, 5, 1, 1, "MOTE_POSTGRES_PORT", NULL},
            {"PostgreSQL: get", postgres_get, 5, 1, 1, "MOTE_POSTGRES_PORT", raw_postgres_get},
            {"PostgreSQL: get, 100 in flight", postgres_gets, 1, FLIGHT, 10, "MOTE_POSTGRES_PORT",
             postgres_get},
            {"PostgreSQL: set", postgres_set, 1, 1, 10, "MOTE_POSTGRES_PORT", NULL}};
enum { ROW_COUNT = sizeof rows / sizeof *rows };
static struct slices slices[ROW_COUNT];
static struct slice_times times[ROW_COUNT];

static const char *only = ""; /* part of the names of the rows that are wanted */
static bool is_wanted(const struct row *row) {
    return (!*row->server || getenv(row->server)) && strstr(row->name, only);
}

static void run_row(void *context) { ((const struct row *)context)->run(); }

/* The row that runs this, if it is wanted; else ROW_COUNT. */
static int row_of(void (*run)(void)) {
    int i = 0;
    while (i < ROW_COUNT && (rows[i].run != run || !is_wanted(&rows[i]))) i++;
    return i;
}

static void print_row(int at) {
    const struct row *row = &rows[at];
    int beside = row->beside ? row_of(row->beside) : ROW_COUNT;
    slice_print(row->name, times[at]);
    if (beside == ROW_COUNT) return;
    double mine = times[at].quiet, other = times[beside].quiet;
    if (row->each > 1) printf("    %.1f times the rate of one at a time\n", other / mine);
    else printf("    %.2f times %s, %+.2f us\n", mine / other, rows[beside].name, mine - other);
}

static const char *port_of(const char *server) { return getenv(server) ? getenv(server) : "1"; }

static void load(const char *folder) {
    char text[2000];
    mote_error error;
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    snprintf(
        text, sizeof text,
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: memory}, spec: "
        "{type: state.in-memory}}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: sqlite}, spec: "
        "{type: state.sqlite, metadata: [{name: url, value: '%s/b.db'}]}}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: redis}, spec: "
        "{type: state.redis, metadata: [{name: redisHost, value: '127.0.0.1:%s'}]}}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: mysql}, spec: {type: "
        "state.mysql, metadata: [{name: url, value: "
        "'mote:pass@word/1@tcp(127.0.0.1:%s)/mote_bench'}]}}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: postgres}, spec: "
        "{type: state.postgresql, metadata: [{name: url, value: "
        "'postgresql://mote:pass%%20word%%271@127.0.0.1:%s/mote'}]}}\n",
        folder, port_of("MOTE_REDIS_PORT"), port_of("MOTE_MYSQL_PORT"),
        port_of("MOTE_POSTGRES_PORT"));
    if (mote_parts_new(&config, &parts, &error) ||
        mote_parts_load_text(parts, "bench", text, strlen(text), &error))
        fail(error.message);
    if (mote_parts_mount(parts, "memory", NULL, &mounts[0], &error) ||
        mote_parts_mount(parts, "sqlite", NULL, &mounts[1], &error))
        fail(error.message);
}

static void open_servers(void) {
    if (getenv("MOTE_REDIS_PORT"))
        one("redis", MOTE_PARTS_SET), raw_redis_open(atoi(port_of("MOTE_REDIS_PORT")));
    if (getenv("MOTE_MYSQL_PORT"))
        one("mysql", MOTE_PARTS_SET), open_raw_mysql(atoi(port_of("MOTE_MYSQL_PORT")));
    if (getenv("MOTE_POSTGRES_PORT"))
        one("postgres", MOTE_PARTS_SET), open_raw_postgres(port_of("MOTE_POSTGRES_PORT"));
}

int main(int argument_count, char **arguments) {
    char folder[] = "/tmp/mote-bench-XXXXXX", path[64], command[64];
    if (argument_count > 1) only = arguments[1];
    if (!mkdtemp(folder)) fail("no folder");
    load(folder);
    one("memory", MOTE_PARTS_SET), one("sqlite", MOTE_PARTS_SET);
    snprintf(path, sizeof path, "%s/b.db", folder);
    open_raw_sqlite(path);
    open_servers();
    for (int slice = 0; slice < SLICES; slice++)
        for (int step = 0; step < ROW_COUNT; step++) {
            int i = slice_row(slice, step, ROW_COUNT);
            if (is_wanted(&rows[i]) && slice % rows[i].every == 0)
                slice_measure(&slices[i], run_row, &rows[i], rows[i].times, rows[i].each);
        }
    for (int i = 0; i < ROW_COUNT; i++) times[i] = slice_sum_up(&slices[i]);
    for (int i = 0; i < ROW_COUNT; i++)
        if (is_wanted(&rows[i])) print_row(i);
    for (int i = 0; i < 2; i++) mote_vfs_release(mounts[i]);
    mote_parts_delete(parts);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}
