/* guest_test.c - what programs ask for through mote1: every operation over every store, many in
 * flight, limits, wrong requests, threads, and the imports as a module sees them.
 * tests/parts/guests runs real programs. */
#define _GNU_SOURCE
#include "stores.h"
#include "fail_alloc.h"
#include "parts/handles.h"
#include "parts/loop.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

/* ---------------------------------------------------------------- a header in a line */

struct header {
    char bytes[2000];
    size_t size;
};

/* "name=value;name=value": no value here holds a semicolon. */
static mote_parts_bytes header(struct header *h, const char *text) {
    struct run run = {h->bytes, 0};
    while (*text) {
        char name[40];
        size_t name_size = strcspn(text, "="), size = strcspn(text + name_size + 1, ";");
        snprintf(name, sizeof name, "%.*s", (int)name_size, text);
        mote__run_put(&run, name, &(mote_parts_bytes){text + name_size + 1, size});
        text += name_size + 1 + size;
        if (*text) text++;
    }
    h->size = run.size;
    return (mote_parts_bytes){h->bytes, h->size};
}

static int32_t ask(mote_parts_guest *g, uint32_t op, const char *in, const char *entries,
                   uint32_t flags) {
    struct header h;
    const struct request request = {.op = op,
                                    .flags = flags,
                                    .name = bytes("store"),
                                    .in = in ? bytes(in) : (mote_parts_bytes){0},
                                    .hdr = header(&h, entries)};
    return mote__handle_call(g, &request);
}

static int32_t read_all(mote_parts_guest *g, int32_t handle, char *out, uint32_t size) {
    int32_t got = mote__handle_read(g, (uint32_t)handle, out, size - 1, NULL);
    if (got >= 0) out[got] = 0;
    return got;
}

/* The whole of an operation; out may be NULL. */
static int32_t done(mote_parts_guest *g, int32_t handle, char *out) {
    char unwanted[4000];
    if (handle <= 0) return handle;
    int32_t got = read_all(g, handle, out ? out : unwanted, 4000);
    CHECK_EQ(mote__handle_close(g, (uint32_t)handle), 0);
    return got;
}

static const char *meta(mote_parts_guest *g, int32_t handle, const char *key) {
    static char out[300];
    const mote_parts_bytes name = bytes(key);
    int32_t got = mote__handle_meta(g, (uint32_t)handle, &name, out, sizeof out - 1, NULL);
    out[got > 0 ? got : 0] = 0;
    return got < 0 ? NULL : out;
}

/* A run as "name=value;..." */
static void spell(const char *run, int32_t size, char *out) {
    struct mote1_entry e;
    size_t at = 0;
    *out = 0;
    while (mote1_take(run, (size_t)size, &at, &e))
        out += sprintf(out, "%.*s=%.*s;", (int)e.name_size, e.name, (int)e.value_size, e.value);
}

static mote_parts_guest *guest_of(mote_parts *parts) {
    mote_parts_guest *g = NULL;
    const mote_parts_guest_config config = {.all_components = true};
    return mote_parts_guest_new(parts, &config, &g, NULL) ? NULL : g;
}

/* What was said last to people. */
static char said[600];
static void keep_said(void *context, const char *line) {
    (void)context;
    snprintf(said, sizeof said, "%s", line);
}

static mote_parts *load(const mote_allocator *a, const char *metadata, const char *type) {
    char text[1000];
    mote_error error;
    mote_parts *parts = NULL;
    const mote_parts_config config = {
        .allocator = a, .driver_dir = getenv("MOTE_DRIVERS"), .log = keep_said};
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: %s\n  metadata:\n%s---\n"
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: locked}\nspec: "
             "{type: lock.in-memory}\n",
             type, metadata);
    if (!mote_parts_new(&config, &parts, &error) &&
        !mote_parts_load_text(parts, "g.yaml", text, strlen(text), &error))
        return parts;
    mote_parts_delete(parts);
    return NULL;
}

/* ---------------------------------------------------------------- state */

TEST(a_value_goes_and_comes) {
    FOR_STORES(parts) {
        mote_parts_guest *g = guest_of(parts);
        char out[4000], entries[200];
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a", 0), out), -MOTE1_NOT_FOUND);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, "{\"n\":1}", "key=a", 0), NULL), 0);
        int32_t h = ask(g, MOTE1_STATE_GET, NULL, "key=a", 0);
        CHECK_EQ(mote__handle_read(g, (uint32_t)h, out, 3, NULL), 3); /* in two pieces */
        CHECK_STR(meta(g, h, "size"), "4");
        CHECK_EQ(read_all(g, h, out + 3, 100), 4);
        CHECK_STR(out, "{\"n\":1}");
        CHECK_EQ(read_all(g, h, out, 100), 0);
        CHECK_STR(meta(g, h, "status"), "0");
        snprintf(entries, sizeof entries, "key=a;etag=%s", meta(g, h, "etag"));
        CHECK(!meta(g, h, "nothing") && !meta(g, h, "more"));
        CHECK_EQ(mote__handle_close(g, (uint32_t)h), 0);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, "{\"n\":2}", entries, 0), NULL), 0);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, "{\"n\":3}", entries, 0), NULL), -MOTE1_CONFLICT);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_DELETE, NULL, entries, 0), NULL), -MOTE1_CONFLICT);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, "1", "key=a;concurrency=first-write", 0), NULL),
                 -MOTE1_CONFLICT);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, "{", "key=j;content=json", 0), NULL),
                 -MOTE1_INVALID);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, "5", "key=t;ttl=100;content=binary", 0), NULL), 0);
        h = ask(g, MOTE1_STATE_GET, NULL, "key=t;expiry=1;timeout=5000", 0);
        const char *expires = meta(g, h, "expires");
        CHECK(expires && strtoull(expires, NULL, 10) > (uint64_t)time(NULL) * 1000000000);
        CHECK_EQ(done(g, h, NULL), 1);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_DELETE, NULL, "key=a", 0), NULL), 0);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a", 0), NULL), -MOTE1_NOT_FOUND);
        h = ask(g, MOTE1_STATE_SET, "x", "key=a||b", 0);
        CHECK_STR(meta(g, h, "error"), "a key holds NUL or `||`");
        CHECK_EQ(done(g, h, NULL), -MOTE1_INVALID);
        CHECK_EQ(g->budget.used, 0);
        CHECK_EQ(g->open, 0);
        mote_parts_guest_delete(g);
    }
}

