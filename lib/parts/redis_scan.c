/* redis_scan.c - KEYS on a Redis server: SCAN over the whole database, then in order. For people
 * and small stores. The component's time is that of each step. */
#include "redis.h"
#include "sorted.h"
#include <stdlib.h>

/* A key that SCAN has found; they come in no order, some of them twice. */
struct found {
    struct found *next;
    size_t size;
    char key[];
};

struct scan {
    struct found *found;
    size_t count;
};

static struct scan *scan_of(mote_parts_op *op) { return op->driver; }

/* SCAN's pattern for a prefix: its own special characters are escaped. */
static mote_parts_bytes pattern(mote_parts_op *op) {
    return mote__parts_prefix_pattern(op, "*?[]\\^-", '\\', '*');
}

static bool send_scan(struct redis *redis, mote_parts_op *op, const char *cursor,
                      size_t cursor_size, unsigned what) {
    mote_parts_bytes match = pattern(op);
    if (!match.data) return false;
    struct redis_command c = mote__redis_begin(redis, 6);
    mote__redis_word(&c, "SCAN", 4);
    mote__redis_word(&c, cursor, cursor_size);
    mote__redis_word(&c, "MATCH", 5);
    mote__redis_word(&c, match.data, match.size);
    mote__redis_word(&c, "COUNT", 5);
    mote__redis_word(&c, "1000", 4);
    return mote__redis_end(&c, op, 0, what);
}

/* Where some few are enough each is kept once. */
static bool is_known(const mote_parts_op *op, const struct resp *key) {
    const struct found *at = op->any ? ((const struct scan *)op->driver)->found : NULL;
    while (at && sorted_order(at->key, at->size, key->text, key->size) != 0) at = at->next;
    return at;
}

static bool keep_key(mote_parts_op *op, const struct resp *key) {
    if (op->any && scan_of(op)->count >= op->limit) return true;
    if (!mote__parts_wants_key(op, key->text, key->size) || is_known(op, key)) return true;
    struct found *found = mote__parts_alloc(op, sizeof *found + key->size);
    if (!found) return false;
    *found = (struct found){.next = scan_of(op)->found, .size = key->size};
    memcpy(found->key, key->text, key->size);
    scan_of(op)->found = found;
    scan_of(op)->count++;
    return true;
}

static int compare(const void *a, const void *b) {
    const struct found *x = *(struct found *const *)a, *y = *(struct found *const *)b;
    return sorted_order(x->key, x->size, y->key, y->size);
}

/* All keys are there: in order, each once, as many as are wanted. */
static mote_parts_code tell_keys(mote_parts_op *op) {
    const struct scan *scan = scan_of(op);
    size_t count = 0;
    if (!scan->count) return MOTE_PARTS_OK;
    struct found **all = mote__parts_alloc(op, scan->count * sizeof *all);
    if (!all) return MOTE_PARTS_NOMEM;
    for (struct found *at = scan->found; at; at = at->next) all[count++] = at;
    qsort(all, count, sizeof(struct found *), compare);
    for (size_t i = 0; i < count && !op->more; i++) {
        if (i && !compare(&all[i - 1], &all[i])) continue;
        if (!mote__parts_add_key(op, all[i]->key, all[i]->size)) return MOTE_PARTS_NOMEM;
    }
    return MOTE_PARTS_OK;
}

/* The next step, which may take as long as this one. */
static bool go_on(struct redis *redis, mote_parts_op *op, const struct resp *cursor,
                  unsigned what) {
    const uint64_t time_ns = redis->settings.answer_timeout_ns;
    if (op->has_own_time && !mote__loop_timer_start(redis->opening->loop, op->timer, time_ns))
        return false;
    return send_scan(redis, op, cursor->text, cursor->size, what);
}

/* A cursor and a list of keys; cursor 0: that was all. */
void mote__redis_take_scan(struct redis *redis, const struct redis_slot *slot,
                           const struct resp *head, struct resp_reader *reply) {
    mote_parts_op *op = slot->op;
    struct resp cursor = mote__resp_next(reply), keys = mote__resp_next(reply);
    bool good = head->kind == RESP_ARRAY && cursor.kind == RESP_BULK && keys.kind == RESP_ARRAY;
    for (int64_t i = 0; good && i < keys.number; i++) {
        struct resp key = mote__resp_next(reply);
        good = key.kind == RESP_BULK && keep_key(op, &key);
    }
    if (!good) {
        mote__redis_complete(
            redis, op, head->kind == RESP_ERROR ? mote__redis_failure(op, head) : MOTE_PARTS_NOMEM);
        return;
    }
    bool last = (cursor.size == 1 && cursor.text[0] == '0') ||
                (op->any && scan_of(op)->count >= op->limit);
    if (last) mote__redis_complete(redis, op, tell_keys(op));
    else if (!go_on(redis, op, &cursor, slot->what))
        mote__redis_complete(redis, op, MOTE_PARTS_NOMEM);
}

bool mote__redis_scan(struct redis *redis, mote_parts_op *op, unsigned what) {
    struct scan *scan = mote__parts_alloc(op, sizeof *scan);
    if (!scan) return false;
    *scan = (struct scan){0};
    op->driver = scan;
    return send_scan(redis, op, "0", 1, what);
}
