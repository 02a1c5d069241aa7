/* op_test.c - the tables of op.c: every row is found, nothing else is, features close. */
#include "test.h"
#include "wasm/op.h"

TEST(lookup_finds_every_row) {
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature)                                \
    CHECK_EQ(mote__op_lookup(prefix, code), OP_##ident);
#include "wasm/ops.def"
#undef OP
    CHECK_EQ(mote__op_lookup(0xFD, 0x11F), OP_INVALID);
    CHECK_EQ(mote__op_lookup(0xFC, 0x12), OP_INVALID);
    CHECK_EQ(mote__op_lookup(0xFC, UINT32_MAX), OP_INVALID);
    CHECK_EQ(mote__op_lookup(0xFA, 0), OP_INVALID);
    CHECK_EQ(mote__op_lookup(0xFF, 0), OP_INVALID);
}

TEST(plain_bytes) {
    for (unsigned byte = 0; byte < 256; byte++)
        CHECK_EQ(mote__op_of_byte[byte], mote__op_lookup(0, byte));
    CHECK_EQ(mote__op_of_byte[0x6A], OP_i32_add);
    CHECK_EQ(mote__op_of_byte[0xFC], OP_INVALID);
    CHECK_EQ(mote__op_of_byte[0x27], OP_INVALID);
}

TEST(info) {
    CHECK_STR(mote__op_text(&mote__op_info[OP_i64_load16_s]), "i64.load16_s");
    CHECK_STR(mote__op_info[OP_i64_load16_s].sig, "_I");
    CHECK_EQ(mote__op_info[OP_i64_load16_s].mem_bytes, 2);
    CHECK_EQ(mote__op_info[OP_i64_load16_s].kind, KIND_LOAD);
    CHECK_EQ(mote__op_info[OP_i64_load16_s].imm, IMM_MEMARG);
    CHECK_EQ(mote__op_info[OP_i64_mul_wide_u].feature, FEATURE_wide_arithmetic);
}

TEST(features) {
    CHECK_EQ(mote__feature_find("gc", 2), FEATURE_gc);
    CHECK_EQ(mote__feature_find("gcx", 2), FEATURE_gc);
    CHECK_EQ(mote__feature_find("g", 1), (uint64_t)-1);
    CHECK_EQ(mote__feature_find("", 0), (uint64_t)-1);
    CHECK_STR(mote__feature_name(FEATURE_tail_call), "tail-call");
    CHECK_EQ(mote__features_close(0), 0);
    CHECK_EQ(mote__features_close(FEATURES_gc), FEATURES_gc | FEATURES_function_references |
                                                    FEATURES_reference_types | FEATURES_bulk_memory);
    CHECK_EQ(mote__features_default() & FEATURES_wide_arithmetic, 0);
    CHECK_EQ(mote__features_default() & FEATURES_gc, FEATURES_gc);
    CHECK_EQ(mote__features_close(mote__features_default()), mote__features_default());
    CHECK_EQ(mote__features_without(FEATURES_simd | FEATURES_relaxed_simd | FEATURES_gc, FEATURES_simd), FEATURES_gc);
    CHECK_EQ(mote__features_without(mote__features_close(FEATURES_gc) | FEATURES_exceptions, FEATURES_bulk_memory), 0);
    CHECK_EQ(mote__features_without(mote__features_default(), 0), mote__features_default());
}
