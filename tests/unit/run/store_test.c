/* store_test.c - engines and stores through the public API: attachments, what is dropped and in which order, stopping from outside, fuel, features,
 * modules. */
#include "world.h"
#include "os/os.h"

/* Notes letters in the order of dropping. */
static char dropped[8];
static size_t dropped_count;

static void note(char letter) {
    if (dropped_count + 1 < sizeof dropped) dropped[dropped_count++] = letter;
    dropped[dropped_count] = 0;
}

static void drop(void *data) { note(*(char *)data); }

static mote_status nothing(void *env, mote_caller *caller, uint64_t *slots) {
    (void)env, (void)caller, (void)slots;
    return MOTE_OK;
}

TEST(attachments_and_the_order_of_dropping) {
    static char letters[] = "abcfx";
    static const int keys[2];
    struct world w;
    mote_func func;
    mote_ref ref;
    world_open(&w);
    dropped_count = 0;
    CHECK(!mote_store_attached(w.store, &keys[0]));
    CHECK_EQ(mote_store_attach(w.store, &keys[0], &letters[0], drop, &w.error), MOTE_OK);
    CHECK_EQ(mote_store_attach(w.store, &keys[1], &letters[1], drop, &w.error), MOTE_OK);
    CHECK(mote_store_attached(w.store, &keys[0]) == &letters[0]);
    CHECK_EQ(mote_store_attach(w.store, &keys[0], &letters[2], drop, &w.error), MOTE_OK);
    CHECK_STR(dropped, "a");
    CHECK(mote_store_attached(w.store, &keys[0]) == &letters[2]);
    const mote_type *type = world_type(&w, ":");
    CHECK_EQ(mote_func_new_raw(w.store, type, nothing, &letters[3], drop, &func, &w.error), MOTE_OK);
    CHECK_EQ(mote_extern_new(w.store, &letters[4], drop, &ref, &w.error), MOTE_OK);
    mote_type_delete(type);
    world_close(&w);
    CHECK_STR(dropped, "axfbc");
}

#define LOOP "(module (func (export \"spin\") (loop $l (br $l))) (func (export \"ok\") (result i32) (i32.const 1)))"

static void *interrupt_soon(void *argument) {
    mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + 2000000);
    mote_store_interrupt(argument);
    return NULL;
}

