/* memory_test.c - memories of every kind through the public API: growing, limits, bulk operations, sharing between stores and threads,
 * waiting and waking. */
#include "world.h"
#include "os/os.h"
#include <sys/resource.h>

#define PAGE UINT64_C(65536)

static mote_memory new_memory(struct world *w, mote_memorytype type) {
    mote_memory memory = {NULL};
    if (!CHECK_EQ(mote_memory_new(w->store, &type, &memory, &w->error), MOTE_OK)) printf("  %s\n", w->error.message);
    return memory;
}

/* Grows step by step; what was written stays, what is new is zero, and the refusal changes nothing. */
static void check_growth(struct world *w, mote_memorytype type, uint64_t step) {
    mote_memory memory = new_memory(w, type);
    uint64_t before = 99;
    REQUIRE(memory.ptr);
    uint64_t page_bytes = UINT64_C(1) << type.page_log2;
    for (uint64_t pages = type.min; pages + step <= type.max; pages += step) {
        if (pages) mote_memory_data(memory)[pages * page_bytes - 1] = (uint8_t)pages;
        CHECK_EQ(mote_memory_grow(memory, step, &before, &w->error), MOTE_OK);
        CHECK_EQ(before, pages);
        CHECK_EQ(mote_memory_bytes(memory), (pages + step) * page_bytes);
        if (pages) CHECK_EQ(mote_memory_data(memory)[pages * page_bytes - 1], (uint8_t)pages);
        CHECK_EQ(mote_memory_data(memory)[(pages + step) * page_bytes - 1], 0);
    }
    CHECK_EQ(mote_memory_grow(memory, step, &before, &w->error), MOTE_E_LIMIT);
    CHECK_EQ(mote_memory_grow(memory, UINT64_MAX, &before, &w->error), MOTE_E_LIMIT);
    CHECK_EQ(mote_memory_grow(memory, 0, &before, &w->error), MOTE_OK);
    mote_memorytype now = mote_memory_type(memory);
    CHECK_EQ(now.min, mote_memory_pages(memory));
    CHECK_EQ(now.max, type.max);
    CHECK_EQ(now.shared, type.shared);
}

TEST(growing) {
    static const struct {
        mote_memorytype type;
        uint64_t step;
    } rows[] = {
        {{0, 7, false, false, 16}, 1},  {{1, 40, true, false, 16}, 3},   {{5, 100000, false, false, 0}, 7777},
        {{2, 9, false, true, 16}, 2},   {{0, 5, true, true, 16}, 1},     {{1, 300000, true, true, 0}, 44444},
        {{0, 0, false, false, 16}, 1},  {{0, 0, true, false, 0}, 1},
    };
    for (int low = 0; low < 2; low++) {
        mote_config config;
        struct world w;
        mote_config_init(&config);
        config.low_address_space = low;
        world_open_with(&w, &config, NULL);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_growth(&w, rows[i].type, rows[i].step);
        world_close(&w);
    }
}

TEST(guarded_memories_stay_where_they_are) {
    struct world w;
    world_open(&w);
    mote_memory memory = new_memory(&w, (mote_memorytype){1, UINT64_MAX, false, false, 16});
    REQUIRE(memory.ptr);
    const uint8_t *base = mote_memory_data(memory);
    CHECK_EQ(mote_memory_grow(memory, 1000, NULL, &w.error), MOTE_OK);
    CHECK(mote_memory_data(memory) == base);
    CHECK_EQ(mote_memory_data(memory)[1001 * PAGE - 1], 0);
    CHECK_EQ(mote_memory_grow(memory, 65536 - 1001 + 1, NULL, &w.error), MOTE_E_LIMIT);
    world_close(&w);
}

TEST(impossible_types) {
    static const mote_memorytype types[] = {
        {2, 1, false, false, 16}, {1, UINT64_MAX, false, true, 16}, {65537, UINT64_MAX, false, false, 16}, {0, 65537, false, false, 16},
        {0, 1, false, false, 5},  {UINT64_C(1) << 49, UINT64_MAX, true, false, 16},
    };
    struct world w;
    mote_memory memory;
    world_open(&w);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) CHECK_EQ(mote_memory_new(w.store, &types[i], &memory, &w.error), MOTE_E_INVALID);
    mote_memorytype huge = {UINT64_C(1) << 45, UINT64_MAX, true, false, 16};
    CHECK_EQ(mote_memory_new(w.store, &huge, &memory, &w.error), MOTE_E_NOMEM);
    world_close(&w);
}

