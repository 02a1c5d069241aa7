/* resp.c - the wire format of Redis (resp.h). Every length that a server sends is checked against
 * what is there. */
#include "resp.h"

enum outcome { WHOLE, PARTIAL, BROKEN };

/* Not what most elements are: kept out of the way of those. */
#define SELDOM static __attribute__((noinline))

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
SELDOM enum outcome take_any_number(struct resp_reader *r, int64_t *out) {
    enum { DIGITS_MAX = 20 };
    const char *at = r->at, *end = r->end;
    bool negative = at < end && *at == '-';
    const char *first = at += negative;
    uint64_t number = 0;
    for (unsigned digit; at < end && (digit = (unsigned)(*at - '0')) < 10; at++) {
        if (number > INT64_MAX / 10 || at - first == DIGITS_MAX) return BROKEN;
        number = number * 10 + digit;
    }
    if (number > INT64_MAX || (at < end && (*at != '\r' || at == first))) return BROKEN;
    if (end - at < 2) return PARTIAL;
    *out = negative ? -(int64_t)number : (int64_t)number;
    r->at = at + 2;
    return WHOLE;
}

/* The same, quickly where few digits are followed by enough. */
static inline enum outcome take_number(struct resp_reader *r, int64_t *out) {
    enum { DIGITS = 5 };
    const char *at = r->at;
    unsigned number = 0, digit = 10;
    if (r->end - at < DIGITS + 2) return take_any_number(r, out);
    for (; at < r->at + DIGITS && (digit = (unsigned)(*at - '0')) < 10; at++)
        number = number * 10 + digit;
    if (at == r->at || *at != '\r') return take_any_number(r, out);
    *out = number;
    r->at = at + 2;
    return WHOLE;
}

static inline enum outcome take_bulk(struct resp_reader *r, struct resp *out) {
    if (out->number > INT32_MAX) return BROKEN;
    if (r->end - r->at < out->number + 2) return PARTIAL;
    out->text = r->at;
    out->size = (size_t)out->number;
    r->at += out->number + 2;
    return WHOLE;
}

/* What is no BULK and no ARRAY. */
SELDOM enum outcome take_other(struct resp_reader *r, struct resp *out, char first) {
    switch (first) {
    case '+': out->kind = RESP_STATUS; return take_line(r, out);
    case '-': out->kind = RESP_ERROR; return take_line(r, out);
    case ':': out->kind = RESP_INTEGER; return take_any_number(r, &out->number);
    default: return BROKEN;
    }
}

/* Takes one element but for the bytes of a BULK. Most are a BULK with a small number. */
static inline enum outcome take_head(struct resp_reader *r, struct resp *out) {
    if (r->at == r->end) return PARTIAL;
    char first = *r->at++;
    if (first != '$' && first != '*') return take_other(r, out, first);
    out->kind = first == '$' ? RESP_BULK : RESP_ARRAY;
    enum outcome outcome = take_number(r, &out->number);
    if (outcome == WHOLE && out->number < 0) out->kind = RESP_NULL;
    return outcome;
}

static inline enum outcome take(struct resp_reader *r, struct resp *out) {
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

enum { HEAD_BYTES_MAX = 32 };

SELDOM size_t put_digits(char *out, size_t number) {
    char digits[HEAD_BYTES_MAX], *first = digits + sizeof digits;
    do *--first = (char)('0' + number % 10);
    while (number /= 10);
    size_t size = (size_t)(digits + sizeof digits - first);
    memcpy(out, first, size);
    return size;
}

/* A line of a kind and a number; there is room for it. */
static void put_head(resp_buffer *out, char kind, size_t number) {
    char *at = out->data + out->count;
    *at++ = kind;
    if (number < 10) *at++ = (char)('0' + number);
    else at += put_digits(at, number);
    *at++ = '\r', *at++ = '\n';
    out->count = (size_t)(at - out->data);
}

bool mote__resp_begin(resp_buffer *out, const mote_allocator *a, size_t count) {
    if (!mote__vec_reserve(out, a, HEAD_BYTES_MAX)) return false;
    put_head(out, '*', count);
    return true;
}

bool mote__resp_word(resp_buffer *out, const mote_allocator *a, const void *bytes, size_t size) {
    if (size > SIZE_MAX / 2 || !mote__vec_reserve(out, a, HEAD_BYTES_MAX + size + 2)) return false;
    put_head(out, '$', size);
    if (size) memcpy(out->data + out->count, bytes, size);
    out->count += size;
    out->data[out->count++] = '\r', out->data[out->count++] = '\n';
    return true;
}
