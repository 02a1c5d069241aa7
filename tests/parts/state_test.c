/* state_test.c - what every state store does alike, checked over each of them: values, ETags, first
 * write, time to live, bulk, transactions, listing. */
#define _GNU_SOURCE
#include "stores.h"
#include "fail_alloc.h"
#include <time.h>

/* ---------------------------------------------------------------- one operation in a line */

/* Carries out an operation on one item; `etag` keeps the version that came back. */
static mote_parts_code one(mote_parts *parts, mote_parts_verb verb, mote_parts_item *item,
                           char etag[64]) {
    mote_parts_op op = {.verb = verb, .items = item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    if (!code) code = item->code;
    if (code && code != MOTE_PARTS_NOT_FOUND && code != MOTE_PARTS_CONFLICT && *op.text)
        printf("  %s: %s\n", store_now, op.text);
    if (etag)
        snprintf(etag, 64, "%.*s", (int)item->version.size,
                 item->version.data ? (const char *)item->version.data : "");
    mote_parts_op_deinit(&op);
    return code;
}

static mote_parts_code set_with(mote_parts *parts, const char *key, mote_parts_bytes value,
                                const char *etag, unsigned flags, char new_etag[64]) {
    mote_parts_item item = {.key = bytes(key), .value = value, .flags = flags};
    if (etag) item.etag = bytes(etag);
    return one(parts, MOTE_PARTS_SET, &item, new_etag);
}

static mote_parts_code set(mote_parts *parts, const char *key, const char *value) {
    return set_with(parts, key, bytes(value), NULL, 0, NULL);
}

static mote_parts_code delete_with(mote_parts *parts, const char *key, const char *etag) {
    mote_parts_item item = {.key = bytes(key)};
    if (etag) item.etag = bytes(etag);
    return one(parts, MOTE_PARTS_DELETE, &item, NULL);
}

static mote_parts_code version(mote_parts *parts, const char *key, char etag[64]) {
    mote_parts_item item = {.key = bytes(key)};
    return one(parts, MOTE_PARTS_GET, &item, etag);
}

static mote_parts_code many(mote_parts *parts, mote_parts_verb verb, mote_parts_item *items,
                            size_t count) {
    mote_parts_op op = {.verb = verb, .items = items, .item_count = count};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    mote_parts_op_deinit(&op);
    return code;
}

/* An ETag that the store could have given, and has not. */
static const char *wrong_etag(void) {
    bool is_number = !strcmp(store_now, "memory") || !strcmp(store_now, "redis");
    return is_number ? "77777" : "11111111-2222-4333-8444-555555555555";
}

/* Whether the key holds exactly this; NULL: whether it is absent. */
static bool holds_bytes(mote_parts *parts, const char *key, const mote_parts_bytes *value) {
    mote_parts_item item = {.key = bytes(key)};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    bool good = !code && (value ? !item.code && same(item.found, *value)
                                : item.code == MOTE_PARTS_NOT_FOUND);
    if (!good)
        printf("  %s: %s: code %d, item %d, %zu bytes %.60s; %s\n", store_now, key, code, item.code,
               item.found.size, item.found.data ? (const char *)item.found.data : "", op.text);
    mote_parts_op_deinit(&op);
    return good;
}

static bool holds(mote_parts *parts, const char *key, const char *value) {
    mote_parts_bytes wanted = bytes(value ? value : "");
    return holds_bytes(parts, key, value ? &wanted : NULL);
}

/* ---------------------------------------------------------------- values */

TEST(values) {
    static const char *const texts[] = {"",
                                        "1",
                                        "\"text\"",
                                        "{\"a\": [1, 2.50, null, true]}",
                                        " [1]\n",
                                        "plain text",
                                        "9007199254740993",
                                        "<&>",
                                        "{\"a\"",
                                        "\xc3\xa9t\xc3\xa9",
                                        "\xff\xfe",
                                        "\"\\u0000\"",
                                        "nul",
                                        "01",
                                        "null",
                                        "\"\\ud83d\\ude00\"",
                                        "\"\\ud800\"",
                                        "\"\\ud83d\\ude00\\uDC00\"",
                                        "{\"\\uDBFF\": 1}",
                                        "[\"\\ud800\\ud800\\udc00\"]",
                                        "\"\\ud800\\\\udc00\"",
                                        "\"\\\\ud800\"",
                                        "\\ud8",
                                        "\\"};
    FOR_STORES(parts) {
        CHECK(holds(parts, "missing", NULL));
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            CHECK_EQ(set(parts, "key", texts[i]), MOTE_PARTS_OK);
            CHECK(holds(parts, "key", texts[i]));
        }
        CHECK_EQ(delete_with(parts, "key", NULL), MOTE_PARTS_OK);
        CHECK_EQ(delete_with(parts, "key", NULL), MOTE_PARTS_OK);
        CHECK(holds(parts, "key", NULL));
    }
}

