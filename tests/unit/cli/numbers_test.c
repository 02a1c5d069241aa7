/* numbers_test.c - counts, sizes, durations and nearest names of the command line. */
#include "test.h"
#include "numbers.c"

static uint64_t count(const char *text) {
    uint64_t out;
    return parse_count(text, &out) ? out : UINT64_MAX;
}

static uint64_t size(const char *text) {
    uint64_t out;
    return parse_size(text, &out) ? out : UINT64_MAX;
}

static uint64_t duration(const char *text) {
    uint64_t out;
    return parse_duration(text, &out) ? out : UINT64_MAX;
}

TEST(counts) {
    CHECK_EQ(count("0"), 0);
    CHECK_EQ(count("1_000_000"), 1000000);
    CHECK_EQ(count("18446744073709551614"), UINT64_MAX - 1);
    uint64_t out;
    CHECK(!parse_count("18446744073709551616", &out));
    CHECK(!parse_count("", &out));
    CHECK(!parse_count("-1", &out));
    CHECK(!parse_count("12x", &out));
    CHECK(!parse_count("1_", &out));
    CHECK(!parse_count("_1", &out));
}

TEST(sizes) {
    CHECK_EQ(size("65536"), 65536);
    CHECK_EQ(size("64KiB"), 65536);
    CHECK_EQ(size("64K"), 65536);
    CHECK_EQ(size("1.5MiB"), 1536 * 1024);
    CHECK_EQ(size("2GB"), 2000000000);
    CHECK_EQ(size("4GiB"), (uint64_t)4 << 30);
    CHECK_EQ(size("5 MiB"), UINT64_MAX);
    CHECK_EQ(size("5mib"), UINT64_MAX);
    CHECK_EQ(size("99999999999999999GiB"), UINT64_MAX);
}

TEST(durations) {
    CHECK_EQ(duration("2"), 2000000000);
    CHECK_EQ(duration("2s"), 2000000000);
    CHECK_EQ(duration("500ms"), 500000000);
    CHECK_EQ(duration("0.25s"), 250000000);
    CHECK_EQ(duration("1.5us"), 1500);
    CHECK_EQ(duration("7ns"), 7);
    CHECK_EQ(duration("1h"), 3600000000000);
    CHECK_EQ(duration("1d"), UINT64_MAX);
    CHECK_EQ(duration("s"), UINT64_MAX);
    CHECK_EQ(duration(".5s"), UINT64_MAX);
}

TEST(nearest) {
    const char *const names[] = {"run", "validate", NULL, "convert", "wast"};
    CHECK_STR(nearest_name("ru", names, 5), "run");
    CHECK_STR(nearest_name("vaildate", names, 5), "validate");
    CHECK_STR(nearest_name("wast", names, 5), "wast");
    CHECK_STR(nearest_name("explode", names, 5), NULL);
    CHECK_STR(nearest_name("", names, 5), NULL);
    CHECK_STR(nearest_name("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", names, 5), NULL);
}
