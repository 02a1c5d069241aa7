/* redis_test.c - what only Redis has: keys that others have written, scripts that are forgotten,
 * connections that are cut; and the hash as redis-cli sees it. */
#define _GNU_SOURCE
#include "stores.h"
#include <pthread.h>

static mote_parts *open_redis(void) {
    char text[1000];
    mote_parts *parts = NULL;
    const mote_parts_config config = {.app_id = "r"};
    for (size_t i = 0; i < STORE_COUNT; i++) {
        if (strcmp(stores[i].name, "redis") != 0 ||
            !store_yaml(&stores[i], "store", "", text, sizeof text))
            continue;
        CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
        CHECK_EQ(mote_parts_load_text(parts, "r.yaml", text, strlen(text), NULL), MOTE_OK);
    }
    if (!parts) printf("not run: there is no redis-server\n");
    return parts;
}

static mote_parts_code set(mote_parts *parts, const char *key, const char *value, const char *etag,
                           unsigned flags) {
    mote_parts_item item = {.key = bytes(key), .value = bytes(value), .flags = flags};
    if (etag) item.etag = bytes(etag);
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    mote_parts_op_deinit(&op);
    return code;
}

static bool holds(mote_parts *parts, const char *key, const char *value, const char *etag) {
    mote_parts_item item = {.key = bytes(key)};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    bool good = !mote_parts_call(parts, "store", &op) && same(item.found, bytes(value)) &&
                (*etag ? same(item.version, bytes(etag)) : !item.version.data);
    if (!good) printf("  %d %d %s\n", op.code, item.code, op.text);
    mote_parts_op_deinit(&op);
    return good;
}

TEST(the_hash_is_dapr_s) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    cli("del 'r||a'");
    CHECK_EQ(set(parts, "a", "{\"n\": 1}", NULL, 0), MOTE_PARTS_OK);
    CHECK_EQ(set(parts, "a", "{\"n\": 2}", "1", 0), MOTE_PARTS_OK);
    CHECK_STR(cli("hgetall 'r||a'"), "data\n{\"n\": 2}\nversion\n2");
    CHECK_STR(cli("ttl 'r||a'"), "-1");
    CHECK_EQ(set(parts, "a", "x", "two", 0), MOTE_PARTS_INVALID);
    mote_parts_delete(parts);
}

TEST(what_others_have_written) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    cli("set 'r||plain' text"); /* no hash: a value without a version */
    CHECK(holds(parts, "plain", "text", ""));
    CHECK_EQ(set(parts, "plain", "new", NULL, MOTE_PARTS_FIRST_WRITE), MOTE_PARTS_CONFLICT);
    CHECK_EQ(set(parts, "plain", "new", NULL, 0), MOTE_PARTS_OK);
    CHECK(holds(parts, "plain", "new", "1"));
    cli("del 'r||marked'");
    cli("hset 'r||marked' data 1 version 7 first-write 0");
    CHECK_EQ(set(parts, "marked", "2", NULL, 0), MOTE_PARTS_CONFLICT); /* as Dapr would */
    CHECK_EQ(set(parts, "marked", "2", "7", 0), MOTE_PARTS_OK);
    CHECK(holds(parts, "marked", "2", "8"));
    mote_parts_delete(parts);
}

/* What would stop the writing is found before it begins. */
TEST(a_version_that_is_no_number) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    cli("del 'r||good' 'r||plain'");
    cli("set 'r||plain' text");
    cli("hset 'r||odd' data 1 version x");
    mote_parts_item items[] = {{.key = bytes("good"), .value = bytes("1")},
                               {.key = bytes("plain"), .value = bytes("1")},
                               {.key = bytes("odd"), .value = bytes("2")}};
    mote_parts_op op = {.verb = MOTE_PARTS_TRANSACT, .items = items, .item_count = 3};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_FAILED);
    CHECK(strstr(op.text, "the version of a key"));
    mote_parts_op_deinit(&op);
    CHECK_STR(cli("exists 'r||good'"), "0");
    CHECK_STR(cli("get 'r||plain'"), "text");
    CHECK_STR(cli("hget 'r||odd' data"), "1");
    items[2].flags = MOTE_PARTS_REMOVE;
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
    CHECK(holds(parts, "plain", "1", "1"));
    CHECK_STR(cli("exists 'r||odd'"), "0");
    mote_parts_delete(parts);
}

