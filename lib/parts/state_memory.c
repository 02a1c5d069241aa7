/* state_memory.c - state.in-memory: keys in their order. The smallest driver with every behaviour:
 * the example to begin with.
 * Keeps: entries are in the order of the bytes of their keys; expired ones count as absent and go
 * when their key is written. */
#include "builtin.h"
#include "base/error.h"
#include "sorted.h"
#include <inttypes.h>
#include <stdio.h>

struct entry {
    struct sorted_node node;
    size_t value_size;
    uint64_t version, expires_ns, modified_ns;
    char bytes[]; /* key, value */
};

struct memory {
    const mote_allocator *allocator;
    struct sorted entries;
    uint64_t versions; /* given out so far */
};

static uint64_t present(void) { return mote__os_clock_ns(OS_CLOCK_REALTIME); }

/* ---------------------------------------------------------------- entries */

static bool is_live(const struct entry *entry, uint64_t now) {
    return !entry->expires_ns || entry->expires_ns > now;
}

static struct entry *find(const struct memory *m, const mote_parts_bytes *key) {
    return (struct entry *)mote__sorted_find(&m->entries, key);
}

/* The live entry of a key, NULL when there is none. */
static struct entry *lookup(const struct memory *m, const mote_parts_bytes *key) {
    struct entry *entry = find(m, key);
    return entry && is_live(entry, present()) ? entry : NULL;
}

static const char *value_of(const struct entry *entry) {
    return entry->bytes + entry->node.key_size;
}

static size_t entry_bytes(size_t key, size_t value) { return sizeof(struct entry) + key + value; }

/* NULL is fine. */
static void entry_free(const struct memory *m, struct entry *entry) {
    if (entry)
        mote__free(m->allocator, entry, entry_bytes(entry->node.key_size, entry->value_size));
}

/* ---------------------------------------------------------------- verbs */

static mote_parts_code get(const struct memory *m, mote_parts_op *op, mote_parts_item *item) {
    char version[24];
    const struct entry *entry = lookup(m, &item->whole_key);
    if (!entry) return item->code = MOTE_PARTS_NOT_FOUND, MOTE_PARTS_OK;
    snprintf(version, sizeof version, "%" PRIu64, entry->version);
    item->found = mote__parts_copy(op, value_of(entry), entry->value_size);
    item->version = mote__parts_copy(op, version, strlen(version));
    item->expires_ns = entry->expires_ns;
    item->modified_ns = entry->modified_ns;
    return item->found.data && item->version.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

/* Whether an item's condition holds now. */
static mote_parts_code allows(const struct memory *m, const mote_parts_op *op,
                              const mote_parts_item *item) {
    char version[24];
    const struct entry *entry = lookup(m, &item->whole_key);
    switch (parts_condition(op, item)) {
    case PARTS_ALWAYS: return MOTE_PARTS_OK;
    case PARTS_IF_ABSENT: return entry ? MOTE_PARTS_CONFLICT : MOTE_PARTS_OK;
    case PARTS_IF_MATCH: break;
    }
    snprintf(version, sizeof version, "%" PRIu64, entry ? entry->version : 0);
    bool same = entry && item->etag.size == strlen(version) &&
                !memcmp(item->etag.data, version, item->etag.size);
    return same ? MOTE_PARTS_OK : MOTE_PARTS_CONFLICT;
}

/* Takes the entry of a key out; NULL when there is none. */
static struct entry *take_out(struct memory *m, const mote_parts_bytes *key) {
    struct entry *entry = find(m, key);
    if (entry) mote__sorted_remove(&m->entries, &entry->node);
    return entry;
}

static void insert(struct memory *m, struct entry *entry) {
    mote__sorted_insert(&m->entries, &entry->node);
}

/* An entry that is not in its place yet; NULL when out of memory. */
static struct entry *make(struct memory *m, const mote_parts_item *item) {
    const mote_parts_bytes *key = &item->whole_key, *value = &item->value;
    uint64_t now = present();
    struct entry *entry = mote__alloc(m->allocator, entry_bytes(key->size, value->size));
    if (!entry) return NULL;
    *entry =
        (struct entry){.node = {.key = entry->bytes, .key_size = key->size},
                       .value_size = value->size,
                       .version = ++m->versions,
                       .expires_ns = item->ttl_s > 0 ? now + (uint64_t)item->ttl_s * 1000000000 : 0,
                       .modified_ns = now};
    memcpy(entry->bytes, key->data, key->size);
    if (value->size) memcpy(entry->bytes + key->size, value->data, value->size);
    return entry;
}

static bool tell_version(mote_parts_op *op, mote_parts_item *item, uint64_t version) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, version);
    item->version = mote__parts_copy(op, text, strlen(text));
    return item->version.data;
}

