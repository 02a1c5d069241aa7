/* configuration_memory.c - configuration.in-memory: values of this process, from the component's
 * file and from whoever writes them here. Versions count the writes of a key. */
#include "builtin.h"
#include "base/error.h"
#include "sorted.h"
#include "watch.h"
#include "yaml.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct sorted_node node;
    char *value; /* with a NUL behind it, so that no value is nothing */
    size_t value_size;
    uint64_t version;
    char key[];
};

struct values {
    const mote_allocator *allocator;
    struct sorted entries;
    struct watch *watches;
};

/* ---------------------------------------------------------------- entries */

static struct entry *find(const struct values *v, const mote_parts_bytes *key) {
    return (struct entry *)mote__sorted_find(&v->entries, key);
}

static char *duplicate(const struct values *v, const mote_parts_bytes *bytes) {
    char *copy = mote__alloc(v->allocator, bytes->size + 1);
    if (!copy) return NULL;
    if (bytes->size) memcpy(copy, bytes->data, bytes->size);
    copy[bytes->size] = 0;
    return copy;
}

static size_t entry_bytes(size_t key) { return sizeof(struct entry) + key; }

/* An entry without a value, in its place. */
static struct entry *insert(struct values *v, const mote_parts_bytes *key) {
    struct entry *entry = mote__alloc(v->allocator, entry_bytes(key->size));
    if (!entry) return NULL;
    *entry = (struct entry){.node = {.key = entry->key, .key_size = key->size}};
    if (key->size) memcpy(entry->key, key->data, key->size);
    mote__sorted_insert(&v->entries, &entry->node);
    return entry;
}

static bool put(struct values *v, const mote_parts_bytes *key, const mote_parts_bytes *value) {
    struct entry *entry = find(v, key);
    char *copy = duplicate(v, value);
    if (copy && !entry) entry = insert(v, key);
    if (!copy || !entry) return mote__free(v->allocator, copy, value->size + 1), false;
    mote__free(v->allocator, entry->value, entry->value_size + 1);
    entry->value = copy;
    entry->value_size = value->size;
    entry->version++;
    return true;
}

static void drop(struct values *v, struct entry *entry) {
    mote__sorted_remove(&v->entries, &entry->node);
    mote__free(v->allocator, entry->value, entry->value_size + 1);
    mote__free(v->allocator, entry, entry_bytes(entry->node.key_size));
}

/* ---------------------------------------------------------------- verbs */

/* Tells those who are asked for (a watch alone, or all) what a key holds. */
static void tell(const struct values *v, const struct watch *list, const mote_parts_bytes *key) {
    char version[24];
    const struct entry *entry = find(v, key);
    if (!entry) {
        mote__watch_tell(list, key, MOTE_PARTS_NOT_FOUND, (mote_parts_bytes){0},
                         (mote_parts_bytes){0});
        return;
    }
    int size = snprintf(version, sizeof version, "%" PRIu64, entry->version);
    mote__watch_tell(list, key, MOTE_PARTS_OK, (mote_parts_bytes){entry->value, entry->value_size},
                     (mote_parts_bytes){version, (size_t)size});
}