/* A mark of Dapr's is seen as it will be when its turn comes. */
TEST(marked_keys_in_a_transaction) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    cli("del 'r||marked'");
    cli("hset 'r||marked' data 1 version 7 first-write 0");
    mote_parts_item items[] = {
        {.key = bytes("marked"), .value = bytes("2"), .etag = bytes("7")},
        {.key = bytes("marked"), .value = bytes("3")}};
    mote_parts_op op = {.verb = MOTE_PARTS_TRANSACT, .items = items, .item_count = 2};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_CONFLICT);
    mote_parts_op_deinit(&op);
    CHECK(holds(parts, "marked", "1", "7"));
    items[0].flags = MOTE_PARTS_REMOVE;
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
    CHECK(holds(parts, "marked", "3", "1"));
    mote_parts_delete(parts);
}

TEST(scripts_that_are_forgotten) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    CHECK_EQ(set(parts, "s", "1", NULL, 0), MOTE_PARTS_OK);
    CHECK_STR(cli("script flush"), "OK");
    CHECK_EQ(set(parts, "s", "2", NULL, 0), MOTE_PARTS_OK);
    CHECK_EQ(set(parts, "s", "3", "1", 0), MOTE_PARTS_CONFLICT);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- answers awaited in the socket:
 * by a thread that has been alone for a while */

static mote_parts *open_alone(void) {
    mote_parts *parts = open_redis();
    for (int i = 0; parts && i < 150; i++) CHECK_EQ(set(parts, "d", "1", NULL, 0), MOTE_PARTS_OK);
    return parts;
}

static mote_parts_code get_in(mote_parts *parts, const char *key, uint64_t timeout_ns,
                              char text[200]) {
    mote_parts_item item = {.key = bytes(key)};
    mote_parts_op op = {
        .verb = MOTE_PARTS_GET, .items = &item, .item_count = 1, .timeout_ns = timeout_ns};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    snprintf(text, 200, "%s", op.text);
    mote_parts_op_deinit(&op);
    return code;
}

TEST(a_script_that_is_forgotten_meanwhile) {
    mote_parts *parts = open_alone();
    if (!parts) return;
    CHECK_STR(cli("script flush"), "OK");
    CHECK_EQ(set(parts, "d", "2", NULL, 0), MOTE_PARTS_OK);
    CHECK(holds(parts, "d", "2", cli("hget 'r||d' version")));
    mote_parts_delete(parts);
}

/* Longer than anybody waits in the socket: the loop goes on. What came too late is not taken for
 * the answer to something else. */
TEST(an_answer_that_takes_its_time) {
    char text[200], etag[40];
    mote_parts *parts = open_alone();
    if (!parts) return;
    snprintf(etag, sizeof etag, "%s", cli("hget 'r||d' version"));
    cli("client pause 60 all");
    CHECK(holds(parts, "d", "1", etag));
    cli("client pause 600 all");
    CHECK_EQ(get_in(parts, "none", 150000000, text), MOTE_PARTS_TIMEOUT);
    CHECK_STR(text, "no answer in time");
    CHECK(holds(parts, "d", "1", etag));
    CHECK_EQ(get_in(parts, "none", 1000000000, text), MOTE_PARTS_OK);
    mote_parts_delete(parts);
}

