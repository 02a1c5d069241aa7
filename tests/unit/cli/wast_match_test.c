/* wast_match_test.c - what a script expects against what came out: patterns of numbers and vectors, beginnings of messages. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "values.c"
#include "wast_match.c"

bool verdict_fail(struct verdict *v, const char *format, ...) {
    snprintf(v->text, sizeof v->text, "%s", format);
    return false;
}

static struct verdict verdict;

static bool matches(struct wast_value expected, mote_value got) {
    return wast_results_match(NULL, &expected, 1, &got, 1, &verdict);
}

static mote_value f32_bits(uint32_t bits) { return (mote_value){.kind = MOTE_F32, .of.i32 = bits}; }
static mote_value f64_bits(uint64_t bits) { return (mote_value){.kind = MOTE_F64, .of.i64 = bits}; }

TEST(numbers_are_compared_by_bits) {
    struct wast_value zero = {.kind = WAST_F32, .number = 0};
    CHECK(matches(zero, f32_bits(0)));
    CHECK(!matches(zero, f32_bits(0x80000000)));
    CHECK_STR(verdict.text, "expected f32 0x0, got f32 0x80000000");
    CHECK(!matches(zero, MOTE_VALUE_I32(0)));
    CHECK(!matches((struct wast_value){.kind = WAST_I64, .number = 5}, MOTE_VALUE_I32(5)));
    CHECK(matches((struct wast_value){.kind = WAST_I64, .number = 5}, MOTE_VALUE_I64(5)));
}

TEST(nan_patterns) {
    struct wast_value canonical = {.kind = WAST_F32, .nan = {WAST_NAN_CANONICAL}};
    struct wast_value arithmetic = {.kind = WAST_F64, .nan = {WAST_NAN_ARITHMETIC}};
    CHECK(matches(canonical, f32_bits(0x7fc00000)));
    CHECK(matches(canonical, f32_bits(0xffc00000)));
    CHECK(!matches(canonical, f32_bits(0x7fc00001)));
    CHECK(!matches(canonical, f32_bits(0x7fa00000)));
    CHECK(!matches(canonical, f32_bits(0x7f800000)));
    CHECK_STR(verdict.text, "expected f32 nan:canonical, got f32 0x7f800000");
    CHECK(matches(arithmetic, f64_bits(0x7ff8000000000001)));
    CHECK(matches(arithmetic, f64_bits(0xfff8000000000000)));
    CHECK(!matches(arithmetic, f64_bits(0x7ff4000000000000)));
    CHECK(!matches(arithmetic, f64_bits(0x7ff0000000000000)));
}

TEST(lanes) {
    struct wast_value expected = {.kind = WAST_V128, .lane_count = 4, .lane_bits = 32, .lanes_are_floats = true};
    mote_value got = {.kind = MOTE_V128};
    CHECK(matches(expected, got));
    got.of.v128[7] = 0x7f, got.of.v128[6] = 0xc0;
    CHECK(!matches(expected, got));
    expected.nan[1] = WAST_NAN_CANONICAL;
    CHECK(matches(expected, got));
    got.of.v128[4] = 1;
    CHECK(!matches(expected, got));
    expected.nan[1] = WAST_NAN_ARITHMETIC;
    CHECK(matches(expected, got));
}

TEST(either_and_counts) {
    struct wast_value choices[] = {{.kind = WAST_I32, .number = 1}, {.kind = WAST_I32, .number = 2}};
    struct wast_value either = {.kind = WAST_EITHER, .choices = choices, .choice_count = 2};
    CHECK(matches(either, MOTE_VALUE_I32(2)));
    CHECK(!matches(either, MOTE_VALUE_I32(3)));
    CHECK_STR(verdict.text, "expected either i32 0x1 or i32 0x2, got i32 0x3");
    CHECK(wast_results_match(NULL, NULL, 0, NULL, 0, &verdict));
    CHECK(!wast_results_match(NULL, choices, 1, NULL, 0, &verdict));
    CHECK_STR(verdict.text, "expected i32 0x1, got nothing");
}

TEST(null_functions) {
    struct wast_value null = {.kind = WAST_REF_NULL, .heap = 0x70}, any = {.kind = WAST_REF_NULL}, func = {.kind = WAST_REF_KIND, .heap = 0x70};
    mote_value value = {.kind = MOTE_FUNCREF};
    CHECK(matches(null, value));
    CHECK(matches(any, value));
    CHECK(!matches(func, value));
    null.heap = 0x6f;
    CHECK(!matches(null, value));
}

static bool message(const char *expected, const char *got) {
    return wast_message_matches((struct span){(const uint8_t *)expected, strlen(expected)}, got);
}

TEST(messages_begin_as_expected) {
    CHECK(message("type mismatch", "type mismatch: expected i32, got i64"));
    CHECK(message("", "anything"));
    CHECK(!message("type mismatch", "type"));
    CHECK(!message("unknown type", "type mismatch"));
}
