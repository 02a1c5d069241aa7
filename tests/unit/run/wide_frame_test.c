/* wide_frame_test.c - functions whose locals and operands lie beyond what 16 bits of a slot's number reach: each body runs in a small frame and in
 * one of 40,000 locals more, and must compute the same. Collection strikes at every allocation in the hostile build. */
#include "world.h"

enum { WIDE_LOCALS = 40000 };

static const char declarations[] =
    "(type $node (struct (field $next (mut (ref null $node))) (field $value (mut i32))))"
    "(type $refs (array (mut (ref null $node)))) (type $eight (func (param i32 i64 i32 i64 i32 i64 i32 i64) (result i32)))"
    "(memory 1) (data $d \"\\01\\02\\03\\04\") (table $t 10 funcref) (elem (table $t) (i32.const 3) func $sum)"
    "(tag $e (param i32 i64)) (global $g (mut i64) (i64.const 9))"
    "(func $sum (type $eight) (i32.add (i32.add (local.get 0) (i32.mul (i32.const 3) (local.get 2))) (i32.add (i32.mul (i32.const 5) (local.get 4))"
    " (i32.wrap_i64 (i64.add (local.get 1) (i64.mul (local.get 7) (i64.const 7)))))))"
    "(func $two (result i32 i64) (i32.const 4) (i64.const 5))"
    "(func $node (param i32) (result (ref $node)) (struct.new $node (ref.null $node) (local.get 0)))"
    "(func $throw (throw $e (i32.const 6) (i64.const 7)))";

static const char locals[] = "(local $a i32) (local $b i64) (local $c f32) (local $d f64) (local $v v128) (local $r (ref null $node)) (local $s (ref null $refs))"
                             "(local.set $a (i32.const 21)) (local.set $b (i64.const -3)) (local.set $c (f32.const 1.5)) (local.set $d (f64.const 2.5))"
                             "(local.set $v (v128.const i32x4 1 2 3 4)) (local.set $r (call $node (i32.const 8)))"
                             "(local.set $s (array.new $refs (call $node (i32.const 9)) (i32.const 20)))";

