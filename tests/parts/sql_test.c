/* sql_test.c - what only the SQL servers have: tables as Dapr makes them, seen by the server's own
 * tool; rows that Dapr has written; limits; what a restart of the server costs; cleaning up. */
#define _GNU_SOURCE
#include "stores.h"
#include <stdlib.h>
#include <time.h>

/* The servers over which this loops, each with its own tool. */
static const struct server {
    const char *name;
    const char *tool; /* takes SQL as its last word; prints rows with tabs between columns */
    const char *layout, *layout_wanted; /* a query about the tables, and its answer */
    const char *columns, *columns_wanted;
    const char *rows, *rows_wanted;    /* key a, JSON; key b, bytes */
    const char *foreign, *foreign_row; /* a row as Dapr writes it */
    const char *cleaned;               /* counts expired rows */
    const char *guard, *unguard;       /* a rule that refuses the key `refused` */
} servers[] = {
    {"mysql",
     "mariadb --no-defaults -h 127.0.0.1 -P $MOTE_MYSQL_PORT -u mote '-ppass@word/1' -N mote_test "
     "-e ",
     "SELECT column_name, column_type, is_nullable, column_key, extra FROM "
     "information_schema.columns WHERE table_schema = 'mote_test' AND table_name = 'state' ORDER "
     "BY "
     "ordinal_position",
     "id\tvarchar(255)\tNO\tPRI\t\n"
     "value\tlongtext\tNO\t\t\n"
     "isbinary\ttinyint(1)\tNO\t\t\n"
     "insertDate\ttimestamp\tNO\t\t\n"
     "updateDate\ttimestamp\tNO\t\ton update current_timestamp()\n"
     "eTag\tvarchar(36)\tNO\t\t\n"
     "expiredate\ttimestamp\tYES\tMUL\t\n"
     "row_id\tbigint(20) unsigned\tNO\tUNI\tauto_increment",
     "SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = "
     "'mote_test' AND table_name = 'dapr_metadata' ORDER BY ordinal_position",
     "id\tvarchar(255)\nvalue\ttext",
     "SELECT id, value, isbinary, length(eTag), expiredate IS NULL FROM state WHERE id LIKE 'l||_' "
     "ORDER BY id",
     "l||a\t{\"n\":  9007199254740993}\t0\t36\t1\nl||b\t\"/wA=\"\t1\t36\t1",
     "REPLACE INTO state (id, value, eTag, isbinary, expiredate) VALUES ('l||d', '\"aGk=\"', "
     "'11111111-2222-3333-4444-555555555555', 1, CURRENT_TIMESTAMP + INTERVAL 1000 SECOND)",
     "hi", "SELECT count(*) FROM state WHERE id LIKE 'clean||%'",
     "ALTER TABLE state ADD CONSTRAINT guard CHECK (id <> 'l||refused')",
     "ALTER TABLE state DROP CONSTRAINT guard"},
    {"postgresql",
     "PGPASSWORD=\"pass word'1\" psql -X -q -A -t -F '\t' -h 127.0.0.1 -p $MOTE_POSTGRES_PORT -U "
     "mote mote -c ",
     "SELECT column_name, data_type, is_nullable, column_default, is_identity FROM "
     "information_schema.columns WHERE table_name = 'state' ORDER BY ordinal_position",
     "key\ttext\tNO\t\tNO\n"
     "value\tbytea\tNO\t\tNO\n"
     "etag\tuuid\tNO\tgen_random_uuid()\tNO\n"
     "created_at\ttimestamp with time zone\tNO\tnow()\tNO\n"
     "updated_at\ttimestamp with time zone\tYES\t\tNO\n"
     "expires_at\ttimestamp with time zone\tYES\t\tNO\n"
     "row_id\tbigint\tNO\t\tYES",
     "SELECT key, value FROM dapr_metadata WHERE key NOT LIKE 'last%' ORDER BY key COLLATE \"C\"",
     "lock\tlock\nmigrations-state-v2-\t2",
     "SELECT key, value, etag IS NOT NULL, expires_at IS NULL FROM state WHERE key IN ('l||a', "
     "'l||b') ORDER BY key",
     "l||a\t\\x7b226e223a2020393030373139393235343734303939337d\tt\tt\nl||b\t\\xff00\tt\tt",
     "INSERT INTO state (key, value, etag, expires_at) VALUES ('l||d', 'hi', "
     "'11111111-2222-3333-4444-555555555555', now() + interval '1000 seconds') ON CONFLICT (key) "
     "DO "
     "UPDATE SET value = 'hi', etag = '11111111-2222-3333-4444-555555555555'",
     "hi", "SELECT count(*) FROM state WHERE key LIKE 'clean||%'",
     "ALTER TABLE state ADD CONSTRAINT guard CHECK (key <> 'l||refused')",
     "ALTER TABLE state DROP CONSTRAINT guard"},
};
enum { SERVER_COUNT = sizeof servers / sizeof *servers };

