/* calls.c - what a call costs, in nanoseconds of processor time: from WebAssembly to WebAssembly, through a table, to host functions of both kinds, and from
 * C into WebAssembly. Each is a loop with the call less the same loop without it. Rounds are interleaved and medians count.
 * Built by `ninja -C build/release bench-calls`; `bench-calls interp` runs the interpreter. */
#define _GNU_SOURCE
#include <mote/mote.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, LOOPS = 5, TIMES = 3000000 };

#define LOOP(name, call)                                                                           \
    "(func (export \"" name "\") (param $n i32) (result i32) (local $x i32)"                       \
    " (loop $again (local.set $x " call ")"                                                        \
    "  (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"                      \
    " (local.get $x))"

static const char text[] = "(module"
                           " (type $next (func (param i32) (result i32)))"
                           " (import \"host\" \"typed\" (func $typed (type $next))) (import \"host\" \"raw\" (func $raw (type $next)))"
                           " (table funcref (elem $own))"
                           " (func $own (export \"own\") (type $next) (i32.add (local.get 0) (i32.const 1)))" LOOP("nothing", "(i32.add (local.get $x) (i32.const 1))")
                               LOOP("call", "(call $own (local.get $x))") LOOP("table", "(call_indirect (type $next) (local.get $x) (i32.const 0))")
                                   LOOP("host, typed", "(call $typed (local.get $x))") LOOP("host, raw", "(call $raw (local.get $x))") ")";

static const char *const names[LOOPS + 1] = {"nothing", "call", "table", "host, typed", "host, raw", "mote_call"};

static mote_status next_typed(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller;
    results[0] = (mote_value)MOTE_VALUE_I32(args[0].of.i32 + 1);
    return MOTE_OK;
}

static mote_status next_raw(void *env, mote_caller *caller, uint64_t *slots) {
    (void)env, (void)caller;
    slots[0] = (uint32_t)slots[0] + 1;
    return MOTE_OK;
}

static void need(mote_status status, const mote_error *error) {
    if (status == MOTE_OK) return;
    fprintf(stderr, "bench-calls: %s\n", error->message);
    exit(1);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static mote_instance make(mote_engine *engine, mote_store **store) {
    mote_error error;
    mote_module *module;
    mote_linker *linker;
    mote_instance instance;
    const mote_type *type;
    mote_valtype i32 = MOTE_VALTYPE(MOTE_I32);
    need(mote_module_new(engine, text, strlen(text), 0, &module, &error), &error);
    need(mote_store_new(engine, NULL, store, &error), &error);
    need(mote_type_new_func(engine, &i32, 1, &i32, 1, &type, &error), &error);
    need(mote_linker_new(engine, &linker, &error), &error);
    need(mote_linker_define_func(linker, "host", "typed", type, next_typed, NULL, &error), &error);
    need(mote_linker_define_raw(linker, "host", "raw", type, next_raw, NULL, &error), &error);
    need(mote_linker_instantiate(linker, *store, module, &instance, &error), &error);
    mote_linker_delete(linker);
    mote_type_delete(type);
    mote_module_delete(module);
    return instance;
}

static double loop(mote_store *store, mote_instance instance, const char *name) {
    mote_error error;
    mote_func func;
    mote_value times = MOTE_VALUE_I32(TIMES), result;
    need(mote_instance_func(instance, name, &func, &error), &error);
    double start = seconds();
    need(mote_call(store, func, &times, 1, &result, 1, &error), &error);
    double taken = seconds() - start;
    if (result.of.i32 == TIMES) return taken / (double)TIMES;
    fprintf(stderr, "bench-calls: %s counted to %u\n", name, (unsigned)result.of.i32);
    exit(1);
}

static double from_c(mote_store *store, mote_instance instance) {
    mote_error error;
    mote_func func;
    mote_value x = MOTE_VALUE_I32(0);
    need(mote_instance_func(instance, "own", &func, &error), &error);
    double start = seconds();
    for (int i = 0; i < TIMES; i++) need(mote_call(store, func, &x, 1, &x, 1, &error), &error);
    return (seconds() - start) / (double)TIMES;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static double taken[LOOPS + 1][ROUNDS];
    mote_error error;
    mote_engine *engine;
    mote_store *store;
    mote_config config;
    mote_config_init(&config);
    if (argc > 1 && !strcmp(argv[1], "interp")) config.tier = MOTE_TIER_INTERPRETER;
    need(mote_engine_new(&config, &engine, &error), &error);
    mote_instance instance = make(engine, &store);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < LOOPS; i++) taken[i][round] = loop(store, instance, names[i]);
        taken[LOOPS][round] = from_c(store, instance);
    }
    for (int i = 0; i <= LOOPS; i++) {
        qsort(taken[i], ROUNDS, sizeof taken[i][0], ascending);
        double nothing = i && i < LOOPS ? taken[0][ROUNDS / 2] : 0;
        printf("%-12s %7.2f ns\n", names[i], (taken[i][ROUNDS / 2] - nothing) * 1e9);
    }
    mote_store_delete(store);
    mote_engine_delete(engine);
    return 0;
}
