/* sqlite_test.c - what only SQLite has: files that another process writes, that can only be read,
 * that hold what they should not. The other process is SQLite's own shell. */
#define _GNU_SOURCE
#include "stores.h"
#include <sys/stat.h>
#include <sys/wait.h>

static bool has_shell(void) {
    bool there = !system("sqlite3 --version >/dev/null 2>&1") && getenv("MOTE_DRIVERS");
    if (!there) printf("not run: there is no sqlite3, or no driver\n");
    return there;
}

/* A path in the run's own folder; until the next call. */
static const char *path_of(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", store_make_folder(), name);
    return path;
}

static const char *shell(const char *name, const char *sql) {
    char command[600];
    snprintf(command, sizeof command, "sqlite3 %s \"%s\" 2>&1", path_of(name), sql);
    return output_of(command);
}

/* A component "store" on `connection`, with a ~ for the folder; keys have no prefix. */
static mote_parts *load(const char *connection, const char *more) {
    char text[1000];
    mote_parts *parts = NULL;
    const char *tilde = strchr(connection, '~');
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: state.sqlite\n  metadata:\n  - {name: connectionString, value: '%.*s%s%s'}\n"
             "  - {name: keyPrefix, value: none}\n  - {name: busyTimeout, value: 300ms}\n%s",
             (int)(tilde - connection), connection, store_make_folder(), tilde + 1, more);
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "s.yaml", text, strlen(text), NULL), MOTE_OK);
    return parts;
}

static mote_parts_code one(mote_parts *parts, mote_parts_verb verb, const char *key,
                           char text[200]) {
    mote_parts_item item = {.key = bytes(key), .value = bytes(key)};
    mote_parts_op op = {.verb = verb, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    if (!code) code = item.code;
    if (!code && verb == MOTE_PARTS_GET && !same(item.found, bytes(key))) code = MOTE_PARTS_FAILED;
    snprintf(text, 200, "%s", op.text);
    mote_parts_op_deinit(&op);
    return code;
}

/* Opens a file, does one thing with it, and lets go of it. */
static mote_parts_code once(const char *connection, const char *more, mote_parts_verb verb,
                            const char *key, char text[200]) {
    mote_parts *parts = load(connection, more);
    mote_parts_code code = one(parts, verb, key, text);
    mote_parts_delete(parts);
    return code;
}

/* ---------------------------------------------------------------- somebody else writes */

/* Another process in the middle of a transaction, until pclose. */
static FILE *begin_writing(const char *name) {
    char command[600];
    snprintf(command, sizeof command, "sqlite3 %s", path_of(name));
    FILE *writer = popen(command, "w");
    if (!writer) return NULL;
    fprintf(writer, "BEGIN IMMEDIATE;\n.shell touch %s.held\n", path_of(name));
    fflush(writer);
    snprintf(command, sizeof command, "%s.held", path_of(name));
    for (int i = 0; i < 1000 && access(command, F_OK); i++) usleep(5000);
    unlink(command);
    return writer;
}

/* How the file was made, and how it is then opened. */
static const char no_wal[] = "  - {name: disableWAL, value: true}\n";
static const char *const journals[][2] = {{"", ""}, {no_wal, no_wal}, {no_wal, ""}};

TEST(opening_beside_somebody_who_writes) {
    char text[200];
    if (!has_shell()) return;
    for (size_t i = 0; i < 3; i++) {
        char connection[20], *name = connection + 2;
        snprintf(connection, sizeof connection, "~/busy%zu.db", i);
        CHECK_EQ(once(connection, journals[i][0], MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
        FILE *writer = begin_writing(name);
        mote_parts *parts = load(connection, journals[i][1]);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, "k", text), MOTE_PARTS_OK);
        CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_UNAVAILABLE);
        CHECK_STR(text, "SQLite: database is locked");
        CHECK(writer && !pclose(writer));
        CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
        mote_parts_delete(parts);
    }
}