TEST(many_items_and_transactions) {
    FOR_STORES(parts) {
        mote_parts_guest *g = guest_of(parts);
        char run[4000], text[4000];
        CHECK_EQ(done(g,
                      ask(g, MOTE1_STATE_TRANSACT, NULL, "key=a;value=1;key=b;value=2;ttl=90",
                          MOTE1_MANY),
                      NULL) > 0,
                 1);
        int32_t size =
            done(g, ask(g, MOTE1_STATE_GET, NULL, "key=b;key=none;key=a", MOTE1_MANY), run);
        spell(run, size, text);
        CHECK(strstr(text, "key=b;value=2;etag=") == text);
        CHECK(strstr(text, ";key=none;error=2;key=a;value=1;etag="));
        CHECK_EQ(done(g,
                      ask(g, MOTE1_STATE_TRANSACT, NULL,
                          "key=a;do=delete;key=c;value=3;key=b;concurrency=first-write;value=4",
                          MOTE1_MANY),
                      NULL),
                 -MOTE1_CONFLICT);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=c", 0), NULL), -MOTE1_NOT_FOUND);
        /* each by itself: one fails, and the others are there */
        size = done(g,
                    ask(g, MOTE1_STATE_SET, NULL,
                        "key=b;concurrency=first-write;value=4;key=d;value=5", MOTE1_MANY),
                    run);
        spell(run, size, text);
        CHECK(strstr(text, "key=b;error=4;key=d;") == text);
        int32_t h = ask(g, MOTE1_STATE_KEYS, NULL, "limit=2", 0);
        size = read_all(g, h, run, sizeof run);
        spell(run, size, text);
        CHECK_STR(text, "key=a;key=b;");
        CHECK_STR(meta(g, h, "more"), "1");
        CHECK_EQ(done(g, h, NULL), 0);
        h = ask(g, MOTE1_STATE_KEYS, NULL, "after=b;prefix=d", 0);
        size = read_all(g, h, run, sizeof run);
        spell(run, size, text);
        if (!CHECK_STR(text, "key=d;")) printf("  %s\n", store_now);
        CHECK_STR(meta(g, h, "more"), "0");
        CHECK_EQ(done(g, h, NULL), 0);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "", MOTE1_MANY), run), 0);
        mote_parts_guest_delete(g);
    }
}

TEST(a_value_in_pieces) {
    FOR_STORES(parts) {
        mote_parts_guest *g = guest_of(parts);
        char out[4000];
        int32_t h = ask(g, MOTE1_STATE_SET, NULL, "key=long", MOTE1_OPEN);
        CHECK_EQ(mote__handle_read(g, (uint32_t)h, out, 1, NULL), -MOTE1_INVALID); /* not begun */
        for (int i = 0; i < 300; i++)
            CHECK_EQ(mote__handle_write(g, (uint32_t)h, "0123456789", 10), 10);
        CHECK_EQ(mote__handle_finish(g, (uint32_t)h), 0);
        CHECK_EQ(mote__handle_finish(g, (uint32_t)h), -MOTE1_INVALID);
        CHECK_EQ(mote__handle_write(g, (uint32_t)h, "x", 1), -MOTE1_INVALID);
        CHECK_EQ(done(g, h, NULL), 0);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=long", 0), out), 3000);
        h = ask(g, MOTE1_STATE_SET, NULL, "key=never", MOTE1_OPEN);
        CHECK_EQ(mote__handle_write(g, (uint32_t)h, "0123456789", 10), 10);
        CHECK_EQ(mote__handle_close(g, (uint32_t)h), 0);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=never", 0), NULL), -MOTE1_NOT_FOUND);
        CHECK_EQ(g->budget.used, 0);
        mote_parts_guest_delete(g);
    }
}

TEST(many_in_flight) {
    FOR_STORES(parts) {
        mote_parts_guest *g = guest_of(parts);
        int32_t handles[MOTE1_HANDLES_MAX];
        char entries[40], out[100];
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < MOTE1_HANDLES_MAX; i++) {
                snprintf(entries, sizeof entries, "key=k%d", i);
                handles[i] =
                    ask(g, round ? MOTE1_STATE_GET : MOTE1_STATE_SET, entries + 4, entries, 0);
                CHECK(handles[i] > 0);
            }
            CHECK_EQ(ask(g, MOTE1_STATE_GET, NULL, "key=k", 0), -MOTE1_LIMIT);
            for (int left = MOTE1_HANDLES_MAX; left; left--) {
                int32_t at = mote__handle_wait(g, handles, (uint32_t)left, -1, NULL);
                if (!CHECK(at >= 0 && at < left)) break;
                CHECK_EQ(mote__handle_read(g, (uint32_t)handles[at], out, sizeof out, NULL) > 0,
                         round);
                CHECK_EQ(mote__handle_close(g, (uint32_t)handles[at]), 0);
                handles[at] = handles[left - 1];
            }
        }
        mote_parts_guest_delete(g);
    }
}

