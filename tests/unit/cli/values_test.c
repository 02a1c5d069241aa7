/* values_test.c - values as they are written on a command line, and printed. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "values.c"

/* Parses `text` as a value of `kind` and prints it again; "?" when it is none. Good until the next call. */
static const char *again(uint8_t kind, const char *text) {
    static char out[64];
    mote_value value;
    if (!value_parse(text, MOTE_VALTYPE(kind), &value)) return "?";
    memset(out, 0, sizeof out);
    FILE *file = fmemopen(out, sizeof out - 1, "w");
    if (!file) return "no memory";
    value_print(file, NULL, &value);
    fclose(file);
    return out;
}

TEST(integers) {
    CHECK_STR(again(MOTE_I32, "0"), "0");
    CHECK_STR(again(MOTE_I32, "-2147483648"), "-2147483648");
    CHECK_STR(again(MOTE_I32, "-2147483649"), "?");
    CHECK_STR(again(MOTE_I32, "4294967295"), "-1");
    CHECK_STR(again(MOTE_I32, "4294967296"), "?");
    CHECK_STR(again(MOTE_I32, "0x7fffffff"), "2147483647");
    CHECK_STR(again(MOTE_I32, "+5"), "5");
    CHECK_STR(again(MOTE_I32, "010"), "10");
    CHECK_STR(again(MOTE_I32, "1.0"), "?");
    CHECK_STR(again(MOTE_I32, ""), "?");
    CHECK_STR(again(MOTE_I32, "- 5"), "?");
    CHECK_STR(again(MOTE_I64, "18446744073709551615"), "-1");
    CHECK_STR(again(MOTE_I64, "18446744073709551616"), "?");
    CHECK_STR(again(MOTE_I64, "-9223372036854775808"), "-9223372036854775808");
    CHECK_STR(again(MOTE_I64, "-9223372036854775809"), "?");
}

TEST(floats_print_the_fewest_digits) {
    CHECK_STR(again(MOTE_F64, "0.1"), "0.1");
    CHECK_STR(again(MOTE_F64, "0.30000000000000004"), "0.30000000000000004");
    CHECK_STR(again(MOTE_F64, "1e300"), "1e+300");
    CHECK_STR(again(MOTE_F64, "5e-324"), "5e-324");
    CHECK_STR(again(MOTE_F64, "-0"), "-0");
    CHECK_STR(again(MOTE_F64, "100"), "100");
    CHECK_STR(again(MOTE_F64, "0x1.8p1"), "3");
    CHECK_STR(again(MOTE_F64, "inf"), "inf");
    CHECK_STR(again(MOTE_F64, "-inf"), "-inf");
    CHECK_STR(again(MOTE_F64, "1x"), "?");
    CHECK_STR(again(MOTE_F64, ""), "?");
    CHECK_STR(again(MOTE_F32, "0.1"), "0.1");
    CHECK_STR(again(MOTE_F32, "16777217"), "16777216");
    CHECK_STR(again(MOTE_F32, "3.4028235e38"), "3.4028235e+38");
}

TEST(nans) {
    CHECK_STR(again(MOTE_F64, "nan"), "nan");
    CHECK_STR(again(MOTE_F64, "-nan"), "-nan");
    mote_value value = {.kind = MOTE_F32, .of.i32 = 0x7fa00001};
    char out[32] = {0};
    FILE *file = fmemopen(out, sizeof out - 1, "w");
    REQUIRE(file);
    value_print(file, NULL, &value);
    fclose(file);
    CHECK_STR(out, "nan:0x200001");
}

TEST(vectors) {
    CHECK_STR(again(MOTE_V128, "0x1"), "0x00000000000000000000000000000001");
    CHECK_STR(again(MOTE_V128, "0x0123456789abcdefFEDCBA9876543210"), "0x0123456789abcdeffedcba9876543210");
    CHECK_STR(again(MOTE_V128, "0x00123456789abcdefFEDCBA9876543210"), "?");
    CHECK_STR(again(MOTE_V128, "0x"), "?");
    CHECK_STR(again(MOTE_V128, "12"), "?");
    CHECK_STR(again(MOTE_V128, "0x1g"), "?");
    mote_value value;
    CHECK(value_parse("0x0201", MOTE_VALTYPE(MOTE_V128), &value));
    CHECK_EQ(value.of.v128[0], 1);
    CHECK_EQ(value.of.v128[1], 2);
}

TEST(references_are_null_only) {
    mote_value value;
    CHECK(value_parse("null", MOTE_VALTYPE_REF(MOTE_HEAP_FUNC), &value));
    CHECK_EQ(value.kind, MOTE_FUNCREF);
    CHECK(value_parse("null", MOTE_VALTYPE_REF(MOTE_HEAP_NOEXTERN), &value));
    CHECK_EQ(value.kind, MOTE_EXTERNREF);
    CHECK(value_parse("null", MOTE_VALTYPE_REF(MOTE_HEAP_I31), &value));
    CHECK_EQ(value.kind, MOTE_ANYREF);
    CHECK(value_parse("null", MOTE_VALTYPE_REF(MOTE_HEAP_EXN), &value));
    CHECK_EQ(value.kind, MOTE_EXNREF);
    CHECK(!value_parse("1", MOTE_VALTYPE_REF(MOTE_HEAP_EXTERN), &value));
    mote_valtype not_null = {.kind = MOTE_REF, .heap = MOTE_HEAP_FUNC};
    CHECK(!value_parse("null", not_null, &value));
}
