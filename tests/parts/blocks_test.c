/* blocks_test.c - locks and configuration over every store that has them, and how they lie on a
 * Redis server: keys that a real Dapr reads and writes. */
#define _GNU_SOURCE
#include "stores.h"
#include "fail_alloc.h"
#include <time.h>

static const struct store locks[] = {
    {"memory", "lock.in-memory", "", NULL},
    {"redis", "lock.redis", "  - {name: redisHost, value: '127.0.0.1:$'}\n", "MOTE_REDIS_PORT"}};
static const struct store configurations[] = {
    {"memory", "configuration.in-memory",
     "  - {name: values, value: '{\"colour\": \"blue\", \"size\": 3}'}\n", NULL},
    {"redis", "configuration.redis", "  - {name: redisHost, value: '127.0.0.1:$'}\n",
     "MOTE_REDIS_PORT"}};

static mote_parts *open_with(const struct store *store, const mote_allocator *allocator,
                             const char *more) {
    char text[2000];
    mote_error error;
    mote_parts *parts = NULL;
    const mote_parts_config config = {.allocator = allocator, .app_id = "shop"};
    if (!store_yaml(store, "store", more, text, sizeof text)) {
        printf("not run: %s on a Redis server (there is none)\n", store->type);
        return NULL;
    }
    if (mote_parts_new(&config, &parts, &error) ||
        mote_parts_load_text(parts, "b.yaml", text, strlen(text), &error)) {
        if (!allocator) test_fail(__FILE__, __LINE__, error.message);
        mote_parts_delete(parts);
        return NULL;
    }
    return parts;
}

/* ---------------------------------------------------------------- locks */

static mote_parts_code lock(mote_parts *parts, const char *resource, const char *owner,
                            int64_t seconds) {
    mote_parts_item item = {.key = bytes(resource), .value = bytes(owner), .ttl_s = seconds};
    mote_parts_op op = {
        .verb = seconds ? MOTE_PARTS_LOCK : MOTE_PARTS_UNLOCK, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    mote_parts_op_deinit(&op);
    return code;
}
static mote_parts_code unlock(mote_parts *parts, const char *resource, const char *owner) {
    return lock(parts, resource, owner, 0);
}

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void try_locks(mote_parts *parts) {
    CHECK_EQ(unlock(parts, "r", "ann"), MOTE_PARTS_NOT_FOUND);
    CHECK_EQ(lock(parts, "r", "ann", 60), MOTE_PARTS_OK);
    CHECK_EQ(lock(parts, "r", "bob", 60), MOTE_PARTS_CONFLICT);
    CHECK_EQ(lock(parts, "r", "ann", 60), MOTE_PARTS_CONFLICT); /* not hers a second time */
    CHECK_EQ(lock(parts, "other", "bob", 60), MOTE_PARTS_OK);
    CHECK_EQ(unlock(parts, "r", "bob"), MOTE_PARTS_DENIED);
    CHECK_EQ(unlock(parts, "r", "an"), MOTE_PARTS_DENIED);
    CHECK_EQ(unlock(parts, "r", "ann"), MOTE_PARTS_OK);
    CHECK_EQ(unlock(parts, "r", "ann"), MOTE_PARTS_NOT_FOUND);
    CHECK_EQ(lock(parts, "r", "bob", 60), MOTE_PARTS_OK);
    CHECK_EQ(unlock(parts, "other", "bob"), MOTE_PARTS_OK);
    uint64_t began_ms = now_ms();
    CHECK_EQ(lock(parts, "soon", "ann", 2), MOTE_PARTS_OK);
    for (int i = 0; i < 400 && lock(parts, "soon", "bob", INT64_C(1) << 30); i++) sleep_ms(50);
    CHECK(now_ms() - began_ms >= 2000); /* it was hers until then */
    CHECK_EQ(unlock(parts, "soon", "ann"), MOTE_PARTS_DENIED);
    CHECK_EQ(lock(parts, "r", "", 10), MOTE_PARTS_INVALID);
    CHECK_EQ(lock(parts, "r", "ann", -1), MOTE_PARTS_INVALID);
    CHECK_EQ(lock(parts, "a||b", "ann", 1), MOTE_PARTS_INVALID);
    CHECK_EQ(lock(parts, "", "ann", 1), MOTE_PARTS_INVALID);
    CHECK_EQ(unlock(parts, "r", "bob"), MOTE_PARTS_OK);
    CHECK_EQ(unlock(parts, "soon", "bob"), MOTE_PARTS_OK);
}

TEST(locks_are_taken_and_given_back) {
    for (size_t i = 0; i < 2; i++) {
        mote_parts *parts = open_with(&locks[i], NULL, "");
        if (parts) try_locks(parts);
        mote_parts_delete(parts);
    }
}

/* Two resources at once: each stands by itself. */
TEST(several_locks_at_once) {
    for (size_t i = 0; i < 2; i++) {
        mote_parts *parts = open_with(&locks[i], NULL, "");
        if (!parts) continue;
        mote_parts_item items[] = {{.key = bytes("x"), .value = bytes("ann"), .ttl_s = 5},
                                   {.key = bytes("y"), .value = bytes("ann"), .ttl_s = 5}};
        mote_parts_op op = {.verb = MOTE_PARTS_LOCK, .items = items, .item_count = 2};
        CHECK_EQ(lock(parts, "y", "bob", 5), MOTE_PARTS_OK);
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_CONFLICT);
        CHECK_EQ(items[0].code, MOTE_PARTS_OK);
        CHECK_EQ(items[1].code, MOTE_PARTS_CONFLICT);
        mote_parts_op_deinit(&op);
        op = (mote_parts_op){.verb = MOTE_PARTS_UNLOCK, .items = items, .item_count = 2};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_DENIED);
        mote_parts_op_deinit(&op);
        CHECK_EQ(unlock(parts, "y", "bob"), MOTE_PARTS_OK);
        mote_parts_delete(parts);
    }
}