/* ---------------------------------------------------------------- locks, configuration, secrets */

TEST(locks_of_programs) {
    mote_parts *parts = load(NULL, "", "lock.in-memory");
    mote_parts_guest *g = guest_of(parts);
    CHECK_EQ(done(g, ask(g, MOTE1_LOCK, "ann", "key=r;ttl=30", 0), NULL), 0);
    CHECK_EQ(done(g, ask(g, MOTE1_LOCK, "bob", "key=r;ttl=30", 0), NULL), -MOTE1_CONFLICT);
    CHECK_EQ(done(g, ask(g, MOTE1_LOCK, "bob", "key=s", 0), NULL), -MOTE1_INVALID);
    CHECK_EQ(done(g, ask(g, MOTE1_UNLOCK, "bob", "key=r", 0), NULL), -MOTE1_DENIED);
    CHECK_EQ(done(g, ask(g, MOTE1_UNLOCK, "ann", "key=r", 0), NULL), 0);
    CHECK_EQ(done(g, ask(g, MOTE1_UNLOCK, "ann", "key=r", 0), NULL), -MOTE1_NOT_FOUND);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

TEST(secrets_of_programs) {
    char run[4000], text[4000];
    setenv("GUEST_SECRET", "s3", 1);
    mote_parts *parts = load(NULL, "  - {name: prefix, value: GUEST_}\n", "secretstores.local.env");
    mote_parts_guest *g = guest_of(parts);
    CHECK_EQ(done(g, ask(g, MOTE1_SECRET_GET, NULL, "key=SECRET", 0), run), 2);
    CHECK_STR(run, "s3");
    CHECK_EQ(done(g, ask(g, MOTE1_SECRET_GET, NULL, "key=PATH", 0), run), -MOTE1_NOT_FOUND);
    spell(run, done(g, ask(g, MOTE1_SECRET_KEYS, NULL, "", 0), run), text);
    CHECK_STR(text, "key=SECRET;");
    CHECK_EQ(ask(g, MOTE1_STATE_GET, NULL, "key=SECRET", 0), -MOTE1_INVALID); /* of another block */
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

static void put(mote_parts *parts, const char *key, const char *value) {
    mote_parts_item item = {.key = bytes(key), .value = bytes(value)};
    mote_parts_op op = {
        .verb = *value ? MOTE_PARTS_SET : MOTE_PARTS_DELETE, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
}

TEST(configuration_of_programs) {
    char run[4000], text[4000];
    mote_parts *parts = load(NULL, "  - {name: values, value: '{\"a\": 1, \"b\": 2}'}\n",
                             "configuration.in-memory");
    mote_parts_guest *g = guest_of(parts);
    CHECK_EQ(done(g, ask(g, MOTE1_CONFIGURATION_GET, NULL, "key=b", 0), run), 1);
    int32_t h = ask(g, MOTE1_CONFIGURATION_WATCH, NULL, "key=a;key=b", MOTE1_MANY);
    CHECK_EQ(mote__handle_read(g, (uint32_t)h, run, 3, NULL), -MOTE1_TOO_LARGE);
    CHECK_STR(meta(g, h, "size"), "42");
    spell(run, read_all(g, h, run, sizeof run), text);
    CHECK_STR(text, "key=a;value=1;version=1;");
    spell(run, read_all(g, h, run, sizeof run), text);
    CHECK_STR(text, "key=b;value=2;version=1;");
    CHECK_EQ(mote__handle_wait(g, &h, 1, 1000000, NULL), -MOTE1_TIMEOUT);
    put(parts, "b", "3"), put(parts, "a", "4"), put(parts, "b", "5"), put(parts, "c", "6");
    CHECK_EQ(mote__handle_wait(g, &h, 1, -1, NULL), 0);
    spell(run, read_all(g, h, run, sizeof run), text); /* what nobody read was overtaken */
    CHECK_STR(text, "key=a;value=4;version=2;");
    spell(run, read_all(g, h, run, sizeof run), text);
    CHECK_STR(text, "key=b;value=5;version=3;");
    put(parts, "a", "");
    spell(run, read_all(g, h, run, sizeof run), text);
    CHECK_STR(text, "key=a;");
    put(parts, "a", "7"); /* is thrown away with the handle */
    CHECK_EQ(mote__handle_close(g, (uint32_t)h), 0);
    CHECK_EQ(g->budget.used, 0);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

/* A program with room for `bytes_max` that watches one key; *handle is the watch. */
static mote_parts_guest *watcher(mote_parts *parts, uint64_t bytes_max, uint32_t *handle) {
    mote_parts_guest *g = NULL;
    const mote_parts_guest_config config = {.all_components = true, .bytes_max = bytes_max};
    CHECK_EQ(mote_parts_guest_new(parts, &config, &g, NULL), MOTE_OK);
    *handle = (uint32_t)ask(g, MOTE1_CONFIGURATION_WATCH, NULL, "key=a", MOTE1_NOWAIT);
    return g;
}

static const char *next_change(mote_parts_guest *g, uint32_t handle) {
    static char text[1000];
    char run[1000];
    int32_t got = read_all(g, (int32_t)handle, run, sizeof run);
    if (got >= 0) spell(run, got, text);
    return got >= 0 ? text : got == -MOTE1_TIMEOUT ? "nothing" : "an error";
}

/* A change as next_change spells it. */
static const char *change_of(const char *value, int version) {
    static char text[1000];
    snprintf(text, sizeof text, "key=a;value=%s;version=%d;", value, version);
    return text;
}

/* A change takes the place of one that nobody has read, and its room; where that is not enough, the
 * earlier one stays. 12 bytes are the watch's own, 41 a change's beside its value. */
TEST(a_change_that_there_is_no_room_for) {
    uint32_t h;
    char fits[331], large[349];
    memset(fits, 'f', sizeof fits), memset(large, 'l', sizeof large);
    fits[sizeof fits - 1] = large[sizeof large - 1] = 0;
    mote_parts *parts =
        load(NULL, "  - {name: values, value: '{\"a\": 1}'}\n", "configuration.in-memory");
    mote_parts_guest *g = watcher(parts, 400, &h);
    CHECK_EQ(g->budget.used, 12 + 41 + 1);
    put(parts, "a", fits); /* only where the other was */
    CHECK_EQ(g->budget.used, 12 + 41 + sizeof fits - 1);
    *said = 0;
    put(parts, "a", large);
    CHECK_STR(said, "component store: no room for a change of `a`");
    CHECK_EQ(g->budget.used, 12 + 41 + sizeof fits - 1);
    CHECK_STR(next_change(g, h), change_of(fits, 2));
    CHECK_EQ(g->budget.used, 12);
    put(parts, "a", large); /* nor alone */
    CHECK_STR(next_change(g, h), "nothing");
    put(parts, "a", "5");
    CHECK_STR(next_change(g, h), change_of("5", 5));
    CHECK_EQ(mote__handle_close(g, h), 0);
    CHECK_EQ(g->budget.used, 0);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- what makes no sense */

TEST(requests_that_make_no_sense) {
    static const struct {
        uint32_t op, flags;
        const char *entries;
    } wrong[] = {{0, 0, "key=a"},
                 {6, 0, "key=a"},
                 {MOTE1_OP_END, 0, "key=a"},
                 {4000000000u, 0, "key=a"},
                 {MOTE1_STATE_GET, 8, "key=a"},
                 {MOTE1_STATE_SET, MOTE1_MANY | MOTE1_OPEN, "key=a"},
                 {MOTE1_STATE_GET, 0, "kee=a"},
                 {MOTE1_STATE_GET, 0, "key=a;key=b"},
                 {MOTE1_STATE_GET, 0, "key=a;value=b"},
                 {MOTE1_STATE_GET, MOTE1_MANY, "etag=1;key=a"},
                 {MOTE1_STATE_GET, 0, "key=a;timeout=0"},
                 {MOTE1_STATE_GET, 0, "key=a;timeout=-5"},
                 {MOTE1_STATE_GET, 0, "key=a;timeout=99999999999999999"},
                 {MOTE1_STATE_SET, 0, "key=a;ttl=1x"},
                 {MOTE1_STATE_SET, 0, "key=a;ttl="},
                 {MOTE1_STATE_SET, 0, "key=a;ttl=-"},
                 {MOTE1_STATE_SET, 0, "key=a;ttl=9223372036854775808"},
                 {MOTE1_STATE_SET, 0, "key=a;content=text"},
                 {MOTE1_STATE_SET, 0, "key=a;concurrency=1"},
                 {MOTE1_STATE_SET, 0, "key=a;do=nothing"},
                 {MOTE1_STATE_KEYS, 0, "limit=0"}};
    mote_parts *parts = store_open(&stores[0], NULL);
    mote_parts_guest *g = guest_of(parts);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!CHECK_EQ(ask(g, wrong[i].op, "v", wrong[i].entries, wrong[i].flags), -MOTE1_INVALID))
            printf("  %s\n", wrong[i].entries);
    CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "", 0), NULL), -MOTE1_INVALID); /* no key */
    CHECK_EQ(g->budget.used + g->open, 0);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

/* Every beginning of a header, and every size in it made wrong. */
TEST(headers_that_are_broken) {
    struct header h;
    mote_parts *parts = store_open(&stores[0], NULL);
    mote_parts_guest *g = guest_of(parts);
    mote_parts_bytes whole = header(&h, "key=abc;etag=1");
    struct request request = {.op = MOTE1_STATE_GET, .name = bytes("store"), .hdr = whole};
    for (size_t size = 1; size < whole.size; size++) {
        request.hdr.size = size;
        int32_t handle = mote__handle_call(g, &request);
        if (size == 14) CHECK_EQ(done(g, handle, NULL), -MOTE1_NOT_FOUND); /* the first entry */
        else CHECK_EQ(handle, -MOTE1_INVALID);
    }
    request.hdr = whole;
    for (size_t at = 0; at < 8; at++) {
        h.bytes[at] ^= (char)0x80;
        CHECK_EQ(mote__handle_call(g, &request), -MOTE1_INVALID);
        h.bytes[at] ^= (char)0x80;
    }
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

TEST(handles_that_are_none) {
    char out[10];
    const mote_parts_bytes key = bytes("etag");
    mote_parts *parts = store_open(&stores[0], NULL);
    mote_parts_guest *g = guest_of(parts);
    uint32_t closed = (uint32_t)ask(g, MOTE1_STATE_GET, NULL, "key=a", 0);
    CHECK_EQ(mote__handle_close(g, closed), 0);
    const uint32_t none[] = {0, closed, 2, 256, 257, 0x7fffffff, 0x80000000u, 0xffffffffu};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_EQ(mote__handle_read(g, none[i], out, 10, NULL), -MOTE1_INVALID);
        CHECK_EQ(mote__handle_write(g, none[i], out, 10), -MOTE1_INVALID);
        CHECK_EQ(mote__handle_finish(g, none[i]), -MOTE1_INVALID);
        CHECK_EQ(mote__handle_close(g, none[i]), -MOTE1_INVALID);
        CHECK_EQ(mote__handle_meta(g, none[i], &key, out, 10, NULL), -MOTE1_INVALID);
        CHECK_EQ(mote__handle_wait(g, &none[i], 1, 0, NULL), -MOTE1_INVALID);
    }
    CHECK_EQ(mote__handle_wait(g, NULL, 0, 0, NULL), -MOTE1_INVALID);
    CHECK_EQ(mote__handle_wait(g, none, 257, 0, NULL), -MOTE1_INVALID);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

TEST(what_was_not_allowed_is_denied) {
    mote_error error;
    mote_parts_guest *g;
    mote_parts *parts = load(NULL, "  []\n", "state.in-memory");
    const char *names[] = {"locked"};
    mote_parts_guest_config config = {.components = names, .component_count = 1};
    CHECK_EQ(mote_parts_guest_new(parts, &config, &g, &error), MOTE_OK);
    CHECK_EQ(ask(g, MOTE1_STATE_GET, NULL, "key=a", 0), -MOTE1_DENIED);
    mote_parts_guest_delete(g);
    names[0] = "lock";
    CHECK_EQ(mote_parts_guest_new(parts, &config, &g, &error), MOTE_E_NOT_FOUND);
    CHECK_STR(error.message, "there is no component `lock`; did you mean `locked`?");
    mote_parts_delete(parts);
}

TEST(bytes_in_flight_are_limited) {
    char large[3000], out[4000];
    mote_parts_guest *g;
    mote_parts *parts = store_open(&stores[0], NULL);
    const mote_parts_guest_config config = {
        .all_components = true, .handles_max = 4, .bytes_max = 5000};
    CHECK_EQ(mote_parts_guest_new(parts, &config, &g, NULL), MOTE_OK);
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = 0;
    CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, large, "key=a", 0), NULL), 0);
    int32_t first = ask(g, MOTE1_STATE_GET, NULL, "key=a", 0);
    CHECK_EQ(ask(g, MOTE1_STATE_SET, large, "key=b", 0), -MOTE1_LIMIT);
    CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a", 0), out), -MOTE1_LIMIT);
    CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a;key=a", MOTE1_MANY), out), -MOTE1_LIMIT);
    CHECK_EQ(done(g, first, out), 2999);
    CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a", 0), out), 2999);
    int32_t h = ask(g, MOTE1_STATE_SET, NULL, "key=c", MOTE1_OPEN);
    CHECK_EQ(mote__handle_write(g, (uint32_t)h, large, 3000), 3000);
    CHECK_EQ(mote__handle_write(g, (uint32_t)h, large, 3000), -MOTE1_LIMIT);
    for (int i = 0; i < 3; i++) CHECK(ask(g, MOTE1_STATE_GET, NULL, "key=none", 0) > 0);
    CHECK_EQ(ask(g, MOTE1_STATE_GET, NULL, "key=none", 0), -MOTE1_LIMIT); /* the fifth handle */
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

/* What an operation reads counts while it is read, and is given back: many values, or one. */
TEST(what_is_read_is_limited) {
    enum { VALUE = 300000, KEYS = 20 };
    static char large[VALUE + 1];
    char entries[8 * KEYS + 1] = "";
    memset(large, 'x', VALUE);
    for (int i = 0; i < KEYS; i++) strcat(entries, i ? ";key=a" : "key=a");
    FOR_STORES(parts) {
        mote_parts_guest *g, *small;
        mote_parts_guest_config config = {.all_components = true, .bytes_max = 2 << 20};
        CHECK_EQ(mote_parts_guest_new(parts, &config, &g, NULL), MOTE_OK);
        config.bytes_max = VALUE / 3;
        CHECK_EQ(mote_parts_guest_new(parts, &config, &small, NULL), MOTE_OK);
        CHECK_EQ(done(g, ask(g, MOTE1_STATE_SET, large, "key=a", 0), NULL), 0);
        for (int round = 0; round < 2; round++) { /* the second: `none` is an item's own error */
            int32_t h = ask(g, MOTE1_STATE_GET, NULL, entries, MOTE1_MANY);
            CHECK_EQ(read_all(g, h, large, 2), -MOTE1_LIMIT);
            CHECK(strstr(meta(g, h, "error"), "2097152 bytes in flight"));
            CHECK(g->budget.used <= 2 << 20);
            CHECK_EQ(mote__handle_close(g, (uint32_t)h), 0);
            CHECK_EQ(g->budget.used, 0);
            memcpy(entries, "key=n", 5);
        }
        memcpy(entries, "key=a", 5);
        int32_t h = ask(g, MOTE1_STATE_GET, NULL, "key=a;key=a", MOTE1_MANY);
        CHECK(strtoul(meta(g, h, "size"), NULL, 10) > 2 * VALUE);
        CHECK(strlen(meta(g, h, "etag")) >= 1);
        CHECK(g->budget.used < 700000); /* once, not twice */
        CHECK_EQ(mote__handle_close(g, (uint32_t)h), 0);
        h = ask(small, MOTE1_STATE_GET, NULL, "key=a", 0);
        CHECK_EQ(read_all(small, h, large, 2), -MOTE1_LIMIT);
        CHECK_EQ(mote__handle_close(small, (uint32_t)h), 0);
        CHECK_EQ(done(small, ask(small, MOTE1_STATE_GET, NULL, "key=b", 0), NULL),
                 -MOTE1_NOT_FOUND); /* the connection is well */
        CHECK_EQ(small->budget.used, 0);
        memset(large, 'x', VALUE);
        mote_parts_guest_delete(small);
        mote_parts_guest_delete(g);
    }
}

/* ---------------------------------------------------------------- a store that does not answer */

static mote_parts *stalled(int *fd) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    char metadata[200];
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!bind(*fd, (struct sockaddr *)&at, sizeof at) && !listen(*fd, 4) &&
          !getsockname(*fd, (struct sockaddr *)&at, &size));
    snprintf(metadata, sizeof metadata, "  - {name: redisHost, value: '127.0.0.1:%d'}\n",
             ntohs(at.sin_port));
    return load(NULL, metadata, "state.redis");
}

