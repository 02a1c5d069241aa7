/* place_test.c - where a program is said to be when it may not go on: the function that was not entered is on top, at its first instruction, whoever runs
 * it and however it was called; who has tail-called is gone. Each case runs by the interpreter, compiled, and both mixed. */
#include "world.h"

#include <stdio.h>
#include <string.h>

enum { STACK_BYTES = 64 << 10, FUEL = 100000, PLACES_SIZE = 200 };

/* Who runs what: functions with indices in [first, end) are compiled. */
static const struct mode {
    const char *name;
    mote_tier tier;
    uint32_t first, end;
} modes[] = {
    {"interpreted", MOTE_TIER_INTERPRETER, 0, 0}, {"compiled", MOTE_TIER_BASELINE, 0, 0},    {"function 1", MOTE_TIER_BASELINE, 1, 2},
    {"function 2", MOTE_TIER_BASELINE, 2, 3},     {"function 3", MOTE_TIER_BASELINE, 3, 4}, {"functions from 2", MOTE_TIER_BASELINE, 2, 0},
};
enum { MODES = sizeof modes / sizeof *modes };

static void open_mode(struct world *w, const struct mode *mode, bool fuel) {
    mote_config config;
    mote_limits limits;
    mote_config_init(&config);
    mote_limits_init(&limits);
    config.tier = mode->tier;
    config.compile_first = mode->first;
    config.compile_end = mode->end;
    config.fuel = fuel;
    limits.stack_bytes = STACK_BYTES;
    world_open_with(w, &config, &limits);
    mote_store_set_fuel(w->store, FUEL);
}

/* The backtrace in words: "name+distance from the function's place in the text's `offsets`", innermost first. */
static void tell(const struct world *w, char *out) {
    mote_frame frame;
    size_t size = (size_t)snprintf(out, PLACES_SIZE, "%s:", mote_trap_text(w->error.trap));
    for (size_t i = 0; i < 4 && mote_store_frame(w->store, i, &frame); i++)
        size += (size_t)snprintf(out + size, PLACES_SIZE - size, " %.*s %#llx", (int)frame.func_name.size, frame.func_name.data,
                                 (unsigned long long)frame.offset);
}

static mote_status succeed(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return MOTE_OK;
}

static mote_status interrupt(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)args, (void)results;
    mote_store_interrupt(mote_caller_store(caller));
    return MOTE_OK;
}

static mote_status refuse(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return MOTE_E_TRAP;
}

/* Function 0 is the host's. $big has no room on the stack. */
#define BIG "(func $big (param i32) (local $far i64) " WIDE " (drop (local.get 0)))"
#define TEN(x) x x x x x x x x x x
#define WIDE   TEN(TEN(TEN(TEN("(local v128)"))))

struct stop {
    const char *what;
    mote_host_fn host;
    bool fuel, before; /* fuel is counted; somebody interrupts before the call */
    const char *text, *place;
};

