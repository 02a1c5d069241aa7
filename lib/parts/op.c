/* op.c - the beginning of an operation: checked, given whole keys, submitted; its deadline, and
 * those who wait for it.
 * Keeps: once it has completed (complete.c) nothing here touches the operation. */
#include "set.h"
#include "sorted.h"
#include "base/utf8.h"
#include <inttypes.h>
#include <stdio.h>

enum { KEYS_LIMIT_DEFAULT = 1000, SLICE_NS = 50000000, LAST_SLICE_NS = 10000000 };
/* Who may wait without the loop: one thread alone, for so many calls already, for no operation that
 * is short of time; and for how many pieces of its answer. */
enum { DIRECT_MIN_NS = 100000000, DIRECT_PIECES_MAX = 4 };
#ifdef MOTE_HOSTILE
enum { ALONE_MIN = 0 };
#else
enum { ALONE_MIN = 100 };
#endif
static const uint64_t timeout_default_ns = 20000000000;

/* ---------------------------------------------------------------- checks */

static bool holds_bars(const char *bytes, size_t size) {
    for (size_t i = 0; i + 1 < size; i++)
        if (bytes[i] == '|' && bytes[i + 1] == '|') return true;
    return false;
}

/* What keys are made of, and what they are looked for by. */
static mote_parts_code check_letters(mote_parts_op *op, const char *what,
                                     const mote_parts_bytes *text) {
    if (!text->size) return MOTE_PARTS_OK;
    if (memchr(text->data, 0, text->size) || holds_bars(text->data, text->size))
        return mote__parts_say(op, MOTE_PARTS_INVALID, "%s holds NUL or `||`", what);
    return mote__utf8_valid(text->data, text->size)
               ? MOTE_PARTS_OK
               : mote__parts_say(op, MOTE_PARTS_INVALID, "%s is not UTF-8", what);
}

static mote_parts_code check_key(mote_parts_op *op, const mote_parts_bytes *key) {
    const struct parts_driver_row *row = &mote__parts_drivers[op->component->id];
    if (!key->data || !key->size) return mote__parts_say(op, MOTE_PARTS_INVALID, "a key is empty");
    mote_parts_code code = check_letters(op, "a key", key);
    if (code) return code;
    size_t whole = key->size + op->component->prefix.size;
    if (whole > row->key_bytes_max)
        return mote__parts_say(op, MOTE_PARTS_TOO_LARGE,
                               "a key of %zu bytes with its prefix; %s takes %zu", whole, row->type,
                               row->key_bytes_max);
    return MOTE_PARTS_OK;
}

/* Whose lock, and for how long. */
static mote_parts_code check_owner(mote_parts_op *op, const mote_parts_item *item) {
    if (!item->value.size) return mote__parts_say(op, MOTE_PARTS_INVALID, "a lock has an owner");
    if (op->verb == MOTE_PARTS_LOCK && item->ttl_s <= 0)
        return mote__parts_say(op, MOTE_PARTS_INVALID, "a lock is for a number of seconds");
    return MOTE_PARTS_OK;
}

static mote_parts_code check_item(mote_parts_op *op, const mote_parts_item *item) {
    const struct parts_driver_row *row = &mote__parts_drivers[op->component->id];
    mote_parts_code code = check_key(op, &item->key);
    bool reads = op->verb == MOTE_PARTS_GET || op->verb == MOTE_PARTS_WATCH;
    if (!code && row->block == BLOCK_lock) code = check_owner(op, item);
    if (code || reads || parts_is_removal(op, item)) return code;
    if (item->ttl_s > PARTS_TTL_MAX_S)
        return mote__parts_say(op, MOTE_PARTS_INVALID,
                               "a time to live of more than %" PRId64 " seconds", PARTS_TTL_MAX_S);
    if (item->value.size > row->value_bytes_max)
        return mote__parts_say(op, MOTE_PARTS_TOO_LARGE, "a value of %zu bytes; %s takes %zu",
                               item->value.size, row->type, row->value_bytes_max);
    if ((item->flags & MOTE_PARTS_JSON) && !mote__parts_is_json(item->value.data, item->value.size))
        return mote__parts_say(op, MOTE_PARTS_INVALID, "the value is not JSON");
    return MOTE_PARTS_OK;
}