static bool at_once(void *context) { return ++*(int *)context > 1; }

TEST(a_store_that_does_not_answer) {
    int fd, asked = 0;
    char out[100];
    mote_parts *parts = stalled(&fd);
    mote_parts_guest *g = guest_of(parts);
    int32_t h = ask(g, MOTE1_STATE_GET, NULL, "key=a", MOTE1_NOWAIT);
    CHECK_EQ(read_all(g, h, out, sizeof out), -MOTE1_TIMEOUT);
    CHECK_EQ(mote__handle_wait(g, &h, 1, 0, NULL), -MOTE1_TIMEOUT);
    CHECK_EQ(mote__handle_wait(g, &h, 1, 20000000, NULL), -MOTE1_TIMEOUT);
    CHECK_EQ(mote__handle_wait(g, &h, 1, -1, &(mote_vfs_patience){at_once, &asked}),
             -MOTE1_CANCELLED);
    CHECK_EQ(mote__handle_close(g, (uint32_t)h), 0);
    CHECK_EQ(done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a;timeout=50", 0), NULL), -MOTE1_TIMEOUT);
    CHECK(ask(g, MOTE1_STATE_GET, NULL, "key=a", 0) > 0);
    mote_parts_guest_delete(g); /* cancels it */
    mote_parts_delete(parts);
    close(fd);
}

/* ---------------------------------------------------------------- threads */

enum { THREADS = 4, STEPS = 60 };

static mote_parts_guest *shared;
static unsigned failures_in_threads;

/* Adds one to a key under its ETag, as often as it takes. */
static void *increment(void *unused) {
    (void)unused;
    for (int i = 0; i < STEPS;) {
        char out[4000], entries[200], text[24];
        int32_t h = ask(shared, MOTE1_STATE_GET, NULL, "key=n", 0);
        const mote_parts_bytes name = bytes("etag");
        char etag[100];
        int32_t size = mote__handle_meta(shared, (uint32_t)h, &name, etag, sizeof etag - 1, NULL);
        if (size < 0 || read_all(shared, h, out, sizeof out) < 0) {
            __atomic_fetch_add(&failures_in_threads, 1, __ATOMIC_SEQ_CST);
            return NULL;
        }
        mote__handle_close(shared, (uint32_t)h);
        etag[size] = 0;
        snprintf(entries, sizeof entries, "key=n;etag=%s", etag);
        snprintf(text, sizeof text, "%ld", strtol(out, NULL, 10) + 1);
        h = ask(shared, MOTE1_STATE_SET, text, entries, 0);
        int32_t code = read_all(shared, h, out, sizeof out);
        mote__handle_close(shared, (uint32_t)h);
        i += code == 0;
        if (code && code != -MOTE1_CONFLICT) {
            __atomic_fetch_add(&failures_in_threads, 1, __ATOMIC_SEQ_CST);
            return NULL;
        }
    }
    return NULL;
}

TEST(threads_share_handles) {
    FOR_STORES(parts) {
        pthread_t threads[THREADS];
        char out[4000], wanted[24];
        shared = guest_of(parts);
        failures_in_threads = 0;
        CHECK_EQ(done(shared, ask(shared, MOTE1_STATE_SET, "0", "key=n", 0), NULL), 0);
        for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, increment, NULL);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        snprintf(wanted, sizeof wanted, "%d", THREADS * STEPS);
        CHECK(done(shared, ask(shared, MOTE1_STATE_GET, NULL, "key=n", 0), out) > 0);
        CHECK_STR(out, wanted);
        CHECK_EQ(failures_in_threads, 0);
        mote_parts_guest_delete(shared);
    }
}