TEST(making_tables_beside_somebody_who_writes) {
    char text[200];
    if (!has_shell()) return;
    CHECK_STR(shell("new.db", "PRAGMA journal_mode = WAL"), "wal");
    FILE *writer = begin_writing("new.db");
    CHECK_EQ(once("~/new.db", "", MOTE_PARTS_GET, "k", text), MOTE_PARTS_UNAVAILABLE);
    if (!CHECK(strstr(text, "new.db: database is locked"))) printf("  %s\n", text);
    CHECK(writer && !pclose(writer));
    CHECK_EQ(once("~/new.db", "", MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
}

/* ---------------------------------------------------------------- what can only be read */

static void read_only(const char *connection) {
    char text[200];
    mote_parts *parts = load(connection, "");
    if (!CHECK_EQ(one(parts, MOTE_PARTS_GET, "k", text), MOTE_PARTS_OK)) printf("  %s\n", text);
    CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_DENIED);
    CHECK(strstr(text, "can only be read"));
    CHECK_EQ(one(parts, MOTE_PARTS_GET, "k", text), MOTE_PARTS_OK);
    mote_parts_health health;
    mote_parts_health_at(parts, 0, &health);
    CHECK_EQ(health.state, MOTE_PARTS_READY);
    mote_parts_delete(parts);
}

TEST(files_that_are_opened_to_be_read) {
    char text[200];
    if (!has_shell()) return;
    for (size_t i = 0; i < 2; i++) {
        const char *more = i ? no_wal : "";
        CHECK_EQ(once("~/read.db", more, MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
        read_only("file:~/read.db?mode=ro");
        read_only("file:~/read.db?immutable=1");
    }
    CHECK_STR(shell("bare.db", "CREATE TABLE other (a)"), "");
    CHECK_EQ(once("file:~/bare.db?mode=ro", "", MOTE_PARTS_GET, "k", text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "bare.db?mode=ro: the file can only be read, and holds no table `state`"));
    CHECK_EQ(once("file:~/none.db?mode=ro", "", MOTE_PARTS_GET, "k", text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "none.db?mode=ro: unable to open database file"));
}

/* Where a file is, is nobody's to know when a variable says it. */
TEST(a_name_that_is_hidden) {
    char connection[300], text[200];
    static const char component[] =
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: "
        "state.sqlite, metadata: [{name: connectionString, envRef: MOTE_TEST_FILE}, {name: "
        "keyPrefix, value: none}]}\n";
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    mote_parts *parts = NULL;
    if (!has_shell()) return;
    CHECK_EQ(once("~/secret.db", "", MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
    snprintf(connection, sizeof connection, "file:%s?mode=ro", path_of("secret.db"));
    setenv("MOTE_TEST_FILE", connection, 1);
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "s.yaml", component, strlen(component), NULL), MOTE_OK);
    CHECK_EQ(one(parts, MOTE_PARTS_GET, "k", text), MOTE_PARTS_OK);
    CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_DENIED);
    CHECK_STR(text, "SQLite: as `connectionString` says: the file can only be read");
    mote_parts_delete(parts);
}

/* Nobody's rights are enough for root not to write: it becomes somebody else. */
static void read_as_nobody(void) {
    char text[200], drivers[500];
    if (!geteuid() && (setgid(65534) || setuid(65534))) _exit(1);
    snprintf(drivers, sizeof drivers, "%s/sqlite.so", getenv("MOTE_DRIVERS"));
    if (access(drivers, R_OK)) _exit(0); /* of a tree that is closed to it */
    read_only("~/shut/plain.db");
    mote_parts_code code = once("~/shut/wal.db", "", MOTE_PARTS_GET, "k", text);
    CHECK(code && strstr(text, "wal.db: its log needs a folder"));
    CHECK(strstr(text, "`?immutable=1` reads a file to which nobody writes"));
    CHECK_EQ(once("file:~/shut/wal.db?immutable=1", "", MOTE_PARTS_GET, "k", text), MOTE_PARTS_OK);
    CHECK_EQ(once("file:~/shut/wal.db?mode=ro", "", MOTE_PARTS_GET, "k", text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK_EQ(once("~/shut/log.db", "", MOTE_PARTS_GET, "k", text), MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "its log (-wal) needs a folder that can be written; copy both to one"));
    CHECK_EQ(once("file:~/shut/log.db?immutable=1", "", MOTE_PARTS_GET, "k", text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "`immutable=1` would leave out what is in the log"));
    _exit(test_failures ? 1 : 0);
}

/* A database whose last commit is in its log only, as after a kill. */
static void leave_log(void) {
    char command[400], text[200], from[100], to[100];
    mote_parts *parts = load("~/shut/open.db", "");
    CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
    snprintf(from, sizeof from, "%s", path_of("shut/open.db"));
    snprintf(to, sizeof to, "%s", path_of("shut/log.db"));
    snprintf(command, sizeof command,
             "cp %s %s && cp %s-wal %s-wal && test -s %s-wal && chmod 444 %s %s-wal", from, to, from,
             to, to, to, to);
    CHECK(!system(command));
    mote_parts_delete(parts);
}

TEST(files_without_the_right_to_write) {
    char text[200];
    int status;
    if (!has_shell()) return;
    CHECK(!mkdir(path_of("shut"), 0755) && !chmod(store_make_folder(), 0755));
    CHECK_EQ(once("~/shut/plain.db", no_wal, MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
    CHECK_EQ(once("~/shut/wal.db", "", MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
    leave_log();
    CHECK(!chmod(path_of("shut/plain.db"), 0444) && !chmod(path_of("shut/wal.db"), 0444));
    CHECK(!chmod(path_of("shut"), 0555));
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) read_as_nobody();
    CHECK(waitpid(pid, &status, 0) == pid && !status);
    chmod(path_of("shut"), 0755);
}

/* ---------------------------------------------------------------- what makes no sense */

TEST(words_of_sqlite) {
    char text[200];
    if (!has_shell()) return;
    CHECK_EQ(once("~/t.db", "  - {name: tableName, value: sqlite_state}\n", MOTE_PARTS_GET, "k",
                  text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "(s.yaml:10): a table's name that begins with `sqlite_` is SQLite's own"));
    CHECK_EQ(once("~/t.db", "  - {name: metadataTableName, value: SQLITE_m}\n", MOTE_PARTS_GET, "k",
                  text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "is SQLite's own"));
    CHECK_EQ(once("~/t.db", "  - {name: tableName, value: Metadata}\n", MOTE_PARTS_GET, "k", text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "(s.yaml:10): `tableName` and `metadataTableName` are the same"));
    CHECK_EQ(once("~/t.db", "  - {name: timeout, value: 0}\n", MOTE_PARTS_GET, "k", text),
             MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, "`timeout` is 1s at least"));
}

/* Nanoseconds since 1970 end in 2554, which others need not mind. */
TEST(a_time_that_sqlite_alone_can_tell) {
    char text[200];
    if (!has_shell()) return;
    mote_parts *parts = load("~/far.db", "");
    CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
    CHECK_STR(shell("far.db", "UPDATE state SET expiration_time = '9000-01-01 00:00:00'"), "");
    mote_parts_item item = {.key = bytes("k"), .flags = MOTE_PARTS_EXPIRY};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    CHECK_EQ(item.expires_ns, UINT64_MAX);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

TEST(bytes_that_are_not_base64) {
    char text[200];
    mote_parts_health health;
    if (!has_shell()) return;
    mote_parts *parts = load("~/bytes.db", "");
    CHECK_EQ(one(parts, MOTE_PARTS_SET, "k", text), MOTE_PARTS_OK);
    CHECK_STR(shell("bytes.db", "INSERT INTO state (key, value, is_binary, etag) VALUES "
                                "('bad', '!!', 1, 'e')"),
              "");
    CHECK_EQ(one(parts, MOTE_PARTS_GET, "bad", text), MOTE_PARTS_FAILED);
    CHECK_STR(text, "what the store keeps of `bad` is not base64");
    mote_parts_health_at(parts, 0, &health);
    CHECK_EQ(health.state, MOTE_PARTS_READY);
    CHECK_EQ(one(parts, MOTE_PARTS_GET, "k", text), MOTE_PARTS_OK);
    mote_parts_delete(parts);
}
