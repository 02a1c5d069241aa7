/* host_test.c - host functions through the public API: typed and raw, what they may ask and how they fail, calls back and forth, exceptions across,
 * handles that end with the call, imports that nobody defined. */
#include "world.h"

static mote_status sum(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller;
    results[0].of.i64 = args[0].of.i32 + args[1].of.i64;
    results[1].of.f64 = (double)args[2].of.f32 * args[3].of.f64;
    return MOTE_OK;
}

static mote_status raw_sum(void *env, mote_caller *caller, uint64_t *slots) {
    (void)env, (void)caller;
    slots[0] = (uint32_t)slots[0] + slots[1];
    return MOTE_OK;
}

TEST(typed_and_raw) {
    struct world w;
    world_open(&w);
    world_define(&w, "env", "sum", "iIfF:IF", sum, NULL);
    const mote_type *type = world_type(&w, "iI:I");
    CHECK_EQ(mote_linker_define_raw(w.linker, "env", "raw", type, raw_sum, NULL, &w.error), MOTE_OK);
    mote_instance inst = world_instance(
        &w, "(module (import \"env\" \"sum\" (func $sum (param i32 i64 f32 f64) (result i64 f64))) (import \"env\" \"raw\" (func $raw (param i32 i64) (result i64)))"
            " (func (export \"typed\") (result i32) (call $sum (i32.const -1) (i64.const 3) (f32.const 2) (f64.const 0.5)) (f64.eq (f64.const 1))"
            "   (i64.extend_i32_u) (i64.add) (i32.wrap_i64))"
            " (func (export \"raw\") (result i32) (i32.wrap_i64 (i64.sub (call $raw (i32.const -1) (i64.const 3)) (i64.const 0x100000000)))))");
    CHECK_EQ(world_call_i32(&w, inst, "typed", 0), 3);
    CHECK_EQ(world_call_i32(&w, inst, "raw", 0), 2);
    mote_func direct;
    mote_value args[2] = {MOTE_VALUE_I32(4), MOTE_VALUE_I64(5)}, result;
    REQUIRE(mote_func_new_raw(w.store, type, raw_sum, NULL, NULL, &direct, &w.error) == MOTE_OK);
    CHECK_EQ(mote_call(w.store, direct, args, 2, &result, 1, &w.error), MOTE_OK);
    CHECK_EQ(result.of.i64, 9);
    uint64_t slots[2] = {6, 7};
    CHECK_EQ(mote_call_raw(w.store, direct, slots, &w.error), MOTE_OK);
    CHECK_EQ(slots[0], 13);
    CHECK(mote_func_type(direct) == type);
    mote_type_delete(type);
    world_close(&w);
}

/* More values than fit into the arrays at hand. */
static mote_status reverse(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)caller;
    int count = *(int *)env;
    for (int i = 0; i < count; i++) results[i] = args[count - 1 - i];
    return MOTE_OK;
}

TEST(many_values) {
    enum { COUNT = 100 };
    struct world w;
    mote_valtype types[COUNT];
    mote_value args[COUNT], results[COUNT];
    const mote_type *type;
    mote_func func;
    int count = COUNT;
    world_open(&w);
    for (int i = 0; i < COUNT; i++) types[i] = MOTE_VALTYPE(i % 2 ? MOTE_I32 : MOTE_V128);
    for (int i = 0; i < COUNT; i++) args[i] = (mote_value){.kind = (uint8_t)(i % 2 ? MOTE_I32 : MOTE_V128), .of.v128 = {(uint8_t)i}};
    mote_valtype swapped[COUNT];
    for (int i = 0; i < COUNT; i++) swapped[i] = types[COUNT - 1 - i];
    REQUIRE(mote_type_new_func(w.engine, types, COUNT, swapped, COUNT, &type, &w.error) == MOTE_OK);
    REQUIRE(mote_func_new(w.store, type, reverse, &count, NULL, &func, &w.error) == MOTE_OK);
    CHECK_EQ(mote_call(w.store, func, args, COUNT, results, COUNT, &w.error), MOTE_OK);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(results[i].of.v128[0], COUNT - 1 - i);
    mote_type_delete(type);
    world_close(&w);
}

/* ---------------------------------------------------------------- failing */

struct failure {
    mote_status status;
    uint32_t trap;
    bool said;
};