/* The verbs that a block takes, a bit each, and how to say it. */
#define VERB(name) (1u << MOTE_PARTS_##name)
static const struct {
    unsigned verbs;
    const char *otherwise;
} blocks[BLOCK_COUNT] = {
    [BLOCK_state] = {VERB(GET) | VERB(SET) | VERB(DELETE) | VERB(TRANSACT) | VERB(KEYS),
                     "a state store neither locks nor watches"},
    [BLOCK_secretstores] = {VERB(GET) | VERB(KEYS), "secrets are only read"},
    [BLOCK_lock] = {VERB(LOCK) | VERB(UNLOCK), "a lock is only taken and given back"},
    [BLOCK_configuration] = {VERB(GET) | VERB(SET) | VERB(DELETE) | VERB(KEYS) | VERB(WATCH),
                             "configuration is only read and watched"}};

static mote_parts_code check(mote_parts_op *op) {
    const struct parts_driver_row *row = &mote__parts_drivers[op->component->id];
    mote_parts_code code = MOTE_PARTS_OK;
    if (!(blocks[row->block].verbs >> op->verb & 1))
        return mote__parts_say(op, MOTE_PARTS_UNSUPPORTED, "%s", blocks[row->block].otherwise);
    if (op->verb == MOTE_PARTS_WATCH && (!op->item_count || !op->changed))
        return mote__parts_say(op, MOTE_PARTS_INVALID, "nothing is to be watched");
    if (op->verb == MOTE_PARTS_KEYS) {
        code = check_letters(op, "the prefix of keys", &op->prefix);
        return code ? code : check_letters(op, "the key to go on behind", &op->after);
    }
    for (size_t i = 0; i < op->item_count && !code; i++) code = check_item(op, &op->items[i]);
    return code;
}

/* ---------------------------------------------------------------- whole keys */

static bool make_whole(mote_parts_op *op, const mote_parts_bytes *key, mote_parts_bytes *out) {
    const mote_parts_bytes *prefix = &op->component->prefix;
    if (!prefix->size && key->data) return *out = *key, true;
    char *whole = mote__parts_alloc(op, prefix->size + key->size + 1);
    if (!whole) return false;
    *out = (mote_parts_bytes){whole, prefix->size + key->size};
    memcpy(whole, prefix->data, prefix->size);
    if (key->size) memcpy(whole + prefix->size, key->data, key->size);
    whole[out->size] = 0;
    return true;
}

/* What to go on behind may lie before all keys with the prefix: then it says nothing. */
static bool make_whole_after(mote_parts_op *op) {
    const mote_parts_bytes *prefix = &op->whole_prefix;
    mote_parts_bytes after;
    op->whole_after = (mote_parts_bytes){0};
    if (!op->after.data) return true;
    if (!make_whole(op, &op->after, &after)) return false;
    if (sorted_order(after.data, after.size, prefix->data, prefix->size) >= 0)
        op->whole_after = after;
    return true;
}

static bool prepare(mote_parts_op *op) {
    if (op->verb == MOTE_PARTS_KEYS) {
        if (!op->limit) op->limit = KEYS_LIMIT_DEFAULT;
        op->items = NULL;
        op->item_count = op->item_capacity = 0;
        return make_whole(op, &op->prefix, &op->whole_prefix) && make_whole_after(op);
    }
    for (size_t i = 0; i < op->item_count; i++) {
        mote_parts_item *item = &op->items[i];
        item->code = MOTE_PARTS_OK;
        item->found = item->version = (mote_parts_bytes){0};
        item->expires_ns = item->modified_ns = 0;
        if (!make_whole(op, &item->key, &item->whole_key)) return false;
    }
    return true;
}

