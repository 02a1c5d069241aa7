/* state_redis.c - state.redis: Dapr's hashes {data, version} on a Redis server.
 * Every write is one script that looks at all conditions before it changes anything, so that a
 * transaction is all or nothing (Dapr's MULTI of scripts is not). A key that Dapr has marked
 * `first-write` refuses writes without an ETag, as it does there; mote itself sets no such mark:
 * its own first write asks whether the key is there. */
#include "builtin.h"
#include "base/error.h"
#include "redis.h"
#include <inttypes.h>
#include <stdio.h>

/* Five words per key: set or remove, the condition (always, new, match), the ETag, the value,
 * seconds to live. First everything is judged on what `keys` says of each key, which is kept as if
 * it had been written; whatever would stop the writing is found there. Answers the new versions,
 * or, changing nothing, the number of the first key whose condition does not hold. */
static const char script[] =
    "local keys, others, versions = {}, {}, {} "
    "local function look(key) "
    "  if keys[key] then return keys[key] end "
    "  local fields = redis.pcall('HMGET', key, 'version', 'first-write') "
    "  if fields.err then others[key] = true return {there = true} end "
    "  local version = fields[1] "
    "  return {there = version or redis.call('EXISTS', key) == 1, version = version, "
    "marked = version and fields[2]} "
    "end "
    "for i, key in ipairs(KEYS) do "
    "  local at, now = i * 5 - 4, look(key) "
    "  local is_set, condition = ARGV[at] == 'set', ARGV[at + 1] "
    "  if condition == 'match' then if now.version ~= ARGV[at + 2] then return i end "
    "  elseif condition == 'new' then if now.there then return i end "
    "  elseif is_set and now.marked then return i "
    "  end "
    "  local version = now.version or '0' "
    "  if is_set and (#version > 15 or string.find(version, '%D')) then "
    "return redis.error_reply('ERR the version of a key is not a number to count on from') end "
    "  keys[key] = is_set and {there = true, version = string.format('%.0f', version + 1), "
    "marked = now.marked} or {} "
    "end "
    "for i, key in ipairs(KEYS) do "
    "  local at = i * 5 - 4 "
    "  if ARGV[at] == 'set' then "
    "    if others[key] then redis.call('DEL', key) others[key] = false end "
    "    redis.call('HSET', key, 'data', ARGV[at + 3]) "
    "    versions[i] = redis.call('HINCRBY', key, 'version', 1) "
    "    if tonumber(ARGV[at + 4]) > 0 then redis.call('EXPIRE', key, ARGV[at + 4]) else "
    "redis.call('PERSIST', key) end "
    "  else "
    "    versions[i] = redis.call('DEL', key) "
    "    others[key] = false "
    "  end "
    "end "
    "return versions";

enum what {
    WHAT_HASH,  /* HGETALL */
    WHAT_LIFE,  /* PTTL */
    WHAT_PLAIN, /* GET, for what is no hash */
    WHAT_WRITE,
    WHAT_SCAN
};

struct state {
    struct redis redis;
    int64_t ttl_s;
};

/* ---------------------------------------------------------------- reading */

static bool send_key(struct redis *redis, mote_parts_op *op, size_t item, const char *command,
                     enum what what) {
    struct redis_command c = mote__redis_begin(redis, 2);
    const mote_parts_bytes *key = &op->items[item].whole_key;
    mote__redis_word(&c, command, strlen(command));
    mote__redis_word(&c, key->data, key->size);
    return mote__redis_end(&c, op, item, what);
}

static bool send_get(struct redis *redis, mote_parts_op *op) {
    bool good = true;
    for (size_t i = 0; i < op->item_count && good; i++) {
        good = send_key(redis, op, i, "HGETALL", WHAT_HASH);
        if (good && (op->items[i].flags & MOTE_PARTS_EXPIRY))
            good = send_key(redis, op, i, "PTTL", WHAT_LIFE);
    }
    return good;
}

