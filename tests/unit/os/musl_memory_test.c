/* musl_memory_test.c - the copying and filling that the static mote brings along, against bytes moved one by one. */
#define memcpy  own_memcpy
#define memmove own_memmove
#define memset  own_memset
#include "os/musl_memory.c"
#undef memcpy
#undef memmove
#undef memset
#include "../test.h"

enum { AREA = 9000 };
static unsigned char area[AREA], expected[AREA], before[AREA];

static void begin_areas(void) {
    for (size_t i = 0; i < AREA; i++) area[i] = before[i] = expected[i] = (unsigned char)(i * 7 + (i >> 8) * 13 + 1);
}

static bool areas_equal(void) {
    for (size_t i = 0; i < AREA; i++)
        if (area[i] != expected[i]) return false;
    return true;
}

static bool moves(size_t to, size_t from, size_t n) {
    begin_areas();
    for (size_t i = 0; i < n; i++) expected[to + i] = before[from + i];
    return own_memmove(area + to, area + from, n) == area + to && areas_equal();
}

static bool fills(size_t to, int value, size_t n) {
    begin_areas();
    for (size_t i = 0; i < n; i++) expected[to + i] = (unsigned char)value;
    return own_memset(area + to, value, n) == area + to && areas_equal();
}

static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 66, 127, 128, 129, 191, 192, 200, 2047, 2048, 2049, 4095, 4096, 4100};
enum { SIZES = sizeof sizes / sizeof *sizes };

TEST(every_distance_between_overlapping_areas) {
    static const size_t distances[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128, 129, 2047, 2048, 2049, 4200};
    for (size_t s = 0; s < SIZES; s++)
        for (size_t d = 0; d < sizeof distances / sizeof *distances; d++)
            for (size_t at = 5; at < 9; at++) {
                CHECK(moves(at, at + distances[d], sizes[s]));
                CHECK(moves(at + distances[d], at, sizes[s]));
            }
}

TEST(every_small_size) {
    for (size_t n = 0; n < 300; n++) {
        CHECK(moves(100, 5000 + n % 16, n));
        CHECK(moves(100, 90, n));
        CHECK(moves(90, 100, n));
        CHECK(fills(33 + n % 16, (int)n, n));
    }
}

TEST(copies_between_separate_areas) {
    for (size_t s = 0; s < SIZES; s++) {
        begin_areas();
        for (size_t i = 0; i < sizes[s]; i++) expected[3 + i] = before[4500 + i];
        CHECK(own_memcpy(area + 3, area + 4500, sizes[s]) == area + 3);
        CHECK(areas_equal());
    }
}

TEST(fills_take_the_low_byte) {
    for (size_t s = 0; s < SIZES; s++) CHECK(fills(11, 0x1A5, sizes[s]));
}
