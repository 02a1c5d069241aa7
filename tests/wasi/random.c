/* random.c - random_get: every byte is written, none behind, no two answers alike. */
#include "wasi_test.h"

TEST(two_answers_differ) {
    uint8_t a[32] = {0}, b[32] = {0};
    MUST(__wasi_random_get(a, sizeof a));
    MUST(__wasi_random_get(b, sizeof b));
    CHECK(memcmp(a, b, sizeof a) != 0);
}

TEST(nothing_is_nothing) {
    uint8_t byte = 7;
    MUST(__wasi_random_get(&byte, 0));
    CHECK_EQ(byte, 7);
}

TEST(stays_within) {
    static uint8_t bytes[70];
    memset(bytes, 0x55, sizeof bytes);
    for (int i = 0; i < 8; i++) MUST(__wasi_random_get(bytes + 3, 64));
    CHECK(bytes[2] == 0x55 && bytes[67] == 0x55);
}

/* A megabyte: the 256 counts are all near 4096 (the bound is eight standard deviations). */
TEST(large_and_even) {
    enum { SIZE = 1 << 20 };
    static uint8_t bytes[SIZE];
    static unsigned counts[256];
    MUST(__wasi_random_get(bytes, SIZE));
    for (int i = 0; i < SIZE; i++) counts[bytes[i]]++;
    for (int i = 0; i < 256; i++)
        if (!CHECK(counts[i] > 4096 - 512 && counts[i] < 4096 + 512)) return;
}