TEST(a_lock_on_redis_is_dapr_s) {
    static const struct {
        const char *more, *key;
    } cases[] = {{"", "lock||shop||r"},
                 {"  - {name: keyPrefix, value: none}\n", "lock||r"},
                 {"  - {name: keyPrefix, value: Name}\n", "lock||store||r"},
                 {"  - {name: keyPrefix, value: Mine}\n", "lock||mine||r"},
                 {"  - {name: keyPrefix, value: namespace}\n", "lock||namespace||r"}};
    char command[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mote_parts *parts = open_with(&locks[1], NULL, cases[i].more);
        if (!parts) return;
        CHECK_EQ(lock(parts, "r", "ann", 60), MOTE_PARTS_OK);
        snprintf(command, sizeof command, "get '%s'", cases[i].key);
        CHECK_STR(cli(command), "ann");
        snprintf(command, sizeof command, "ttl '%s'", cases[i].key);
        CHECK(strtol(cli(command), NULL, 10) > 50);
        CHECK_STR(cli("script flush"), "OK"); /* the server may forget the script at any time */
        CHECK_EQ(unlock(parts, "r", "ann"), MOTE_PARTS_OK);
        snprintf(command, sizeof command, "exists '%s'", cases[i].key);
        CHECK_STR(cli(command), "0");
        mote_parts_delete(parts);
    }
}

