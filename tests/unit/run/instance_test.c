/* instance_test.c - instantiation through the public API: imports of every kind, what does not match, segments, start, failures, limits. */
#include "world.h"

static mote_status take_i32(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)caller, (void)results;
    *(uint32_t *)env = args[0].of.i32;
    return MOTE_OK;
}

TEST(call) {
    struct world w;
    world_open(&w);
    mote_instance inst = world_instance(&w, "(module (func (export \"add\") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))");
    CHECK_EQ(world_call_i32(&w, inst, "add", 2, 40, 2), 42);
    world_close(&w);
}

TEST(host_function) {
    struct world w;
    uint32_t got = 0;
    world_open(&w);
    world_define(&w, "env", "take", "i:", take_i32, &got);
    mote_instance inst = world_instance(&w, "(module (import \"env\" \"take\" (func $take (param i32))) (memory 1) (data (i32.const 8) \"\\2a\")"
                                            "  (table 2 funcref) (elem (i32.const 1) $f) (func $f (export \"f\") (result i32) i32.const 7)"
                                            "  (func (export \"run\") (result i32) (call $take (i32.load (i32.const 8)))"
                                            "    (call_indirect (result i32) (i32.const 1))))");
    CHECK_EQ(world_call_i32(&w, inst, "run", 0), 7);
    CHECK_EQ(got, 42);
    world_close(&w);
}