TEST(every_byte_and_large_values) {
    static char all[256], large[1 << 20];
    for (size_t i = 0; i < sizeof all; i++) all[i] = (char)i;
    for (size_t i = 0; i < sizeof large; i++) large[i] = (char)(i * 7 + i / 251);
    FOR_STORES(parts) {
        mote_parts_bytes values[] = {{all, sizeof all}, {large, sizeof large}, {"\0", 1}};
        for (size_t i = 0; i < 3; i++) {
            CHECK_EQ(set_with(parts, "key", values[i], NULL, 0, NULL), MOTE_PARTS_OK);
            CHECK(holds_bytes(parts, "key", &values[i]));
        }
    }
}

TEST(keys_of_all_kinds) {
    static const char *const keys[] = {
        "a",         "a/b",      "a|b",        "A",        "per%cent",         "under_score",
        "star*[x]?", "\xc3\xa9", "with space", "quote'\"", "\xf0\x9f\x8d\x8a", "\n"};
    FOR_STORES(parts) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            CHECK_EQ(set(parts, keys[i], keys[i]), MOTE_PARTS_OK);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            CHECK(holds(parts, keys[i], keys[i]));
        CHECK_EQ(set(parts, "", "x"), MOTE_PARTS_INVALID);
        CHECK_EQ(set(parts, "a||b", "x"), MOTE_PARTS_INVALID);
        CHECK_EQ(set(parts, "\xff", "x"), MOTE_PARTS_INVALID);
    }
}

TEST(json_by_request) {
    FOR_STORES(parts) {
        CHECK_EQ(set_with(parts, "key", bytes("{\"n\": 1.0}"), NULL, MOTE_PARTS_JSON, NULL),
                 MOTE_PARTS_OK);
        CHECK(holds(parts, "key", "{\"n\": 1.0}"));
        CHECK_EQ(set_with(parts, "key", bytes("{"), NULL, MOTE_PARTS_JSON, NULL),
                 MOTE_PARTS_INVALID);
        CHECK_EQ(set_with(parts, "key", bytes("17"), NULL, MOTE_PARTS_BINARY, NULL), MOTE_PARTS_OK);
        CHECK(holds(parts, "key", "17"));
    }
}

/* ---------------------------------------------------------------- ETags */

TEST(etags) {
    char first[64], second[64], third[64];
    FOR_STORES(parts) {
        CHECK_EQ(set_with(parts, "key", bytes("1"), NULL, 0, first), MOTE_PARTS_OK);
        CHECK_EQ(version(parts, "key", second), MOTE_PARTS_OK);
        CHECK_STR(first, second);
        CHECK(*first);
        CHECK_EQ(set_with(parts, "key", bytes("2"), first, 0, second), MOTE_PARTS_OK);
        CHECK(strcmp(first, second));
        CHECK_EQ(set_with(parts, "key", bytes("3"), first, 0, third), MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "key", "2"));
        CHECK_EQ(delete_with(parts, "key", first), MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "key", "2"));
        CHECK_EQ(delete_with(parts, "key", second), MOTE_PARTS_OK);
        CHECK(holds(parts, "key", NULL));
        CHECK_EQ(set_with(parts, "key", bytes("4"), second, 0, third), MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "key", NULL));
    }
}