/* Writes or removes one item if its condition holds. *before is what was in the key's place, to be
 * freed or put back. Nothing has changed when it fails. */
static mote_parts_code apply(struct memory *m, mote_parts_op *op, mote_parts_item *item,
                             struct entry **before) {
    struct entry *made = NULL;
    bool removal = parts_is_removal(op, item);
    mote_parts_code code = allows(m, op, item);
    if (code) return code;
    if (!removal && (!tell_version(op, item, m->versions + 1) || !(made = make(m, item))))
        return MOTE_PARTS_NOMEM;
    *before = take_out(m, &item->whole_key);
    if (made) insert(m, made);
    return MOTE_PARTS_OK;
}

static void put_back(struct memory *m, const mote_parts_item *item, struct entry *before) {
    entry_free(m, take_out(m, &item->whole_key));
    if (before) insert(m, before);
}

static void write_each(struct memory *m, mote_parts_op *op) {
    struct entry *before;
    for (size_t i = 0; i < op->item_count; i++) {
        op->items[i].code = apply(m, op, &op->items[i], &before);
        if (!op->items[i].code) entry_free(m, before);
    }
}

/* All or nothing: one after the other, and back again when one cannot be. */
static mote_parts_code transact(struct memory *m, mote_parts_op *op) {
    struct entry **before = mote__parts_alloc(op, op->item_count * sizeof *before);
    mote_parts_code code = before ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
    size_t count = 0;
    while (count < op->item_count && !code) {
        code = op->items[count].code = apply(m, op, &op->items[count], &before[count]);
        if (!code) count++;
    }
    for (size_t i = 0; i < count && !code; i++) entry_free(m, before[i]);
    for (size_t i = count; i-- && code;) put_back(m, &op->items[i], before[i]);
    return code;
}

static mote_parts_code keys(const struct memory *m, mote_parts_op *op) {
    uint64_t now = present();
    const mote_parts_bytes *from = op->whole_after.data ? &op->whole_after : &op->whole_prefix;
    const struct sorted_node *at = mote__sorted_from(&m->entries, from);
    for (; at && !op->more; at = mote__sorted_after(&m->entries, at)) {
        if (!sorted_begins(at->key, at->key_size, &op->whole_prefix)) break; /* nor do later ones */
        bool wanted = is_live((const struct entry *)at, now) &&
                      mote__parts_wants_key(op, at->key, at->key_size);
        if (wanted && !mote__parts_add_key(op, at->key, at->key_size)) return MOTE_PARTS_NOMEM;
    }
    return MOTE_PARTS_OK;
}

static void memory_submit(void *instance, mote_parts_op *op) {
    struct memory *m = instance;
    mote_parts_code code = mote__parts_check_etags(op, mote__parts_is_number, "a whole number");
    if (code) {
        mote__parts_complete(op, code);
        return;
    }
    switch (op->verb) {
    case MOTE_PARTS_GET:
        for (size_t i = 0; i < op->item_count && !code; i++) code = get(m, op, &op->items[i]);
        break;
    case MOTE_PARTS_SET:
    case MOTE_PARTS_DELETE: write_each(m, op); break;
    case MOTE_PARTS_TRANSACT: code = transact(m, op); break;
    case MOTE_PARTS_KEYS: code = keys(m, op); break;
    default: break; /* of other blocks */
    }
    mote__parts_complete(op, code);
}

/* ---------------------------------------------------------------- the driver */

static mote_status memory_open(const struct parts_opening *opening, void **instance,
                               mote_error *error) {
    struct memory *m = MOTE__NEW(opening->allocator, struct memory);
    if (!m) return mote__error_nomem(error, "opening");
    m->allocator = opening->allocator;
    *instance = m;
    return MOTE_OK;
}

static void memory_close(void *instance) {
    struct memory *m = instance;
    while (m->entries.root) {
        struct entry *entry = (struct entry *)m->entries.root;
        mote__sorted_remove(&m->entries, &entry->node);
        entry_free(m, entry);
    }
    MOTE__DELETE(m->allocator, m);
}

const struct parts_driver mote__state_memory = {.abi = PARTS_DRIVER_ABI,
                                                .type = "state.in-memory",
                                                .open = memory_open,
                                                .close = memory_close,
                                                .submit = memory_submit};