TEST(blocks_take_their_own_verbs_only) {
    mote_parts *parts = open_with(&locks[0], NULL, "");
    mote_parts_item item = {.key = bytes("k"), .value = bytes("v"), .ttl_s = 1};
    for (int verb = 0; verb < MOTE_PARTS_VERB_COUNT; verb++) {
        mote_parts_op op = {.verb = (mote_parts_verb)verb, .items = &item, .item_count = 1};
        bool is_own = verb == MOTE_PARTS_LOCK || verb == MOTE_PARTS_UNLOCK;
        CHECK_EQ(mote_parts_call(parts, "store", &op),
                 is_own ? MOTE_PARTS_OK : MOTE_PARTS_UNSUPPORTED);
        mote_parts_op_deinit(&op);
    }
    mote_parts_delete(parts);
    parts = store_open(&stores[0], NULL);
    mote_parts_op op = {.verb = MOTE_PARTS_LOCK, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_UNSUPPORTED);
    CHECK_STR(op.text, "a state store neither locks nor watches");
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- configuration */

/* Writes a key as people do: in memory through the library, on Redis with its own tool. NULL
 * removes. */
static void put(mote_parts *parts, const struct store *store, const char *key, const char *value) {
    char command[200];
    if (store->server) {
        snprintf(command, sizeof command, value ? "set %s '%s||7||x'" : "del %s", key,
                 value ? value : "");
        cli(command);
        return;
    }
    mote_parts_item item = {.key = bytes(key), .value = bytes(value ? value : "")};
    mote_parts_op op = {
        .verb = value ? MOTE_PARTS_SET : MOTE_PARTS_DELETE, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
}

static void read_configuration(mote_parts *parts, const struct store *store) {
    put(parts, store, "colour", "blue");
    put(parts, store, "missing", NULL);
    mote_parts_item items[] = {{.key = bytes("colour")}, {.key = bytes("missing")}};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = items, .item_count = 2};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    CHECK(same(items[0].found, bytes("blue")));
    CHECK(same(items[0].version, bytes(store->server ? "7" : "2")));
    CHECK_EQ(items[1].code, MOTE_PARTS_NOT_FOUND);
    mote_parts_op_deinit(&op);
    op = (mote_parts_op){.verb = MOTE_PARTS_KEYS, .prefix = bytes("colo")};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    CHECK_EQ(op.item_count, 1);
    mote_parts_op_deinit(&op);
}

TEST(configuration_is_read) {
    for (size_t i = 0; i < 2; i++) {
        mote_parts *parts = open_with(&configurations[i], NULL, "");
        if (parts) read_configuration(parts, &configurations[i]);
        mote_parts_delete(parts);
    }
}

TEST(configuration_on_redis_is_dapr_s) {
    static const struct {
        const char *stored, *value, *version;
    } cases[] = {{"plain", "plain", NULL},
                 {"v||", "v", ""},
                 {"||3", "", "3"},
                 {"a|b||1||2", "a|b", "1"},
                 {"", "", NULL}};
    char command[100];
    mote_parts *parts = open_with(&configurations[1], NULL, "");
    if (!parts) return;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mote_parts_item item = {.key = bytes("c")};
        mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
        snprintf(command, sizeof command, "set c '%s'", cases[i].stored);
        cli(command);
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
        CHECK(same(item.found, bytes(cases[i].value)));
        CHECK(cases[i].version ? same(item.version, bytes(cases[i].version)) : !item.version.data);
        mote_parts_op_deinit(&op);
    }
    mote_parts_item item = {.key = bytes("h"), .value = bytes("v")};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    cli("hset h a b");
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    CHECK_EQ(item.code, MOTE_PARTS_NOT_FOUND); /* a key of somebody else's kind */
    mote_parts_op_deinit(&op);
    op.verb = MOTE_PARTS_SET;
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_UNSUPPORTED);
    mote_parts_op_deinit(&op);
    cli("del h c");
    mote_parts_delete(parts);
}

/* What a watcher has seen, a line each: "KEY=VALUE " or "KEY! ". */
static char seen[1000];
static void see(mote_parts_op *op, const mote_parts_item *item) {
    size_t at = strlen(seen);
    if (item->code)
        snprintf(seen + at, sizeof seen - at, "%.*s! ", (int)item->key.size,
                 (const char *)item->key.data);
    else
        snprintf(seen + at, sizeof seen - at, "%.*s=%.*s ", (int)item->key.size,
                 (const char *)item->key.data, (int)item->found.size,
                 (const char *)item->found.data);
    if (op->context) *(bool *)op->context = true;
}
static void watched(mote_parts_op *op) { (void)op; }

/* Works until `text` has been seen, ten seconds at most. */
static bool sees(mote_parts *parts, const char *text) {
    bool never = false;
    for (int i = 0; i < 1000 && !strstr(seen, text); i++) mote_parts_drive(parts, &never, 10000000);
    if (strstr(seen, text)) return true;
    return printf("  seen: %s\n", seen), false;
}

