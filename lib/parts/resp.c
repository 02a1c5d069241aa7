/* resp.c - the wire format of Redis (resp.h). Every length that a server sends is checked against
 * what is there. */
#include "resp.h"

enum outcome { WHOLE, PARTIAL, BROKEN };

/* Takes a line of text. */
static enum outcome take_line(struct resp_reader *r, struct resp *out) {
    const char *cr = memchr(r->at, '\r', (size_t)(r->end - r->at));
    if (!cr || cr + 1 == r->end) return r->end - r->at > 65536 ? BROKEN : PARTIAL;
    out->text = r->at;
    out->size = (size_t)(cr - r->at);
    r->at = cr + 2;
    return WHOLE;
}

/* Takes a line that is a decimal number. */
static enum outcome take_number(struct resp_reader *r, int64_t *out) {
    enum { DIGITS_MAX = 20 };
    const char *at = r->at, *end = r->end;
    bool negative = at < end && *at == '-';
    const char *first = at += negative;
    int64_t number = 0;
    for (unsigned digit; at < end && (digit = (unsigned)(*at - '0')) < 10; at++)
        if (at - first == DIGITS_MAX || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (int64_t)digit, &number))
            return BROKEN;
    if (at < end && (*at != '\r' || at == first)) return BROKEN;
    if (end - at < 2) return PARTIAL;
    *out = negative ? -number : number;
    r->at = at + 2;
    return WHOLE;
}

static enum outcome take_bulk(struct resp_reader *r, struct resp *out) {
    if (out->number > INT32_MAX) return BROKEN;
    if (r->end - r->at < out->number + 2) return PARTIAL;
    out->text = r->at;
    out->size = (size_t)out->number;
    r->at += out->number + 2;
    return WHOLE;
}

/* Takes one element but for the bytes of a BULK. */
static enum outcome take_head(struct resp_reader *r, struct resp *out) {
    if (r->at == r->end) return PARTIAL;
    switch (*r->at++) {
    case '+': out->kind = RESP_STATUS; return take_line(r, out);
    case '-': out->kind = RESP_ERROR; return take_line(r, out);
    case ':': out->kind = RESP_INTEGER; return take_number(r, &out->number);
    case '*': out->kind = RESP_ARRAY; break;
    case '$': out->kind = RESP_BULK; break;
    default: return BROKEN;
    }
    enum outcome outcome = take_number(r, &out->number);
    if (outcome != WHOLE) return outcome;
    if (out->number < 0) out->kind = RESP_NULL;
    return WHOLE;
}

static enum outcome take(struct resp_reader *r, struct resp *out) {
    enum outcome outcome = take_head(r, out);
    return outcome == WHOLE && out->kind == RESP_BULK ? take_bulk(r, out) : outcome;
}

/* The element that was under way has ended, and with it the arrays whose last it was. */
static void end_element(struct resp_skip *s) {
    while (s->is_under_way && !s->left[s->depth]) s->is_under_way = s->depth--;
}

static enum outcome skip_element(struct resp_skip *s, struct resp_reader *r) {
    struct resp element;
    struct resp_reader at = *r;
    enum outcome outcome = take_head(&at, &element);
    if (outcome != WHOLE) return outcome;
    *r = at;
    s->left[s->depth]--;
    if (element.kind == RESP_BULK) s->bulk = (uint64_t)element.number + 2;
    if (element.kind != RESP_ARRAY || !element.number) return WHOLE;
    if (++s->depth == RESP_DEPTH_MAX) return BROKEN;
    s->left[s->depth] = element.number;
    return WHOLE;
}

size_t mote__resp_skip(struct resp_skip *s, const char *bytes, size_t size) {
    struct resp_reader r = {bytes, bytes + size};
    if (!s->is_under_way) *s = (struct resp_skip){.is_under_way = true, .left = {1}};
    for (enum outcome outcome = WHOLE; outcome == WHOLE && s->is_under_way;) {
        size_t there = (size_t)(r.end - r.at), part = s->bulk < there ? (size_t)s->bulk : there;
        r.at += part;
        s->bulk -= part;
        if (s->bulk) break;
        end_element(s);
        if (s->is_under_way) outcome = skip_element(s, &r);
        if (outcome == BROKEN) return SIZE_MAX;
    }
    return (size_t)(r.at - bytes);
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