/* In more pieces than anybody waits for, and again into memory that is there. */
TEST(an_answer_in_many_pieces) {
    enum { BYTES = 8 << 20 };
    mote_parts *parts = open_alone();
    if (!parts) return;
    char *value = malloc(BYTES + 1);
    memset(value, 'v', BYTES);
    value[BYTES] = 0;
    CHECK_EQ(set(parts, "big", value, NULL, 0), MOTE_PARTS_OK);
    char etag[40];
    snprintf(etag, sizeof etag, "%s", cli("hget 'r||big' version"));
    for (int i = 0; i < 3; i++) CHECK(holds(parts, "big", value, etag));
    CHECK(holds(parts, "d", "1", cli("hget 'r||d' version")));
    cli("del 'r||big'");
    free(value);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- callbacks, threads */

static mote_parts *parts_of_callback;
static char said[200];
static bool was_called;

static void call_inside(mote_parts_op *op) {
    CHECK(!op->code && same(op->items[0].found, bytes("1")));
    CHECK_EQ(get_in(parts_of_callback, "b", 0, said), MOTE_PARTS_UNSUPPORTED);
    was_called = true;
}

/* What waits for nothing, and what opens or looks, works in callbacks. */
static void look_inside(mote_parts_op *op) {
    mote_parts_health health;
    CHECK_EQ(mote_parts_open(parts_of_callback, "store", NULL), MOTE_OK);
    mote_parts_health_at(parts_of_callback, 0, &health);
    mote_parts_drive(parts_of_callback, &was_called, 1000000000);
    call_inside(op);
}

/* Whether or not it is awaited without the loop, and by whom. */
static void try_inside(mote_parts *parts, void (*inside)(mote_parts_op *op), bool by_call) {
    char text[200];
    mote_parts_item item = {.key = bytes("d")};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1, .done = inside};
    parts_of_callback = parts;
    was_called = false;
    *said = 0;
    mote_parts_submit(parts, "store", &op);
    if (by_call) CHECK_EQ(get_in(parts, "b", 0, text), MOTE_PARTS_OK);
    else mote_parts_drive(parts, &was_called, 5000000000);
    CHECK(was_called);
    CHECK_STR(said, "a callback cannot wait for an operation, only submit it");
    CHECK(holds(parts, "d", "1", cli("hget 'r||d' version")));
    mote_parts_op_deinit(&op);
}

TEST(callbacks_may_look_and_cannot_wait) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    CHECK_EQ(set(parts, "d", "1", NULL, 0), MOTE_PARTS_OK);
    for (int round = 0; round < 4; round++) {
        try_inside(parts, call_inside, round % 2);
        try_inside(parts, look_inside, round % 2);
        for (int i = 0; i < 150 && round == 1; i++)
            CHECK_EQ(get_in(parts, "b", 0, said), MOTE_PARTS_OK);
    }
    mote_parts_delete(parts);
}

static _Atomic bool is_enough;
static _Atomic unsigned long hog_calls;

static void *hog(void *parts) {
    char text[200];
    while (!is_enough) hog_calls += !get_in(parts, "d", 0, text);
    return NULL;
}

/* The most calls of the other thread during one of this one's. */
static unsigned long most_meanwhile(mote_parts *parts) {
    enum { CALLS = 200 };
    char text[200];
    unsigned long most = 0;
    for (int i = 0; i < CALLS; i++) {
        usleep(1000);
        unsigned long before = hog_calls;
        CHECK_EQ(get_in(parts, "d", 0, text), MOTE_PARTS_OK);
        unsigned long meanwhile = hog_calls - before;
        if (meanwhile > most) most = meanwhile;
    }
    return most;
}

/* One thread that asks without end lets another in after each answer; the machine may be busy. */
TEST(nobody_keeps_others_out) {
    enum { ROUNDS = 5, AT_MOST = 200 };
    pthread_t thread;
    unsigned long most = AT_MOST + 1;
    mote_parts *parts = open_alone();
    if (!parts) return;
    is_enough = false;
    hog_calls = 0;
    CHECK(!pthread_create(&thread, NULL, hog, parts));
    for (int round = 0; round < ROUNDS && most > AT_MOST; round++) most = most_meanwhile(parts);
    is_enough = true;
    pthread_join(thread, NULL);
    printf("%lu calls of another thread during one\n", most);
    CHECK(most <= AT_MOST);
    mote_parts_delete(parts);
}