/* Fields and values in turn. */
static mote_parts_code take_hash(mote_parts_op *op, mote_parts_item *item, int64_t count,
                                 struct resp_reader *reply) {
    item->code = count ? MOTE_PARTS_OK : MOTE_PARTS_NOT_FOUND;
    for (int64_t i = 0; i + 1 < count; i += 2) {
        struct resp field = mote__resp_next(reply), value = mote__resp_next(reply);
        if (field.kind != RESP_BULK || value.kind != RESP_BULK) return MOTE_PARTS_FAILED;
        if (field.size == 4 && !memcmp(field.text, "data", 4))
            item->found = mote__parts_copy(op, value.text, value.size);
        else if (field.size == 7 && !memcmp(field.text, "version", 7))
            item->version = mote__parts_copy(op, value.text, value.size);
        else continue;
        if (!(field.size == 4 ? item->found.data : item->version.data)) return MOTE_PARTS_NOMEM;
    }
    if (count && !item->found.data) item->found = mote__parts_copy(op, "", 0);
    return !count || item->found.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

/* A plain string, which somebody else has put there: a value without a version. */
static mote_parts_code take_plain(mote_parts_op *op, mote_parts_item *item,
                                  const struct resp *value) {
    if (value->kind == RESP_NULL) return item->code = MOTE_PARTS_NOT_FOUND, MOTE_PARTS_OK;
    if (value->kind != RESP_BULK) return MOTE_PARTS_FAILED;
    item->found = mote__parts_copy(op, value->text, value->size);
    return item->found.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

/* ---------------------------------------------------------------- writing */

static void write_item(struct redis_command *c, const mote_parts_op *op,
                       const mote_parts_item *item, int64_t ttl_default_s) {
    static const char *const conditions[] = {"always", "new", "match"};
    char ttl[24];
    bool removal = parts_is_removal(op, item);
    const char *condition = conditions[parts_condition(op, item)];
    int length = snprintf(ttl, sizeof ttl, "%" PRId64, item->ttl_s ? item->ttl_s : ttl_default_s);
    mote__redis_word(c, removal ? "remove" : "set", removal ? 6 : 3);
    mote__redis_word(c, condition, strlen(condition));
    mote__redis_word(c, item->etag.data, item->etag.size);
    mote__redis_word(c, item->value.data, removal ? 0 : item->value.size);
    mote__redis_word(c, ttl, (size_t)length);
}

/* One script over `count` items from `first` on. */
static bool send_script(struct redis *redis, mote_parts_op *op, size_t first, size_t count,
                        bool in_full) {
    const struct state *state = redis->context;
    char number[24];
    struct redis_command c = mote__redis_begin(redis, 3 + count * 6);
    mote__redis_script(&c, in_full);
    mote__redis_word(&c, number, (size_t)snprintf(number, sizeof number, "%zu", count));
    for (size_t i = first; i < first + count; i++)
        mote__redis_word(&c, op->items[i].whole_key.data, op->items[i].whole_key.size);
    for (size_t i = first; i < first + count; i++) write_item(&c, op, &op->items[i], state->ttl_s);
    return mote__redis_end(&c, op, first, WHAT_WRITE);
}

static bool send_write(struct redis *redis, mote_parts_op *op) {
    bool good = true;
    if (op->verb == MOTE_PARTS_TRANSACT) return send_script(redis, op, 0, op->item_count, false);
    for (size_t i = 0; i < op->item_count && good; i++) good = send_script(redis, op, i, 1, false);
    return good;
}

static mote_parts_code take_versions(mote_parts_op *op, size_t first, int64_t count,
                                     struct resp_reader *reply) {
    for (int64_t i = 0; i < count && first + (size_t)i < op->item_count; i++) {
        char text[24];
        mote_parts_item *item = &op->items[first + (size_t)i];
        struct resp version = mote__resp_next(reply);
        if (parts_is_removal(op, item)) continue;
        item->version = mote__parts_copy(
            op, text, (size_t)snprintf(text, sizeof text, "%" PRId64, version.number));
        if (!item->version.data) return MOTE_PARTS_NOMEM;
    }
    return MOTE_PARTS_OK;
}

/* Ends the operation where `code` says so: in a transaction always. */
static void take_write(struct redis *redis, const struct redis_slot *slot, const struct resp *head,
                       struct resp_reader *reply) {
    mote_parts_op *op = slot->op;
    bool together = op->verb == MOTE_PARTS_TRANSACT;
    size_t count = together ? op->item_count : 1;
    if (head->kind == RESP_ERROR && head->size > 8 && !memcmp(head->text, "NOSCRIPT", 8)) {
        if (!send_script(redis, op, slot->item, count, true))
            mote__redis_complete(redis, op, MOTE_PARTS_NOMEM);
        return;
    }
    mote_parts_item *item = &op->items[slot->item];
    if (head->kind == RESP_ARRAY) item->code = take_versions(op, slot->item, head->number, reply);
    else if (head->kind == RESP_INTEGER && head->number > 0 && (uint64_t)head->number <= count)
        op->items[slot->item + (size_t)head->number - 1].code = MOTE_PARTS_CONFLICT;
    else item->code = head->kind == RESP_ERROR ? mote__redis_failure(op, head) : MOTE_PARTS_FAILED;
    if (!op->awaited) mote__redis_complete(redis, op, MOTE_PARTS_OK);
}

/* ---------------------------------------------------------------- what the connection calls */

static bool state_send(struct redis *redis, mote_parts_op *op) {
    if (op->verb == MOTE_PARTS_KEYS) return mote__redis_scan(redis, op, WHAT_SCAN);
    return op->verb == MOTE_PARTS_GET ? send_get(redis, op) : send_write(redis, op);
}

static void take_value(struct redis *redis, const struct redis_slot *slot, const struct resp *head,
                       struct resp_reader *reply) {
    mote_parts_op *op = slot->op;
    mote_parts_item *item = &op->items[slot->item];
    bool other = slot->what == WHAT_HASH && head->kind == RESP_ERROR && head->size > 9 &&
                 !memcmp(head->text, "WRONGTYPE", 9);
    mote_parts_code code = MOTE_PARTS_OK;
    if (other)
        code =
            send_key(redis, op, slot->item, "GET", WHAT_PLAIN) ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
    else if (head->kind == RESP_ERROR) code = mote__redis_failure(op, head);
    else if (slot->what == WHAT_HASH) code = take_hash(op, item, head->number, reply);
    else if (slot->what == WHAT_PLAIN) code = take_plain(op, item, head);
    else if (head->number > 0)
        item->expires_ns =
            parts_ns((uint64_t)head->number, 1000000, mote__os_clock_ns(OS_CLOCK_REALTIME));
    if (code || !op->awaited) mote__redis_complete(redis, op, code);
}

static void state_reply(struct redis *redis, const struct redis_slot *slot,
                        struct resp_reader *reply) {
    struct resp head = mote__resp_next(reply);
    if (slot->what == WHAT_WRITE) take_write(redis, slot, &head, reply);
    else if (slot->what == WHAT_SCAN) mote__redis_take_scan(redis, slot, &head, reply);
    else take_value(redis, slot, &head, reply);
}

static const struct redis_user user = {.send = state_send, .reply = state_reply, .script = script};

/* ---------------------------------------------------------------- the driver */

static void state_submit(void *instance, mote_parts_op *op) {
    struct state *state = instance;
    mote_parts_code code = mote__parts_check_etags(op, mote__parts_is_number, "a whole number");
    bool nothing = op->verb != MOTE_PARTS_KEYS && !op->item_count;
    if (code || nothing) mote__parts_complete(op, code);
    else mote__redis_submit(&state->redis, op);
}

static void state_cancel(void *instance, mote_parts_op *op) {
    mote__redis_cancel(&((struct state *)instance)->redis, op);
}

static bool state_await(void *instance, const mote_parts_op *op) {
    return mote__redis_await(&((struct state *)instance)->redis, op);
}

static mote_status state_check(const struct parts_opening *o, mote_error *error) {
    const struct redis_settings settings = REDIS_SETTINGS(o, state_redis);
    if (parts_number(o, KEY_state_redis_ttl) <= PARTS_TTL_MAX_S)
        return mote__redis_check(o, &settings, error);
    mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "`ttlInSeconds` is %" PRId64 " at most",
                    PARTS_TTL_MAX_S);
    return parts_blame(o, KEY_state_redis_ttl, error);
}

static mote_status state_open(const struct parts_opening *o, void **instance, mote_error *error) {
    const struct redis_settings settings = REDIS_SETTINGS(o, state_redis);
    TRY(state_check(o, error));
    struct state *state = MOTE__NEW(o->allocator, struct state);
    if (!state) return mote__error_nomem(error, "opening");
    mote_status status = mote__redis_init(&state->redis, o, &user, &settings, error);
    if (status) return MOTE__DELETE(o->allocator, state), status;
    state->redis.context = state;
    state->ttl_s = (int64_t)parts_number(o, KEY_state_redis_ttl);
    *instance = state;
    return MOTE_OK;
}

static void state_close(void *instance) {
    struct state *state = instance;
    const mote_allocator *a = state->redis.opening->allocator;
    mote__redis_deinit(&state->redis);
    MOTE__DELETE(a, state);
}

const struct parts_driver mote__state_redis = {.abi = PARTS_DRIVER_ABI,
                                               .type = "state.redis",
                                               .check = state_check,
                                               .open = state_open,
                                               .close = state_close,
                                               .submit = state_submit,
                                               .cancel = state_cancel,
                                               .await = state_await,
                                               .walks = true};
