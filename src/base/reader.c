/* reader.c - the slow paths of reader.h. The core specification, "Integers" under "Values" in the
 * binary format, bounds a LEB128 of N bits to ceil(N/7) bytes and its last byte to the bits that
 * are left; the messages are those of the specification's test suite.
 * Keeps: after a failure pos == end, so every later read fails too and the first failure stays. */
#include "base/reader.h"
#include "base/utf8.h"

void mote__reader_fail(struct reader *r, const uint8_t *at, const char *why) {
    if (!r->failed) {
        r->failed = why;
        r->failed_at = at;
    }
    r->pos = r->end;
}

/* Whether the bits of `payload` above the `bits_left` lowest are what a value of that size has
 * there: zeros, or copies of the sign. */
static inline bool payload_fits(unsigned payload, unsigned bits_left, bool is_signed) {
    if (bits_left >= 7) return true;
    unsigned unused = (0x7fu << (is_signed ? bits_left - 1 : bits_left)) & 0x7f;
    return !(payload & unused) || (is_signed && (payload & unused) == unused);
}

static inline uint64_t sign_extend(uint64_t value, unsigned bits) {
    if (bits >= 64) return value;
    return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

static inline uint64_t fail_leb(struct reader *r, const uint8_t *at, const char *why) {
    mote__reader_fail(r, at, why);
    return 0;
}

/* Inline so that the widths that matter get a loop of their own. */
static inline uint64_t read_leb(struct reader *r, unsigned bits, bool is_signed) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        if (r->pos == r->end) return fail_leb(r, r->pos, "unexpected end");
        unsigned byte = *r->pos, payload = byte & 0x7f;
        if (!payload_fits(payload, bits - shift, is_signed))
            return fail_leb(r, r->pos, "integer too large");
        r->pos++;
        value |= (uint64_t)payload << shift;
        if (byte < 0x80) return is_signed ? sign_extend(value, shift + 7) : value;
    }
    return fail_leb(r, r->pos - 1, "integer representation too long");
}

enum { WHOLE_BYTES_MAX = 5, WHOLE_BYTES_SEEN = 8 };

/* Decodes an integer of at most WHOLE_BYTES_MAX bytes where WHOLE_BYTES_SEEN are there to look at, all of it at once. Returns how many bits were written,
 * 0 if it is longer, and leaves the reader where it is. */
static inline unsigned decode_whole(const struct reader *r, uint64_t *value) {
    uint64_t bytes;
    if (mote__reader_left(r) < WHOLE_BYTES_SEEN) return 0;
    memcpy(&bytes, r->pos, sizeof bytes);
    uint64_t last = ~bytes & UINT64_C(0x8080808080);
    if (!last) return 0;
    bytes &= last ^ (last - 1); /* what is behind it is not of the integer */
    *value = (bytes & 0x7F) | (bytes >> 1 & 0x3F80) | (bytes >> 2 & 0x1FC000) | (bytes >> 3 & 0xFE00000) | (bytes >> 4 & UINT64_C(0x7F0000000));
    return ((unsigned)__builtin_ctzll(last) / 8 + 1) * 7;
}

uint64_t mote__read_leb_u(struct reader *r, unsigned bits) {
    uint64_t value;
    unsigned written = decode_whole(r, &value);
    if (written && (bits >= 7 * WHOLE_BYTES_MAX || value >> bits == 0)) {
        r->pos += written / 7;
        return value;
    }
    return bits == 32 ? read_leb(r, 32, false) : read_leb(r, bits, false);
}

int64_t mote__read_leb_s(struct reader *r, unsigned bits) {
    uint64_t value;
    unsigned written = decode_whole(r, &value);
    if (written) value = sign_extend(value, written);
    if (written && (bits >= 7 * WHOLE_BYTES_MAX || value == sign_extend(value, bits))) {
        r->pos += written / 7;
        return (int64_t)value;
    }
    return (int64_t)(bits == 32 ? read_leb(r, 32, true) : read_leb(r, bits, true));
}

struct span mote__read_span(struct reader *r, size_t size) {
    if (size > mote__reader_left(r)) {
        mote__reader_fail(r, r->end, "unexpected end");
        return (struct span){0};
    }
    struct span span = {r->pos, size};
    if (size) r->pos += size;
    return span;
}

/* Machines with big-endian memory are refused by the build, so a copy is the conversion. */
uint32_t mote__read_f32_bits(struct reader *r) {
    uint32_t bits = 0;
    struct span span = mote__read_span(r, sizeof bits);
    if (span.size) memcpy(&bits, span.data, sizeof bits);
    return bits;
}

uint64_t mote__read_f64_bits(struct reader *r) {
    uint64_t bits = 0;
    struct span span = mote__read_span(r, sizeof bits);
    if (span.size) memcpy(&bits, span.data, sizeof bits);
    return bits;
}

struct span mote__read_name(struct reader *r) {
    struct span name = mote__read_span(r, mote__read_u32(r));
    if (mote__utf8_valid(name.data, name.size)) return name;
    mote__reader_fail(r, name.data, "malformed UTF-8 encoding");
    return (struct span){0};
}