/* What the server's tool says, without the last line end. */
static const char *ask(const struct server *server, const char *sql) {
    char command[300];
    setenv("MOTE_TEST_SQL", sql, 1);
    snprintf(command, sizeof command, "%s\"$MOTE_TEST_SQL\"", server->tool);
    return output_of(command);
}

static mote_parts *open_with(const char *name, const char *more) {
    char text[2000];
    mote_parts *parts = NULL;
    mote_error error;
    const mote_parts_config config = {.app_id = "l", .driver_dir = getenv("MOTE_DRIVERS")};
    for (size_t i = 0; i < STORE_COUNT; i++) {
        if (strcmp(stores[i].name, name) != 0 ||
            !store_yaml(&stores[i], "store", more, text, sizeof text))
            continue;
        CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
        if (mote_parts_load_text(parts, "s.yaml", text, strlen(text), &error))
            printf("%s\n", error.message);
    }
    if (!parts) printf("not run: there is no %s\n", name);
    return parts;
}

#define FOR_SERVERS(server, parts, more)                                                           \
    for (const struct server *server = servers; server < servers + SERVER_COUNT; server++)         \
        for (mote_parts *parts = open_with(server->name, more); parts;                             \
             mote_parts_delete(parts), parts = NULL)

static mote_parts_code one(mote_parts *parts, mote_parts_verb verb, mote_parts_item *item,
                           char text[200]) {
    mote_parts_op op = {.verb = verb, .items = item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    if (text) snprintf(text, 200, "%s", op.text);
    else if (code && *op.text) printf("  %s\n", op.text);
    mote_parts_op_deinit(&op);
    return code ? code : item->code;
}

static mote_parts_code set(mote_parts *parts, const char *key, mote_parts_bytes value) {
    mote_parts_item item = {.key = bytes(key), .value = value};
    return one(parts, MOTE_PARTS_SET, &item, NULL);
}

static bool holds(mote_parts *parts, const char *key, const char *value) {
    mote_parts_item item = {.key = bytes(key)};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    bool good = !mote_parts_call(parts, "store", &op) && same(item.found, bytes(value));
    if (!good) printf("  %d %d %s\n", op.code, item.code, op.text);
    mote_parts_op_deinit(&op);
    return good;
}

TEST(the_tables_are_dapr_s) {
    FOR_SERVERS(server, parts, "") {
        CHECK_EQ(set(parts, "a", bytes("{\"n\":  9007199254740993}")), MOTE_PARTS_OK);
        CHECK_EQ(set(parts, "b", (mote_parts_bytes){"\xff\0", 2}), MOTE_PARTS_OK);
        CHECK_STR(ask(server, server->layout), server->layout_wanted);
        CHECK_STR(ask(server, server->columns), server->columns_wanted);
        CHECK_STR(ask(server, server->rows), server->rows_wanted);
    }
}

TEST(rows_that_dapr_has_written) {
    FOR_SERVERS(server, parts, "") {
        CHECK_EQ(set(parts, "a", bytes("1")), MOTE_PARTS_OK); /* the table is there */
        CHECK_STR(ask(server, server->foreign), "");
        CHECK(holds(parts, "d", server->foreign_row));
        mote_parts_item item = {.key = bytes("d"),
                                .value = bytes("2"),
                                .etag = bytes("11111111-2222-3333-4444-555555555555")};
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "d", "2"));
    }
}