static const struct stop stops[] = {
    {"a call of what has no room", succeed, false, false,
     "(func $run (export \"run\") (nop) (call $next)) (func $next (call $big (i32.const 1)))" BIG, "call stack exhausted: big +1 next +1 run +1"},
    {"a tail call of it", succeed, false, false,
     "(func $run (export \"run\") (nop) (call $next)) (func $next (return_call $big (i32.const 1)))" BIG, "call stack exhausted: big +1 run +1"},
    {"... through a table", succeed, false, false,
     "(table funcref (elem $big)) (type $t (func (param i32))) (func $run (export \"run\") (nop) (call $next))"
     " (func $next (return_call_indirect (type $t) (i32.const 1) (i32.const 0)))" BIG, "call stack exhausted: big +1 run +1"},
    {"... by reference", succeed, false, false,
     "(elem declare func $big) (type $t (func (param i32))) (func $run (export \"run\") (nop) (call $next))"
     " (func $next (return_call_ref $t (i32.const 1) (ref.func $big)))" BIG, "call stack exhausted: big +1 run +1"},
    {"a call from C of it", succeed, false, false, "(func $run (export \"run\") " WIDE " (nop)) (func)", "call stack exhausted: run +1"},
    {"an interrupt before a call from C", succeed, false, true, "(func $run (export \"run\") (local i32) (loop (br 0)))", "interrupted: run +1"},
    {"one in a host function", interrupt, false, false, "(func $run (export \"run\") (nop) (call $next)) (func $next (call $host))",
     "interrupted: next +1 run +1"},
    {"one in a host function that is tail-called", interrupt, false, false, "(func $run (export \"run\") (nop) (call $next)) (func $next (return_call $host))",
     "interrupted: run +1"},
    {"a host function that fails", refuse, false, false, "(func $run (export \"run\") (nop) (call $next)) (func $next (call $host))",
     "host error: next +1 run +1"},
    {"... tail-called", refuse, false, false, "(func $run (export \"run\") (nop) (call $next)) (func $next (return_call $host))", "host error: run +1"},
    {"... and nobody is left", refuse, false, false, "(func $run (export \"run\") (return_call $host))", "host error:"},
    {"an endless tail call without fuel", succeed, true, false,
     "(func $run (export \"run\") (nop) (call $next (i32.const 0))) (func $next (param i32) (return_call $next (local.get 0)))",
     "all fuel consumed: next +1 run +1"},
    {"... through a table", succeed, true, false,
     "(table funcref (elem $next)) (type $t (func (param i32))) (func $run (export \"run\") (nop) (call $next (i32.const 0)))"
     " (func $next (param i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))",
     "all fuel consumed: next +1 run +1"},
};

/* "big 0x123 run 0x45" to "big +1 run +1": offsets are those of the first mode, so that only their being there is asked of it. */
static void without_offsets(const char *places, char *out) {
    for (; *places; places++) {
        *out++ = *places;
        if (places[0] != ' ' || strncmp(places + 1, "0x", 2) != 0) continue;
        memcpy(out, "+1", 2);
        out += 2;
        while (places[1] && places[1] != ' ') places++;
    }
    *out = 0;
}

static void stop_in(const struct mode *mode, const struct stop *stop, char *places) {
    static char text[1 << 18];
    struct world w;
    open_mode(&w, mode, stop->fuel);
    world_define(&w, "env", "host", ":", stop->host, NULL);
    snprintf(text, sizeof text, "(module (import \"env\" \"host\" (func $host)) %s)", stop->text);
    mote_instance inst = world_instance(&w, text);
    if (stop->before) mote_store_interrupt(w.store);
    CHECK_EQ(world_call(&w, inst, "run"), MOTE_E_TRAP);
    tell(&w, places);
    world_close(&w);
}

TEST(the_place_of_who_may_not_go_on) {
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        char first[PLACES_SIZE], places[PLACES_SIZE], short_places[PLACES_SIZE];
        for (size_t k = 0; k < MODES; k++) {
            stop_in(&modes[k], &stops[i], places);
            if (!k) memcpy(first, places, sizeof first);
            without_offsets(places, short_places);
            if (strcmp(places, first) != 0 || strcmp(short_places, stops[i].place) != 0) printf("  %s, %s:\n", stops[i].what, modes[k].name);
            CHECK_STR(short_places, stops[i].place);
            CHECK_STR(places, first);
        }
    }
}

/* The offset is that of the first instruction, behind the locals. */
TEST(the_place_is_the_first_instruction) {
    for (size_t k = 0; k < MODES; k++) {
        struct world w;
        mote_frame frame = {0};
        open_mode(&w, &modes[k], false);
        mote_instance inst = world_instance(&w, "(module (func) (func $run (export \"run\") (local i32 i64) (block (drop (local.get 0)))))");
        mote_store_interrupt(w.store);
        CHECK_EQ(world_call(&w, inst, "run"), MOTE_E_TRAP);
        CHECK_EQ(mote_store_frame_total(w.store), 1);
        CHECK(mote_store_frame(w.store, 0, &frame));
        CHECK_EQ(frame.offset, 0x28); /* 35 bytes before the body, 5 of locals */
        world_close(&w);
    }
}