static mote_status fail(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    const struct failure *f = env;
    (void)args, (void)results;
    return f->said ? mote_caller_fail(caller, f->status, f->trap, "no %s today", "luck") : f->status;
}

TEST(failing) {
    static const struct {
        struct failure failure;
        mote_status status;
        uint32_t trap;
        const char *message;
    } rows[] = {
        {{MOTE_E_TRAP, MOTE_TRAP_HOST, true}, MOTE_E_TRAP, MOTE_TRAP_HOST, "no luck today"},
        {{MOTE_E_TRAP, MOTE_TRAP_UNREACHABLE, true}, MOTE_E_TRAP, MOTE_TRAP_UNREACHABLE, "no luck today"},
        {{MOTE_E_EXIT, 42, true}, MOTE_E_EXIT, 42, "no luck today"},
        {{MOTE_E_TRAP, 0, false}, MOTE_E_TRAP, MOTE_TRAP_HOST, "host error: trap"},
    };
    struct world w;
    struct failure failure;
    world_open(&w);
    world_define(&w, "env", "fail", ":", fail, &failure);
    mote_instance inst = world_instance(&w, "(module (import \"env\" \"fail\" (func $f)) (func $inner call $f) (func (export \"run\") call $inner))");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        failure = rows[i].failure;
        CHECK_EQ(world_call(&w, inst, "run"), rows[i].status);
        CHECK_EQ(w.error.trap, rows[i].trap);
        CHECK_STR(w.error.message, rows[i].message);
    }
    CHECK_EQ(mote_store_frame_total(w.store), 2);
    mote_frame frame;
    CHECK(mote_store_frame(w.store, 0, &frame));
    CHECK_EQ(frame.func_index, 1);
    CHECK(frame.func_name.size == 5 && !memcmp(frame.func_name.data, "inner", 5));
    CHECK(mote_store_frame(w.store, 1, &frame));
    CHECK_EQ(frame.func_index, 2);
    CHECK(!mote_store_frame(w.store, 2, &frame));
    world_close(&w);
}

static mote_status give_wrong(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)args;
    results[0] = MOTE_VALUE_F32(1);
    return MOTE_OK;
}