TEST(keys_are_compared_byte_by_byte) {
    static const char *const keys[] = {"K", "k", "K ", "\xc3\xa9", "e\xcc\x81", "e"};
    FOR_SERVERS(server, parts, "") {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            CHECK_EQ(set(parts, keys[i], bytes(keys[i])), MOTE_PARTS_OK);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            CHECK(holds(parts, keys[i], keys[i]));
    }
}

/* ---------------------------------------------------------------- a table that Dapr has made */

static const char plain_mysql[] =
    "mariadb --no-defaults -h 127.0.0.1 -P $MOTE_MYSQL_PORT -u mote '-ppass@word/1' ";

/* Its keys are compared as the database has it: here without case, accents, and spaces at the end,
 * and not in UTF-8. */
static mote_parts *open_dapr_table(void) {
    char command[1500];
    if (!getenv("MOTE_MYSQL_PORT")) return NULL;
    snprintf(command, sizeof command,
             "%s-e \"DROP DATABASE IF EXISTS mote_dapr; CREATE DATABASE mote_dapr CHARACTER SET "
             "latin1; USE mote_dapr; CREATE TABLE state (id VARCHAR(255) NOT NULL PRIMARY KEY, "
             "value JSON NOT NULL, isbinary BOOLEAN NOT NULL, insertDate TIMESTAMP NOT NULL "
             "DEFAULT CURRENT_TIMESTAMP, updateDate TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP "
             "ON UPDATE CURRENT_TIMESTAMP, eTag VARCHAR(36) NOT NULL, expiredate TIMESTAMP NULL, "
             "INDEX expiredate_idx (expiredate))\" 2>&1",
             plain_mysql);
    CHECK_STR(output_of(command), "");
    char metadata[300];
    snprintf(metadata, sizeof metadata,
             "  - {name: connectionString, value: "
             "'mote:pass@word/1@tcp(127.0.0.1:%s)/mote_dapr'}\n",
             getenv("MOTE_MYSQL_PORT"));
    const struct store store = {"mysql", "state.mysql", metadata, "MOTE_MYSQL_PORT"};
    char text[1000];
    mote_parts *parts = NULL;
    const mote_parts_config config = {.app_id = "l", .driver_dir = getenv("MOTE_DRIVERS")};
    CHECK(store_yaml(&store, "store", "", text, sizeof text));
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "d.yaml", text, strlen(text), NULL), MOTE_OK);
    return parts;
}

/* The keys with a prefix, in pages of `limit`; every page but the last says that there are more. */
static const char *list(mote_parts *parts, const char *prefix, size_t limit) {
    static char out[2000];
    char last[100] = "";
    bool more = true;
    *out = 0;
    while (more) {
        mote_parts_op op = {.verb = MOTE_PARTS_KEYS, .prefix = bytes(prefix), .limit = limit};
        if (*last) op.after = bytes(last);
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
        for (size_t i = 0; i < op.item_count; i++) {
            snprintf(last, sizeof last, "%.*s", (int)op.items[i].key.size,
                     (const char *)op.items[i].key.data);
            strcat(strcat(out, last), " ");
        }
        more = op.more;
        CHECK(more ? op.item_count == limit : op.item_count <= limit);
        mote_parts_op_deinit(&op);
    }
    return out;
}