/* Numbers and UUIDs have a form: what has another cannot be an ETag. Where the column is a text,
 * it is just not the one that is there. */
TEST(etags_that_are_none) {
    static const char *const texts[] = {"no-such-etag", "", "1.5", "-1"};
    FOR_STORES(parts) {
        bool is_text = !strcmp(store_now, "sqlite") || !strcmp(store_now, "mysql");
        mote_parts_code wanted = is_text ? MOTE_PARTS_CONFLICT : MOTE_PARTS_INVALID;
        CHECK_EQ(set(parts, "key", "1"), MOTE_PARTS_OK);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            mote_parts_item items[] = {{.key = bytes("a"), .value = bytes("2")},
                                       {.key = bytes("key"), .etag = bytes(texts[i])}};
            CHECK_EQ(set_with(parts, "key", bytes("2"), texts[i], 0, NULL), wanted);
            CHECK_EQ(delete_with(parts, "key", texts[i]), wanted);
            CHECK_EQ(many(parts, MOTE_PARTS_TRANSACT, items, 2), wanted);
            CHECK(holds(parts, "key", "1") && holds(parts, "a", NULL));
            CHECK_EQ(many(parts, MOTE_PARTS_GET, &items[1], 1), MOTE_PARTS_OK);
        }
    }
}

TEST(first_write) {
    char etag[64];
    FOR_STORES(parts) {
        CHECK_EQ(set_with(parts, "key", bytes("1"), NULL, MOTE_PARTS_FIRST_WRITE, etag),
                 MOTE_PARTS_OK);
        CHECK_EQ(set_with(parts, "key", bytes("2"), NULL, MOTE_PARTS_FIRST_WRITE, NULL),
                 MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "key", "1"));
        CHECK_EQ(set_with(parts, "key", bytes("3"), etag, MOTE_PARTS_FIRST_WRITE, NULL),
                 MOTE_PARTS_OK);
        CHECK(holds(parts, "key", "3"));
        CHECK_EQ(set(parts, "key", "4"), MOTE_PARTS_OK);
        CHECK(holds(parts, "key", "4"));
    }
}

/* ---------------------------------------------------------------- time to live */

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

TEST(time_to_live) {
    FOR_STORES(parts) {
        mote_parts_item item = {
            .key = bytes("key"), .value = bytes("1"), .ttl_s = 1000, .flags = MOTE_PARTS_EXPIRY};
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, NULL), MOTE_PARTS_OK);
        uint64_t now_s = (uint64_t)time(NULL), expires_s = item.expires_ns / 1000000000;
        CHECK(expires_s >= now_s + 990 && expires_s <= now_s + 1001);
        CHECK_EQ(set(parts, "key", "2"), MOTE_PARTS_OK); /* a later write without one removes it */
        CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(item.expires_ns, 0);
        item = (mote_parts_item){.key = bytes("short"), .value = bytes("1"), .ttl_s = 1};
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
    }
    FOR_STORES(parts) {
        mote_parts_item item = {.key = bytes("short"), .value = bytes("1"), .ttl_s = 1};
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        for (int i = 0; i < 30 && !one(parts, MOTE_PARTS_GET, &item, NULL); i++) sleep_ms(100);
        CHECK(holds(parts, "short", NULL));
        CHECK_EQ(set_with(parts, "short", bytes("2"), NULL, MOTE_PARTS_FIRST_WRITE, NULL),
                 MOTE_PARTS_OK); /* what has expired is absent */
        CHECK(holds(parts, "short", "2"));
    }
}

