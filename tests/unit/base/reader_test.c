/* reader_test.c - LEB128 at and over its bounds, each error at its byte, in every length with every last byte against the definition, stickiness, spans
 * and names. */
#include "test.h"
#include "base/reader.h"
#include "wasm/skip.h"

static struct reader reader_of(const char *bytes, size_t size) {
    struct reader r;
    mote__reader_init(&r, (const uint8_t *)bytes, size);
    return r;
}

/* The widths that the readers are for, by name. */
enum width { U32, U64, S32, S33, S64 };

static uint64_t read_as(struct reader *r, enum width width) {
    switch (width) {
    case U32: return mote__read_u32(r);
    case U64: return mote__read_u64(r);
    case S32: return (uint64_t)(int64_t)mote__read_s32(r);
    case S33: return (uint64_t)mote__read_s33(r);
    case S64: return (uint64_t)mote__read_s64(r);
    }
    return 0;
}

struct leb_case {
    enum width width;
    const char *bytes;
    size_t size;
    uint64_t value;
    const char *failed; /* NULL: reads `value` and all bytes */
    size_t failed_at;
};
#define GOOD(width, bytes, value)     {width, bytes, sizeof bytes - 1, (uint64_t)(value), NULL, 0}
#define BAD(width, bytes, failed, at) {width, bytes, sizeof bytes - 1, 0, failed, at}
#define END                           "unexpected end"
#define LONG                          "integer representation too long"
#define LARGE                         "integer too large"
#define FF4                           "\xff\xff\xff\xff"
#define Z4                            "\x80\x80\x80\x80"

/* clang-format off */
static const struct leb_case cases[] = {
    GOOD(U32, "\x00", 0), GOOD(U32, "\x7f", 127), GOOD(U32, "\x80\x01", 128), GOOD(U32, "\xe5\x8e\x26", 624485),
    GOOD(U32, "\x80\x00", 0), GOOD(U32, Z4 "\x00", 0), GOOD(U32, FF4 "\x0f", UINT32_MAX),
    BAD(U32, "", END, 0), BAD(U32, "\x80", END, 1), BAD(U32, Z4, END, 4),
    BAD(U32, FF4 "\x1f", LARGE, 4), BAD(U32, FF4 "\x4f", LARGE, 4), BAD(U32, Z4 "\x10", LARGE, 4),
    BAD(U32, Z4 "\x80", LONG, 4), BAD(U32, Z4 "\x80\x00", LONG, 4), BAD(U32, FF4 "\xff", LARGE, 4),
    GOOD(U64, FF4 FF4 "\xff\x01", UINT64_MAX), GOOD(U64, Z4 Z4 "\x80\x00", 0), GOOD(U64, Z4 Z4 "\x80\x01", 1ull << 63),
    GOOD(U64, FF4 "\x0f", UINT32_MAX), GOOD(U64, FF4 "\x1f", 0x1ffffffff),
    BAD(U64, FF4 FF4 "\xff\x02", LARGE, 9), BAD(U64, Z4 Z4 "\x80\x80", LONG, 9), BAD(U64, FF4 FF4 "\xff", END, 9),
    BAD(U64, Z4 Z4 "\x80\x80\x00", LONG, 9), BAD(U64, FF4 FF4 "\xff\x7f", LARGE, 9),
    GOOD(S32, "\x00", 0), GOOD(S32, "\x3f", 63), GOOD(S32, "\x40", -64), GOOD(S32, "\x7f", -1), GOOD(S32, "\xff\x7e", -129),
    GOOD(S32, "\xff\x00", 127), GOOD(S32, "\xff\x7f", -1), GOOD(S32, FF4 "\x7f", -1), GOOD(S32, Z4 "\x78", INT32_MIN),
    GOOD(S32, FF4 "\x07", INT32_MAX), GOOD(S32, "\x80\x7f", -128),
    BAD(S32, "", END, 0), BAD(S32, "\xff", END, 1), BAD(S32, FF4 "\x0f", LARGE, 4), BAD(S32, Z4 "\x70", LARGE, 4),
    BAD(S32, FF4 "\x4f", LARGE, 4), BAD(S32, FF4 "\xff\x7f", LONG, 4), BAD(S32, Z4 "\x80\x00", LONG, 4), BAD(S32, Z4 "\x08", LARGE, 4),
    GOOD(S33, FF4 "\x0f", UINT32_MAX), GOOD(S33, Z4 "\x70", -(1ll << 32)), GOOD(S33, "\x40", -64), GOOD(S33, FF4 "\x7f", -1),
    BAD(S33, FF4 "\x1f", LARGE, 4), BAD(S33, Z4 "\x60", LARGE, 4), BAD(S33, Z4 "\x80\x00", LONG, 4), BAD(S33, "", END, 0),
    GOOD(S64, FF4 FF4 "\xff\x00", INT64_MAX), GOOD(S64, Z4 Z4 "\x80\x7f", INT64_MIN), GOOD(S64, FF4 FF4 "\xff\x7f", -1),
    GOOD(S64, FF4 FF4 "\x7f", -1), GOOD(S64, "\x80\x80\x7f", -(1ll << 14)),
    BAD(S64, FF4 FF4 "\xff\x01", LARGE, 9), BAD(S64, Z4 Z4 "\x80\x7e", LARGE, 9), BAD(S64, Z4 Z4 "\x80\x80\x00", LONG, 9),
    BAD(S64, FF4 FF4 "\xff\xff\x7f", LONG, 9), BAD(S64, FF4 FF4, END, 8),
};
/* clang-format on */

