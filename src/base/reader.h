/* reader.h - a sticky reader over bytes: after the first failure every read returns 0 and `failed` says why, so that five reads need
 * one check. LEB128 as in the core specification, section "Values / Integers": at most ceil(N/7) bytes, unused bits must be zero or sign. */
#ifndef MOTE_BASE_READER_H
#define MOTE_BASE_READER_H

#include <mote/status.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t size;
};

struct reader {
    const uint8_t *start, *pos, *end;
    const char *failed;       /* NULL, or what went wrong ("unexpected end", "integer too large", ...) */
    const uint8_t *failed_at; /* where; set with `failed` */
};

static inline void mote__reader_init(struct reader *r, const uint8_t *data, size_t size) {
    *r = (struct reader){.start = data, .pos = data, .end = data + size};
}

static inline size_t mote__reader_left(const struct reader *r) { return (size_t)(r->end - r->pos); }

/* Records the first failure at `at` and empties the reader. */
void mote__reader_fail(struct reader *r, const uint8_t *at, const char *why);
/* The slow paths of the readers below: multi-byte or failing. */
uint64_t mote__read_leb_u(struct reader *r, unsigned bits);
int64_t mote__read_leb_s(struct reader *r, unsigned bits);

static inline uint8_t mote__read_u8(struct reader *r) {
    if (r->pos < r->end) return *r->pos++;
    mote__reader_fail(r, r->pos, "unexpected end");
    return 0;
}

static inline uint32_t mote__read_u32(struct reader *r) {
    if (r->pos < r->end && *r->pos < 0x80) return *r->pos++;
    return (uint32_t)mote__read_leb_u(r, 32);
}

static inline uint64_t mote__read_u64(struct reader *r) {
    if (r->pos < r->end && *r->pos < 0x80) return *r->pos++;
    return mote__read_leb_u(r, 64);
}

static inline int32_t mote__read_s32(struct reader *r) {
    if (r->pos < r->end && *r->pos < 0x80) return (int32_t)((uint32_t)*r->pos++ << 25) >> 25;
    return (int32_t)mote__read_leb_s(r, 32);
}

static inline int64_t mote__read_s33(struct reader *r) { return mote__read_leb_s(r, 33); }
static inline int64_t mote__read_s64(struct reader *r) { return mote__read_leb_s(r, 64); }

/* Fixed-size little-endian words (floats, v128). */
uint32_t mote__read_f32_bits(struct reader *r);
uint64_t mote__read_f64_bits(struct reader *r);
/* Returns a span of `size` bytes inside the reader, or an empty one after failing ("unexpected end"). */
struct span mote__read_span(struct reader *r, size_t size);
/* A length-prefixed UTF-8 name; fails with "malformed UTF-8 encoding". */
struct span mote__read_name(struct reader *r);

#endif