/* One limit for all, said before the store is asked; MySQL's time ends in 2038. */
TEST(the_longest_time_to_live) {
    static const int64_t beyond[] = {10000000001, 9223372036854775, INT64_MAX};
    FOR_STORES(parts) {
        CHECK_EQ(set(parts, "b", "old"), MOTE_PARTS_OK);
        for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
            mote_parts_item items[] = {
                {.key = bytes("a"), .value = bytes("1")},
                {.key = bytes("b"), .value = bytes("2"), .ttl_s = beyond[i]}};
            CHECK_EQ(many(parts, MOTE_PARTS_TRANSACT, items, 2), MOTE_PARTS_INVALID);
            CHECK_EQ(many(parts, MOTE_PARTS_SET, &items[1], 1), MOTE_PARTS_INVALID);
            CHECK(holds(parts, "a", NULL) && holds(parts, "b", "old"));
        }
        bool ends_sooner = !strcmp(store_now, "mysql");
        mote_parts_item item = {.key = bytes("b"),
                                .value = bytes("3"),
                                .ttl_s = ends_sooner ? 300000000 : 10000000000,
                                .flags = MOTE_PARTS_EXPIRY};
        uint64_t until_s = (uint64_t)time(NULL) + (uint64_t)item.ttl_s;
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, NULL), MOTE_PARTS_OK);
        CHECK(item.expires_ns / 1000000000 + 5 >= until_s);
        CHECK(item.expires_ns / 1000000000 <= until_s + 5);
        item.ttl_s = INT64_MIN; /* for ever */
        CHECK_EQ(one(parts, MOTE_PARTS_SET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, &item, NULL), MOTE_PARTS_OK);
        CHECK_EQ(item.expires_ns, 0);
    }
}

/* ---------------------------------------------------------------- many items */

TEST(bulk) {
    FOR_STORES(parts) {
        mote_parts_item items[] = {{.key = bytes("a"), .value = bytes("1")},
                                   {.key = bytes("b"), .value = bytes("2")},
                                   {.key = bytes("c"), .value = bytes("3")}};
        CHECK_EQ(many(parts, MOTE_PARTS_SET, items, 2), MOTE_PARTS_OK);
        mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = items, .item_count = 3};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
        CHECK(same(items[0].found, bytes("1")) && same(items[1].found, bytes("2")));
        CHECK_EQ(items[2].code, MOTE_PARTS_NOT_FOUND);
        mote_parts_op_deinit(&op);
        items[1].etag = bytes(wrong_etag()); /* each by itself: the others are written */
        CHECK_EQ(many(parts, MOTE_PARTS_SET, items, 3), MOTE_PARTS_CONFLICT);
        CHECK_EQ(items[0].code, MOTE_PARTS_OK);
        CHECK_EQ(items[1].code, MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "c", "3"));
        items[1].etag = (mote_parts_bytes){0};
        CHECK_EQ(many(parts, MOTE_PARTS_DELETE, items, 3), MOTE_PARTS_OK);
        CHECK(holds(parts, "a", NULL) && holds(parts, "b", NULL) && holds(parts, "c", NULL));
        CHECK_EQ(many(parts, MOTE_PARTS_SET, items, 0), MOTE_PARTS_OK);
    }
}

TEST(transactions) {
    char etag[64];
    FOR_STORES(parts) {
        set(parts, "old", "1");
        version(parts, "old", etag);
        mote_parts_item items[] = {
            {.key = bytes("new"), .value = bytes("2")},
            {.key = bytes("new"), .value = bytes("3")},
            {.key = bytes("old"), .flags = MOTE_PARTS_REMOVE, .etag = bytes(wrong_etag())}};
        CHECK_EQ(many(parts, MOTE_PARTS_TRANSACT, items, 3), MOTE_PARTS_CONFLICT);
        CHECK(holds(parts, "new", NULL)); /* nothing of it */
        CHECK(holds(parts, "old", "1"));
        items[2].etag = bytes(etag);
        CHECK_EQ(many(parts, MOTE_PARTS_TRANSACT, items, 3), MOTE_PARTS_OK);
        CHECK(holds(parts, "new", "3")); /* in order */
        CHECK(holds(parts, "old", NULL));
    }
}