TEST(leb_values_and_errors) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct leb_case *c = &cases[i];
        struct reader r = reader_of(c->bytes, c->size);
        uint64_t value = read_as(&r, c->width);
        bool right = CHECK_EQ(value, c->value) && CHECK_STR(r.failed, c->failed) && r.pos == r.end;
        if (right && c->failed) right = CHECK_EQ(r.failed_at - r.start, c->failed_at);
        if (!CHECK(right)) printf("  case %zu\n", i);
    }
}

/* What is behind an integer changes nothing, however the reader looks ahead. */
TEST(leb_with_bytes_behind) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct leb_case *c = &cases[i];
        if (c->failed && !strcmp(c->failed, END)) continue; /* would go on */
        for (int fill = 0; fill < 256; fill += 85) {
            char bytes[32];
            memset(bytes, fill, sizeof bytes);
            memcpy(bytes, c->bytes, c->size);
            struct reader r = reader_of(bytes, sizeof bytes);
            uint64_t value = read_as(&r, c->width);
            bool right = CHECK_EQ(value, c->value) && CHECK_STR(r.failed, c->failed);
            if (right) right = CHECK_EQ((c->failed ? r.failed_at : r.pos) - r.start, c->failed ? c->failed_at : c->size);
            if (!CHECK(right)) printf("  case %zu\n", i);
        }
    }
}

/* Writes `value` in `count` groups of seven bits, padded with copies of the sign. */
static void write_leb(uint8_t *out, int64_t value, unsigned count) {
    for (unsigned i = 0; i < count; i++, value >>= 7)
        out[i] = (uint8_t)((value & 0x7f) | (i + 1 < count ? 0x80 : 0));
}

TEST(every_power_of_two_in_every_length) {
    for (unsigned bit = 0; bit < 63; bit++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            int64_t value = sign * (int64_t)(1ull << bit);
            for (unsigned count = bit / 7 + 2; count <= 10; count++) {
                uint8_t bytes[10];
                write_leb(bytes, value, count);
                struct reader r;
                mote__reader_init(&r, bytes, count);
                CHECK_EQ(mote__read_s64(&r), value);
                CHECK(!r.failed && r.pos == r.end);
            }
        }
    }
}

/* The definition (core specification, "Values / Integers" in the binary format), byte by byte: uN and sN. False: there is no such integer. */
static bool define_unsigned(const uint8_t **pos, const uint8_t *end, unsigned bits, uint64_t *value) {
    if (*pos == end) return false;
    unsigned byte = *(*pos)++;
    *value = byte & 0x7f;
    if (byte < 0x80) return bits >= 7 || byte < 1u << bits;
    uint64_t rest = 0;
    if (bits <= 7 || !define_unsigned(pos, end, bits - 7, &rest)) return false;
    *value |= rest << 7;
    return true;
}

static bool define_signed(const uint8_t **pos, const uint8_t *end, unsigned bits, int64_t *value) {
    if (*pos == end) return false;
    int byte = *(*pos)++;
    int half = bits > 7 ? 64 : 1 << (bits - 1); /* of the numbers of so many bits */
    *value = byte < 64 ? byte : byte - 128;
    if (byte < 128) return byte < 64 ? byte < half : byte >= 128 - half;
    int64_t rest = 0;
    if (bits <= 7 || !define_signed(pos, end, bits - 7, &rest)) return false;
    *value = (int64_t)((uint64_t)rest << 7 | (uint64_t)(byte - 128));
    return true;
}

static bool define_as(const uint8_t **pos, const uint8_t *end, enum width width, uint64_t *value) {
    int64_t with_sign = 0;
    if (width == U32 || width == U64) return define_unsigned(pos, end, width == U32 ? 32 : 64, value);
    bool is_one = define_signed(pos, end, width == S32 ? 32 : width == S33 ? 33 : 64, &with_sign);
    *value = (uint64_t)with_sign;
    return is_one;
}

/* What skips integers reads those of validated code alike. */
static bool skips_alike(const uint8_t *bytes, const uint8_t *next, enum width width, uint64_t value) {
    const uint8_t *pos = bytes;
    bool same = true;
    if (width == S32 || width == S64) same = skip_s64(&pos) == (int64_t)value && pos == next;
    else if (width == U32 || (width == U64 && value <= UINT32_MAX)) same = skip_u32(&pos) == value && pos == next;
    return same && skip_lebs(bytes, 1) == next;
}

/* What the bytes begin with, if it is an integer. */
static bool reads_as_defined(const uint8_t *bytes, size_t size, enum width width) {
    struct reader r;
    const uint8_t *pos = bytes;
    uint64_t value = 0;
    mote__reader_init(&r, bytes, size);
    uint64_t found = read_as(&r, width);
    if (!define_as(&pos, bytes + size, width, &value)) return r.failed && r.pos == r.end && !found;
    return !r.failed && found == value && r.pos == pos && skips_alike(bytes, pos, width, value);
}

