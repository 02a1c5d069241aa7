/* values.c - values as stores keep them: JSON judged, base64 both ways; ETags, LIKE patterns,
 * UUIDs. */
#include "driver.h"
#include "base/utf8.h"
#include "os/os.h"
#include <stdio.h>

/* ---------------------------------------------------------------- JSON, only whether it is */

enum { JSON_DEPTH_MAX = 512 };

struct json {
    const char *at, *end;
};

static void skip_space(struct json *j) {
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

static bool take(struct json *j, char c) {
    return j->at < j->end && *j->at == c ? j->at++, true : false;
}

static bool take_word(struct json *j, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(j->end - j->at) < size || memcmp(j->at, word, size) != 0) return false;
    j->at += size;
    return true;
}

static bool take_digits(struct json *j) {
    const char *start = j->at;
    while (j->at < j->end && *j->at >= '0' && *j->at <= '9') j->at++;
    return j->at > start;
}

static bool take_number(struct json *j) {
    take(j, '-');
    bool zero = j->at < j->end && *j->at == '0';
    if (zero ? (j->at++, false) : !take_digits(j)) return false;
    if (take(j, '.') && !take_digits(j)) return false;
    if (!take(j, 'e') && !take(j, 'E')) return true;
    if (!take(j, '+')) take(j, '-');
    return take_digits(j);
}

static bool take_escape(struct json *j) {
    if (j->at == j->end || !strchr("\"\\/bfnrtu", *j->at)) return false;
    if (*j->at++ != 'u') return true;
    for (int i = 0; i < 4; i++, j->at++)
        if (j->at == j->end || !strchr("0123456789abcdefABCDEF", *j->at) || !*j->at) return false;
    return true;
}

static bool take_string(struct json *j) {
    if (!take(j, '"')) return false;
    while (j->at < j->end) {
        char c = *j->at++;
        if (c == '"') return true;
        if ((unsigned char)c < 0x20 || (c == '\\' && !take_escape(j))) return false;
    }
    return false;
}

static bool take_scalar(struct json *j) {
    if (j->at == j->end) return false;
    switch (*j->at) {
    case '"': return take_string(j);
    case 't': return take_word(j, "true");
    case 'f': return take_word(j, "false");
    case 'n': return take_word(j, "null");
    default: return take_number(j);
    }
}

/* A member's name and colon, inside an object. */
static bool take_name(struct json *j) {
    skip_space(j);
    if (!take_string(j)) return false;
    skip_space(j);
    return take(j, ':');
}

/* Opens collections as long as there are any, then reads one scalar or an empty collection; closes
 * and commas follow. `open` is a stack of brackets. */
static bool take_value(struct json *j) {
    char open[JSON_DEPTH_MAX];
    unsigned depth = 0;
    for (;;) {
        skip_space(j);
        bool object = take(j, '{'), collection = object || take(j, '['), empty = false;
        if (collection) {
            if (depth == JSON_DEPTH_MAX) return false;
            open[depth++] = object ? '}' : ']';
            skip_space(j);
            empty = j->at < j->end && *j->at == open[depth - 1];
            if (!empty && object && !take_name(j)) return false;
            if (!empty) continue;
        } else if (!take_scalar(j)) return false;
        for (skip_space(j); depth && take(j, open[depth - 1]); skip_space(j)) depth--;
        if (!depth) return true;
        if (!take(j, ',') || (open[depth - 1] == '}' && !take_name(j))) return false;
    }
}

bool mote__parts_is_json(const void *bytes, size_t size) {
    struct json j = {bytes, (const char *)bytes + size};
    if (!size || memchr(bytes, 0, size) || !mote__utf8_valid(bytes, size) || !take_value(&j))
        return false;
    skip_space(&j);
    return j.at == j.end;
}

/* ---------------------------------------------------------------- base64 */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static mote_parts_bytes encode(mote_parts_op *op, const uint8_t *bytes, size_t size) {
    size_t length = (size + 2) / 3 * 4;
    char *out = mote__parts_alloc(op, length + 1);
    if (!out) return (mote_parts_bytes){0};
    for (size_t i = 0, o = 0; i < size; i += 3) {
        uint32_t left = (uint32_t)(size - i < 3 ? size - i : 3);
        uint32_t word = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0u);
        for (unsigned k = 0; k < 4; k++, o++)
            out[o] = k <= left ? base64[word >> (18 - 6 * k) & 63] : '=';
    }
    out[length] = 0;
    return (mote_parts_bytes){out, length};
}