/* Everything that a transaction can do to one key. Steps are words: `s1` sets it to 1, `d` removes
 * it; then f: first write, e: with the ETag that the key had before, w: with a wrong one. */
static const struct {
    bool is_there; /* before, as 0 */
    const char *steps;
    mote_parts_code wanted;
    const char *left; /* NULL: it is absent */
} matrix[] = {
    {false, "s1", MOTE_PARTS_OK, "1"},
    {false, "s1f", MOTE_PARTS_OK, "1"},
    {false, "s1w", MOTE_PARTS_CONFLICT, NULL},
    {false, "s1fw", MOTE_PARTS_CONFLICT, NULL},
    {false, "d", MOTE_PARTS_OK, NULL},
    {false, "df", MOTE_PARTS_OK, NULL},
    {false, "dw", MOTE_PARTS_CONFLICT, NULL},
    {false, "s1 s2", MOTE_PARTS_OK, "2"},
    {false, "s1 s2f", MOTE_PARTS_CONFLICT, NULL},
    {false, "s1f s2", MOTE_PARTS_OK, "2"},
    {false, "s1f s2f", MOTE_PARTS_CONFLICT, NULL},
    {false, "s1 s2w", MOTE_PARTS_CONFLICT, NULL},
    {false, "s1 d", MOTE_PARTS_OK, NULL},
    {false, "s1 df", MOTE_PARTS_OK, NULL},
    {false, "s1 dw", MOTE_PARTS_CONFLICT, NULL},
    {false, "d s1f", MOTE_PARTS_OK, "1"},
    {false, "d d s1", MOTE_PARTS_OK, "1"},
    {false, "s1f d s2f", MOTE_PARTS_OK, "2"},
    {false, "s1f d s2f s3f", MOTE_PARTS_CONFLICT, NULL},
    {true, "s1", MOTE_PARTS_OK, "1"},
    {true, "s1f", MOTE_PARTS_CONFLICT, "0"},
    {true, "s1e", MOTE_PARTS_OK, "1"},
    {true, "s1fe", MOTE_PARTS_OK, "1"},
    {true, "s1w", MOTE_PARTS_CONFLICT, "0"},
    {true, "d", MOTE_PARTS_OK, NULL},
    {true, "df", MOTE_PARTS_OK, NULL},
    {true, "de", MOTE_PARTS_OK, NULL},
    {true, "dfe", MOTE_PARTS_OK, NULL},
    {true, "dw", MOTE_PARTS_CONFLICT, "0"},
    {true, "s1e s2e", MOTE_PARTS_CONFLICT, "0"},
    {true, "s1 s2e", MOTE_PARTS_CONFLICT, "0"},
    {true, "s1e s2", MOTE_PARTS_OK, "2"},
    {true, "s1e s2f", MOTE_PARTS_CONFLICT, "0"},
    {true, "s1e de", MOTE_PARTS_CONFLICT, "0"},
    {true, "s1e d", MOTE_PARTS_OK, NULL},
    {true, "d s1f", MOTE_PARTS_OK, "1"},
    {true, "df s1f", MOTE_PARTS_OK, "1"},
    {true, "de s1f", MOTE_PARTS_OK, "1"},
    {true, "d s1e", MOTE_PARTS_CONFLICT, "0"},
    {true, "de s1e", MOTE_PARTS_CONFLICT, "0"},
    {true, "de de", MOTE_PARTS_CONFLICT, "0"},
    {true, "d s1 s2f", MOTE_PARTS_CONFLICT, "0"},
    {true, "d s1f d s2f", MOTE_PARTS_OK, "2"},
};
enum { MATRIX_COUNT = sizeof matrix / sizeof *matrix, STEPS_MAX = 4 };