TEST(prefixes_in_a_table_that_compares_less_strictly) {
    static const char *const keys[] = {"LOG/1", "LOG/2", "LOG/3",      "LOG/4",      "LOG/5",
                                       "log/6", "log/7", "L\xc3\x96G/1", "l\xc3\xb6g/2", "a"};
    mote_parts *parts = open_dapr_table();
    if (!parts) return;
    CHECK_STR(list(parts, "", 3), "");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK_EQ(set(parts, keys[i], bytes("1")), MOTE_PARTS_OK);
    for (size_t limit = 1; limit < 4; limit++) {
        CHECK_STR(list(parts, "log/", limit), "log/6 log/7 ");
        CHECK_STR(list(parts, "LOG/", limit), "LOG/1 LOG/2 LOG/3 LOG/4 LOG/5 ");
        CHECK_STR(list(parts, "Log/", limit), "");
        CHECK_STR(list(parts, "l\xc3\xb6", limit), "l\xc3\xb6g/2 ");
        CHECK_STR(list(parts, "L", limit),
                  "LOG/1 LOG/2 LOG/3 LOG/4 LOG/5 L\xc3\x96G/1 ");
    }
    mote_parts_delete(parts);
}

/* Expired rows go when the time has come, and not before. */
TEST(cleaning_up) {
    FOR_SERVERS(
        server, parts,
        "  - {name: cleanupInterval, value: 300ms}\n  - {name: keyPrefix, value: clean}\n") {
        bool never = false;
        mote_parts_item item = {.key = bytes("gone"), .value = bytes("1"), .ttl_s = 1000};
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(set(parts, "stays", bytes("1")), MOTE_PARTS_OK);
        mote_parts_drive(parts, &never, 700000000); /* cleaned at least once */
        CHECK_STR(ask(server, server->cleaned), "2");
        item.ttl_s = 1;
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        for (int i = 0; i < 50 && strcmp(ask(server, server->cleaned), "1") != 0; i++)
            mote_parts_drive(parts, &never, 100000000);
        CHECK_STR(ask(server, server->cleaned), "1");
        CHECK(holds(parts, "stays", "1"));
        mote_parts_item stays = {.key = bytes("stays")};
        CHECK_EQ(one(parts, MOTE_PARTS_DELETE, &stays, NULL), MOTE_PARTS_OK);
    }
}

/* ---------------------------------------------------------------- what is refused at once */

static void refuse(const char *type, const char *metadata, const char *words) {
    char text[1000], said[200];
    mote_parts *parts = NULL;
    mote_error error = {0};
    mote_parts_item item = {.key = bytes("k")};
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: %s\n  metadata: [%s]\n",
             type, metadata);
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    if (mote_parts_load_text(parts, "r.yaml", text, strlen(text), &error)) {
        if (!CHECK(strstr(error.message, words))) printf("  %s\n", error.message);
    } else {
        bool asks = strstr(words, "127.0.0.1:1");
        CHECK_EQ(mote_parts_check(parts, NULL, &error) == MOTE_OK, asks);
        if (!asks && !CHECK(strstr(error.message, words))) printf("  %s\n", error.message);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, said), MOTE_PARTS_UNAVAILABLE);
        if (!CHECK(strstr(said, words))) printf("  %s\n", said);
    }
    mote_parts_delete(parts);
}

TEST(metadata_that_is_refused) {
    refuse("state.mysql", "{name: connectionString, value: 'u:p@tcp(h)'}", "no `/`");
    refuse("state.mysql", "{name: connectionString, value: '/a'}, {name: schemaName, value: b}",
           "another database than `schemaName`");
    refuse("state.mysql", "{name: connectionString, value: '/a;b'}", "a name of letters");
    refuse("state.mysql", "{name: connectionString, value: '/'}, {name: tableName, value: 'a b'}",
           "tableName");
    refuse("state.mysql", "{name: connectionString, value: '/'}, {name: pemPath, value: x}", "TLS");
    refuse("state.mysql", "{name: connectionString, value: '/?tls=true'}", "`tls`");
    refuse("state.mysql", "{name: url, value: 'u:p@tcp(127.0.0.1:1)/'}", "127.0.0.1:1");
    refuse("state.postgresql", "{name: connectionString, value: 'host=h colour=blue'}",
           "none that libpq takes");
    refuse("state.postgresql", "{name: connectionString, value: 'postgres://h/?pool_max_conns=3'}",
           "pool_... is of Go's client");
    refuse("state.postgresql", "{name: port, value: http}", "`port`");
    refuse("state.postgresql", "{name: tablePrefix, value: 'a;b'}", "`tablePrefix`");
    refuse("state.postgresql", "{name: metadataTableName, value: 'a.b.c'}", "`metadataTableName`");
    refuse("state.postgresql", "{name: timeout, value: 0}", "`timeout` is 1s at least");
    refuse("state.postgresql", "{name: useAzureAD, value: true}", "Azure");
    refuse("state.postgresql", "{name: url, value: 'postgres://u:p@127.0.0.1:1/d'}", "127.0.0.1:1");
}