TEST(limits_of_the_store) {
    struct world w;
    mote_limits limits;
    mote_memory a, b;
    mote_memorytype type = {2, UINT64_MAX, false, false, 16};
    mote_limits_init(&limits);
    limits.memory_bytes_max = 5 * PAGE;
    world_open_with(&w, NULL, &limits);
    CHECK_EQ(mote_memory_new(w.store, &type, &a, &w.error), MOTE_OK);
    CHECK_EQ(mote_memory_new(w.store, &type, &b, &w.error), MOTE_OK);
    CHECK_EQ(mote_memory_grow(a, 2, NULL, &w.error), MOTE_E_LIMIT);
    CHECK_EQ(mote_memory_grow(a, 1, NULL, &w.error), MOTE_OK);
    CHECK_EQ(mote_memory_grow(b, 1, NULL, &w.error), MOTE_E_LIMIT);
    CHECK_EQ(mote_memory_new(w.store, &type, &b, &w.error), MOTE_E_LIMIT);
    CHECK_EQ(mote_store_memory_bytes(w.store), 5 * PAGE);
    world_close(&w);
}

/* ---------------------------------------------------------------- bulk operations */

#define BULK                                                                                                                              \
    " (func (export \"fill\") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))"                               \
    " (func (export \"copy\") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))"                               \
    " (func (export \"init\") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2))) (data $d \"0123456789\"))"

