/* number_test.c - integers and floats of the text format: ranges, exact rounding, printing and
 * reading back. The C library's strtod and strtof, which round correctly too, are the judges of the
 * random cases; the hard ones are written out. */
#include "text/number.h"
#include "../test.h"
#include <stdlib.h>

static struct span span_of(const char *text) {
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static uint64_t f64_of(const char *text) {
    uint64_t bits = 0;
    return mote__parse_f64(span_of(text), &bits) ? bits : UINT64_MAX;
}

static uint32_t f32_of(const char *text) {
    uint32_t bits = 0;
    return mote__parse_f32(span_of(text), &bits) ? bits : UINT32_MAX;
}

static uint64_t int_of(const char *text, unsigned bits) {
    uint64_t value = 0;
    return mote__parse_int(span_of(text), bits, &value) ? value : 0xBADBADBAD;
}

static uint64_t random_state = 88172645463325252u;
static uint64_t random_u64(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

TEST(integers) {
    CHECK_EQ(int_of("0", 32), 0);
    CHECK_EQ(int_of("4294967295", 32), 4294967295u);
    CHECK_EQ(int_of("4294967296", 32), 0xBADBADBAD);
    CHECK_EQ(int_of("-2147483648", 32), 0x80000000u);
    CHECK_EQ(int_of("-2147483649", 32), 0xBADBADBAD);
    CHECK_EQ(int_of("+2147483647", 32), 0x7FFFFFFF);
    CHECK_EQ(int_of("+2147483648", 32), 0xBADBADBAD);
    CHECK_EQ(int_of("0xFFFF_FFFF", 32), 0xFFFFFFFFu);
    CHECK_EQ(int_of("1_000_000", 32), 1000000);
    CHECK_EQ(int_of("-1", 8), 0xFF);
    CHECK_EQ(int_of("-128", 8), 0x80);
    CHECK_EQ(int_of("256", 8), 0xBADBADBAD);
    CHECK_EQ(int_of("18446744073709551615", 64), UINT64_MAX);
    CHECK_EQ(int_of("18446744073709551616", 64), 0xBADBADBAD);
    CHECK_EQ(int_of("-9223372036854775808", 64), UINT64_C(1) << 63);
    CHECK_EQ(int_of("0x10000000000000000", 64), 0xBADBADBAD);
}

TEST(floats_plain) {
    CHECK_EQ(f64_of("0"), 0);
    CHECK_EQ(f64_of("-0"), UINT64_C(1) << 63);
    CHECK_EQ(f64_of("1"), 0x3FF0000000000000);
    CHECK_EQ(f64_of("1."), 0x3FF0000000000000);
    CHECK_EQ(f64_of("0x1p-1"), 0x3FE0000000000000);
    CHECK_EQ(f64_of("0x1.8"), 0x3FF8000000000000);
    CHECK_EQ(f64_of("1e3"), 0x408F400000000000);
    CHECK_EQ(f64_of("1_0.0_1"), f64_of("10.01"));
    CHECK_EQ(f64_of("0.000000000000000000000e10"), 0);
    CHECK_EQ(f32_of("inf"), 0x7F800000);
    CHECK_EQ(f32_of("-inf"), 0xFF800000);
    CHECK_EQ(f32_of("nan"), 0x7FC00000);
    CHECK_EQ(f32_of("-nan:0x1"), 0xFF800001);
    CHECK_EQ(f64_of("nan:0xf_ffff_ffff_ffff"), 0x7FFFFFFFFFFFFFFF);
    CHECK_EQ(f32_of("nan:0x0"), UINT32_MAX);
    CHECK_EQ(f32_of("nan:0x800000"), UINT32_MAX);
    CHECK_EQ(f32_of("nan:0x7fffff"), 0x7FFFFFFF);
}

TEST(floats_at_the_edges) {
    CHECK_EQ(f64_of("1.7976931348623157e308"), 0x7FEFFFFFFFFFFFFF);
    CHECK_EQ(f64_of("1.7976931348623158e308"), 0x7FEFFFFFFFFFFFFF);
    CHECK_EQ(f64_of("1.7976931348623159e308"), UINT64_MAX);
    CHECK_EQ(f64_of("1e309"), UINT64_MAX);
    CHECK_EQ(f64_of("1e99999999999999999999"), UINT64_MAX);
    CHECK_EQ(f64_of("1e-99999999999999999999"), 0);
    CHECK_EQ(f64_of("0e99999999999999999999"), 0);
    CHECK_EQ(f64_of("5e-324"), 1);
    CHECK_EQ(f64_of("2.4703282292062327e-324"), 0);
    CHECK_EQ(f64_of("2.4703282292062328e-324"), 1);
    CHECK_EQ(f64_of("0x1p-1074"), 1);
    CHECK_EQ(f64_of("0x1p-1075"), 0);
    CHECK_EQ(f64_of("0x1.0000000000001p-1075"), 1);
    CHECK_EQ(f64_of("0x1.8p-1074"), 2);
    CHECK_EQ(f64_of("0x1p1024"), UINT64_MAX);
    CHECK_EQ(f64_of("0x1.fffffffffffff7ffffffp1023"), 0x7FEFFFFFFFFFFFFF);
    CHECK_EQ(f64_of("0x1.fffffffffffff8p1023"), UINT64_MAX);
    CHECK_EQ(f32_of("3.4028234663852886e38"), 0x7F7FFFFF);
    CHECK_EQ(f32_of("340282356779733661637539395458142568448"), UINT32_MAX);
    CHECK_EQ(f32_of("340282356779733661637539395458142568447.99"), 0x7F7FFFFF);
    CHECK_EQ(f32_of("0x1p-149"), 1);
    CHECK_EQ(f32_of("0x1p-150"), 0);
    CHECK_EQ(f32_of("0x1.000001p-150"), 1);
    CHECK_EQ(f32_of("1.1754943508222875e-38"), 0x00800000);
}

TEST(floats_half_way) {
    /* 2^53 + 1 is between two: even wins; a digit very far behind decides otherwise. */
    CHECK_EQ(f64_of("9007199254740993"), 0x4340000000000000);
    CHECK_EQ(f64_of("9007199254740993.0000000000000000000000000000000000000000000000000000000001"),
             0x4340000000000001);
    CHECK_EQ(f64_of("0x20000000000001"), 0x4340000000000000);
    CHECK_EQ(f64_of("0x20000000000001.00000000000000000000000000000001"), 0x4340000000000001);
    /* Through binary64 these would be rounded twice and come out wrong. */
    CHECK_EQ(f32_of("0x1.000001p0"), 0x3F800000);
    CHECK_EQ(f32_of("0x1.00000100000001p0"), 0x3F800001);
    CHECK_EQ(f32_of("1.00000005960464477539062500000000000000001"), 0x3F800001);
    CHECK_EQ(f32_of("1.000000059604644775390625"), 0x3F800000);
    CHECK_EQ(f32_of("0x1.fffffefffffff8p127"), 0x7F7FFFFF);
}

/* A digit beyond all that are kept still counts. */
TEST(floats_of_many_digits) {
    static char text[3000];
    memset(text, '0', sizeof text - 1);
    memcpy(text, "9007199254740993.", 17);
    CHECK_EQ(f64_of(text), 0x4340000000000000);
    text[sizeof text - 2] = '1';
    CHECK_EQ(f64_of(text), 0x4340000000000001);
    memset(text, '0', sizeof text - 1);
    memcpy(text, "0x1.", 4);
    text[2000] = '1';
    CHECK_EQ(f64_of(text), 0x3FF0000000000000);
    memset(text, '9', 2500);
    memcpy(text + 2500, "e-2500", 7);
    CHECK_EQ(f64_of(text), 0x3FF0000000000000);
}

static void check_against_library(const char *text) {
    double wide = strtod(text, NULL);
    float narrow = strtof(text, NULL);
    uint64_t wide_bits;
    uint32_t narrow_bits;
    memcpy(&wide_bits, &wide, 8);
    memcpy(&narrow_bits, &narrow, 4);
    if ((wide_bits << 1) >> 53 == 0x7FF) wide_bits = UINT64_MAX;
    if ((narrow_bits << 1) >> 24 == 0xFF) narrow_bits = UINT32_MAX;
    bool same_wide = CHECK_EQ(f64_of(text), wide_bits);
    bool same_narrow = CHECK_EQ(f32_of(text), narrow_bits);
    if (!same_wide || !same_narrow) printf("  of %s\n", text);
}

TEST(floats_decimal_at_random) {
    for (int i = 0; i < 20000; i++) {
        char text[80];
        uint64_t digits = random_u64() >> (random_u64() % 60);
        int exponent = (int)(random_u64() % 700) - 360;
        snprintf(text, sizeof text, "%s%" PRIu64 ".%06" PRIu64 "e%d", i & 1 ? "-" : "", digits,
                 random_u64() % 1000000, exponent);
        check_against_library(text);
    }
}

TEST(floats_near_each_other_at_random) {
    for (int i = 0; i < 20000; i++) {
        char text[80];
        uint32_t bits = (uint32_t)random_u64();
        float value;
        memcpy(&value, &bits, 4);
        if (((bits >> 23) & 0xFF) == 0xFF) continue;
        snprintf(text, sizeof text, "%.*e", (int)(random_u64() % 30), (double)value);
        check_against_library(text);
        snprintf(text, sizeof text, "%a",
                 (double)value * (1.0 + (double)(random_u64() >> 11) * 0x1p-54));
        check_against_library(text);
    }
}

TEST(printed_floats_read_back) {
    char text[NUMBER_TEXT_MAX + 1];
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = random_u64(), again = 0;
        if (i % 3 == 0) bits &= 0x800FFFFFFFFFFFFF >> (random_u64() % 52); /* subnormal */
        if (i % 5 == 0) bits |= 0x7FF0000000000000;                        /* infinite or NaN */
        size_t size = mote__format_f64(bits, text);
        CHECK_EQ(size, strlen(text));
        CHECK(mote__parse_f64(span_of(text), &again));
        CHECK_EQ(again, bits);
        uint32_t narrow = (uint32_t)random_u64(), narrow_again = 0;
        if (i % 3 == 0) narrow &= 0x807FFFFF;
        if (i % 5 == 0) narrow |= 0x7F800000;
        mote__format_f32(narrow, text);
        CHECK(mote__parse_f32(span_of(text), &narrow_again));
        CHECK_EQ(narrow_again, narrow);
    }
}