/* What is said of a component whose metadata hold the word "hunter", and never that word. */
static void refuse_secret(const char *type, const char *metadata, const char *words) {
    char said[200] = "", text[700];
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    mote_parts *parts = NULL;
    mote_error error;
    mote_parts_item item = {.key = bytes("k")};
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n"
             "  type: %s\n  metadata:\n  - %s\n",
             type, metadata);
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    if (mote_parts_load_text(parts, "r.yaml", text, strlen(text), &error))
        snprintf(said, sizeof said, "%s", error.message);
    else CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, said), MOTE_PARTS_UNAVAILABLE);
    if (!CHECK(strstr(said, words)) || !CHECK(!strstr(said, "hunter"))) printf("  %s\n", said);
    mote_parts_delete(parts);
}

TEST(passwords_are_in_no_message) {
    static const char *const urls[] = {
        "postgresql://u:hunter%zz2@127.0.0.1/x", "postgresql://u:hunter/2@127.0.0.1/x",
        "postgresql://u:1/hunter@127.0.0.1:1/x", "postgresql://u:p@hunter@127.0.0.1:1/x",
        "postgres://u:1/hunter?2@127.0.0.1/x",   "host=127.0.0.1 password=two hunter2",
        "password=x hunter=2",                   "postgresql://127.0.0.1/?hunter=2"};
    char metadata[200];
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        snprintf(metadata, sizeof metadata, "{name: connectionString, value: '%s'}", urls[i]);
        refuse_secret("state.postgresql", metadata,
                      "(r.yaml:7): `connectionString` is none that libpq takes");
    }
    refuse_secret("state.mysql", "{name: url, value: 'u:p/?hunter=,@tcp(h)'}", "(r.yaml:7)");
    refuse_secret("state.mysql", "{name: url, value: 'u:p@/hunter'}, {name: schemaName, value: b}",
                  "");
    refuse_secret("state.redis", "{name: redisHost, value: 'redis://:hunter@127.0.0.1:6379'}",
                  "`redisHost` is one HOST:PORT");
}

/* Nor anything that a variable says, through which component files keep their secrets. */
TEST(variables_are_in_no_message) {
    setenv("MOTE_TEST_URL", "postgresql://hunter:hunter@127.0.0.1:1/hunter", 1);
    refuse_secret("state.postgresql", "{name: connectionString, envRef: MOTE_TEST_URL}",
                  "PostgreSQL as its metadata says: ");
    setenv("MOTE_TEST_URL", "hunter:hunter@unix(/nowhere/hunter)/hunter", 1);
    refuse_secret("state.mysql", "{name: connectionString, envRef: MOTE_TEST_URL}",
                  "MySQL as `connectionString` says: Can't connect");
    setenv("MOTE_TEST_URL", "hunter.invalid:1", 1);
    refuse_secret("state.redis", "{name: redisHost, envRef: MOTE_TEST_URL}",
                  "Redis as `redisHost` says: ");
    setenv("MOTE_TEST_URL", "hunter", 1);
    refuse_secret("state.redis", "{name: redisType, envRef: MOTE_TEST_URL}", "`redisType` is only");
}