static const char *const bodies[] = {
    "(i32.sub (i32.const 100) (local.get $a))",
    "(i32.wrap_i64 (i64.sub (i64.const 0x123456789) (i64.mul (local.get $b) (i64.const 0x100000001))))",
    "(i32.trunc_f64_s (f64.mul (local.get $d) (f64.promote_f32 (f32.add (local.get $c) (f32.const 4)))))",
    "(local.get $a) (local.set $a (i32.const 5)) (i32.mul (local.get $a))",
    "(local.get $a) (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.shl (i32.const 8)) (i32.or)",
    "(i32x4.extract_lane 2 (i32x4.add (local.get $v) (i32x4.splat (local.get $a))))",
    "(i32x4.extract_lane 1 (v128.bitselect (local.get $v) (v128.const i32x4 9 9 9 9) (v128.const i32x4 5 6 7 8)))",
    "(i8x16.extract_lane_u 3 (i8x16.shuffle 0 4 8 12 1 5 9 13 2 6 10 14 3 7 11 15 (local.get $v) (local.get $v)))",
    "(select (i32.const 1) (local.get $a) (i64.lt_s (local.get $b) (i64.const 0)))",
    "(select (result v128) (local.get $v) (v128.const i32x4 9 9 9 9) (i32.const 0)) (i32x4.extract_lane 0)",
    "(i32.store (i32.const 8) (local.get $a)) (i64.store (local.get $a) (i64.const -2)) (i32.add (i32.load (i32.const 8)) (i32.load16_u (local.get $a)))",
    "(v128.store (local.get $a) (local.get $v)) (i32x4.extract_lane 3 (v128.load32_lane 3 (local.get $a) (local.get $v)))",
    "(v128.store (i32.const 96) (i32x4.add (local.get $v) (local.get $v))) (v128.store (i32.add (local.get $a) (i32.const 91)) (i32x4.mul (local.get $v) (local.get $v)))"
    "(local.set $v (i32x4.sub (v128.load (i32.const 96)) (v128.load (i32.const 112)))) (i32x4.extract_lane 3 (i32x4.mul (local.get $v) (local.get $v)))",
    "(memory.fill (i32.const 50) (i32.const 7) (i32.const 9)) (memory.copy (i32.const 70) (i32.const 52) (i32.const 4))"
    "(memory.init $d (i32.const 72) (i32.const 1) (i32.const 2)) (i32.load (i32.const 70))",
    "(i32.add (memory.grow (i32.const 1)) (memory.size))",
    "(global.set $g (i64.add (global.get $g) (local.get $b))) (i32.wrap_i64 (global.get $g))",
    "(call $sum (i32.const 1) (i64.const 2) (i32.const 3) (i64.const 4) (i32.const 5) (i64.const 6) (i32.const 7) (i64.const 8))",
    "(call_indirect $t (type $eight) (i32.const 1) (i64.const 2) (i32.const 3) (i64.const 4) (i32.const 5) (i64.const 6) (i32.const 7) (i64.const 8)"
    " (i32.sub (local.get $a) (i32.const 18)))",
    "(call_ref $eight (local.get $a) (local.get $b) (i32.const 3) (i64.const 4) (i32.const 5) (local.get $b) (i32.const 7) (local.get $b)"
    " (ref.cast (ref $eight) (table.get $t (i32.const 3))))",
    "(return_call $sum (local.get $a) (local.get $b) (i32.const 3) (i64.const 4) (i32.const 5) (i64.const 6) (i32.const 7) (i64.const 8))",
    "(call $two) (i32.wrap_i64) (i32.mul)",
    "(table.fill $t (i32.const 5) (table.get $t (i32.const 3)) (i32.const 2)) (table.copy $t $t (i32.const 0) (i32.const 5) (i32.const 2))"
    "(i32.add (ref.is_null (table.get $t (i32.const 1))) (table.grow $t (ref.null func) (i32.const 3)))",
    "(struct.get $node $value (local.get $r))",
    "(struct.set $node $next (local.get $r) (call $node (i32.const 33))) (struct.get $node $value (struct.get $node $next (local.get $r)))",
    "(struct.get $node $value (array.get $refs (local.get $s) (i32.const 19)))",
    "(array.set $refs (local.get $s) (i32.const 3) (local.get $r)) (array.copy $refs $refs (local.get $s) (i32.const 4) (local.get $s) (i32.const 2) (i32.const 5))"
    "(struct.get $node $value (array.get $refs (local.get $s) (i32.const 5)))",
    "(array.fill $refs (local.get $s) (i32.const 2) (call $node (i32.const 44)) (i32.const 3)) (struct.get $node $value (array.get $refs (local.get $s) (i32.const 4)))",
    "(array.get $refs (array.new_fixed $refs 3 (local.get $r) (call $node (i32.const 55)) (call $node (i32.const 66))) (i32.const 1)) (struct.get $node $value)",
    "(block $h (result i32 i64) (try_table (catch $e $h) (call $throw)) (unreachable)) (i32.wrap_i64) (i32.mul)",
    "(block $h (result exnref) (try_table (catch_all_ref $h) (call $throw)) (unreachable)) (ref.is_null)",
    "(block $b (result i32 i64) (i32.const 1) (i64.const 2) (br_if $b (i64.eq (local.get $b) (i64.const -3))) (unreachable)) (drop)",
    "(block $b (result i32 i64) (block $c (result i32 i64) (br_table $c $b (local.get $a) (local.get $b) (i32.const 1))) (unreachable)) (drop)",
    "(loop $l (result i32) (local.tee $a (i32.sub (local.get $a) (i32.const 1))) (br_if $l (i32.gt_s (local.get $a) (i32.const 4))))",
    "(if (result i32) (f64.gt (local.get $d) (f64.const nan)) (then (i32.const 1)) (else (i32.const 2)))",
    "(block $n (result (ref $node)) (br_on_non_null $n (local.get $r)) (unreachable)) (struct.get $node $value)",
    "(i32.add (ref.test (ref $node) (local.get $r)) (i31.get_s (ref.i31 (local.get $a))))",
    "(i32.atomic.rmw.cmpxchg (i32.const 16) (i32.const 0) (local.get $a)) (i32.add (i32.atomic.load (i32.const 16)))",
    "(i64.add128 (i64.const -1) (i64.const 5) (i64.const 2) (i64.const 6)) (i64.shl (i64.const 8)) (i64.or) (i32.wrap_i64)",
    "(i64.mul_wide_s (local.get $b) (i64.const 7)) (i64.xor) (i32.wrap_i64)",
};

/* What the body computes under `wide_locals` locals more. */
static uint32_t run(const char *body, unsigned wide_locals) {
    mote_config config;
    mote_config_init(&config);
    config.features |= mote_feature_find("wide-arithmetic");
    struct world w;
    world_open_with(&w, &config, NULL);
    size_t size = sizeof declarations + sizeof locals + strlen(body) + wide_locals * strlen(" i64") + 100;
    char *text = malloc(size);
    if (!text) abort();
    char *at = text + snprintf(text, size, "(module %s (func (export \"run\") (result i32) (local", declarations);
    for (unsigned i = 0; i < wide_locals; i++) at += snprintf(at, 5, " i64");
    snprintf(at, size - (size_t)(at - text), ") %s %s))", locals, body);
    mote_instance instance = world_instance(&w, text);
    uint32_t result = world_call_i32(&w, instance, "run", 0);
    if (!CHECK(result < UINT32_MAX - MOTE_STATUS_COUNT || result == UINT32_MAX)) printf("  %s: %s\n", body, w.error.message);
    free(text);
    world_close(&w);
    return result;
}

TEST(wide_frames_compute_what_small_ones_do) {
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (!CHECK_EQ(run(bodies[i], WIDE_LOCALS), run(bodies[i], 0))) printf("  %s\n", bodies[i]);
}
