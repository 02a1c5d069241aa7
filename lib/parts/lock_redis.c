/* lock_redis.c - lock.redis: Dapr's locks on a Redis server. A lock is a plain key whose value is
 * the owner, set where there is none, with an expiry; giving it back is one script that looks at
 * the owner first. */
#include "builtin.h"
#include "base/error.h"
#include "redis.h"
#include <inttypes.h>
#include <stdio.h>

/* Answers 1, or -1: nobody has it, -2: another owner has. */
static const char script[] = "local owner = redis.call('GET', KEYS[1]) "
                             "if not owner then return -1 end "
                             "if owner ~= ARGV[1] then return -2 end "
                             "redis.call('DEL', KEYS[1]) "
                             "return 1";

struct locks {
    struct redis redis;
};

/* ---------------------------------------------------------------- asking */

static bool send_lock(struct redis *redis, mote_parts_op *op, size_t at) {
    const mote_parts_item *item = &op->items[at];
    char seconds[24];
    struct redis_command c = mote__redis_begin(redis, 6);
    mote__redis_word(&c, "SET", 3);
    mote__redis_word(&c, item->whole_key.data, item->whole_key.size);
    mote__redis_word(&c, item->value.data, item->value.size);
    mote__redis_word(&c, "NX", 2);
    mote__redis_word(&c, "EX", 2);
    mote__redis_word(&c, seconds,
                     (size_t)snprintf(seconds, sizeof seconds, "%" PRId64, item->ttl_s));
    return mote__redis_end(&c, op, at, 0);
}

static bool send_unlock(struct redis *redis, mote_parts_op *op, size_t at, bool in_full) {
    const mote_parts_item *item = &op->items[at];
    struct redis_command c = mote__redis_begin(redis, 5);
    mote__redis_script(&c, in_full);
    mote__redis_word(&c, "1", 1);
    mote__redis_word(&c, item->whole_key.data, item->whole_key.size);
    mote__redis_word(&c, item->value.data, item->value.size);
    return mote__redis_end(&c, op, at, 0);
}

static bool locks_send(struct redis *redis, mote_parts_op *op) {
    bool good = true;
    for (size_t i = 0; i < op->item_count && good; i++)
        good = op->verb == MOTE_PARTS_LOCK ? send_lock(redis, op, i)
                                           : send_unlock(redis, op, i, false);
    return good;
}

/* ---------------------------------------------------------------- answers */

static mote_parts_code outcome(mote_parts_op *op, const struct resp *head) {
    if (head->kind == RESP_ERROR) return mote__redis_failure(op, head);
    if (op->verb == MOTE_PARTS_LOCK)
        return head->kind == RESP_STATUS ? MOTE_PARTS_OK
               : head->kind == RESP_NULL ? MOTE_PARTS_CONFLICT
                                         : MOTE_PARTS_FAILED;
    if (head->kind != RESP_INTEGER) return MOTE_PARTS_FAILED;
    return head->number == -1   ? MOTE_PARTS_NOT_FOUND
           : head->number == -2 ? MOTE_PARTS_DENIED
                                : MOTE_PARTS_OK;
}

static void locks_reply(struct redis *redis, const struct redis_slot *slot,
                        struct resp_reader *reply) {
    mote_parts_op *op = slot->op;
    struct resp head = mote__resp_next(reply);
    if (head.kind == RESP_ERROR && head.size > 8 && !memcmp(head.text, "NOSCRIPT", 8)) {
        if (!send_unlock(redis, op, slot->item, true))
            mote__redis_complete(redis, op, MOTE_PARTS_NOMEM);
        return;
    }
    op->items[slot->item].code = outcome(op, &head);
    if (!op->awaited) mote__redis_complete(redis, op, MOTE_PARTS_OK);
}

static const struct redis_user user = {.send = locks_send, .reply = locks_reply, .script = script};

/* ---------------------------------------------------------------- the driver */

static void locks_submit(void *instance, mote_parts_op *op) {
    if (op->item_count) mote__redis_submit(&((struct locks *)instance)->redis, op);
    else mote__parts_complete(op, MOTE_PARTS_OK);
}

static void locks_cancel(void *instance, mote_parts_op *op) {
    mote__redis_cancel(&((struct locks *)instance)->redis, op);
}

static bool locks_await(void *instance, const mote_parts_op *op) {
    return mote__redis_await(&((struct locks *)instance)->redis, op);
}

static mote_status locks_check(const struct parts_opening *o, mote_error *error) {
    const struct redis_settings settings = REDIS_SETTINGS(o, lock_redis);
    return mote__redis_check(o, &settings, error);
}

static mote_status locks_open(const struct parts_opening *o, void **instance, mote_error *error) {
    const struct redis_settings settings = REDIS_SETTINGS(o, lock_redis);
    struct locks *l = MOTE__NEW(o->allocator, struct locks);
    if (!l) return mote__error_nomem(error, "opening");
    mote_status status = mote__redis_init(&l->redis, o, &user, &settings, error);
    if (status) return MOTE__DELETE(o->allocator, l), status;
    *instance = l;
    return MOTE_OK;
}

static void locks_close(void *instance) {
    struct locks *l = instance;
    const mote_allocator *a = l->redis.opening->allocator;
    mote__redis_deinit(&l->redis);
    MOTE__DELETE(a, l);
}

const struct parts_driver mote__lock_redis = {.abi = PARTS_DRIVER_ABI,
                                              .type = "lock.redis",
                                              .check = locks_check,
                                              .open = locks_open,
                                              .close = locks_close,
                                              .submit = locks_submit,
                                              .cancel = locks_cancel,
                                              .await = locks_await};