static size_t read_steps(const char *steps, const char *etag, mote_parts_item items[STEPS_MAX]) {
    size_t count = 0;
    for (; *steps; steps += *steps == ' ', count++) {
        mote_parts_item *item = &items[count];
        *item = (mote_parts_item){.key = bytes("key")};
        if (*steps++ == 's') item->value = (mote_parts_bytes){steps++, 1};
        else item->flags = MOTE_PARTS_REMOVE;
        for (; *steps && *steps != ' '; steps++) {
            if (*steps == 'f') item->flags |= MOTE_PARTS_FIRST_WRITE;
            else item->etag = bytes(*steps == 'e' ? etag : wrong_etag());
        }
    }
    return count;
}

static void prepare_key(mote_parts *parts, bool is_there, char etag[64]) {
    CHECK_EQ(delete_with(parts, "key", NULL), MOTE_PARTS_OK);
    CHECK_EQ(delete_with(parts, "other", NULL), MOTE_PARTS_OK);
    if (!is_there) return;
    CHECK_EQ(set_with(parts, "key", bytes("0"), NULL, 0, etag), MOTE_PARTS_OK);
}

static bool row_holds(mote_parts *parts, size_t row) {
    char etag[64];
    mote_parts_item items[STEPS_MAX + 1] = {{.key = bytes("other"), .value = bytes("x")}};
    prepare_key(parts, matrix[row].is_there, etag);
    size_t count = read_steps(matrix[row].steps, etag, items + 1);
    mote_parts_code wanted = matrix[row].wanted;
    bool good = CHECK_EQ(many(parts, MOTE_PARTS_TRANSACT, items, count + 1), wanted) &&
                CHECK(holds(parts, "key", matrix[row].left)) &&
                CHECK(holds(parts, "other", wanted ? NULL : "x"));
    if (!good || count > 1) return good;
    bool removes = items[1].flags & MOTE_PARTS_REMOVE; /* by itself it is the same */
    prepare_key(parts, matrix[row].is_there, etag);
    read_steps(matrix[row].steps, etag, items + 1);
    return CHECK_EQ(many(parts, removes ? MOTE_PARTS_DELETE : MOTE_PARTS_SET, items + 1, 1),
                    wanted) &&
           CHECK(holds(parts, "key", matrix[row].left));
}

TEST(conditions_see_what_came_before_in_the_transaction) {
    FOR_STORES(parts) {
        for (size_t row = 0; row < MATRIX_COUNT; row++)
            if (!row_holds(parts, row)) printf("  %s: %s\n", store_now, matrix[row].steps);
    }
}

/* ---------------------------------------------------------------- listing */

/* The keys with a prefix, in pages, sorted, joined by spaces. */
static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *list(mote_parts *parts, const char *prefix, size_t limit, char *out,
                        size_t size) {
    char last[200] = "", *names[100];
    size_t count = 0, at = 0;
    for (bool more = true; more && count < 100;) {
        mote_parts_op op = {.verb = MOTE_PARTS_KEYS, .prefix = bytes(prefix), .limit = limit};
        if (count) op.after = bytes(last);
        if (mote_parts_call(parts, "store", &op)) printf("  %s: %s\n", store_now, op.text);
        for (size_t i = 0; i < op.item_count; i++) {
            snprintf(last, sizeof last, "%.*s", (int)op.items[i].key.size,
                     (const char *)op.items[i].key.data);
            names[count++] = strdup(last);
        }
        more = op.more;
        CHECK(op.item_count <= limit);
        CHECK(!more || op.item_count);
        mote_parts_op_deinit(&op);
    }
    qsort(names, count, sizeof *names, by_text);
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", names[i]);
        free(names[i]);
    }
    return out;
}

