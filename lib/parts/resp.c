/* resp.c - the wire format of Redis (resp.h). Every length that a server sends is checked against
 * what is there. */
#include "resp.h"

/* The end of the line at `at`, its CR; NULL when it is not there yet. */
static const char *line_end(const char *at, const char *end) {
    const char *cr = memchr(at, '\r', (size_t)(end - at));
    return cr && cr + 1 < end ? cr : NULL;
}

/* A decimal number between two places; false when it is none, or too large. */
static bool number_of(const char *at, const char *end, int64_t *out) {
    bool negative = at < end && *at == '-';
    *out = 0;
    for (at += negative; at < end; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, *at - '0', out))
            return false;
    }
    if (negative) *out = -*out;
    return true;
}

enum outcome { WHOLE, PARTIAL, BROKEN };

/* Takes one element's head, and its bytes. */
static enum outcome take(struct resp_reader *r, struct resp *out) {
    const char *at = r->at, *cr = at < r->end ? line_end(at, r->end) : NULL;
    if (!cr) return r->end - r->at > 65536 ? BROKEN : PARTIAL;
    *out = (struct resp){.text = at + 1, .size = (size_t)(cr - at) - 1};
    r->at = cr + 2;
    switch (*at) {
    case '+': out->kind = RESP_STATUS; return WHOLE;
    case '-': out->kind = RESP_ERROR; return WHOLE;
    case ':':
        out->kind = RESP_INTEGER;
        return number_of(out->text, cr, &out->number) ? WHOLE : BROKEN;
    case '$':
    case '*': break;
    default: return BROKEN;
    }
    if (!number_of(out->text, cr, &out->number)) return BROKEN;
    out->kind = out->number < 0 ? RESP_NULL : *at == '*' ? RESP_ARRAY : RESP_BULK;
    if (out->kind != RESP_BULK) return WHOLE;
    if (out->number > INT32_MAX) return BROKEN;
    if (r->end - r->at < out->number + 2) return PARTIAL;
    out->text = r->at;
    out->size = (size_t)out->number;
    r->at += out->number + 2;
    return WHOLE;
}

size_t mote__resp_length(const char *bytes, size_t size) {
    struct resp_reader r = {bytes, bytes + size};
    int64_t left[RESP_DEPTH_MAX] = {1};
    unsigned depth = 0;
    for (;;) {
        struct resp element;
        enum outcome outcome = take(&r, &element);
        if (outcome != WHOLE) return outcome == PARTIAL ? 0 : SIZE_MAX;
        left[depth]--;
        if (element.kind == RESP_ARRAY && element.number) {
            if (++depth == RESP_DEPTH_MAX) return SIZE_MAX;
            left[depth] = element.number;
        }
        while (!left[depth])
            if (!depth--) return (size_t)(r.at - bytes);
    }
}

struct resp mote__resp_next(struct resp_reader *reader) {
    struct resp element = {.kind = RESP_NULL};
    if (reader->at < reader->end) take(reader, &element);
    return element;
}

static bool put(resp_buffer *out, const mote_allocator *a, const void *bytes, size_t size) {
    if (!mote__vec_reserve(out, a, size)) return false;
    if (size) memcpy(out->data + out->count, bytes, size);
    out->count += size;
    return true;
}

/* A line of a kind and a number. */
static bool put_head(resp_buffer *out, const mote_allocator *a, char kind, size_t number) {
    char line[32], *at = line + sizeof line;
    *--at = '\n', *--at = '\r';
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    *--at = kind;
    return put(out, a, at, (size_t)(line + sizeof line - at));
}

bool mote__resp_begin(resp_buffer *out, const mote_allocator *a, size_t count) {
    return put_head(out, a, '*', count);
}

bool mote__resp_word(resp_buffer *out, const mote_allocator *a, const void *bytes, size_t size) {
    return put_head(out, a, '$', size) && put(out, a, bytes, size) && put(out, a, "\r\n", 2);
}