/* ---------------------------------------------------------------- beginning and ending early */

struct deadline {
    struct loop_timer timer;
    mote_parts_op *op;
};

static void end_early(mote_parts_op *op, mote_parts_code why) {
    if (!op->is_under_way || op->ending) return;
    op->ending = why;
    if (op->component->driver->cancel) op->component->driver->cancel(op->component->instance, op);
}

static void out_of_time(struct loop_timer *timer) {
    end_early(((struct deadline *)timer)->op, MOTE_PARTS_TIMEOUT);
}

void mote_parts_cancel(mote_parts_op *op) {
    if (!op->is_under_way) return;
    struct mote_parts *parts = op->component->parts;
    mote__parts_enter(parts);
    end_early(op, MOTE_PARTS_CANCELLED);
    mote__parts_leave(parts);
}

/* Memory for the deadline is taken before submit, because afterwards the operation's memory may be
 * in use on a thread of the driver's. */
static bool prepare_deadline(mote_parts_op *op) {
    if (!op->component->driver->cancel) return true;
    struct deadline *deadline = mote__parts_alloc(op, sizeof *deadline);
    if (!deadline) return false;
    *deadline = (struct deadline){.timer.run = out_of_time, .op = op};
    op->timer = &deadline->timer;
    return true;
}

/* Only for what is still under way after submit: most operations of local stores never need a
 * timer. */
static void start_deadline(mote_parts_op *op) {
    if (op->verb == MOTE_PARTS_WATCH && !op->timeout_ns) return;
    if (!op->begun_ns) op->begun_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    if (!mote__loop_timer_start_from(op->component->parts->loop, op->timer, op->begun_ns,
                                     op->timeout_ns ? op->timeout_ns : timeout_default_ns))
        mote_parts_cancel(op);
}

/* Whoever is called by the loop, or by who takes an answer, cannot wait for the next one. */
static mote_parts_code check_waiting(mote_parts_op *op) {
    const struct mote_parts *parts = op->component->parts;
    const struct parts_driver *driver = op->component->driver;
    bool waits = driver->cancel && !driver->answers_at_once;
    bool is_at_work = parts->is_awaiting || mote__loop_is_running(parts->loop);
    if (!waits || !is_at_work) return MOTE_PARTS_OK;
    return mote__parts_say(op, MOTE_PARTS_UNSUPPORTED,
                           "a callback cannot wait for an operation, only submit it");
}

/* Whether it is still under way; it has no deadline then yet. `waits`: the caller is to. */
static bool begin(struct mote_parts_component *component, mote_parts_op *op, bool waits) {
    mote_error error;
    bool ended = false;
    op->component = component;
    op->memory = op->timer = op->driver = NULL;
    op->awaited = op->begun_ns = 0;
    op->ending = MOTE_PARTS_OK;
    op->text[0] = 0;
    op->more = op->is_over_budget = op->failed_whole = op->has_own_time = false;
    op->is_under_way = true;
    op->ended = NULL;
    component->parts->under_way += op->verb != MOTE_PARTS_WATCH;
    mote_parts_code code = component->parts->is_closing ? MOTE_PARTS_CANCELLED : check(op);
    if (!code && !prepare(op)) code = MOTE_PARTS_NOMEM;
    if (!code && mote__parts_open(component, &error) != MOTE_OK)
        code = mote__parts_say(
            op, error.status == MOTE_E_NOMEM ? MOTE_PARTS_NOMEM : MOTE_PARTS_UNAVAILABLE, "%s",
            error.message);
    if (!code && !prepare_deadline(op)) code = MOTE_PARTS_NOMEM;
    if (!code && waits) code = check_waiting(op);
    if (code) return mote__parts_complete(op, code), false;
    op->ended = &ended;
    component->driver->submit(component->instance, op);
    if (ended) return false;
    op->ended = NULL;
    return true;
}

