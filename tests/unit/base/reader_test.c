/* reader_test.c - LEB128 at and over its bounds, each error at its byte, stickiness, spans and
 * names. */
#include "test.h"
#include "base/reader.h"

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
