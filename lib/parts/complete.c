/* complete.c - what drivers call on an operation: memory, words, keys, its end (driver.h). Linked
 * into every loadable driver too, so it knows nothing of how components are found and opened.
 * Keeps: `done` runs exactly once, and after it nothing here touches the operation. */
#include "set.h"
#include "sorted.h"
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>

const char *mote_parts_code_text(mote_parts_code code) {
    static const char *const texts[] = {
#define TEXT(name, number, text, vfs) [number] = text,
        MOTE_PARTS_CODES(TEXT)
#undef TEXT
    };
    return (unsigned)code < sizeof texts / sizeof *texts ? texts[code] : "unknown error";
}

void mote__parts_log(const struct parts_opening *opening, const char *format, ...) {
    const struct mote_parts *parts = opening->component->parts;
    char text[400], line[600];
    va_list args;
    if (!parts->log) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(line, sizeof line, "component %s: %s", opening->name, text);
    parts->log(parts->context, line);
}

mote_status mote__parts_check_tables(const struct parts_opening *opening, enum parts_key table,
                                     enum parts_key metadata_table, bool any_case,
                                     mote_error *error) {
    const char *one = parts_text(opening, table), *other = parts_text(opening, metadata_table);
    if (any_case ? !mote__same_word(one, other) : strcmp(one, other) != 0) return MOTE_OK;
    mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                    "`tableName` and `metadataTableName` are the same");
    return parts_blame(opening, parts_given(opening, table) ? table : metadata_table, error);
}

static bool is_letter(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The quote in "can't" is none. */
void mote__parts_hide_quoted(char *text) {
    char quote = 0, *out = text;
    for (const char *at = text; *at; at++) {
        char before = at > text ? at[-1] : 0;
        bool opens = !quote && strchr("\"'`", *at) && !is_letter(before);
        bool closes = quote == *at && !is_letter(at[1]);
        if (!quote || closes) *out++ = *at;
        if (closes) quote = 0;
        else if (opens) quote = *at;
    }
    *out = 0;
}

mote_status mote__parts_check_timeout(const struct parts_opening *opening, enum parts_key key,
                                      mote_error *error) {
    if (parts_number(opening, key) >= 1000000000) return MOTE_OK;
    mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "`timeout` is 1s at least, as in Dapr");
    return parts_blame(opening, key, error);
}

/* ---------------------------------------------------------------- memory of an operation */

/* What an operation needs mostly fits in one. */
struct piece {
    struct piece *next;
    const mote_allocator *allocator;
    size_t bytes, used; /* used: with the head, 16-aligned */
};
enum { PIECE_HEAD = (sizeof(struct piece) + 15) / 16 * 16 };
#ifdef MOTE_HOSTILE
enum { PIECE_BYTES = 0 }; /* one for each: who writes beyond it is seen */
#else
enum { PIECE_BYTES = 512 };
#endif

bool mote__budget_take(struct mote_parts_budget *budget, uint64_t bytes) {
    uint64_t used = budget->used;
    do
        if (bytes > budget->most - used) return false;
    while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
    return true;
}

void mote__budget_give(struct mote_parts_budget *budget, uint64_t bytes) { budget->used -= bytes; }

void mote__budget_release(mote_parts_op *op) {
    for (const struct piece *piece = op->memory; piece && op->budget; piece = piece->next)
        mote__budget_give(op->budget, piece->bytes);
    op->budget = NULL;
}

bool mote__parts_has_room(mote_parts_op *op, size_t bytes) {
    bool room = !op->budget || bytes <= op->budget->most - op->budget->used;
    if (!room) op->is_over_budget = true;
    return room;
}

static struct piece *add_piece(mote_parts_op *op, size_t bytes) {
    const mote_allocator *a = op->component->parts->allocator;
    size_t all = PIECE_HEAD + bytes < PIECE_BYTES ? PIECE_BYTES : PIECE_HEAD + bytes;
    if (op->budget && !mote__budget_take(op->budget, all)) return op->is_over_budget = true, NULL;
    struct piece *piece = mote__alloc(a, all);
    if (!piece && op->budget) mote__budget_give(op->budget, all);
    if (!piece) return NULL;
    *piece = (struct piece){op->memory, a, all, PIECE_HEAD};
    return op->memory = piece;
}