void mote__parts_begin(struct mote_parts_component *component, mote_parts_op *op) {
    if (begin(component, op, false)) start_deadline(op);
}

/* Whether nobody else has work here, or wants in. */
static bool is_alone(const struct mote_parts *parts) {
    return parts->alone >= ALONE_MIN && parts->under_way == 1 && !atomic_load(&parts->wanting);
}

/* An answer in pieces could keep its operation from its deadline: few of them are awaited here. */
void mote__parts_await(mote_parts_op *op) {
    const struct mote_parts_component *c = op->component;
    struct mote_parts *parts = c->parts;
    if (!c->driver->await || op->timeout_ns < DIRECT_MIN_NS) return;
    bool came = true;
    for (int pieces = 0; pieces < DIRECT_PIECES_MAX && came && op->is_under_way; pieces++) {
        parts->is_awaiting = is_alone(parts);
        came = parts->is_awaiting && c->driver->await(c->instance, op);
        parts->has_waited |= parts->is_awaiting;
        parts->is_awaiting = false;
    }
}

static void note_done(mote_parts_op *op) { *(bool *)op->context = true; }

mote_parts_code mote__parts_carry_out(struct mote_parts_component *component, mote_parts_op *op) {
    bool is_done = false;
    op->done = note_done;
    op->context = &is_done;
    if (begin(component, op, true)) mote__parts_await(op);
    if (!is_done) start_deadline(op); /* most have ended and never needed it */
    /* Whose time is over already may have many more of them: each gets what a store that is there
     * takes. */
    uint64_t slice_ns = !is_done && mote_vfs_is_over() ? LAST_SLICE_NS : SLICE_NS;
    while (!is_done) {
        component->parts->has_waited = true;
        mote__loop_run(component->parts->loop, &is_done, slice_ns);
        if (!is_done && mote_vfs_is_over()) mote_parts_cancel(op);
        slice_ns = SLICE_NS;
    }
    return op->code;
}

/* An operation that does not begin. */
static void leave_unbegun(mote_parts_op *op) {
    op->memory = op->timer = NULL;
    op->ended = NULL;
    op->is_under_way = op->more = false;
    op->text[0] = 0;
    if (op->verb == MOTE_PARTS_KEYS) op->items = NULL, op->item_count = 0;
}

static void no_such_component(mote_parts_op *op, const char *name, const char *nearest) {
    leave_unbegun(op);
    op->code = mote__parts_say(op, MOTE_PARTS_NOT_FOUND, "there is no component `%.60s`%s%.60s%s",
                               name, nearest ? "; did you mean `" : "", nearest ? nearest : "",
                               nearest ? "`?" : "");
}

void mote_parts_submit(mote_parts *parts, const char *component, mote_parts_op *op) {
    const char *nearest;
    struct mote_parts_component *c = mote__parts_find(parts, component, &nearest);
    if (!c) {
        no_such_component(op, component, nearest);
        op->done(op);
        return;
    }
    mote__parts_enter(parts);
    mote__parts_begin(c, op);
    mote__parts_leave(parts);
}

mote_parts_code mote_parts_call(mote_parts *parts, const char *component, mote_parts_op *op) {
    const char *nearest;
    struct mote_parts_component *c = mote__parts_find(parts, component, &nearest);
    if (!c) return no_such_component(op, component, nearest), op->code;
    mote__parts_enter(parts);
    mote__parts_carry_out(c, op);
    mote__parts_leave(parts);
    return op->code;
}

void mote_parts_drive(mote_parts *parts, const bool *stop, uint64_t timeout_ns) {
    mote__parts_enter(parts);
    mote__parts_drive(parts, stop, timeout_ns);
    mote__parts_leave(parts);
}