static int digit(char c) {
    const char *at = c ? strchr(base64, c) : NULL;
    return at ? (int)(at - base64) : -1;
}

static bool decode(const char *text, size_t size, uint8_t *out, size_t *length) {
    uint32_t word = 0;
    *length = 0;
    while (size && text[size - 1] == '=') size--;
    for (size_t i = 0; i < size; i++) {
        int value = digit(text[i]);
        if (value < 0) return false;
        word = word << 6 | (uint32_t)value;
        if (i % 4) out[(*length)++] = (uint8_t)(word >> (6 - 2 * (i % 4)));
    }
    return size % 4 != 1;
}

mote_parts_bytes mote__parts_to_column(mote_parts_op *op, const mote_parts_item *item,
                                       bool *is_binary) {
    bool json = !(item->flags & MOTE_PARTS_BINARY) &&
                mote__parts_is_json(item->value.data, item->value.size);
    *is_binary = !json;
    return json ? item->value : encode(op, item->value.data, item->value.size);
}

static mote_parts_code take_base64(mote_parts_op *op, mote_parts_item *item, const char *text,
                                   size_t size, uint8_t *out) {
    item->found.data = out;
    if (decode(text, size, out, &item->found.size)) return MOTE_PARTS_OK;
    item->found = (mote_parts_bytes){0};
    return mote__parts_say(op, MOTE_PARTS_FAILED, "what the store keeps of `%.*s` is not base64",
                           (int)(item->key.size < 100 ? item->key.size : 100),
                           (const char *)item->key.data);
}

mote_parts_code mote__parts_from_column(mote_parts_op *op, mote_parts_item *item, const void *text,
                                        size_t size, bool is_binary) {
    if (is_binary) {
        uint8_t *out = mote__parts_alloc(op, size / 4 * 3 + 4);
        return out ? take_base64(op, item, text, size, out) : MOTE_PARTS_NOMEM;
    }
    item->found = mote__parts_copy(op, text, size);
    return item->found.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

mote_parts_code mote__parts_from_own_column(mote_parts_op *op, mote_parts_item *item, char *text,
                                            size_t size, bool is_binary) {
    if (is_binary) return take_base64(op, item, text, size, (uint8_t *)text);
    item->found = (mote_parts_bytes){text, size};
    return MOTE_PARTS_OK;
}

/* ---------------------------------------------------------------- ETags */

mote_parts_code mote__parts_check_etags(mote_parts_op *op,
                                        bool (*is_etag)(const mote_parts_bytes *text),
                                        const char *form) {
    if (op->verb == MOTE_PARTS_GET) return MOTE_PARTS_OK;
    for (size_t i = 0; i < op->item_count; i++)
        if (op->items[i].etag.data && !is_etag(&op->items[i].etag))
            return mote__parts_say(op, MOTE_PARTS_INVALID, "an ETag of this store is %s", form);
    return MOTE_PARTS_OK;
}

bool mote__parts_is_number(const mote_parts_bytes *text) {
    const char *digits = text->data;
    size_t at = 0;
    while (at < text->size && digits[at] >= '0' && digits[at] <= '9') at++;
    return at && at == text->size;
}

/* ---------------------------------------------------------------- patterns and names */

mote_parts_bytes mote__parts_prefix_pattern(mote_parts_op *op, const char *special, char escape,
                                            char any) {
    const mote_parts_bytes *prefix = &op->whole_prefix;
    char *out = mote__parts_alloc(op, prefix->size * 2 + 2);
    size_t size = 0;
    if (!out) return (mote_parts_bytes){0};
    for (size_t i = 0; i < prefix->size; i++) {
        char c = ((const char *)prefix->data)[i];
        if (c && strchr(special, c)) out[size++] = escape;
        out[size++] = c;
    }
    out[size++] = any;
    out[size] = 0;
    return (mote_parts_bytes){out, size};
}

mote_parts_bytes mote__parts_like_pattern(mote_parts_op *op) {
    return mote__parts_prefix_pattern(op, "%_!", '!', '%');
}

bool mote__parts_uuid(char out[37]) {
    uint8_t b[16];
    if (!mote__os_random(b, sizeof b)) return false;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    char *at = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
        *at++ = "0123456789abcdef"[b[i] >> 4];
        *at++ = "0123456789abcdef"[b[i] & 15];
    }
    *at = 0;
    return true;
}