static void *wait_for_change(void *context) {
    char run[200];
    int32_t h = *(int32_t *)context;
    *(int32_t *)context = mote__handle_read(shared, (uint32_t)h, run, sizeof run, NULL);
    return NULL;
}

/* Threads that wait for ever hold up nobody, and each gets its own. */
TEST(one_waits_and_others_go_on) {
    pthread_t threads[THREADS];
    char out[4000], entries[40];
    int32_t handles[THREADS];
    mote_parts *parts = load(NULL, "  - {name: values, value: '{}'}\n", "configuration.in-memory");
    shared = guest_of(parts);
    for (int i = 0; i < THREADS; i++) {
        snprintf(entries, sizeof entries, "key=k%d", i);
        handles[i] = ask(shared, MOTE1_CONFIGURATION_WATCH, NULL, entries, 0);
        CHECK(read_all(shared, handles[i], out, sizeof out) > 0); /* not there yet */
        pthread_create(&threads[i], NULL, wait_for_change, &handles[i]);
    }
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 200; i++)
        CHECK_EQ(done(shared, ask(shared, MOTE1_CONFIGURATION_GET, NULL, "key=x", 0), out),
                 -MOTE1_NOT_FOUND);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(after.tv_sec - before.tv_sec < 5);
    for (int i = THREADS; i-- > 0;) {
        snprintf(entries, sizeof entries, "k%d", i);
        put(parts, entries, "1");
        pthread_join(threads[i], NULL);
        CHECK(handles[i] > 0);
    }
    mote_parts_guest_delete(shared);
    mote_parts_delete(parts);
}