static void check_bulk(const char *module) {
    struct world w;
    mote_extern external;
    world_open(&w);
    mote_instance inst = world_instance(&w, module);
    REQUIRE(inst.ptr && mote_instance_find(inst, "mem", 3, &external));
    uint8_t *data = mote_memory_data(external.of.memory);
    CHECK_EQ(world_call_i32(&w, inst, "init", 3, 3, 2, 8), 0);
    CHECK_MEM(data, "\0\0\0" "23456789\0", 12);
    CHECK_EQ(world_call_i32(&w, inst, "copy", 3, 5, 3, 8), 0); /* overlapping, upwards */
    CHECK_MEM(data, "\0\0\0" "2323456789\0", 14);
    CHECK_EQ(world_call_i32(&w, inst, "copy", 3, 2, 5, 8), 0); /* and downwards */
    CHECK_MEM(data, "\0\0" "23456789789\0", 14);
    CHECK_EQ(world_call_i32(&w, inst, "fill", 3, 1, 'x', 11), 0);
    CHECK_MEM(data, "\0xxxxxxxxxxx9\0", 14);
    CHECK_EQ(world_call_i32(&w, inst, "fill", 3, 65530, 1, 7), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(data[65535], 0);
    CHECK_EQ(world_call_i32(&w, inst, "copy", 3, 65530, 0, 7), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(world_call_i32(&w, inst, "copy", 3, 0, 65536, 0), 0);
    CHECK_EQ(world_call_i32(&w, inst, "copy", 3, 0, 65537, 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(world_call_i32(&w, inst, "init", 3, 0, 5, 6), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
    world_close(&w);
}

TEST(bulk_operations) { check_bulk("(module (memory (export \"mem\") 1)" BULK); }
TEST(bulk_operations_on_shared_memory) { check_bulk("(module (memory (export \"mem\") 1 1 shared)" BULK); }

/* ---------------------------------------------------------------- shared memories */

TEST(shared_memories_outlive_stores) {
    struct world w;
    mote_store *second;
    mote_memory here = {NULL}, there = {NULL};
    world_open(&w);
    here = new_memory(&w, (mote_memorytype){1, 4, false, true, 16});
    REQUIRE(here.ptr);
    mote_memory plain = new_memory(&w, (mote_memorytype){1, 4, false, false, 16});
    CHECK(!mote_memory_share(plain));
    mote_shared_memory *shared = mote_memory_share(here);
    REQUIRE(shared);
    REQUIRE(mote_store_new(w.engine, NULL, &second, &w.error) == MOTE_OK);
    CHECK_EQ(mote_memory_from_shared(second, shared, &there, &w.error), MOTE_OK);
    CHECK(mote_memory_data(here) == mote_memory_data(there));
    CHECK_EQ(mote_memory_grow(there, 2, NULL, &w.error), MOTE_OK);
    CHECK_EQ(mote_memory_pages(here), 3);
    mote_memory_data(there)[5] = 5;
    mote_store_delete(second);
    CHECK_EQ(mote_memory_data(here)[5], 5);
    mote_linker_delete(w.linker);
    mote_store_delete(w.store);
    mote_engine_delete(w.engine);
    CHECK(w.memory.live_blocks > 0); /* the memory holds its engine */
    mote_shared_memory_delete(shared);
    CHECK_EQ(w.memory.live_blocks, 0);
}

/* A thread with a store of its own over the same memory. */
struct other {
    mote_engine *engine;
    mote_module *module;
    mote_shared_memory *shared;
    const char *name;
    _Atomic(mote_store *) store;
    mote_status status;
    uint32_t result, trap;
};

static void *run_other(void *argument) {
    struct other *o = argument;
    mote_error error;
    mote_store *store;
    mote_extern memory = {.kind = MOTE_EXTERN_MEMORY};
    mote_instance inst;
    mote_func func;
    mote_value result;
    if (mote_store_new(o->engine, NULL, &store, &error) != MOTE_OK) return NULL;
    o->status = mote_memory_from_shared(store, o->shared, &memory.of.memory, &error);
    if (o->status == MOTE_OK) o->status = mote_instance_new(store, o->module, &memory, 1, &inst, &error);
    if (o->status == MOTE_OK) o->status = mote_instance_func(inst, o->name, &func, &error);
    atomic_store(&o->store, store);
    if (o->status == MOTE_OK) o->status = mote_call(store, func, NULL, 0, &result, 1, &error);
    o->result = o->status == MOTE_OK ? result.of.i32 : 0;
    o->trap = o->status == MOTE_OK ? 0 : error.trap;
    return NULL;
}

#define THREADED                                                                                                                         \
    "(module (memory (import \"m\" \"mem\") 1 4 shared)"                                                                                 \
    " (func (export \"wait\") (result i32) (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))"                                      \
    "   (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))"                                                              \
    " (func (export \"late\") (result i32) (memory.atomic.wait64 (i32.const 16) (i64.const 0) (i64.const 2000000)))"                     \
    " (func (export \"other\") (result i32) (memory.atomic.wait64 (i32.const 16) (i64.const 1) (i64.const -1)))"                         \
    " (func (export \"waiting\") (result i32) (i32.atomic.load (i32.const 8)))"                                                          \
    " (func (export \"notify\") (param i32) (result i32) (memory.atomic.notify (i32.const 0) (local.get 0)))"                            \
    " (func (export \"unaligned\") (result i32) (memory.atomic.wait32 (i32.const 2) (i32.const 0) (i64.const 0)))"                       \
    " (func (export \"outside\") (result i32) (memory.atomic.notify (i32.const 65536) (i32.const 0))))"

/* The first store's instance, and threads to come. */
struct crowd {
    struct world w;
    mote_memory memory;
    mote_shared_memory *shared;
    mote_module *module;
    mote_instance inst;
};

static bool crowd_open(struct crowd *c) {
    world_open(&c->w);
    c->memory = new_memory(&c->w, (mote_memorytype){1, 4, false, true, 16});
    c->shared = mote_memory_share(c->memory);
    c->module = world_module(&c->w, THREADED);
    mote_extern memory = {.kind = MOTE_EXTERN_MEMORY, .of.memory = c->memory};
    return CHECK_EQ(mote_instance_new(c->w.store, c->module, &memory, 1, &c->inst, &c->w.error), MOTE_OK);
}

static void crowd_close(struct crowd *c) {
    mote_module_delete(c->module);
    mote_shared_memory_delete(c->shared);
    world_close(&c->w);
}

static void start_other(struct crowd *c, struct other *o, struct os_thread *thread, const char *name) {
    *o = (struct other){.engine = c->w.engine, .module = c->module, .shared = c->shared, .name = name};
    CHECK_EQ(mote__os_thread_create(thread, run_other, o, 0), 0);
}

/* Waits until `count` threads say that they are about to wait. */
static void await_waiters(struct crowd *c, uint32_t count) {
    while (world_call_i32(&c->w, c->inst, "waiting", 0) < count) mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + 100000);
}

TEST(waiting_and_waking) {
    enum { COUNT = 3 };
    struct crowd c;
    struct other others[COUNT];
    struct os_thread threads[COUNT];
    REQUIRE(crowd_open(&c));
    for (int i = 0; i < COUNT; i++) start_other(&c, &others[i], &threads[i], "wait");
    await_waiters(&c, COUNT);
    uint32_t woken = 0;
    while (woken < 1) woken += world_call_i32(&c.w, c.inst, "notify", 1, 1);
    CHECK_EQ(woken, 1);
    while (woken < COUNT) woken += world_call_i32(&c.w, c.inst, "notify", 1, -1);
    CHECK_EQ(woken, COUNT);
    for (int i = 0; i < COUNT; i++) {
        mote__os_thread_join(threads[i]);
        CHECK_EQ(others[i].status, MOTE_OK);
        CHECK_EQ(others[i].result, 0);
        mote_store_delete(others[i].store);
    }
    CHECK_EQ(world_call_i32(&c.w, c.inst, "notify", 1, -1), 0);
    crowd_close(&c);
}

TEST(waits_that_nobody_ends) {
    struct crowd c;
    REQUIRE(crowd_open(&c));
    CHECK_EQ(world_call_i32(&c.w, c.inst, "late", 0), 2);
    CHECK_EQ(world_call_i32(&c.w, c.inst, "other", 0), 1);
    CHECK_EQ(world_call_i32(&c.w, c.inst, "unaligned", 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(c.w.error.trap, MOTE_TRAP_UNALIGNED_ATOMIC);
    CHECK_EQ(world_call_i32(&c.w, c.inst, "outside", 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(c.w.error.trap, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
    crowd_close(&c);
}

TEST(an_interrupt_ends_a_wait) {
    struct crowd c;
    struct other other;
    struct os_thread thread;
    REQUIRE(crowd_open(&c));
    start_other(&c, &other, &thread, "wait");
    await_waiters(&c, 1);
    mote_store_interrupt(other.store);
    mote__os_thread_join(thread);
    CHECK_EQ(other.status, MOTE_E_TRAP);
    CHECK_EQ(other.trap, MOTE_TRAP_INTERRUPTED);
    mote_store_delete(other.store);
    CHECK_EQ(mote_store_set_timeout(c.w.store, 3000000, &c.w.error), MOTE_OK);
    CHECK_EQ(world_call_i32(&c.w, c.inst, "wait", 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(c.w.error.trap, MOTE_TRAP_DEADLINE);
    CHECK_EQ(world_call_i32(&c.w, c.inst, "late", 0), 2); /* the deadline is spent */
    crowd_close(&c);
}

TEST(waiting_on_unshared_memory) {
    struct world w;
    world_open(&w);
    mote_instance inst = world_instance(&w, "(module (memory 1) (func (export \"notify\") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1)))"
                                            " (func (export \"wait\") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0))))");
    CHECK_EQ(world_call_i32(&w, inst, "notify", 0), 0);
    CHECK_EQ(world_call_i32(&w, inst, "wait", 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_EXPECTED_SHARED);
    world_close(&w);
}

/* ---------------------------------------------------------------- little address space */

/* What the process has mapped now, in bytes; 0 where that cannot be told. */
static uint64_t mapped_bytes(void) {
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%llu", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return pages * mote__os_page_bytes();
}

/* Leaves 1 GiB of address space; false where no limit holds, as under qemu. The test after this must set it back. */
static bool limit_address_space(struct rlimit *before) {
    struct rlimit few;
    uint64_t mapped = mapped_bytes();
    if (!mapped || getrlimit(RLIMIT_AS, before)) return false;
    few = *before;
    few.rlim_cur = mapped + (UINT64_C(1) << 30);
    if (few.rlim_cur > few.rlim_max || setrlimit(RLIMIT_AS, &few)) return false;
    void *pages = mote__os_reserve((size_t)UINT64_C(1) << 32, 1);
    if (pages) mote__os_release(pages, (size_t)UINT64_C(1) << 32);
    if (pages) setrlimit(RLIMIT_AS, before);
    return !pages;
}

TEST(little_address_space) {
    mote_config config;
    mote_memory memory;
    struct world wide, narrow;
    struct rlimit before;
    uint64_t pages;
    mote_memorytype type = {.min = 1, .max = 1000, .page_log2 = 16};
    mote_config_init(&config);
    config.low_address_space = true;
    world_open(&wide);
    world_open_with(&narrow, &config, NULL);
    if (sizeof(void *) == 8 && limit_address_space(&before)) {
        CHECK_EQ(mote_memory_new(wide.store, &type, &memory, &wide.error), MOTE_E_NOMEM);
        CHECK_STR(wide.error.message, "the system refuses a linear memory of 65536 bytes (4328521728 bytes of address space; -W low-address-space needs less)");
        memory = new_memory(&narrow, type);
        CHECK(memory.ptr && mote_memory_grow(memory, 100, &pages, &narrow.error) == MOTE_OK);
        setrlimit(RLIMIT_AS, &before);
    }
    world_close(&narrow);
    world_close(&wide);
}