TEST(limits_of_mysql) {
    static char value[17 << 20];
    char key[800], text[200], deep[100];
    mote_parts *parts = open_with("mysql", "");
    if (!parts) return;
    memset(key, 'k', sizeof key);
    mote_parts_item item = {.key = {key, 252}, .value = bytes("1")}; /* and l|| */
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    item.key.size = 253;
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, text), MOTE_PARTS_TOO_LARGE);
    CHECK_STR(text, "a key of 256 characters with its prefix; state.mysql takes 255");
    for (size_t i = 0; i < 252; i++) memcpy(key + i * 3, "\xe2\x82\xac", 3);
    item.key.size = 252 * 3; /* characters, not bytes */
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    memset(value, 'v', sizeof value);
    item = (mote_parts_item){.key = bytes("v"), .value = {value, 12000000}};
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    mote_parts_op get = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &get), MOTE_PARTS_OK);
    CHECK(same(item.found, item.value));
    mote_parts_op_deinit(&get);
    enum { ROOM = (16 << 20) - 2048, BYTES = ROOM / 4 * 3 };
    for (size_t size = ROOM; size >= BYTES; size -= ROOM - BYTES) { /* the most, and one more */
        char words[200];
        if (size == ROOM) value[0] = value[ROOM - 1] = '"'; /* JSON: nothing is added to it */
        item.value.size = size;
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        get = (mote_parts_op){.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
        CHECK_EQ(mote_parts_call(parts, "store", &get), MOTE_PARTS_OK);
        CHECK(same(item.found, item.value));
        mote_parts_op_deinit(&get);
        if (size == ROOM) value[ROOM - 1] = 'v', value[ROOM] = '"';
        item.value.size = size + 1;
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, text), MOTE_PARTS_TOO_LARGE);
        snprintf(words, sizeof words, "a value of %zu bytes; this server takes %zu of such a value",
                 size + 1, size);
        CHECK(strstr(text, words) && strstr(text, "max_allowed_packet is 16777216"));
        value[0] = 'v';
    }
    memset(deep, '[', 40), memset(deep + 40, ']', 40);
    item = (mote_parts_item){.key = bytes("deep"), .value = {deep, 80}};
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK); /* as bytes */
    deep[80] = 0;
    CHECK(holds(parts, "deep", deep));
    item.flags = MOTE_PARTS_JSON;
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, text), MOTE_PARTS_INVALID);
    CHECK(strstr(text, "nests deeper than 30"));
    item.value = bytes("[\"\\ud800\"]");
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, text), MOTE_PARTS_INVALID);
    CHECK(strstr(text, "half of a surrogate pair"));
    item.value = bytes("[\"\\ud83d\\ude00\"]");
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    memset(deep, '[', 30), memset(deep + 30, ']', 30);
    item.value = (mote_parts_bytes){deep, 60};
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    item = (mote_parts_item){.key = bytes("t"), .value = bytes("1"), .ttl_s = 1000000000};
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, text), MOTE_PARTS_INVALID);
    CHECK(strstr(text, "2038"));
    mote_parts_delete(parts);
}

TEST(limits_of_postgresql) {
    char key[2800], text[200];
    mote_parts *parts = open_with("postgresql", "");
    if (!parts) return;
    unsigned seed = 1;
    for (size_t i = 0; i < sizeof key; i++) { /* nothing that the server could compress */
        seed = seed * 1103515245 + 12345;
        key[i] = (char)('!' + (seed >> 16) % 90);
        if (key[i] == '|') key[i] = 'I';
    }
    mote_parts_item item = {.key = {key, 2672 - 3}, .value = bytes("1")};
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    item.key.size++;
    CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, text), MOTE_PARTS_TOO_LARGE);
    CHECK_STR(text, "a key of 2673 bytes with its prefix; state.postgresql takes 2672");
    mote_parts_delete(parts);
}