static void watch_configuration(mote_parts *parts, const struct store *store) {
    mote_parts_item items[] = {{.key = bytes("colour")}, {.key = bytes("other")}};
    mote_parts_op op = {
        .verb = MOTE_PARTS_WATCH, .items = items, .item_count = 2, .changed = see, .done = watched};
    put(parts, store, "colour", "red");
    put(parts, store, "other", NULL);
    *seen = 0;
    mote_parts_submit(parts, "store", &op);
    CHECK(sees(parts, "colour=red ") && sees(parts, "other! "));
    *seen = 0;
    put(parts, store, "unwatched", "1");
    put(parts, store, "other", "1");
    CHECK(sees(parts, "other=1 "));
    put(parts, store, "other", NULL);
    CHECK(sees(parts, "other=1 other! "));
    put(parts, store, "colour", "green");
    CHECK(sees(parts, "colour=green "));
    CHECK(!strstr(seen, "unwatched"));
    mote_parts_cancel(&op);
    CHECK_EQ(op.code, MOTE_PARTS_CANCELLED);
    mote_parts_op_deinit(&op);
    *seen = 0;
    put(parts, store, "colour", "grey");
    mote_parts_drive(parts, &(bool){false}, 20000000);
    CHECK_STR(seen, "");
}

TEST(configuration_is_watched) {
    for (size_t i = 0; i < 2; i++) {
        mote_parts *parts = open_with(&configurations[i], NULL, "");
        if (parts) watch_configuration(parts, &configurations[i]);
        mote_parts_delete(parts);
    }
}

TEST(two_watch_one_key_and_one_stays) {
    for (size_t i = 0; i < 2; i++) {
        mote_parts *parts = open_with(&configurations[i], NULL, "");
        if (!parts) continue;
        bool told[2] = {false, false};
        mote_parts_item items[] = {{.key = bytes("shared")}, {.key = bytes("shared")}};
        mote_parts_op ops[2];
        put(parts, &configurations[i], "shared", "1");
        for (size_t k = 0; k < 2; k++) {
            ops[k] = (mote_parts_op){.verb = MOTE_PARTS_WATCH,
                                     .items = &items[k],
                                     .item_count = 1,
                                     .changed = see,
                                     .done = watched,
                                     .context = &told[k]};
            mote_parts_submit(parts, "store", &ops[k]);
        }
        for (size_t k = 0; k < 2; k++) mote_parts_drive(parts, &told[k], 5000000000);
        CHECK(told[0] && told[1]);
        mote_parts_cancel(&ops[0]);
        *seen = 0;
        put(parts, &configurations[i], "shared", "2");
        CHECK(sees(parts, "shared=2 "));
        mote_parts_delete(parts); /* ends the other */
        CHECK_EQ(ops[1].code, MOTE_PARTS_CANCELLED);
        for (size_t k = 0; k < 2; k++) mote_parts_op_deinit(&ops[k]);
    }
}