static mote_parts_code get(const struct values *v, mote_parts_op *op, mote_parts_item *item) {
    char version[24];
    const struct entry *entry = find(v, &item->whole_key);
    if (!entry) return item->code = MOTE_PARTS_NOT_FOUND, MOTE_PARTS_OK;
    item->found = mote__parts_copy(op, entry->value, entry->value_size);
    item->version = mote__parts_copy(
        op, version, (size_t)snprintf(version, sizeof version, "%" PRIu64, entry->version));
    return item->found.data && item->version.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

static mote_parts_code change(struct values *v, mote_parts_op *op, mote_parts_item *item) {
    if (op->verb == MOTE_PARTS_SET && !put(v, &item->whole_key, &item->value))
        return MOTE_PARTS_NOMEM;
    struct entry *entry = find(v, &item->whole_key);
    bool changes = entry;
    if (op->verb == MOTE_PARTS_DELETE && entry) drop(v, entry);
    if (changes) tell(v, v->watches, &item->whole_key);
    return MOTE_PARTS_OK;
}

static mote_parts_code keys(const struct values *v, mote_parts_op *op) {
    const struct sorted_node *at = mote__sorted_from(&v->entries, &op->whole_prefix);
    for (; at && !op->more; at = mote__sorted_after(&v->entries, at))
        if (mote__parts_wants_key(op, at->key, at->key_size) &&
            !mote__parts_add_key(op, at->key, at->key_size))
            return MOTE_PARTS_NOMEM;
    return MOTE_PARTS_OK;
}

/* What is there is told at once; the operation stays. */
static void watch(struct values *v, mote_parts_op *op) {
    if (!mote__watch_add(&v->watches, op)) {
        mote__parts_complete(op, MOTE_PARTS_NOMEM);
        return;
    }
    const struct watch alone = {.op = op};
    for (size_t i = 0; i < op->item_count; i++) tell(v, &alone, &op->items[i].whole_key);
}

static void values_submit(void *instance, mote_parts_op *op) {
    struct values *v = instance;
    mote_parts_code code = MOTE_PARTS_OK;
    if (op->verb == MOTE_PARTS_WATCH) {
        watch(v, op);
        return;
    }
    if (op->verb == MOTE_PARTS_KEYS) code = keys(v, op);
    else
        for (size_t i = 0; i < op->item_count && !code; i++)
            code = op->verb == MOTE_PARTS_GET ? get(v, op, &op->items[i])
                                              : change(v, op, &op->items[i]);
    mote__parts_complete(op, code);
}

static void values_cancel(void *instance, mote_parts_op *op) {
    if (mote__watch_remove(&((struct values *)instance)->watches, op))
        mote__parts_complete(op, MOTE_PARTS_CANCELLED);
}

/* ---------------------------------------------------------------- the driver */

/* Texts and numbers by their names; v NULL: only whether it is that. */
static mote_status fill(struct values *v, const struct yaml_node *root, mote_error *error) {
    if (root->kind != YAML_MAPPING)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "`values` is a JSON object");
    for (const struct yaml_node *at = root->first; at; at = at->next->next) {
        if (at->kind != YAML_SCALAR || at->next->kind != YAML_SCALAR)
            return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                                   "`values` holds texts and numbers only");
        const mote_parts_bytes key = {at->text, strlen(at->text)},
                               value = {at->next->text, strlen(at->next->text)};
        if (!key.size || strstr(at->text, "||"))
            return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                                   "`values` holds a key that is empty or has `||` in it");
        if (v && !put(v, &key, &value)) return mote__error_nomem(error, "reading values");
    }
    return MOTE_OK;
}

static mote_status parse_values(struct values *v, const struct parts_opening *o, const char *text,
                                struct arena *arena, mote_error *error) {
    struct yaml_documents documents;
    mote_status status =
        mote__yaml_parse(arena, "`values`", text, strlen(text), &documents, error);
    if (status == MOTE_E_ARGUMENT && parts_hidden(o, KEY_configuration_memory_values))
        return mote__error_set(error, status, MOTE_NO_OFFSET, "`values` is a JSON object");
    return status || !documents.first ? status : fill(v, documents.first, error);
}

static mote_status read_values(struct values *v, const struct parts_opening *o, mote_error *error) {
    const char *text = parts_text(o, KEY_configuration_memory_values);
    struct arena arena;
    if (!text) return MOTE_OK;
    mote__arena_init(&arena, o->allocator);
    mote_status status = parse_values(v, o, text, &arena, error);
    mote__arena_deinit(&arena);
    if (status && status != MOTE_E_NOMEM) parts_blame(o, KEY_configuration_memory_values, error);
    return status;
}

static mote_status values_check(const struct parts_opening *o, mote_error *error) {
    return read_values(NULL, o, error);
}

static void values_close(void *instance) {
    struct values *v = instance;
    mote__watch_end(&v->watches);
    while (v->entries.root) drop(v, (struct entry *)v->entries.root);
    MOTE__DELETE(v->allocator, v);
}

static mote_status values_open(const struct parts_opening *opening, void **instance,
                               mote_error *error) {
    struct values *v = MOTE__NEW(opening->allocator, struct values);
    if (!v) return mote__error_nomem(error, "opening");
    v->allocator = opening->allocator;
    mote_status status = read_values(v, opening, error);
    if (status) return values_close(v), status;
    *instance = v;
    return MOTE_OK;
}

const struct parts_driver mote__configuration_memory = {.abi = PARTS_DRIVER_ABI,
                                                        .type = "configuration.in-memory",
                                                        .check = values_check,
                                                        .open = values_open,
                                                        .close = values_close,
                                                        .submit = values_submit,
                                                        .cancel = values_cancel,
                                                        .answers_at_once = true};