TEST(values_that_mysql_keeps_wrongly) {
    char text[200];
    mote_parts *parts = open_with("mysql", "  - {name: timeoutInSeconds, value: 0}\n");
    if (!parts) return;
    CHECK_EQ(set(parts, "a", bytes("1")), MOTE_PARTS_OK); /* a time of 0 is none */
    static const char *const values[] = {"\"!!\"", "[1]", "1234"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char sql[300];
        snprintf(sql, sizeof sql,
                 "REPLACE INTO state (id, value, isbinary, eTag) VALUES ('l||bad', '%s', 1, 'e')",
                 values[i]);
        ask(&servers[0], sql);
        mote_parts_item item = {.key = bytes("bad")};
        CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, text), MOTE_PARTS_FAILED);
        if (!CHECK(strstr(text, "base64"))) printf("  %s\n", text);
    }
    mote_parts_delete(parts);
}

/* Nanoseconds since 1970 end in 2554, which others need not mind. */
TEST(a_time_that_postgresql_alone_can_tell) {
    mote_parts *parts = open_with("postgresql", "");
    if (!parts) return;
    CHECK_EQ(set(parts, "far", bytes("1")), MOTE_PARTS_OK);
    ask(&servers[1], "UPDATE state SET expires_at = now() + interval '3000 years' WHERE key = "
                     "'l||far'");
    mote_parts_item item = {.key = bytes("far"), .flags = MOTE_PARTS_EXPIRY};
    CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, NULL), MOTE_PARTS_OK);
    CHECK_EQ(item.expires_ns, UINT64_MAX);
    mote_parts_delete(parts);
}

/* Both forms of a connection string, and a table elsewhere. */
TEST(connection_strings_of_postgresql) {
    static const char *const forms[] = {
        "postgresql://mote:pass%20word%271@127.0.0.1:$/mote",
        "host=127.0.0.1 port=$ user=mote dbname=mote password='pass word\\'1'"};
    const char *port = getenv("MOTE_POSTGRES_PORT");
    for (size_t i = 0; i < 2 && port; i++) {
        char text[1000];
        mote_parts *parts = NULL;
        const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
        const char *dollar = strchr(forms[i], '$');
        snprintf(text, sizeof text,
                 "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
                 "type: state.postgresql\n  version: v2\n  metadata:\n"
                 "  - {name: connectionString, value: \"%.*s%s%s\"}\n"
                 "  - {name: tablePrefix, value: Public.more_}\n",
                 (int)(dollar - forms[i]), forms[i], port, dollar + 1);
        for (char *c = text; (c = strstr(c, "\\'")); c += 3) /* YAML has an escape of its own */
            memmove(c + 1, c, strlen(c) + 1);
        CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
        CHECK_EQ(mote_parts_load_text(parts, "f.yaml", text, strlen(text), NULL), MOTE_OK);
        CHECK_EQ(set(parts, "k", bytes("1")), MOTE_PARTS_OK);
        CHECK(holds(parts, "k", "1"));
        mote_parts_delete(parts);
    }
}

/* Items that stand by themselves do so when the server refuses one of them too. */
TEST(a_row_that_the_server_refuses) {
    FOR_SERVERS(server, parts, "") {
        CHECK_EQ(set(parts, "first", bytes("1")), MOTE_PARTS_OK);
        ask(server, server->guard);
        mote_parts_item items[] = {{.key = bytes("r1"), .value = bytes("1")},
                                   {.key = bytes("refused"), .value = bytes("2")},
                                   {.key = bytes("r3"), .value = bytes("3")}};
        mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = items, .item_count = 3};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_FAILED);
        CHECK(strstr(op.text, "guard"));
        CHECK(!items[0].code && items[1].code == MOTE_PARTS_FAILED && !items[2].code);
        mote_parts_op_deinit(&op);
        CHECK(holds(parts, "r1", "1") && holds(parts, "r3", "3"));
        items[0].value = items[2].value = bytes("4");
        op = (mote_parts_op){.verb = MOTE_PARTS_TRANSACT, .items = items, .item_count = 3};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_FAILED);
        mote_parts_op_deinit(&op);
        CHECK(holds(parts, "r1", "1") && holds(parts, "r3", "3"));
        ask(server, server->unguard);
    }
}