/* Bytes that go on: none or all of their bits, some of them, and some that differ in each. */
static const uint8_t middles[][11] = {
    {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0xaa, 0xd5, 0xaa, 0xd5, 0xaa, 0xd5, 0xaa, 0xd5, 0xaa, 0xd5, 0xaa}, {0x81, 0x92, 0xa4, 0xb8, 0xc1, 0xd2, 0xe4, 0xf8, 0x8f, 0x9c, 0xb1},
    {0xff, 0xff, 0xff, 0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, {0x80, 0x80, 0x80, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0x80, 0x80, 0x80, 0x80, 0x8f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, {0xff, 0xff, 0xff, 0xff, 0xf7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

TEST(every_length_with_every_last_byte) {
    enum { LENGTH_MAX = 11, BEHIND_MAX = 9, MIDDLE_COUNT = sizeof middles / sizeof *middles };
    for (unsigned last = 0; last < 256; last++)
        for (size_t at = 0; at < LENGTH_MAX * MIDDLE_COUNT; at++)
            for (unsigned behind = 0; behind < BEHIND_MAX * 4; behind++) {
                uint8_t bytes[LENGTH_MAX + BEHIND_MAX];
                size_t length = at / MIDDLE_COUNT;
                bool right = true;
                memset(bytes, (int)(behind % 4 * 85), sizeof bytes);
                memcpy(bytes, middles[at % MIDDLE_COUNT], length);
                bytes[length] = (uint8_t)last;
                for (enum width width = U32; width <= S64; width++) right = right && reads_as_defined(bytes, length + 1 + behind / 4, width);
                if (!CHECK(right)) printf("  last byte %02x of %zu, middle %zu, %u behind\n", last, length + 1, at % MIDDLE_COUNT, behind / 4);
            }
}

TEST(reading_stops_at_the_value) {
    struct reader r = reader_of("\x05\x80\x01\x7f\xc0\xbb\x78zz", 9);
    CHECK_EQ(mote__read_u32(&r), 5);
    CHECK_EQ(mote__read_u64(&r), 128);
    CHECK_EQ(mote__read_s32(&r), -1);
    CHECK_EQ(mote__read_s64(&r), -123456);
    CHECK_EQ(mote__reader_left(&r), 2);
    CHECK(!r.failed);
}

TEST(the_first_failure_stays) {
    struct reader r = reader_of("\x80\x80\x80\x80\x80\x01\x02\x03", 8);
    CHECK_EQ(mote__read_u32(&r), 0);
    CHECK_EQ(mote__read_u8(&r), 0);
    CHECK_EQ(mote__read_s64(&r), 0);
    CHECK_EQ(mote__read_f64_bits(&r), 0);
    CHECK_EQ(mote__read_name(&r).size, 0);
    CHECK_EQ(mote__reader_left(&r), 0);
    CHECK_STR(r.failed, LONG);
    CHECK_EQ(r.failed_at - r.start, 4);
}

TEST(fixed_words_are_little_endian) {
    struct reader r = reader_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d", 13);
    CHECK_EQ(mote__read_f32_bits(&r), 0x04030201);
    CHECK_EQ(mote__read_f64_bits(&r), 0x0c0b0a0908070605);
    CHECK_EQ(mote__read_f32_bits(&r), 0);
    CHECK_STR(r.failed, END);
    CHECK(r.failed_at == r.end);
}

TEST(spans_end_with_the_bytes) {
    struct reader r = reader_of("abcd", 4);
    struct span span = mote__read_span(&r, 3);
    REQUIRE(span.size == 3);
    CHECK_MEM(span.data, "abc", 3);
    CHECK_EQ(mote__read_span(&r, 0).size, 0);
    CHECK(!r.failed);
    CHECK_EQ(mote__read_span(&r, SIZE_MAX).size, 0);
    CHECK_STR(r.failed, END);
}

TEST(names_are_checked) {
    struct reader r = reader_of("\3a\xc3\xa9\0\2\xc3\x28", 8);
    struct span name = mote__read_name(&r);
    REQUIRE(name.size == 3);
    CHECK_MEM(name.data, "a\xc3\xa9", 3);
    CHECK_EQ(mote__read_name(&r).size, 0);
    CHECK(!r.failed);
    CHECK_EQ(mote__read_name(&r).size, 0);
    CHECK_STR(r.failed, "malformed UTF-8 encoding");
    CHECK_EQ(r.failed_at - r.start, 6);
    r = reader_of("\5abcd", 5);
    CHECK_EQ(mote__read_name(&r).size, 0);
    CHECK_STR(r.failed, END);
}

TEST(nothing_to_read) {
    struct reader r;
    mote__reader_init(&r, NULL, 0);
    CHECK_EQ(mote__read_span(&r, 0).size, 0);
    CHECK(!r.failed);
    CHECK_EQ(mote__read_u8(&r), 0);
    CHECK_STR(r.failed, END);
}