/* ---------------------------------------------------------------- what a host function that is tail-called sees */

static mote_status who(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    const mote_instance *asker = env;
    results[0] = MOTE_VALUE_I32(mote_caller_instance(caller).ptr == asker->ptr ? args[0].of.i32 : UINT32_MAX);
    return MOTE_OK;
}

/* Its caller's instance is that of the function that tail-called it, not of whoever waits for the results. */
TEST(the_instance_that_tail_calls_the_host) {
    for (size_t k = 0; k < MODES; k++) {
        struct world w;
        mote_instance asker = {NULL};
        open_mode(&w, &modes[k], false);
        world_define(&w, "env", "who", "i:i", who, &asker);
        asker = world_instance(&w, "(module (import \"env\" \"who\" (func $who (param i32) (result i32))) (table funcref (elem $who))"
                                   " (type $t (func (param i32) (result i32))) (memory 1)"
                                   " (func (export \"direct\") (param i32 i32) (result i32) (return_call $who (local.get 1)))"
                                   " (func (export \"table\") (param i32) (result i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))"
                                   " (func (export \"reference\") (param i32) (result i32) (return_call_ref $t (local.get 0) (ref.func $who))))");
        REQUIRE(mote_linker_define_instance(w.linker, "asker", asker, &w.error) == MOTE_OK);
        mote_instance inst = world_instance(
            &w, "(module (import \"asker\" \"direct\" (func $direct (param i32 i32) (result i32)))"
                " (import \"asker\" \"table\" (func $table (param i32) (result i32)))"
                " (import \"asker\" \"reference\" (func $reference (param i32) (result i32))) (memory 1) (data (i32.const 0) \"\\05\")"
                " (func (export \"run\") (result i32)"
                "   (i32.add (i32.mul (i32.const 100) (call $direct (i32.const 9) (i32.const 1)))"
                "     (i32.add (i32.mul (i32.const 10) (call $table (i32.const 2)))"
                "       (i32.add (call $reference (i32.const 3)) (i32.load (i32.const 0)))))))"); /* its own memory again */
        CHECK_EQ(world_call_i32(&w, inst, "run", 0), 128);
        world_close(&w);
    }
}

static mote_status throw_7(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    mote_ref exception;
    mote_error error;
    mote_value value = MOTE_VALUE_I32(7);
    (void)args, (void)results;
    mote_status status = mote_exception_new(mote_caller_store(caller), *(mote_tag *)env, &value, 1, &exception, &error);
    return status == MOTE_OK ? mote_caller_throw(caller, exception) : status;
}

/* A frame that has tail-called catches nothing: its caller does. */
TEST(an_exception_of_a_host_function_that_is_tail_called) {
    for (size_t k = 0; k < MODES; k++) {
        struct world w;
        mote_tag tag;
        open_mode(&w, &modes[k], false);
        const mote_type *type = world_type(&w, "i:");
        REQUIRE(mote_tag_new(w.store, type, &tag, &w.error) == MOTE_OK);
        mote_type_delete(type);
        world_define(&w, "env", "throw", ":i", throw_7, &tag);
        mote_instance inst = world_instance(
            &w, "(module (import \"env\" \"throw\" (func $throw (result i32)))"
                " (func $gone (param i64) (result i32) (block $h (try_table (catch_all $h) (return_call $throw))) (i32.const 1))"
                " (func (export \"run\") (result i32) (block $h (try_table (catch_all $h) (return (call $gone (i64.const 0))))) (i32.const 2))"
                " (func (export \"leave\") (result i32) (block $h (try_table (catch_all $h) (return_call $throw))) (i32.const 3)))");
        CHECK_EQ(world_call_i32(&w, inst, "run", 0), 2);
        CHECK_EQ(world_call(&w, inst, "leave"), MOTE_E_EXCEPTION);
        CHECK_EQ(mote_store_frame_total(w.store), 0);
        (void)mote_store_take_exception(w.store);
        world_close(&w);
    }
}