void *mote__parts_alloc(mote_parts_op *op, size_t bytes) {
    struct piece *piece = op->memory;
    if (bytes > SIZE_MAX - PIECE_HEAD - 16) return NULL;
    bool fits = piece && piece->used < piece->bytes && piece->bytes - piece->used >= bytes;
    if (!fits) piece = add_piece(op, bytes);
    if (!piece) return NULL;
    void *out = (char *)piece + piece->used;
    piece->used += (bytes + 15) / 16 * 16;
    return out;
}

void mote_parts_op_deinit(mote_parts_op *op) {
    mote__budget_release(op);
    for (struct piece *piece = op->memory, *next; piece; piece = next) {
        next = piece->next;
        mote__free(piece->allocator, piece, piece->bytes);
    }
    op->memory = NULL;
}

mote_parts_bytes mote__parts_copy(mote_parts_op *op, const void *bytes, size_t size) {
    char *copy = mote__parts_alloc(op, size + 1);
    if (!copy) return (mote_parts_bytes){0};
    if (size) memcpy(copy, bytes, size);
    copy[size] = 0;
    return (mote_parts_bytes){copy, size};
}

mote_parts_code mote__parts_say(mote_parts_op *op, mote_parts_code code, const char *format, ...) {
    va_list args;
    if (*op->text) return code;
    va_start(args, format);
    vsnprintf(op->text, sizeof op->text, format, args);
    va_end(args);
    return code;
}

/* ---------------------------------------------------------------- KEYS */

bool mote__parts_wants_key(const mote_parts_op *op, const void *key, size_t size) {
    const mote_parts_bytes *after = &op->whole_after;
    if (!sorted_begins(key, size, &op->whole_prefix)) return false;
    if (!after->data) return true;
    return sorted_order(key, size, after->data, after->size) > 0;
}

bool mote__parts_add_key(mote_parts_op *op, const void *key, size_t size) {
    size_t prefix = op->component->prefix.size;
    if (op->item_count == op->limit) return op->more = true;
    if (op->item_count == op->item_capacity) {
        size_t capacity = op->item_capacity ? op->item_capacity * 2 : 16;
        mote_parts_item *items = mote__parts_alloc(op, capacity * sizeof *items);
        if (!items) return false;
        if (op->item_count) memcpy(items, op->items, op->item_count * sizeof *items);
        op->items = items;
        op->item_capacity = capacity;
    }
    mote_parts_bytes copy = mote__parts_copy(op, (const char *)key + prefix, size - prefix);
    if (!copy.data) return false;
    op->items[op->item_count++] = (mote_parts_item){.key = copy};
    return true;
}

/* ---------------------------------------------------------------- ending */

/* What the whole says of its items: the first failure; a missing key is none. */
static mote_parts_code sum_up(const mote_parts_op *op) {
    for (size_t i = 0; i < op->item_count; i++)
        if (op->items[i].code &&
            !(op->verb == MOTE_PARTS_GET && op->items[i].code == MOTE_PARTS_NOT_FOUND))
            return op->items[i].code;
    return MOTE_PARTS_OK;
}

/* Out of the budget is not out of memory, whatever the driver has made of it. */
static mote_parts_code over_budget(mote_parts_op *op) {
    for (size_t i = 0; i < op->item_count; i++)
        if (op->items[i].code == MOTE_PARTS_NOMEM) op->items[i].code = MOTE_PARTS_LIMIT;
    *op->text = 0;
    return mote__parts_say(op, MOTE_PARTS_LIMIT, "what is read is over the %llu bytes in flight",
                           (unsigned long long)op->budget->most);
}

void mote__parts_complete(mote_parts_op *op, mote_parts_code code) {
    if (op->timer) mote__loop_timer_stop(op->timer);
    op->timer = NULL;
    if (op->is_over_budget) code = over_budget(op);
    if (op->ending) mote__parts_say(op, op->ending, "%s", mote_parts_code_text(op->ending));
    op->failed_whole = op->ending || code;
    op->code = op->ending ? op->ending : code ? code : sum_up(op);
    op->is_under_way = false;
    if (op->any) op->more = false;
    op->component->parts->under_way -= op->verb != MOTE_PARTS_WATCH;
    if (op->ended) *op->ended = true;
    op->done(op);
}