/* More often than a pipe holds bytes, while nobody runs the loop. */
TEST(a_loop_is_woken_often) {
    const bool never = false;
    struct loop *loop = mote__loop_new(&mote__allocator_libc);
    if (!CHECK(loop)) return;
    for (int i = 0; i < 200000; i++) mote__loop_wake(loop);
    mote__loop_turn(loop, &never, UINT64_MAX);
    mote__loop_delete(loop);
}

/* ---------------------------------------------------------------- the imports */

static const char module_text[] =
    "(module (import \"mote1\" \"call\" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) "
    "(result "
    "i32)))"
    " (import \"mote1\" \"wait\" (func $wait (param i32 i32 i64) (result i32)))"
    " (import \"mote1\" \"read\" (func $read (param i32 i32 i32) (result i32)))"
    " (import \"mote1\" \"write\" (func $write (param i32 i32 i32) (result i32)))"
    " (import \"mote1\" \"finish\" (func $finish (param i32) (result i32)))"
    " (import \"mote1\" \"close\" (func $close (param i32) (result i32)))"
    " (import \"mote1\" \"meta\" (func $meta (param i32 i32 i32 i32 i32) (result i32)))"
    " (memory (export \"memory\") 1)"
    " (data (i32.const 0) \"store\") (data (i32.const 8) \"\\03\\00\\00\\00\\01\\00\\00\\00keya\")"
    " (func $ask (param i32 i32 i32 i32 i32 i32) (result i32)"
    "  (call $call (i32.const 48) (local.get 0) (local.get 1) (local.get 2) (local.get 3) "
    "(local.get 4) (local.get 5) (i32.const 0)))"
    " (func (export \"good\") (result i32) (local $h i32)"
    "  (local.set $h (call $ask (i32.const 0) (i32.const 5) (i32.const -1) (i32.const 0) "
    "(i32.const "
    "8) (i32.const 12)))"
    "  (drop (call $wait (i32.const 100) (i32.const 0) (i64.const 0)))"
    "  (if (i32.ne (call $read (local.get $h) (i32.const 65535) (i32.const 1)) (i32.const 1)) "
    "(then "
    "unreachable))"
    "  (if (i32.ne (call $meta (local.get $h) (i32.const 8) (i32.const 3) (i32.const -1) "
    "(i32.const "
    "0)) (i32.const -2)) (then unreachable))"
    "  (if (call $close (local.get $h)) (then unreachable))"
    "  (i32.load8_u (i32.const 65535)))"
    " (func (export \"bad0\") (result i32) (call $ask (i32.const 65532) (i32.const 5) (i32.const "
    "0) "
    "(i32.const 0) (i32.const 8) (i32.const 12)))"
    " (func (export \"bad1\") (result i32) (call $ask (i32.const 0) (i32.const 5) (i32.const -1) "
    "(i32.const 1) (i32.const 8) (i32.const 12)))"
    " (func (export \"bad2\") (result i32) (call $ask (i32.const 0) (i32.const 5) (i32.const 0) "
    "(i32.const 0) (i32.const 8) (i32.const -1)))"
    " (func (export \"bad3\") (result i32) (call $wait (i32.const 65536) (i32.const 1) (i64.const "
    "0)))"
    " (func (export \"bad4\") (result i32) (call $wait (i32.const 0) (i32.const -1) (i64.const 0)))"
    " (func (export \"bad5\") (result i32) (call $read (i32.const 1) (i32.const 0) (i32.const "
    "65537)))"
    " (func (export \"bad6\") (result i32) (call $write (i32.const 1) (i32.const -2) (i32.const "
    "3)))"
    " (func (export \"bad7\") (result i32) (call $meta (i32.const 1) (i32.const 65536) (i32.const "
    "1) "
    "(i32.const 0) (i32.const 0)))"
    " (func (export \"bad8\") (result i32) (call $meta (i32.const 1) (i32.const 0) (i32.const 1) "
    "(i32.const 1) (i32.const 65536)))"
    " (func (export \"endless\") (result i32)"
    "  (i32.store (i32.const 64) (call $call (i32.const 50) (i32.const 0) (i32.const 5) (i32.const "
    "0) (i32.const 0) (i32.const 8) (i32.const 12) (i32.const 0)))"
    "  (drop (call $read (i32.load (i32.const 64)) (i32.const 1000) (i32.const 1000)))"
    "  (call $wait (i32.const 64) (i32.const 1) (i64.const -1))))";

