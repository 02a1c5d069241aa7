/* no_memory.c - generated modules (generate.h) compiled while one allocation fails: the first, the last and some between. Each time compilation says that there
 * is no memory or ends well, gives back all that it took, and ends at all.
 * Usage: no_memory SEED COUNT SAMPLES. The COUNT modules follow from SEED; in each SAMPLES allocations fail, one at a time. */
#include "diff/generate.h"
#include "diff/setup.h"

#define CHECK_EQ(a, b) ((a) == (b)) /* for fail_alloc.h, whose sweeps count in unit tests */
#include "unit/fail_alloc.h"

#include <signal.h>
#include <unistd.h>

enum { CHOICES_MAX = 6000, SECONDS_MAX = 300 };

static struct gen gen;
static volatile uint64_t seed_now, failing_now;

static void fill_choices(uint64_t seed, uint8_t *choices) {
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (size_t i = 0; i < CHOICES_MAX; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        choices[i] = (uint8_t)(state >> 56);
    }
}

/* Printing is not for signal handlers, but the process ends here anyway. */
static void on_crash(int number) {
    printf("signal %d at seed %" PRIu64 " with allocation %" PRIu64 " failing\n0 passed, 1 failed\n", number, seed_now, failing_now);
    fflush(stdout);
    _exit(3);
}

/* Allocations of the engine and the module are counted, and never fail; `failing` counts from there. Returns how many there were after them. */
static uint64_t compile(const struct emit *e, uint64_t failing, uint64_t *wrong) {
    static struct fail_alloc f;
    mote_config config;
    mote_engine *engine;
    mote_module *module;
    fail_alloc_init(&f, 0);
    mote_config_init(&config);
    config.features = ~(mote_features)0;
    config.fuel = seed_now % 2, config.low_address_space = seed_now % 3 == 0, config.canonical_nans = seed_now % 5 == 0;
    config.allocator = f.allocator;
    MUST(mote_engine_new(&config, &engine, NULL) == MOTE_OK);
    MUST(mote_module_new(engine, e->data, e->size, 0, &module, NULL) == MOTE_OK);
    uint64_t before = f.calls;
    f.fail_at = failing ? before + failing : 0;
    mote_status status = mote_module_compile(module, 1, NULL, NULL, NULL);
    uint64_t calls = f.calls - before;
    *wrong += status != MOTE_OK && (status != MOTE_E_NOMEM || !f.failures);
    mote_module_delete(module);
    mote_engine_delete(engine);
    *wrong += f.live_blocks || f.wrong_sizes;
    return calls;
}

int main(int argc, char **argv) {
    static uint8_t choices[CHOICES_MAX];
    static struct emit plain;
    uint64_t wrong = 0, runs = 0;
    if (argc < 4) return fprintf(stderr, "usage: no_memory SEED COUNT SAMPLES\n"), 2;
    uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10), samples = strtoull(argv[3], NULL, 10);
    signal(SIGSEGV, on_crash), signal(SIGABRT, on_crash), signal(SIGALRM, on_crash);
    for (seed_now = first; seed_now < first + count && !wrong; seed_now++) {
        alarm(SECONDS_MAX);
        fill_choices(seed_now, choices);
        gen.e = &plain;
        gen_module(&gen, choices, CHOICES_MAX);
        uint64_t calls = compile(&plain, 0, &wrong);
        for (uint64_t i = 0; i <= samples; i++, runs++) compile(&plain, failing_now = 1 + (calls - 1) * i / samples, &wrong);
        if (wrong) printf("seed %" PRIu64 ": a status or what is left is wrong\n", seed_now);
    }
    printf("%" PRIu64 " compilations in which an allocation failed\n%d passed, %d failed\n", runs, !wrong, wrong != 0);
    free(plain.data);
    return wrong != 0;
}
