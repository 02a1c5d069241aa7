/* utf8_test.c - every scalar value there and back, every malformed two-byte beginning, edges in
 * three and four bytes. */
#include "test.h"
#include "base/utf8.h"

static bool valid(const char *text) {
    return mote__utf8_valid((const uint8_t *)text, strlen(text));
}

TEST(every_code_point_there_and_back) {
    for (uint32_t code_point = 0; code_point < 0x110100; code_point++) {
        uint8_t bytes[4];
        unsigned length = mote__utf8_encode(code_point, bytes);
        bool is_scalar = code_point < 0xd800 || (code_point > 0xdfff && code_point < 0x110000);
        REQUIRE((length != 0) == is_scalar);
        if (!length) continue;
        uint32_t decoded = ~0u;
        REQUIRE(mote__utf8_decode(bytes, length, &decoded) == length && decoded == code_point);
        REQUIRE(mote__utf8_valid(bytes, length));
        REQUIRE(!mote__utf8_decode(bytes, length - 1, &decoded));
        REQUIRE(length == 1 || !mote__utf8_valid(bytes, length - 1));
        REQUIRE(length == 1 || !mote__utf8_valid(bytes + 1, length - 1));
    }
    uint8_t bytes[4];
    CHECK_EQ(mote__utf8_encode(UINT32_MAX, bytes), 0);
}

TEST(two_bytes_are_valid_when_they_are_two_of_one_or_one_of_two) {
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            uint8_t bytes[2] = {(uint8_t)first, (uint8_t)second};
            bool expected = (first < 0x80 && second < 0x80) ||
                            (first >= 0xc2 && first < 0xe0 && second >> 6 == 2);
            REQUIRE(mote__utf8_valid(bytes, 2) == expected);
        }
    }
}

TEST(edges_of_three_and_four_bytes) {
    static const char *const good[] = {
        "\xe0\xa0\x80", "\xed\x9f\xbf",     "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
    };
    static const char *const bad[] = {
        "\xe0\x9f\xbf",
        "\xe0\x80\x80",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xff",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xe2\x28\xa1",
        "\xf0\x9f\x28\xbf",
        "\xc0\xaf",
        "\x80",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK(valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!valid(bad[i]));
}

/* A bad byte, or a good sequence, at every place of a text longer than a step of the fast path. */
TEST(the_fast_path_misses_nothing) {
    uint8_t text[70];
    for (size_t at = 0; at + 2 <= sizeof text; at++) {
        memset(text, 'a', sizeof text);
        CHECK(mote__utf8_valid(text, sizeof text));
        text[at] = 0x80;
        CHECK(!mote__utf8_valid(text, sizeof text));
        memcpy(text + at, "\xc3\xa9", 2);
        CHECK(mote__utf8_valid(text, sizeof text));
        CHECK(!mote__utf8_valid(text, at + 1));
    }
}

TEST(no_bytes) {
    uint32_t code_point;
    CHECK(mote__utf8_valid(NULL, 0));
    CHECK_EQ(mote__utf8_decode(NULL, 0, &code_point), 0);
    CHECK_EQ(mote__utf8_decode((const uint8_t *)"", 1, &code_point), 1);
    CHECK_EQ(code_point, 0);
}
