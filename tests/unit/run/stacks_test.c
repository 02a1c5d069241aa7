/* stacks_test.c - the pool of stacks: what comes back is zero, it is bounded, sizes do not mix, and threads that make stores at once share it
 * (preset tsan watches them). */
#include "world.h"
#include "os/os.h"
#include "run/stacks.h"
#include "run/store.h"

#include <string.h>

enum { THREADS = 4, ROUNDS = 200 };

static size_t bytes_of(unsigned pages) { return pages * mote__os_page_bytes(); }

static bool is_zero(const uint8_t *bytes, size_t size) { return !*bytes && !memcmp(bytes, bytes + 1, size - 1); }

/* One that a store is done with comes again, whatever was written to it. */
static void check_reuse(mote_engine *engine, bool grows_down) {
    size_t bytes = bytes_of(16);
    uint8_t *stack = mote__stack_take(engine, bytes);
    REQUIRE(stack);
    CHECK(is_zero(stack, bytes));
    memset(stack, 0xA5, bytes);
    mote__stack_give(engine, stack, bytes, grows_down);
    uint8_t *again = mote__stack_take(engine, bytes);
    CHECK(again == stack);
    CHECK(again && is_zero(again, bytes));
    mote__stack_give(engine, again, bytes, grows_down);
}

TEST(a_stack_comes_again_as_zeros) {
    struct world w;
    world_open(&w);
    check_reuse(w.engine, false);
    check_reuse(w.engine, true);
    world_close(&w);
}

TEST(sizes_do_not_mix) {
    struct world w;
    world_open(&w);
    uint8_t *small = mote__stack_take(w.engine, bytes_of(1)), *large = mote__stack_take(w.engine, bytes_of(8));
    REQUIRE(small && large);
    mote__stack_give(w.engine, small, bytes_of(1), false);
    mote__stack_give(w.engine, large, bytes_of(8), true);
    uint8_t *other = mote__stack_take(w.engine, bytes_of(4));
    REQUIRE(other);
    memset(other, 1, bytes_of(4));
    CHECK(mote__stack_take(w.engine, bytes_of(1)) == small);
    CHECK(mote__stack_take(w.engine, bytes_of(8)) == large);
    mote__stack_give(w.engine, other, bytes_of(4), false);
    mote__stack_give(w.engine, small, bytes_of(1), false);
    mote__stack_give(w.engine, large, bytes_of(8), false);
    world_close(&w);
}

TEST(only_so_many_are_kept) {
    struct world w;
    world_open(&w);
    void *stacks[STACKS_KEPT + 8];
    size_t bytes = bytes_of(2), count = sizeof stacks / sizeof *stacks;
    for (size_t i = 0; i < count; i++) REQUIRE((stacks[i] = mote__stack_take(w.engine, bytes)));
    for (size_t i = 0; i < count; i++) mote__stack_give(w.engine, stacks[i], bytes, false);
    CHECK_EQ(w.engine->stacks.count, STACKS_KEPT);
    CHECK(mote__stack_take(w.engine, bytes) == stacks[count - 1]);
    mote__stack_give(w.engine, stacks[count - 1], bytes, false);
    world_close(&w);
}

TEST(a_store_uses_what_the_last_one_left) {
    struct world w;
    mote_store *store;
    world_open(&w);
    CHECK_EQ(mote_store_new(w.engine, NULL, &store, &w.error), MOTE_OK);
    mote_store_delete(store);
    uint32_t kept = w.engine->stacks.count;
    CHECK(kept >= 1);
    for (int i = 0; i < 5; i++) {
        REQUIRE(mote_store_new(w.engine, NULL, &store, &w.error) == MOTE_OK);
        CHECK_EQ(w.engine->stacks.count, 0);
        mote_store_delete(store);
        CHECK_EQ(w.engine->stacks.count, kept);
    }
    world_close(&w);
}

/* Deep recursion, whose frames the next store must not see. */
static const char deep[] = "(module (func $f (export \"run\") (param i32) (result i32) (if (result i32) (local.get 0)"
                           " (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))";

struct job { mote_engine *engine; mote_module *module; int wrong; };

static int run_once(struct job *job) {
    mote_error error;
    mote_store *store;
    mote_instance instance;
    mote_func run;
    mote_value depth = MOTE_VALUE_I32(500), result = MOTE_VALUE_I32(0);
    if (mote_store_new(job->engine, NULL, &store, &error) != MOTE_OK) return 1;
    bool good = mote_instance_new(store, job->module, NULL, 0, &instance, &error) == MOTE_OK &&
                mote_instance_func(instance, "run", &run, &error) == MOTE_OK && mote_call(store, run, &depth, 1, &result, 1, &error) == MOTE_OK &&
                result.of.i32 == 500;
    mote_store_delete(store);
    return !good;
}

static void *work(void *argument) {
    struct job *job = argument;
    for (int i = 0; i < ROUNDS; i++) job->wrong += run_once(job);
    return NULL;
}

TEST(threads_share_the_pool) {
    mote_engine *engine;
    mote_module *module;
    mote_error error;
    struct job jobs[THREADS];
    struct os_thread threads[THREADS];
    REQUIRE(mote_engine_new(NULL, &engine, &error) == MOTE_OK);
    REQUIRE(mote_module_new(engine, deep, strlen(deep), 0, &module, &error) == MOTE_OK);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){engine, module, 0};
        REQUIRE(!mote__os_thread_create(&threads[i], work, &jobs[i], 0));
    }
    for (int i = 0; i < THREADS; i++) {
        mote__os_thread_join(threads[i]);
        CHECK_EQ(jobs[i].wrong, 0);
    }
    CHECK(engine->stacks.count <= STACKS_KEPT);
    mote_module_delete(module);
    mote_engine_delete(engine);
}