struct world {
    mote_engine *engine;
    mote_store *store;
    mote_linker *linker;
    mote_module *module;
    mote_instance instance;
};

static bool world_open(struct world *w, mote_parts_guest *g) {
    mote_error error;
    *w = (struct world){0};
    if (!mote_engine_new(NULL, &w->engine, &error) &&
        !mote_store_new(w->engine, NULL, &w->store, &error) &&
        !mote_linker_new(w->engine, &w->linker, &error) &&
        !mote_parts_guest_define(g, w->linker, &error) &&
        !mote_module_new(w->engine, module_text, sizeof module_text - 1, 0, &w->module, &error) &&
        !mote_linker_instantiate(w->linker, w->store, w->module, &w->instance, &error))
        return true;
    return test_fail(__FILE__, __LINE__, error.message);
}

static void world_close(struct world *w) {
    mote_store_delete(w->store);
    mote_linker_delete(w->linker);
    mote_module_delete(w->module);
    mote_engine_delete(w->engine);
}

static mote_status call(struct world *w, const char *name, int32_t *out, mote_error *error) {
    mote_func func;
    mote_value result = {.kind = MOTE_I32};
    mote_status status = mote_instance_func(w->instance, name, &func, error);
    if (!status) status = mote_call(w->store, func, NULL, 0, &result, 1, error);
    *out = (int32_t)result.of.i32;
    return status;
}

