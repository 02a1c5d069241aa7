/* configuration_redis.c - configuration.redis: Dapr's plain keys `VALUE` or `VALUE||VERSION` on a
 * Redis server. What changes is heard on a second connection, which listens to the server's
 * keyspace notifications; what a key then holds is asked for on the first, by an operation of the
 * driver's own. Keeps: whenever the listener has been connected anew every watched key is asked for
 * again, so that nobody misses for good what was written while it was away. */
#include "builtin.h"
#include "base/error.h"
#include "redis.h"
#include "watch.h"
#include <inttypes.h>
#include <stdio.h>

/* What the notifications must cover, as Dapr has it: generic and string commands, expiry, eviction.
 */
static const char notifications[] = "Kg$xe";
static const uint64_t again_ns = 500000000; /* after a question that failed */

enum what { WHAT_VALUE, WHAT_SCAN };

/* A question of the driver's own: what a watched key holds now. */
struct question {
    struct question *next;
    struct configuration *configuration;
    mote_parts_op op;
    mote_parts_item item;
    char key[]; /* item.key.size bytes */
};

struct configuration {
    struct redis redis, listener;
    struct watch *watches;
    struct question *questions;
    struct loop_timer again;
    bool is_listening; /* has asked for everything that is watched */
    bool is_closing;
};

static struct configuration *of_listener(struct redis *redis) { return redis->context; }

/* ---------------------------------------------------------------- reading */

static bool send_values(struct redis *redis, mote_parts_op *op) {
    bool good = true;
    if (op->verb == MOTE_PARTS_KEYS) return mote__redis_scan(redis, op, WHAT_SCAN);
    for (size_t i = 0; i < op->item_count && good; i++) {
        struct redis_command c = mote__redis_begin(redis, 2);
        mote__redis_word(&c, "GET", 3);
        mote__redis_word(&c, op->items[i].whole_key.data, op->items[i].whole_key.size);
        good = mote__redis_end(&c, op, i, WHAT_VALUE);
    }
    return good;
}

/* Length of what stands before the first `||`. */
static size_t before_bars(const char *text, size_t size) {
    for (size_t i = 0; i + 1 < size; i++)
        if (text[i] == '|' && text[i + 1] == '|') return i;
    return size;
}