TEST(listing) {
    static const char *const keys[] = {"a",   "a/1", "a/2", "a/B", "a/b", "a%", "a%b",
                                       "a_c", "axc", "b*",  "b*c", "bxc", "!x"};
    char out[400];
    FOR_STORES(parts) {
        CHECK_STR(list(parts, "", 10, out, sizeof out), "");
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) set(parts, keys[i], "1");
        for (size_t limit = 1; limit < 6; limit += 2) {
            CHECK_STR(list(parts, "a/", limit, out, sizeof out), "a/1 a/2 a/B a/b");
            CHECK_STR(list(parts, "a%", limit, out, sizeof out), "a% a%b");
            CHECK_STR(list(parts, "a_", limit, out, sizeof out), "a_c");
            CHECK_STR(list(parts, "b*", limit, out, sizeof out), "b* b*c");
            CHECK_STR(list(parts, "!", limit, out, sizeof out), "!x");
            CHECK_STR(list(parts, "zz", limit, out, sizeof out), "");
        }
        CHECK_STR(list(parts, "", 4, out, sizeof out),
                  "!x a a% a%b a/1 a/2 a/B a/b a_c axc b* b*c bxc");
    }
}

/* What no key can begin with is refused as a key would be. */
TEST(prefixes_that_no_key_has) {
    static const mote_parts_bytes texts[] = {
        {"a\xff", 2}, {"\xc3", 1}, {"a||", 3}, {"a\0", 2}, {"\0", 1}};
    FOR_STORES(parts) {
        CHECK_EQ(set(parts, "a", "1"), MOTE_PARTS_OK);
        for (size_t i = 0; i < sizeof texts / sizeof *texts * 2; i++) {
            mote_parts_op op = {.verb = MOTE_PARTS_KEYS};
            *(i % 2 ? &op.after : &op.prefix) = texts[i / 2];
            CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_INVALID);
            CHECK(strstr(op.text, i % 2 ? "the key to go on behind" : "the prefix of keys"));
            CHECK(!op.item_count && !op.more);
            mote_parts_op_deinit(&op);
        }
    }
}

/* ---------------------------------------------------------------- many operations in flight */

enum { FLIGHT = 100 };
static unsigned landed;
static void land(mote_parts_op *op) { landed += op->code == MOTE_PARTS_OK; }

TEST(in_flight) {
    static mote_parts_op ops[FLIGHT];
    static mote_parts_item items[FLIGHT];
    static char keys[FLIGHT][16];
    FOR_STORES(parts) {
        for (int verb = MOTE_PARTS_SET; verb >= (int)MOTE_PARTS_GET; verb--) {
            bool never = false;
            landed = 0;
            for (size_t i = 0; i < FLIGHT; i++) {
                snprintf(keys[i], sizeof keys[i], "k%zu", i);
                items[i] = (mote_parts_item){.key = bytes(keys[i]), .value = bytes(keys[i])};
                ops[i] = (mote_parts_op){.verb = (mote_parts_verb)verb,
                                         .items = &items[i],
                                         .item_count = 1,
                                         .done = land};
                mote_parts_submit(parts, "store", &ops[i]);
            }
            for (int i = 0; i < 500 && landed < FLIGHT; i++)
                mote_parts_drive(parts, &never, 10000000);
            CHECK_EQ(landed, FLIGHT);
            for (size_t i = 0; i < FLIGHT; i++) {
                if (verb == MOTE_PARTS_GET) CHECK(same(items[i].found, bytes(keys[i])));
                mote_parts_op_deinit(&ops[i]);
            }
        }
    }
}

/* Who begins something whenever something has ended. */
static mote_parts *parts_now;
static unsigned ends;
static void go_on(mote_parts_op *op) {
    ends++;
    if (op->code == MOTE_PARTS_CANCELLED && op->item_count && !op->context) {
        op->context = &ends;
        mote_parts_op_deinit(op);
        mote_parts_submit(parts_now, "store", op);
    }
}

