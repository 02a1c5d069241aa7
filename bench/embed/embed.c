/* embed.c - what a host pays for each piece of mote: a store, an instance in it, a call. Built by `ninja -C build/release bench-embed`; run as
 * build/release/bench-embed. Medians of 9 rounds, in microseconds of processor time. */
#define _GNU_SOURCE
#include <mote/mote.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, TIMES = 2000 };

static const char text[] = "(module (memory 1) (func (export \"run\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))";
static mote_engine *engine;
static mote_module *module;
static mote_store *lasting;
static mote_func lasting_run;
static mote_error error;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(mote_status status) {
    if (status == MOTE_OK) return;
    fprintf(stderr, "bench: %s\n", error.message);
    exit(1);
}

static void call(mote_store *store, mote_func run) {
    mote_value one = MOTE_VALUE_I32(1), result;
    must(mote_call(store, run, &one, 1, &result, 1, &error));
}

static mote_func instantiate(mote_store *store) {
    mote_instance instance;
    mote_func run;
    must(mote_instance_new(store, module, NULL, 0, &instance, &error));
    must(mote_instance_func(instance, "run", &run, &error));
    return run;
}

static void one_store(void) {
    mote_store *store;
    must(mote_store_new(engine, NULL, &store, &error));
    mote_store_delete(store);
}

static void one_run(void) {
    mote_store *store;
    must(mote_store_new(engine, NULL, &store, &error));
    call(store, instantiate(store));
    mote_store_delete(store);
}

static void one_call(void) { call(lasting, lasting_run); }

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *what, void (*once)(void)) {
    double rounds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double began = now_us();
        for (int k = 0; k < TIMES; k++) once();
        rounds[i] = (now_us() - began) / (double)TIMES;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    printf("%-44s %8.3f us\n", what, rounds[ROUNDS / 2]);
}

int main(void) {
    must(mote_engine_new(NULL, &engine, &error));
    must(mote_module_new(engine, text, strlen(text), 0, &module, &error));
    must(mote_store_new(engine, NULL, &lasting, &error));
    lasting_run = instantiate(lasting);
    measure("store: made and deleted", one_store);
    measure("store, instance with one memory, call, deleted", one_run);
    measure("call", one_call);
    mote_store_delete(lasting);
    mote_module_delete(module);
    mote_engine_delete(engine);
    return 0;
}