TEST(an_interrupt_ends_a_loop) {
    struct world w;
    struct os_thread thread;
    world_open(&w);
    mote_instance inst = world_instance(&w, LOOP);
    REQUIRE(mote__os_thread_create(&thread, interrupt_soon, w.store, 0) == 0);
    CHECK_EQ(world_call(&w, inst, "spin"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_INTERRUPTED);
    mote__os_thread_join(thread);
    CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    mote_store_interrupt(w.store); /* before the call */
    CHECK_EQ(world_call(&w, inst, "spin"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_INTERRUPTED);
    world_close(&w);
}

/* Interrupts a store each time its loop begins. */
struct interrupter {
    mote_store *store;
    _Atomic uint32_t wanted, last;
};

static void *interrupt_each(void *argument) {
    struct interrupter *i = argument;
    for (uint32_t done = 0; done < i->last; done++) {
        while (atomic_load(&i->wanted) == done) mote__os_wait(&i->wanted, done, OS_NEVER);
        mote_store_interrupt(i->store);
    }
    return NULL;
}

/* The loop may see the interrupt before the one who raises it is done: the calls after it must not take the rest for a full stack. */
TEST(an_interrupt_counts_once) {
    enum { TIMES = 3000, CALLS_AFTER = 20 };
    struct world w;
    struct os_thread thread;
    world_open(&w);
    mote_instance inst = world_instance(&w, LOOP);
    struct interrupter interrupter = {.store = w.store, .last = TIMES};
    REQUIRE(mote__os_thread_create(&thread, interrupt_each, &interrupter, 0) == 0);
    bool good = true;
    for (int i = 0; i < TIMES; i++) {
        atomic_fetch_add(&interrupter.wanted, 1);
        mote__os_wake(&interrupter.wanted, 1);
        good = good && CHECK_EQ(world_call(&w, inst, "spin"), MOTE_E_TRAP) && CHECK_EQ(w.error.trap, MOTE_TRAP_INTERRUPTED);
        for (int k = 0; k < CALLS_AFTER && good; k++) good = CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    }
    mote__os_thread_join(thread);
    world_close(&w);
}

TEST(deadlines) {
    struct world w;
    mote_store *second;
    world_open(&w);
    REQUIRE(mote_store_new(w.engine, NULL, &second, &w.error) == MOTE_OK);
    CHECK_EQ(mote_store_set_timeout(second, 3600 * UINT64_C(1000000000), &w.error), MOTE_OK);
    mote_instance inst = world_instance(&w, LOOP);
    uint64_t start = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    CHECK_EQ(mote_store_set_timeout(w.store, 5000000, &w.error), MOTE_OK);
    CHECK_EQ(world_call(&w, inst, "spin"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_DEADLINE);
    CHECK(mote__os_clock_ns(OS_CLOCK_MONOTONIC) - start >= 5000000);
    CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    CHECK_EQ(mote_store_set_timeout(w.store, 1, &w.error), MOTE_OK);
    mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + 3000000);
    CHECK_EQ(mote_store_set_timeout(w.store, 0, &w.error), MOTE_OK); /* taken back after it has fired */
    CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    CHECK_EQ(mote_store_set_timeout(w.store, 1000000, &w.error), MOTE_OK);
    CHECK_EQ(mote_store_set_timeout(w.store, UINT64_MAX, &w.error), MOTE_OK); /* replaced by never */
    mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + 3000000);
    CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    mote_store_delete(second); /* with its deadline */
    world_close(&w);
}

static mote_instance world_open_metered(struct world *w) {
    mote_config config;
    mote_config_init(&config);
    config.fuel = true;
    world_open_with(w, &config, NULL);
    return world_instance(w, LOOP);
}

TEST(fuel) {
    struct world w;
    mote_instance inst = world_open_metered(&w);
    CHECK_EQ(world_call(&w, inst, "ok"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_OUT_OF_FUEL);
    mote_store_set_fuel(w.store, 1000);
    CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    CHECK(mote_store_fuel(w.store) < 1000 && mote_store_fuel(w.store) > 900);
    CHECK_EQ(world_call(&w, inst, "spin"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_OUT_OF_FUEL);
    CHECK_EQ(mote_store_fuel(w.store), 0);
    world_close(&w);
}

struct budget {
    uint64_t left, asked;
};

static uint64_t take_ten(void *context, uint64_t wanted) {
    struct budget *budget = context;
    uint64_t taken = budget->left < wanted + 10 ? budget->left : wanted + 10;
    budget->left -= taken;
    budget->asked++;
    return taken;
}

TEST(fuel_from_a_source) {
    struct world w;
    struct budget budget = {.left = 1000};
    mote_instance inst = world_open_metered(&w);
    mote_store_set_fuel_source(w.store, take_ten, &budget);
    CHECK_EQ(world_call_i32(&w, inst, "ok", 0), 1);
    CHECK(budget.asked > 0 && budget.left > 900);
    CHECK_EQ(world_call(&w, inst, "spin"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_OUT_OF_FUEL);
    CHECK_EQ(budget.left, 0);
    CHECK_EQ(mote_store_fuel(w.store), 0);
    budget.left = 100;
    mote_store_set_fuel_source(w.store, NULL, NULL);
    CHECK_EQ(world_call(&w, inst, "ok"), MOTE_E_TRAP);
    CHECK_EQ(budget.left, 100);
    world_close(&w);
}

TEST(modules_outlive_their_makers) {
    struct world w;
    world_open(&w);
    mote_module *module = world_module(&w, "(module $name (func (export \"f\") (param i32) (result i32) (local.get 0)) (@custom \"note\" \"hello\"))");
    REQUIRE(module);
    const uint8_t *bytes;
    size_t size;
    mote_instance inst;
    CHECK_EQ(mote_module_name(module).size, 4);
    CHECK_EQ(mote_module_export_count(module), 1);
    CHECK_EQ(mote_module_export(module, 0).type.kind, MOTE_EXTERN_FUNC);
    CHECK(mote_module_custom(module, "note", 0, &bytes, &size) && size == 5 && !memcmp(bytes, "hello", 5));
    CHECK(!mote_module_custom(module, "note", 1, &bytes, &size));
    CHECK_EQ(mote_instance_new(w.store, module, NULL, 0, &inst, &w.error), MOTE_OK);
    mote_module *again = mote_module_retain(module);
    mote_module_delete(module);
    CHECK_EQ(world_call_i32(&w, inst, "f", 1, 5), 5);
    CHECK(mote_instance_module(inst) == again && mote_module_engine(again) == w.engine);
    mote_linker_delete(w.linker);
    mote_store_delete(w.store);
    mote_engine_delete(w.engine);
    CHECK(w.memory.live_blocks > 0);
    mote_module_delete(again);
    CHECK_EQ(w.memory.live_blocks, 0);
}

TEST(text_and_binary) {
    struct world w;
    uint8_t *binary;
    char *text;
    size_t size, text_size;
    mote_module *module;
    world_open(&w);
    static const char source[] = "  ;; a comment\n (module (func))";
    REQUIRE(mote_text_to_binary(w.engine, source, sizeof source - 1, &binary, &size, &w.error) == MOTE_OK);
    CHECK(mote_is_binary(binary, size) && !mote_is_binary(source, sizeof source - 1));
    CHECK_EQ(mote_module_validate(w.engine, binary, size, &w.error), MOTE_OK);
    CHECK_EQ(mote_module_validate(w.engine, source, sizeof source - 1, NULL), MOTE_OK);
    REQUIRE(mote_binary_to_text(w.engine, binary, size, &text, &text_size, &w.error) == MOTE_OK);
    CHECK_EQ(mote_module_validate(w.engine, text, text_size, &w.error), MOTE_OK);
    CHECK_EQ(mote_module_new(w.engine, "", 0, 0, &module, &w.error), MOTE_E_MALFORMED);
    CHECK_EQ(mote_module_new(w.engine, "\0as", 3, 0, &module, &w.error), MOTE_E_MALFORMED);
    CHECK_EQ(mote_module_new(w.engine, "(module", 7, 0, &module, NULL), MOTE_E_MALFORMED);
    CHECK_EQ(mote_module_validate(w.engine, "(func (i32.const 0))", 20, &w.error), MOTE_E_INVALID);
    mote_bytes_delete(w.engine, text, text_size);
    mote_bytes_delete(w.engine, binary, size);
    world_close(&w);
}

TEST(features_by_name) {
    CHECK(mote_feature_find("simd") && (mote_features_default() & mote_feature_find("simd")));
    CHECK_EQ(mote_feature_find("no such thing"), 0);
    unsigned count = 0;
    while (mote_feature_name(count)) {
        CHECK_EQ(mote_feature_find(mote_feature_name(count)), UINT64_C(1) << count);
        CHECK(mote_feature_text(count) && *mote_feature_text(count));
        count++;
    }
    CHECK(count > 10 && !mote_feature_text(count));
    struct world w;
    mote_config config;
    mote_config_init(&config);
    config.features &= ~mote_feature_find("memory64");
    world_open_with(&w, &config, NULL);
    CHECK_EQ(mote_module_validate(w.engine, "(module (memory i64 1))", 23, &w.error), MOTE_E_UNSUPPORTED);
    world_close(&w);
}

TEST(traps_have_texts) {
    CHECK_STR(mote_trap_text(MOTE_TRAP_UNREACHABLE), "unreachable");
    CHECK_STR(mote_trap_text(MOTE_TRAP_HOST), "host error");
    CHECK_STR(mote_trap_text(MOTE_TRAP_COUNT), "unknown trap");
    for (uint32_t i = 0; i < MOTE_TRAP_COUNT; i++) CHECK(mote_trap_text(i) && *mote_trap_text(i));
}