static mote_parts_code take_value(mote_parts_op *op, mote_parts_item *item,
                                  const struct resp *reply) {
    if (reply->kind == RESP_NULL) return item->code = MOTE_PARTS_NOT_FOUND, MOTE_PARTS_OK;
    if (reply->kind == RESP_ERROR && reply->size > 9 && !memcmp(reply->text, "WRONGTYPE", 9))
        return item->code = MOTE_PARTS_NOT_FOUND, MOTE_PARTS_OK; /* not of configuration */
    if (reply->kind == RESP_ERROR) return mote__redis_failure(op, reply);
    if (reply->kind != RESP_BULK) return MOTE_PARTS_FAILED;
    size_t value = before_bars(reply->text, reply->size);
    item->found = mote__parts_copy(op, reply->text, value);
    if (!item->found.data) return MOTE_PARTS_NOMEM;
    if (value == reply->size) return MOTE_PARTS_OK;
    const char *version = reply->text + value + 2;
    item->version = mote__parts_copy(op, version, before_bars(version, reply->size - value - 2));
    return item->version.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

static void take_reply(struct redis *redis, const struct redis_slot *slot,
                       struct resp_reader *reply) {
    mote_parts_op *op = slot->op;
    struct resp head = mote__resp_next(reply);
    if (slot->what == WHAT_SCAN) {
        mote__redis_take_scan(redis, slot, &head, reply);
        return;
    }
    mote_parts_code code = take_value(op, &op->items[slot->item], &head);
    if (code || !op->awaited) mote__redis_complete(redis, op, code);
}

static const struct redis_user reader = {.send = send_values, .reply = take_reply};

/* ---------------------------------------------------------------- questions */

static void try_again(struct configuration *c, uint64_t delay_ns) {
    if (!c->is_closing && !mote__loop_timer_start(c->redis.opening->loop, &c->again, delay_ns))
        mote__watch_end(&c->watches);
}

static void question_free(struct question *question) {
    struct configuration *c = question->configuration;
    struct question **at = &c->questions;
    while (*at != question) at = &(*at)->next;
    *at = question->next;
    mote_parts_op_deinit(&question->op);
    mote__free(c->redis.opening->allocator, question, sizeof *question + question->item.key.size);
}

static void answered(mote_parts_op *op) {
    struct question *question = op->context;
    struct configuration *c = question->configuration;
    const mote_parts_item *item = &question->item;
    if (!op->code) mote__watch_tell(c->watches, &item->key, item->code, item->found, item->version);
    else try_again(c, again_ns);
    question_free(question);
}

/* Asks what a key holds, if anybody wants to know. */
static void ask(struct configuration *c, const void *key, size_t size) {
    const struct parts_opening *o = c->redis.opening;
    if (!mote__watch_has(c->watches, &(mote_parts_bytes){key, size})) return;
    struct question *q = mote__alloc_zeroed(o->allocator, sizeof *q + size);
    if (!q) {
        try_again(c, again_ns);
        return;
    }
    q->next = c->questions;
    q->configuration = c;
    memcpy(q->key, key, size);
    q->item.key = (mote_parts_bytes){q->key, size};
    q->op = (mote_parts_op){
        .verb = MOTE_PARTS_GET, .items = &q->item, .item_count = 1, .done = answered, .context = q};
    c->questions = q;
    mote__parts_begin(o->component, &q->op);
}

static void ask_for_all(struct configuration *c) {
    for (const struct watch *w = c->watches; w; w = w->next)
        for (size_t i = 0; i < w->op->item_count; i++)
            ask(c, w->op->items[i].whole_key.data, w->op->items[i].whole_key.size);
}

/* ---------------------------------------------------------------- listening */

static void run_again(struct loop_timer *timer) {
    struct configuration *c =
        (struct configuration *)((char *)timer - offsetof(struct configuration, again));
    if (c->listener.state == REDIS_READY) ask_for_all(c);
}

static void on_lost(struct redis *listener) { of_listener(listener)->is_listening = false; }

static bool say(struct redis *listener, const char *const *words, size_t count) {
    struct redis_command c = mote__redis_begin(listener, count);
    for (size_t i = 0; i < count; i++) mote__redis_word(&c, words[i], strlen(words[i]));
    return mote__redis_end(&c, NULL, 0, 0);
}

/* The channel on which a key's changes are told. */
static mote_parts_bytes channel(const struct redis *listener, mote_parts_op *op,
                                const mote_parts_bytes *key) {
    char *out = mote__parts_alloc(op, key->size + 40);
    if (!out) return (mote_parts_bytes){0};
    int size = snprintf(out, 40, "__keyspace@%" PRIu64 "__:", listener->settings.database);
    memcpy(out + size, key->data, key->size);
    return (mote_parts_bytes){out, (size_t)size + key->size};
}

static bool subscribe(struct redis *listener, mote_parts_op *op) {
    struct redis_command c = mote__redis_begin(listener, op->item_count + 1);
    mote__redis_word(&c, "SUBSCRIBE", 9);
    for (size_t i = 0; i < op->item_count; i++) {
        mote_parts_bytes name = channel(listener, op, &op->items[i].whole_key);
        if (!name.data) c.failed = true;
        mote__redis_word(&c, name.data, name.size);
    }
    return mote__redis_end(&c, NULL, 0, 0);
}

static void subscribe_or_end(struct configuration *c, mote_parts_op *op) {
    if (subscribe(&c->listener, op)) return;
    mote__watch_remove(&c->watches, op);
    mote__parts_complete(op, MOTE_PARTS_NOMEM);
}

static void take_setting(struct configuration *c, const struct resp *flags);

/* Nothing else can be said on a connection that listens: the server's setting comes first. */
static void on_ready(struct redis *listener) {
    const struct resp unknown = {.kind = RESP_NULL};
    static const char *const words[] = {"CONFIG", "GET", "notify-keyspace-events"};
    of_listener(listener)->is_listening = false;
    if (!say(listener, words, 3)) take_setting(of_listener(listener), &unknown);
}

/* Whether a setting covers what is needed; A stands for all but K. */
static bool covers(const struct resp *flags) {
    bool all = memchr(flags->text, 'A', flags->size);
    for (const char *at = notifications; *at; at++)
        if (!memchr(flags->text, *at, flags->size) && !(all && *at != 'K')) return false;
    return true;
}

/* The answer to CONFIG GET: what the setting lacks is added, then begins the listening. A server
 * that does not let itself be asked may have it all the same. */
static void take_setting(struct configuration *c, const struct resp *flags) {
    char wanted[64];
    if (flags->kind == RESP_BULK && flags->size <= 40 && !covers(flags)) {
        snprintf(wanted, sizeof wanted, "%.*s%s", (int)flags->size, flags->text, notifications);
        const char *const words[] = {"CONFIG", "SET", "notify-keyspace-events", wanted};
        if (!say(&c->listener, words, 4)) mote__parts_log(c->listener.opening, "out of memory");
    }
    c->is_listening = true;
    for (struct watch *w = c->watches, *next; w; w = next) {
        next = w->next;
        subscribe_or_end(c, w->op);
    }
    mote__redis_flush(&c->listener);
}

/* "subscribe" and "message" name a channel, and with it a key. */
static void take_message(struct configuration *c, struct resp_reader *message) {
    struct resp kind = mote__resp_next(message), name = mote__resp_next(message);
    const char *at = name.kind == RESP_BULK ? memchr(name.text, ':', name.size) : NULL;
    bool ends = kind.kind == RESP_BULK && kind.size == 11 && !memcmp(kind.text, "unsubscribe", 11);
    if (at && !ends) ask(c, at + 1, name.size - (size_t)(at + 1 - name.text));
}

static void on_push(struct redis *listener, struct resp_reader *message) {
    struct configuration *c = of_listener(listener);
    struct resp head = mote__resp_next(message), none = {.kind = RESP_NULL};
    if (head.kind == RESP_ERROR)
        mote__parts_log(listener->opening, "keyspace notifications may be off: Redis: %.*s",
                        (int)(head.size < 100 ? head.size : 100), head.text);
    if (c->is_listening && head.kind == RESP_ARRAY) take_message(c, message);
    if (c->is_listening) return;
    if (head.kind == RESP_ARRAY && head.number == 2)
        mote__resp_next(message), none = mote__resp_next(message);
    take_setting(c, &none);
}

static const struct redis_user listening = {.push = on_push, .ready = on_ready, .lost = on_lost};

/* ---------------------------------------------------------------- watching */

static void watch(struct configuration *c, mote_parts_op *op) {
    if (!mote__watch_add(&c->watches, op)) {
        mote__parts_complete(op, MOTE_PARTS_NOMEM);
        return;
    }
    if (c->listener.state == REDIS_READY && c->is_listening) {
        subscribe_or_end(c, op);
        mote__redis_flush(&c->listener);
    } else if (c->listener.state == REDIS_IDLE && !mote__link_rests(&c->listener.link))
        mote__redis_connect(&c->listener);
}

/* Channels that nobody needs any more are given up; one key may be watched twice. */
static void unwatch(struct configuration *c, mote_parts_op *op) {
    for (size_t i = 0; i < op->item_count && c->is_listening; i++) {
        if (mote__watch_has(c->watches, &op->items[i].whole_key)) continue;
        mote_parts_bytes name = channel(&c->listener, op, &op->items[i].whole_key);
        struct redis_command command = mote__redis_begin(&c->listener, 2);
        if (!name.data) command.failed = true;
        mote__redis_word(&command, "UNSUBSCRIBE", 11);
        mote__redis_word(&command, name.data, name.size);
        if (!mote__redis_end(&command, NULL, 0, 0)) break; /* heard, and not listened to */
    }
    mote__redis_flush(&c->listener);
}

/* ---------------------------------------------------------------- the driver */

static void configuration_submit(void *instance, mote_parts_op *op) {
    struct configuration *c = instance;
    if (op->verb == MOTE_PARTS_WATCH) watch(c, op);
    else if (op->verb == MOTE_PARTS_SET || op->verb == MOTE_PARTS_DELETE)
        mote__parts_complete(op, mote__parts_say(op, MOTE_PARTS_UNSUPPORTED,
                                                 "configuration is only read; write it with "
                                                 "Redis's own tools, as VALUE||VERSION"));
    else if (op->verb != MOTE_PARTS_KEYS && !op->item_count)
        mote__parts_complete(op, MOTE_PARTS_OK);
    else mote__redis_submit(&c->redis, op);
}

static void configuration_cancel(void *instance, mote_parts_op *op) {
    struct configuration *c = instance;
    if (op->verb != MOTE_PARTS_WATCH) {
        mote__redis_cancel(&c->redis, op);
        return;
    }
    if (!mote__watch_remove(&c->watches, op)) return;
    unwatch(c, op);
    mote__parts_complete(op, MOTE_PARTS_CANCELLED);
}

static mote_status configuration_check(const struct parts_opening *o, mote_error *error) {
    const struct redis_settings settings = REDIS_SETTINGS(o, configuration_redis);
    return mote__redis_check(o, &settings, error);
}

static mote_status configuration_open(const struct parts_opening *o, void **instance,
                                      mote_error *error) {
    const struct redis_settings settings = REDIS_SETTINGS(o, configuration_redis);
    struct configuration *c = MOTE__NEW(o->allocator, struct configuration);
    if (!c) return mote__error_nomem(error, "opening");
    mote_status status = mote__redis_init(&c->redis, o, &reader, &settings, error);
    if (!status) status = mote__redis_init(&c->listener, o, &listening, &settings, error);
    if (status) {
        mote__link_deinit(&c->redis.link);
        return MOTE__DELETE(o->allocator, c), status;
    }
    c->listener.context = c;
    c->again.run = run_again;
    *instance = c;
    return MOTE_OK;
}

static void configuration_close(void *instance) {
    struct configuration *c = instance;
    const mote_allocator *a = c->redis.opening->allocator;
    c->is_closing = true;
    mote__watch_end(&c->watches);
    mote__redis_deinit(&c->listener);
    mote__redis_deinit(&c->redis);
    mote__loop_timer_stop(&c->again);
    MOTE__DELETE(a, c);
}

const struct parts_driver mote__configuration_redis = {.abi = PARTS_DRIVER_ABI,
                                                       .type = "configuration.redis",
                                                       .check = configuration_check,
                                                       .open = configuration_open,
                                                       .close = configuration_close,
                                                       .submit = configuration_submit,
                                                       .cancel = configuration_cancel,
                                                       .walks = true};