/* The listener's connection is cut, and the setting is taken away, while something is written. */
TEST(a_watcher_comes_back) {
    mote_parts *parts = open_with(&configurations[1], NULL, "");
    if (!parts) return;
    mote_parts_item item = {.key = bytes("back")};
    mote_parts_op op = {
        .verb = MOTE_PARTS_WATCH, .items = &item, .item_count = 1, .changed = see, .done = watched};
    *seen = 0;
    cli("config set notify-keyspace-events ''");
    cli("set back 1");
    mote_parts_submit(parts, "store", &op);
    CHECK(sees(parts, "back=1 "));
    cli("config set notify-keyspace-events ''");
    cli("client kill type pubsub");
    cli("set back 2");
    CHECK(sees(parts, "back=2 "));
    cli("set back 3");
    CHECK(sees(parts, "back=3 "));
    mote_parts_cancel(&op);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

/* Who only ever awaits answers, one after the other, hears of changes too. */
TEST(a_watcher_beside_calls) {
    char text[1000];
    mote_parts *parts = open_with(&configurations[1], NULL, "");
    if (!parts) return;
    const struct store state = {.type = "state.redis",
                                .metadata = "  - {name: redisHost, value: '127.0.0.1:$'}\n",
                                .server = "MOTE_REDIS_PORT"};
    CHECK(store_yaml(&state, "state", "", text, sizeof text));
    CHECK_EQ(mote_parts_load_text(parts, "s.yaml", text, strlen(text), NULL), MOTE_OK);
    mote_parts_item item = {.key = bytes("beside")}, value = {.key = bytes("beside")};
    mote_parts_op op = {
        .verb = MOTE_PARTS_WATCH, .items = &item, .item_count = 1, .changed = see, .done = watched};
    *seen = 0;
    cli("set beside 1");
    mote_parts_submit(parts, "state", &op);
    CHECK_EQ(op.code, MOTE_PARTS_UNSUPPORTED);
    mote_parts_submit(parts, "store", &op);
    CHECK(sees(parts, "beside=1 "));
    for (int i = 0; i < 100000 && !strstr(seen, "beside=2 "); i++) {
        if (i == 150) cli("set beside 2");
        mote_parts_op get = {.verb = MOTE_PARTS_GET, .items = &value, .item_count = 1};
        if (!CHECK_EQ(mote_parts_call(parts, "state", &get), MOTE_PARTS_OK)) break;
        mote_parts_op_deinit(&get);
    }
    CHECK(strstr(seen, "beside=2 "));
    mote_parts_cancel(&op);
    mote_parts_op_deinit(&op);
    cli("del beside");
    mote_parts_delete(parts);
}

TEST(a_watch_of_nothing_is_refused) {
    mote_parts *parts = open_with(&configurations[0], NULL, "");
    mote_parts_op op = {.verb = MOTE_PARTS_WATCH, .changed = see};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_INVALID);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

static void ignore(mote_parts_op *op, const mote_parts_item *item) { (void)op, (void)item; }

/* A watch may have a deadline of its own. */
TEST(a_watch_with_a_deadline) {
    for (size_t i = 0; i < 2; i++) {
        mote_parts *parts = open_with(&configurations[i], NULL, "");
        if (!parts) continue;
        mote_parts_item item = {.key = bytes("k")};
        mote_parts_op op = {.verb = MOTE_PARTS_WATCH,
                            .items = &item,
                            .item_count = 1,
                            .changed = ignore,
                            .timeout_ns = 50000000};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_TIMEOUT);
        mote_parts_op_deinit(&op);
        mote_parts_delete(parts);
    }
}

/* ---------------------------------------------------------------- no memory */

static bool lock_with(const mote_allocator *a, void *context) {
    mote_parts *parts = open_with(context, a, "  - {name: keyPrefix, value: memory}\n");
    if (!parts) return false;
    mote_parts_code taken = lock(parts, "r", "ann", 60), given = unlock(parts, "r", "ann");
    mote_parts_delete(parts);
    bool left = taken == MOTE_PARTS_OK && given != MOTE_PARTS_OK; /* on a server it stays */
    if (left && ((const struct store *)context)->server) cli("del 'lock||memory||r'");
    return !taken && !given;
}

static uint64_t failures_of(const mote_allocator *a) {
    return ((const struct fail_alloc *)a)->failures;
}

static bool watch_with(const mote_allocator *a, void *context) {
    mote_parts *parts = open_with(context, a, "");
    if (!parts) return false;
    bool told = false;
    mote_parts_item item = {.key = bytes("colour")}, got = item;
    mote_parts_op op = {.verb = MOTE_PARTS_WATCH,
                        .items = &item,
                        .item_count = 1,
                        .changed = see,
                        .done = watched,
                        .context = &told};
    mote_parts_op get = {.verb = MOTE_PARTS_GET, .items = &got, .item_count = 1};
    *seen = 0;
    mote_parts_submit(parts, "store", &op);
    for (int i = 0; i < 1000 && !told && !op.code && !(i > 2 && failures_of(a)); i++)
        mote_parts_drive(parts, &told, 10000000);
    bool good = !mote_parts_call(parts, "store", &get) && told;
    mote_parts_delete(parts);
    mote_parts_op_deinit(&op);
    mote_parts_op_deinit(&get);
    /* What has got over it by itself counts as told that there was none. */
    return good && !failures_of(a);
}

TEST(no_memory) {
    for (size_t i = 0; i < 2; i++) {
        struct store l = locks[i], c = configurations[i];
        if (l.server && !getenv(l.server)) continue;
        if (l.server) cli("del 'lock||memory||r'"), cli("set colour blue");
        CHECK(fail_alloc_sweep(lock_with, &l) > 5);
        CHECK(fail_alloc_sweep(watch_with, &c) > 5);
    }
}