/* Everything ends, whatever its store still has to do. */
TEST(deleting_with_operations_under_way) {
    enum { COUNT = 40 };
    static mote_parts_op ops[COUNT];
    static mote_parts_item items[COUNT];
    for (int round = 0; round < 3; round++) {
        for (size_t store_at = 0; store_at < STORE_COUNT; store_at++) {
            unsigned again = 0;
            mote_parts *parts = parts_now = store_open(&stores[store_at], NULL);
            if (!parts) continue;
            if (round) set(parts, "k", "1"); /* it is connected */
            ends = 0;
            for (int i = 0; i < COUNT; i++) {
                items[i] = (mote_parts_item){.key = bytes("k"), .value = bytes("2")};
                ops[i] = (mote_parts_op){.verb = i % 3 ? MOTE_PARTS_SET : MOTE_PARTS_GET,
                                         .items = &items[i],
                                         .item_count = 1,
                                         .done = go_on};
                mote_parts_submit(parts, "store", &ops[i]);
            }
            bool never = false;
            if (round == 2) mote_parts_drive(parts, &never, 300000);
            mote_parts_delete(parts);
            for (int i = 0; i < COUNT; i++) {
                again += ops[i].context != NULL;
                CHECK(ops[i].code == MOTE_PARTS_OK || ops[i].code == MOTE_PARTS_CANCELLED);
                mote_parts_op_deinit(&ops[i]);
            }
            CHECK_EQ(ends, COUNT + again);
        }
    }
}

TEST(no_such_component) {
    FOR_STORES(parts) {
        mote_parts_op op = {.verb = MOTE_PARTS_GET};
        CHECK_EQ(mote_parts_call(parts, "stores", &op), MOTE_PARTS_NOT_FOUND);
        CHECK_STR(op.text, "there is no component `stores`; did you mean `store`?");
    }
}

/* ---------------------------------------------------------------- no memory */

/* One of everything, with values that take memory of their own; false as soon as something says no.
 */
static bool use_store(mote_parts *parts) {
    static char text[700], binary[700];
    memset(text, '1', sizeof text);
    memset(binary, 0xff, sizeof binary);
    mote_parts_item items[] = {{.key = bytes("a"), .value = {text, sizeof text}},
                               {.key = bytes("b"), .value = {binary, sizeof binary}},
                               {.key = bytes("c"), .value = {text, sizeof text}}};
    enum { COUNT = sizeof items / sizeof *items };
    mote_parts_verb verbs[] = {MOTE_PARTS_SET, MOTE_PARTS_GET, MOTE_PARTS_TRANSACT, MOTE_PARTS_KEYS,
                               MOTE_PARTS_DELETE};
    bool good = true;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs && good; i++) {
        mote_parts_op op = {.verb = verbs[i], .items = items, .item_count = COUNT};
        good = !mote_parts_call(parts, "store", &op) && op.item_count == COUNT;
        mote_parts_op_deinit(&op);
    }
    return good;
}

static bool with_allocator(const mote_allocator *a, void *context) {
    const mote_parts_config config = {.allocator = a, .driver_dir = getenv("MOTE_DRIVERS")};
    const char *text = context;
    mote_parts *parts;
    if (mote_parts_new(&config, &parts, NULL)) return false;
    bool good =
        !mote_parts_load_text(parts, "c.yaml", text, strlen(text), NULL) && use_store(parts);
    mote_parts_delete(parts);
    return good;
}

TEST(no_memory) {
    char text[2000];
    for (size_t i = 0; i < STORE_COUNT; i++) {
        if (!store_yaml(&stores[i], "store", "  - {name: keyPrefix, value: memory}\n", text,
                        sizeof text))
            continue;
        if (!CHECK(fail_alloc_sweep(with_allocator, text) > 20)) printf("  %s\n", stores[i].name);
    }
}