TEST(the_imports_look_at_pointers) {
    struct world w;
    mote_error error;
    int32_t result;
    mote_parts *parts =
        load(NULL, "  - {name: values, value: '{\"a\": \"x\"}'}\n", "configuration.in-memory");
    mote_parts_guest *g = guest_of(parts);
    if (world_open(&w, g)) {
        CHECK_EQ(call(&w, "good", &result, &error), MOTE_OK);
        CHECK_EQ(result, 'x');
        for (char name[] = "bad0"; name[3] <= '8'; name[3]++) {
            if (!CHECK_EQ(call(&w, name, &result, &error), MOTE_E_TRAP)) printf("  %s\n", name);
            CHECK_EQ(error.trap, MOTE_TRAP_HOST);
            CHECK(strstr(error.message, ": a pointer outside memory"));
        }
        CHECK_EQ(g->open, 0);
    }
    world_close(&w);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

TEST(a_deadline_ends_a_wait) {
    struct world w;
    mote_error error;
    int32_t result;
    struct timespec before, after;
    mote_parts *parts =
        load(NULL, "  - {name: values, value: '{\"a\": \"x\"}'}\n", "configuration.in-memory");
    mote_parts_guest *g = guest_of(parts);
    if (world_open(&w, g)) {
        clock_gettime(CLOCK_MONOTONIC, &before);
        CHECK_EQ(mote_store_set_timeout(w.store, 100000000, &error), MOTE_OK);
        CHECK_EQ(call(&w, "endless", &result, &error), MOTE_E_TRAP);
        CHECK_EQ(error.trap, MOTE_TRAP_DEADLINE);
        clock_gettime(CLOCK_MONOTONIC, &after);
        CHECK(after.tv_sec - before.tv_sec < 3);
        CHECK_EQ(g->open, 1); /* and goes with the guest */
    }
    world_close(&w);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- no memory */

/* One of everything; false as soon as something says no. */
static bool use(mote_parts_guest *g) {
    char large[600];
    memset(large, '1', sizeof large - 1);
    large[sizeof large - 1] = 0;
    if (done(g, ask(g, MOTE1_STATE_SET, large, "key=a", 0), NULL) < 0) return false;
    int32_t h = ask(g, MOTE1_STATE_SET, NULL, "key=b", MOTE1_OPEN);
    bool good = h > 0 && mote__handle_write(g, (uint32_t)h, large, 500) == 500 &&
                !mote__handle_finish(g, (uint32_t)h);
    if (h > 0 && done(g, h, NULL) < 0) good = false;
    return good && done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a", 0), NULL) == 599 &&
           done(g, ask(g, MOTE1_STATE_GET, NULL, "key=a;key=b", MOTE1_MANY), NULL) > 1100 &&
           done(g, ask(g, MOTE1_STATE_KEYS, NULL, "", 0), NULL) > 0 &&
           done(g,
                ask(g, MOTE1_STATE_TRANSACT, NULL, "key=a;do=delete;key=b;do=delete", MOTE1_MANY),
                NULL) > 0;
}

static bool with_allocator(const mote_allocator *a, void *context) {
    const mote_parts_config config = {.allocator = a, .driver_dir = getenv("MOTE_DRIVERS")};
    const char *text = context;
    mote_parts *parts;
    if (mote_parts_new(&config, &parts, NULL)) return false;
    mote_parts_guest *g =
        mote_parts_load_text(parts, "c.yaml", text, strlen(text), NULL) ? NULL : guest_of(parts);
    bool good = g && use(g);
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
    return good;
}

TEST(no_memory) {
    char text[2000];
    for (size_t i = 0; i < STORE_COUNT; i++) {
        if (!store_yaml(&stores[i], "store", "  - {name: keyPrefix, value: guestmemory}\n", text,
                        sizeof text))
            continue;
        if (!CHECK(fail_alloc_sweep(with_allocator, text) > 20)) printf("  %s\n", stores[i].name);
    }
}

static bool watch_with(const mote_allocator *a, void *unused) {
    (void)unused;
    mote_parts *parts =
        load(a, "  - {name: values, value: '{\"a\": \"x\"}'}\n", "configuration.in-memory");
    mote_parts_guest *g = parts ? guest_of(parts) : NULL;
    char out[100];
    int32_t h = g ? ask(g, MOTE1_CONFIGURATION_WATCH, NULL, "key=a", MOTE1_NOWAIT) : 0;
    bool good = h > 0 && read_all(g, h, out, sizeof out) > 0;
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
    return good;
}

TEST(no_memory_for_a_watch) { CHECK(fail_alloc_sweep(watch_with, NULL) > 5); }

static void try_to_put(mote_parts *parts, const char *value) {
    mote_parts_item item = {.key = bytes("a"), .value = bytes(value)};
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    mote_parts_call(parts, "store", &op);
    mote_parts_op_deinit(&op);
}

/* Whatever fails: an earlier change stays until a later one has its place, and so does its room. */
TEST(no_memory_for_a_change) {
    uint32_t h;
    bool failed = true;
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    mote_parts *parts =
        load(&f.allocator, "  - {name: values, value: '{\"a\": 1}'}\n", "configuration.in-memory");
    mote_parts_guest *g = watcher(parts, 0, &h);
    *said = 0;
    for (uint64_t n = 1; n < 9 && failed; n++) {
        uint64_t before = f.failures;
        f.fail_at = f.calls + n;
        try_to_put(parts, "2");
        failed = f.failures > before;
        CHECK_EQ(g->budget.used, 12 + 41 + 1);
        CHECK_EQ(mote__handle_wait(g, &h, 1, 0, NULL), 0);
    }
    CHECK(!failed);
    CHECK_STR(said, "component store: no room for a change of `a`");
    CHECK_STR(meta(g, (int32_t)h, "size"), "42");
    mote_parts_guest_delete(g);
    mote_parts_delete(parts);
    CHECK_EQ(f.live_bytes, 0);
}
