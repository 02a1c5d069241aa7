/* entries.c - what mote1 passes instead of structs: runs of (u32 size of the name, u32 size of the
 * value, name, value), little-endian, nothing between. */
#include "handles.h"
#include <stdio.h>

/* ---------------------------------------------------------------- reading */

struct entry {
    mote_parts_bytes name, value;
};

static uint32_t load_u32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

enum taken { TAKEN, TAKEN_END, TAKEN_BROKEN };

static enum taken take(const mote_parts_bytes *run, size_t *at, struct entry *out) {
    const uint8_t *bytes = run->data;
    if (*at == run->size) return TAKEN_END;
    if (run->size - *at < 8) return TAKEN_BROKEN;
    size_t name = load_u32(bytes + *at), value = load_u32(bytes + *at + 4),
           left = run->size - *at - 8;
    if (name > left || value > left - name) return TAKEN_BROKEN;
    out->name = (mote_parts_bytes){bytes + *at + 8, name};
    out->value = (mote_parts_bytes){bytes + *at + 8 + name, value};
    *at += 8 + name + value;
    return TAKEN;
}

static bool is(const mote_parts_bytes *bytes, const char *text) {
    return bytes->size == strlen(text) && !memcmp(bytes->data, text, bytes->size);
}

size_t mote__entries_count(const mote_parts_bytes *hdr) {
    struct entry entry;
    size_t at = 0, count = 0;
    enum taken taken;
    while ((taken = take(hdr, &at, &entry)) == TAKEN) count += is(&entry.name, "key");
    return taken == TAKEN_END ? count : SIZE_MAX;
}

static bool take_number(const mote_parts_bytes *bytes, int64_t *out) {
    const char *at = bytes->data, *end = at + bytes->size;
    bool minus = at < end && *at == '-';
    *out = 0;
    if (minus) at++;
    if (at == end) return false;
    for (; at < end; at++)
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, *at - '0', out))
            return false;
    if (minus) *out = -*out;
    return true;
}

static bool take_count(const mote_parts_bytes *bytes, uint64_t scale, uint64_t *out) {
    int64_t number;
    return !*out && take_number(bytes, &number) && number > 0 &&
           !__builtin_mul_overflow((uint64_t)number, scale, out);
}

static bool take_once(mote_parts_bytes *out, const mote_parts_bytes *value) {
    bool first = !out->data;
    *out = *value;
    return first;
}

/* One of two words; the second sets the flag. */
static bool take_flag(const mote_parts_bytes *value, const char *off, const char *on, unsigned flag,
                      unsigned *flags) {
    if (is(value, on)) *flags |= flag;
    return is(value, on) || is(value, off);
}

static bool take_content(const mote_parts_bytes *value, unsigned *flags) {
    return take_flag(value, "json", "binary", MOTE_PARTS_BINARY, flags) &&
           take_flag(value, "binary", "json", MOTE_PARTS_JSON, flags);
}

/* What is about one item. */
static bool take_of_item(const struct entry *e, bool many, mote_parts_item *item) {
    if (is(&e->name, "value")) return many && take_once(&item->value, &e->value);
    if (is(&e->name, "etag")) return take_once(&item->etag, &e->value);
    if (is(&e->name, "ttl")) return !item->ttl_s && take_number(&e->value, &item->ttl_s);
    if (is(&e->name, "content")) return take_content(&e->value, &item->flags);
    if (is(&e->name, "expiry"))
        return take_flag(&e->value, "0", "1", MOTE_PARTS_EXPIRY, &item->flags);
    if (is(&e->name, "do"))
        return take_flag(&e->value, "set", "delete", MOTE_PARTS_REMOVE, &item->flags);
    if (is(&e->name, "concurrency"))
        return take_flag(&e->value, "last-write", "first-write", MOTE_PARTS_FIRST_WRITE,
                         &item->flags);
    return false;
}

static bool take_key(const struct entry *e, bool many, struct asked *out) {
    if (many) out->item_count++;
    return out->item_count <= out->item_max &&
           take_once(&out->items[out->item_count - 1].key, &e->value);
}

static bool take_entry(const struct entry *e, bool many, struct asked *out) {
    if (is(&e->name, "key")) return take_key(e, many, out);
    if (is(&e->name, "prefix")) return take_once(&out->prefix, &e->value);
    if (is(&e->name, "after")) return take_once(&out->after, &e->value);
    if (is(&e->name, "limit")) return take_count(&e->value, 1, &out->limit);
    if (is(&e->name, "timeout")) return take_count(&e->value, 1000000, &out->timeout_ns);
    return out->item_count && take_of_item(e, many, &out->items[out->item_count - 1]);
}

bool mote__entries_read(const mote_parts_bytes *hdr, bool many, struct asked *out) {
    struct entry entry;
    size_t at = 0;
    out->item_count = many ? 0 : 1;
    while (take(hdr, &at, &entry) == TAKEN)
        if (!take_entry(&entry, many, out)) return false;
    return true;
}

/* ---------------------------------------------------------------- writing */

static void store_u32(char *at, size_t value) {
    for (int i = 0; i < 4; i++) at[i] = (char)(value >> 8 * i & 255);
}

void mote__run_put(struct run *run, const char *name, const mote_parts_bytes *value) {
    size_t size = strlen(name);
    if (run->data) {
        char *at = run->data + run->size;
        store_u32(at, size);
        store_u32(at + 4, value->size);
        memcpy(at + 8, name, size);
        if (value->size) memcpy(at + 8 + size, value->data, value->size);
    }
    run->size += 8 + size + value->size;
}