TEST(results_of_the_wrong_type) {
    struct world w;
    world_open(&w);
    world_define(&w, "env", "f", ":i", give_wrong, NULL);
    mote_instance inst = world_instance(&w, "(module (import \"env\" \"f\" (func $f (result i32))) (func (export \"run\") (drop (call $f))))");
    CHECK_EQ(world_call(&w, inst, "run"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_HOST);
    CHECK_STR(w.error.message, "host error: the result of a host function: a value of type i32 is needed, given is f32");
    world_close(&w);
}

TEST(unknown_imports_trap) {
    struct world w;
    mote_instance inst;
    world_open(&w);
    const char *text = "(module (import \"env\" \"gone\" (func $f (param i32) (result i64))) (func (export \"run\") (drop (call $f (i32.const 1)))) (func (export \"not\")))";
    CHECK_EQ(world_try(&w, text, &inst), MOTE_E_LINK);
    CHECK_STR(w.error.message, "unknown import \"env\".\"gone\": expected (func (param i32) (result i64)), found nothing");
    mote_linker_unknown_imports_trap(w.linker, true);
    inst = world_instance(&w, text);
    CHECK_EQ(world_call(&w, inst, "not"), MOTE_OK);
    CHECK_EQ(world_call(&w, inst, "run"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_UNKNOWN_IMPORT);
    CHECK_STR(w.error.message, "unknown import called: \"env\".\"gone\"");
    CHECK_EQ(world_try(&w, "(module (import \"env\" \"gone\" (memory 1)))", &inst), MOTE_E_LINK);
    world_close(&w);
}

/* ---------------------------------------------------------------- the caller */

static mote_status peek(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    mote_memory memory = mote_caller_memory(caller);
    mote_instance instance = mote_caller_instance(caller);
    (void)args;
    CHECK(mote_caller_store(caller) == env);
    CHECK(!mote_caller_interrupted(caller));
    results[0].of.i32 = memory.ptr ? mote_memory_data(memory)[0] : instance.ptr ? 1000 : 2000;
    return MOTE_OK;
}

TEST(the_callers_memory) {
    struct world w;
    mote_func direct;
    mote_value result;
    world_open(&w);
    world_define(&w, "env", "peek", ":i", peek, w.store);
#define PEEK "(module (import \"env\" \"peek\" (func $p (result i32))) (func (export \"run\") (result i32) call $p)"
    mote_instance none = world_instance(&w, PEEK ")"), first = world_instance(&w, PEEK "(memory 1) (data (i32.const 0) \"\\07\"))"),
                  named = world_instance(&w, PEEK "(memory 1) (memory (export \"memory\") 1) (data (memory 1) (i32.const 0) \"\\08\"))");
    CHECK_EQ(world_call_i32(&w, none, "run", 0), 1000);
    CHECK_EQ(world_call_i32(&w, first, "run", 0), 7);
    CHECK_EQ(world_call_i32(&w, named, "run", 0), 8);
    const mote_type *type = world_type(&w, ":i");
    REQUIRE(mote_func_new(w.store, type, peek, w.store, NULL, &direct, &w.error) == MOTE_OK);
    CHECK_EQ(mote_call(w.store, direct, NULL, 0, &result, 1, &w.error), MOTE_OK);
    CHECK_EQ(result.of.i32, 2000);
    mote_type_delete(type);
    world_close(&w);
}

/* Calls "down" of the calling instance with one less, and back again. */
static mote_status down(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    struct world *w = env;
    mote_func func;
    mote_error error;
    mote_value less = MOTE_VALUE_I32(args[0].of.i32 - 1);
    mote_status status = mote_instance_func(mote_caller_instance(caller), "down", &func, &error);
    if (status == MOTE_OK) status = mote_call(w->store, func, &less, 1, results, 1, &error);
    if (status == MOTE_OK) results[0].of.i32 += 2;
    return status;
}

TEST(calls_back_and_forth) {
    struct world w;
    world_open(&w);
    world_define(&w, "env", "down", "i:i", down, &w);
    mote_instance inst = world_instance(&w, "(module (import \"env\" \"down\" (func $host (param i32) (result i32)))"
                                            " (func (export \"down\") (param i32) (result i32)"
                                            "   (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (call $host (local.get 0)))))"
                                            " (func $deep (export \"deep\") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))");
    CHECK_EQ(world_call_i32(&w, inst, "down", 1, 0), 1);
    CHECK_EQ(world_call_i32(&w, inst, "down", 1, 10), 21);
    CHECK_EQ(world_call_i32(&w, inst, "down", 1, -1), UINT32_MAX - MOTE_E_TRAP); /* the thread's stack is finite */
    CHECK_EQ(w.error.trap, MOTE_TRAP_STACK_OVERFLOW);
    CHECK_EQ(world_call_i32(&w, inst, "deep", 1, 1), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_STACK_OVERFLOW);
    CHECK_EQ(world_call_i32(&w, inst, "down", 1, 5), 11);
    world_close(&w);
}

/* ---------------------------------------------------------------- references and exceptions */

/* Keeps what it was given, beyond the call only with a copy made outside of it. */
static mote_status keep(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    mote_ref *kept = env;
    mote_error error;
    *kept = args[0].of.ref;
    results[0].kind = MOTE_EXTERNREF;
    return mote_extern_new(mote_caller_store(caller), kept, NULL, &results[0].of.ref, &error);
}

TEST(references_end_with_the_host_function) {
    struct world w;
    mote_ref kept;
    mote_func func;
    mote_value arg = {.kind = MOTE_EXTERNREF}, result;
    world_open(&w);
    world_define(&w, "env", "keep", "r:r", keep, &kept);
    mote_instance inst = world_instance(&w, "(module (import \"env\" \"keep\" (func $k (param externref) (result externref)))"
                                            " (func (export \"run\") (param externref) (result externref) (drop (call $k (local.get 0))) (call $k (local.get 0))))");
    REQUIRE(mote_instance_func(inst, "run", &func, &w.error) == MOTE_OK);
    REQUIRE(mote_extern_new(w.store, &w, NULL, &arg.of.ref, &w.error) == MOTE_OK);
    uint32_t mark = mote_refs_mark(w.store);
    REQUIRE(mote_call(w.store, func, &arg, 1, &result, 1, &w.error) == MOTE_OK);
    CHECK_EQ(mote_ref_heap(w.store, kept), MOTE_HEAP_NONE); /* released with its call */
    CHECK(mote_extern_data(w.store, result.of.ref) == &kept);
    CHECK(mote_extern_data(w.store, arg.of.ref) == &w);
    mote_refs_release(w.store, mark);
    CHECK_EQ(mote_ref_heap(w.store, result.of.ref), MOTE_HEAP_NONE);
    world_close(&w);
}

static mote_status throw_it(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    mote_ref exception;
    mote_error error;
    (void)results;
    mote_status status = mote_exception_new(mote_caller_store(caller), *(mote_tag *)env, args, 1, &exception, &error);
    return status == MOTE_OK ? mote_caller_throw(caller, exception) : status;
}

TEST(exceptions_across_the_host) {
    struct world w;
    mote_tag tag;
    world_open(&w);
    const mote_type *type = world_type(&w, "i:");
    REQUIRE(mote_tag_new(w.store, type, &tag, &w.error) == MOTE_OK);
    CHECK_EQ(mote_linker_define(w.linker, "env", "tag", (mote_extern){.kind = MOTE_EXTERN_TAG, .of.tag = tag}, &w.error), MOTE_OK);
    world_define(&w, "env", "throw", "i:", throw_it, &tag);
    world_define(&w, "env", "down", "i:i", down, &w);
    mote_instance inst = world_instance(
        &w, "(module (tag $t (import \"env\" \"tag\") (param i32)) (import \"env\" \"throw\" (func $throw (param i32)))"
            " (import \"env\" \"down\" (func $down (param i32) (result i32)))"
            " (func (export \"down\") (param i32) (result i32) (call $throw (local.get 0)) (i32.const 0))"
            " (func (export \"catch\") (result i32) (block $h (result i32) (try_table (catch $t $h) (call $throw (i32.const 8))) (i32.const 0)))"
            " (func (export \"through\") (result i32) (block $h (result i32) (try_table (result i32) (catch $t $h) (call $down (i32.const 10)))))"
            " (func (export \"leave\") (call $throw (i32.const 4))))");
    CHECK_EQ(world_call_i32(&w, inst, "catch", 0), 8);
    CHECK_EQ(world_call_i32(&w, inst, "through", 0), 9);
    CHECK_EQ(world_call(&w, inst, "leave"), MOTE_E_EXCEPTION);
    mote_ref exception = mote_store_take_exception(w.store);
    mote_value value;
    CHECK(mote_exception_tag(w.store, exception).ptr == tag.ptr);
    CHECK_EQ(mote_exception_value(w.store, exception, 0, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.i32, 4);
    CHECK_EQ(mote_store_take_exception(w.store).index, 0);
    mote_type_delete(type);
    world_close(&w);
}

/* What a host function between two WebAssembly frames does with an exception that comes from below. */
struct between {
    struct world *world;
    mote_tag tag; /* the one it knows */
    enum { LET_GO, SWALLOW, THROW_AGAIN, THROW_ANOTHER, TURN_INTO_TRAP } what;
    uint32_t seen; /* the value of the exceptions of that tag */
};

static mote_status meet(struct between *b, mote_caller *caller, mote_value *results, mote_error *error) {
    mote_value value = MOTE_VALUE_I32(0);
    mote_ref exception = mote_store_take_exception(mote_caller_store(caller)), another;
    CHECK_EQ(mote_ref_heap(b->world->store, exception), MOTE_HEAP_EXN);
    if (mote_exception_tag(b->world->store, exception).ptr != b->tag.ptr) return mote_caller_throw(caller, exception);
    CHECK_EQ(mote_exception_value(b->world->store, exception, 0, &value, error), MOTE_OK);
    b->seen += value.of.i32;
    if (b->what == THROW_AGAIN) return mote_caller_throw(caller, exception);
    if (b->what == TURN_INTO_TRAP) return mote_caller_fail(caller, MOTE_E_TRAP, MOTE_TRAP_HOST, "from below: %u", value.of.i32);
    results[0].of.i32 = 1000 + value.of.i32;
    if (b->what == SWALLOW) return MOTE_OK;
    value.of.i32 *= 10;
    CHECK_EQ(mote_exception_new(b->world->store, b->tag, &value, 1, &another, error), MOTE_OK);
    return mote_caller_throw(caller, another);
}

/* Calls "throw" of the calling instance with what it was given. */
static mote_status between(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    struct between *b = env;
    mote_func func;
    mote_error error;
    mote_status status = mote_instance_func(mote_caller_instance(caller), "throw", &func, &error);
    if (status == MOTE_OK) status = mote_call(b->world->store, func, args, 1, NULL, 0, &error);
    return status == MOTE_E_EXCEPTION && b->what != LET_GO ? meet(b, caller, results, &error) : status;
}

/* Throws `$t 7` three frames below a host function and catches what arrives above it, by value, by reference and by the older instructions; -1 when
 * nothing does, less 2 for an exception that is not of $t. */
static const char layers[] =
    "(module (import \"env\" \"between\" (func $between (param i32) (result i32))) (tag $t (export \"t\") (param i32)) (tag $other)"
    " (func $deep (param $left i32)"
    "   (if (i32.eqz (local.get $left)) (then (throw $t (i32.const 7))))"
    "   (if (i32.lt_s (local.get $left) (i32.const 0)) (then (throw $other)))"
    "   (call $deep (i32.sub (local.get $left) (i32.const 1))))"
    " (func (export \"throw\") (param i32) (call $deep (local.get 0)))"
    " (func (export \"value\") (param i32) (result i32)"
    "   (block $other (block $h (result i32)"
    "     (return (try_table (result i32) (catch $t $h) (catch_all $other) (call $between (local.get 0))))) (return)) (i32.const -3))"
    " (func $again (param exnref) (throw_ref (local.get 0)))"
    " (func (export \"reference\") (param i32) (result i32) (local $e exnref)"
    "   (block $caught (result exnref)"
    "     (return (try_table (result i32) (catch_all_ref $caught) (call $between (local.get 0))))) (local.set $e)"
    "   (block $h (result i32) (try_table (catch $t $h) (call $again (local.get $e))) (i32.const -1)))"
    " (func (export \"legacy\") (param i32) (result i32)"
    "   (try (result i32) (do (call $between (local.get 0))) (catch $t) (catch_all (i32.const -3)))))";

/* All three ways of catching agree. */
static uint32_t catches(struct world *w, mote_instance inst, int depth) {
    uint32_t value = world_call_i32(w, inst, "value", 1, depth);
    CHECK_EQ(world_call_i32(w, inst, "legacy", 1, depth), value);
    if (depth >= 0) CHECK_EQ(world_call_i32(w, inst, "reference", 1, depth), value);
    CHECK_EQ(mote_store_take_exception(w->store).index, 0); /* nothing stays behind */
    return value;
}

TEST(exceptions_through_a_host_function) {
    struct world w;
    mote_extern tag;
    world_open(&w);
    struct between b = {.world = &w};
    world_define(&w, "env", "between", "i:i", between, &b);
    mote_instance inst = world_instance(&w, layers);
    REQUIRE(inst.ptr && mote_instance_find(inst, "t", 1, &tag));
    b.tag = tag.of.tag;
    CHECK_EQ(catches(&w, inst, 3), 7);
    CHECK_EQ(catches(&w, inst, -1), (uint32_t)-3);
    b.what = THROW_AGAIN;
    CHECK_EQ(catches(&w, inst, 3), 7);
    CHECK_EQ(b.seen, 21);
    CHECK_EQ(catches(&w, inst, -1), (uint32_t)-3); /* of a tag that the host does not know */
    b.what = THROW_ANOTHER;
    CHECK_EQ(catches(&w, inst, 0), 70);
    b.what = SWALLOW;
    CHECK_EQ(catches(&w, inst, 5), 1007);
    world_close(&w);
}

TEST(a_trap_made_of_an_exception_is_not_caught) {
    struct world w;
    mote_extern tag;
    world_open(&w);
    struct between b = {.world = &w, .what = TURN_INTO_TRAP};
    world_define(&w, "env", "between", "i:i", between, &b);
    mote_instance inst = world_instance(&w, layers);
    REQUIRE(inst.ptr && mote_instance_find(inst, "t", 1, &tag));
    b.tag = tag.of.tag;
    CHECK_EQ(world_call_i32(&w, inst, "value", 1, 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_STR(w.error.message, "from below: 7");
    CHECK_EQ(world_call_i32(&w, inst, "legacy", 1, 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(mote_store_take_exception(w.store).index, 0);
    b.what = SWALLOW;
    CHECK_EQ(world_call_i32(&w, inst, "value", 1, 0), 1007);
    world_close(&w);
}