/* One who drives the loop is not kept from its end by many who call, nor they by it. */
TEST(many_call_while_one_drives) {
    enum { HOGS = 6 };
    const bool never = false;
    pthread_t threads[HOGS];
    struct timespec before, after;
    mote_parts *parts = open_alone();
    if (!parts) return;
    is_enough = false;
    hog_calls = 0;
    for (int i = 0; i < HOGS; i++) CHECK(!pthread_create(&threads[i], NULL, hog, parts));
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 5; i++) mote_parts_drive(parts, &never, 100000000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    is_enough = true;
    for (int i = 0; i < HOGS; i++) pthread_join(threads[i], NULL);
    printf("%lu calls meanwhile\n", hog_calls);
    CHECK(hog_calls > 10);
    CHECK(after.tv_sec - before.tv_sec < 20);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- connections, times */

TEST(connections_that_are_cut_while_idle) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(set(parts, "c", "1", NULL, 0), MOTE_PARTS_OK);
        cli("client kill type normal");
    }
    CHECK(holds(parts, "c", "1", cli("hget 'r||c' version")));
    mote_parts_delete(parts);
}

/* Nanoseconds since 1970 end in 2554, which others need not mind. */
TEST(a_time_that_redis_alone_can_tell) {
    mote_parts *parts = open_redis();
    if (!parts) return;
    CHECK_EQ(set(parts, "far", "1", NULL, 0), MOTE_PARTS_OK);
    CHECK_STR(cli("expire 'r||far' 30000000000"), "1");
    mote_parts_item item = {.key = bytes("far"), .flags = MOTE_PARTS_EXPIRY};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    CHECK_EQ(item.expires_ns, UINT64_MAX);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

/* A time of 0 is the default, as in Go's client. */
TEST(times_of_0) {
    mote_parts *parts = NULL;
    char text[1000];
    if (!getenv("MOTE_REDIS_PORT")) return;
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: state.redis\n  metadata:\n  - {name: redisHost, value: '127.0.0.1:%s'}\n"
             "  - {name: dialTimeout, value: 0}\n  - {name: readTimeout, value: 0}\n"
             "  - {name: ttlInSeconds, value: 10000000000}\n",
             getenv("MOTE_REDIS_PORT"));
    CHECK_EQ(mote_parts_new(&(mote_parts_config){.app_id = "r"}, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "r.yaml", text, strlen(text), NULL), MOTE_OK);
    CHECK_EQ(set(parts, "zero", "1", NULL, 0), MOTE_PARTS_OK);
    CHECK(strtoll(cli("ttl 'r||zero'"), NULL, 10) > 9999999000);
    cli("del 'r||zero'");
    mote_parts_delete(parts);
}

/* Says why a value would not do, before anybody is asked. */
static void refuse_as(const char *metadata, const char *message) {
    char text[500];
    mote_parts *parts = NULL;
    mote_error error = {0};
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: "
             "state.redis, metadata: [\n  %s]}\n",
             metadata);
    CHECK_EQ(mote_parts_new(&(mote_parts_config){0}, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "r.yaml", text, strlen(text), &error), MOTE_E_ARGUMENT);
    CHECK_STR(error.message, message);
    mote_parts_delete(parts);
}

static void refuse(const char *metadata) {
    refuse_as(metadata, "r.yaml:5: `redisHost` is one HOST:PORT, or `redisPort` says the port");
}

TEST(times_to_live_that_are_too_long) {
    refuse_as("{name: ttlInSeconds, value: 10000000001}",
              "r.yaml:5: `ttlInSeconds` is 10000000000 at most");
}

TEST(hosts_that_are_none) {
    refuse("{name: redisHost, value: '127.0.0.1:0'}");
    refuse("{name: redisHost, value: '127.0.0.1:65536'}"); /* the system would take port 0 */
    refuse("{name: redisHost, value: '127.0.0.1:x'}");
    refuse("{name: redisHost, value: '127.0.0.1:'}");
    refuse("{name: redisHost, value: '127.0.0.1'}, {name: redisPort, value: 99999}");
    refuse("{name: redisPort, value: 99999}");
    refuse("{name: redisHost, value: ':1'}");
    refuse("{name: redisHost, value: 'a:1,b:2'}");
}
