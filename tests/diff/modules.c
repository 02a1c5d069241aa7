/* modules.c - generated modules (generate.h) run in two ways (setup.h), and a third time in the first way with a call before every plain
 * instruction; after each call results, traps, globals, memories and tables are compared, and fuel where both count it.
 * Of eight modules one has its integers in bodies written as short as can be in each run, the others longer in one, two or all of them.
 * Without the third time where both ways count fuel, half of the calls with little of it.
 * Usage: modules WAY WAY SEED COUNT MIN [CALLS]. The COUNT modules follow from SEED; each function is called CALLS times (4). Fails at the first difference, after making the module smaller
 * and printing it, or at the end unless every plain instruction was compared MIN times with each operand in each kind of location, and every
 * instruction of the language was generated. A line before the last gives a number that depends on all results: two builds must agree. */
#include "diff/lockstep.h"

#include <signal.h>
#include <unistd.h>

enum { SECONDS_MAX = 300, CHOICES_MAX = 6000, LEAST_SHOWN = 10, PADDED_COUNT = 1 << RUN_COUNT };

static volatile uint64_t seed_now;

/* ---------------------------------------------------------------- making a difference small */

/* Without `count` choices from `at` on, or with 0 in their place, if the ways still differ. */
static bool try_without(uint8_t *choices, size_t *size, size_t at, size_t count, bool is_zeroing) {
    uint8_t changed[CHOICES_MAX];
    size_t changed_size = is_zeroing ? *size : *size - count;
    unsigned func;
    memcpy(changed, choices, *size);
    if (is_zeroing) memset(changed + at, 0, count);
    else memmove(changed + at, changed + at + count, *size - at - count);
    if (!memcmp(changed, choices, *size) || compare_module(changed, changed_size, &func)) return false;
    memcpy(choices, changed, changed_size);
    *size = changed_size;
    return true;
}

static void reduce(uint8_t *choices, size_t *size) {
    for (size_t count = *size / 2; count; count /= 2)
        for (unsigned is_zeroing = 0; is_zeroing < 2; is_zeroing++)
            for (size_t at = 0; at + count <= *size;)
                if (!try_without(choices, size, at, count, is_zeroing) || is_zeroing) at += count;
}

static void report(uint8_t *choices, size_t size) {
    struct emit plain = {0};
    unsigned func = 0;
    char *text;
    size_t text_size;
    printf("seed %" PRIu64 ": %s and %s differ: %s\n", seed_now, runs[0].way->name, runs[1].way->name, difference);
    reduce(choices, &size);
    MUST(!compare_module(choices, size, &func));
    printf("made smaller: f%u differs in %s; runs with long integers: %#x\n", func, difference, padded_runs);
    gen.e = &plain;
    gen_module(&gen, choices, size);
    MUST(mote_binary_to_text(runs[0].engine, plain.data, plain.size, &text, &text_size, NULL) == MOTE_OK);
    printf("%.*s\n", (int)text_size, text);
    mote_bytes_delete(runs[0].engine, text, text_size);
    free(plain.data);
}

/* ---------------------------------------------------------------- all of them */

static void fill_choices(uint64_t seed, uint8_t *choices, size_t *size) {
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (size_t i = 0; i < CHOICES_MAX; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        choices[i] = (uint8_t)(state >> 56);
    }
    *size = 200 + (state >> 33) % (CHOICES_MAX - 200);
}

/* The seed is said when a module ends the process, or takes a time without end. */
static void on_crash(int number) {
    char text[64] = "modules: crash at seed ";
    size_t size = strlen(text);
    char digits[24];
    size_t count = 0;
    for (uint64_t rest = seed_now; rest || !count; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    while (count) text[size++] = digits[--count];
    text[size++] = '\n';
    if (write(STDERR_FILENO, text, size) < 0) _exit(3);
    signal(number, SIG_DFL);
    raise(number);
}

/* True when every computing instruction was compared often enough; shows the rarest. */
static bool is_covered(uint64_t min) {
    uint64_t least = UINT64_MAX;
    unsigned short_of = 0, missing = 0;
    for (unsigned op = 0; op < OP_COUNT; op++) {
        const struct mote__op_info *info = &mote__op_info[op];
        unsigned count = (unsigned)(strchr(info->sig, '_') - info->sig) + (info->mem_bytes > 0);
        if (!emitted[op] && min) printf("never generated: %s\n", mote__op_text(info)), missing++;
        for (unsigned k = 0; k < count && info->kind != KIND_CONTROL; k++)
            for (unsigned l = 0; l < LOCATION_COUNT; l++) {
                least = compared[op][k][l] < least ? compared[op][k][l] : least;
                if (compared[op][k][l] >= min || ++short_of > LEAST_SHOWN) continue;
                printf("%s: operand %u was %s only %" PRIu64 " times\n", mote__op_text(info), k, location_names[l], compared[op][k][l]);
            }
    }
    printf("each operand of each plain instruction in each kind of location at least %" PRIu64 " times (asked for: %" PRIu64 "; short of it: %u)\n", least, min, short_of);
    return !short_of && !missing;
}

static void print_locations(void) {
    uint64_t sums[LOCATION_COUNT] = {0};
    for (unsigned op = 0; op < OP_COUNT; op++)
        for (unsigned k = 0; k < GEN_OPERAND_MAX; k++)
            for (unsigned l = 0; l < LOCATION_COUNT; l++) sums[l] += compared[op][k][l];
    for (unsigned l = 0; l < LOCATION_COUNT; l++) printf("%12" PRIu64 " operands: %s\n", sums[l], location_names[l]);
}

static void print_traps(void) {
    static const char *const texts[] = {
        [0] = "no trap",
#define TRAP(ident, text) [MOTE_TRAP_##ident] = text,
#include "wasm/traps.def"
#undef TRAP
    };
    for (unsigned i = 0; i < MOTE_TRAP_COUNT; i++)
        if (trap_counts[i]) printf("%12" PRIu64 " calls: %s\n", trap_counts[i], texts[i]);
}

/* MODULES_COUNTS in the environment: a line for each operand of each plain instruction. */
static void print_counts(void) {
    if (!getenv("MODULES_COUNTS")) return;
    for (unsigned op = 0; op < OP_COUNT; op++)
        for (unsigned k = 0; k < GEN_OPERAND_MAX && mote__op_info[op].kind != KIND_CONTROL; k++) {
            printf("%-40s %u", mote__op_text(&mote__op_info[op]), k);
            for (unsigned l = 0; l < LOCATION_COUNT; l++) printf(" %8" PRIu64, compared[op][k][l]);
            printf("\n");
        }
}

int main(int argc, char **argv) {
    static uint8_t choices[CHOICES_MAX];
    size_t size;
    unsigned func;
    if (argc < 6) return fprintf(stderr, "usage: modules WAY WAY SEED COUNT MIN [CALLS]\n"), 2;
    uint64_t first = strtoull(argv[3], NULL, 10), count = strtoull(argv[4], NULL, 10), min = strtoull(argv[5], NULL, 10);
    if (argc > 6) calls_per_func = (unsigned)strtoul(argv[6], NULL, 10);
    /* before the engines: their handler must have faults of compiled code first */
    signal(SIGSEGV, on_crash), signal(SIGBUS, on_crash), signal(SIGABRT, on_crash), signal(SIGILL, on_crash), signal(SIGFPE, on_crash), signal(SIGALRM, on_crash);
    set_up(argv[1], argv[2]);
    for (seed_now = first; seed_now < first + count; seed_now++) {
        alarm(SECONDS_MAX);
        fill_choices(seed_now, choices, &size);
        pad_seed = seed_now, padded_runs = seed_now % PADDED_COUNT;
        if (compare_module(choices, size, &func)) continue;
        alarm(0);
        report(choices, size);
        printf("0 passed, 1 failed\n");
        return 1;
    }
    alarm(0);
    bool covered = is_covered(min);
    print_locations();
    print_traps();
    print_counts();
    printf("%" PRIu64 " modules, %" PRIu64 " calls, %" PRIu64 " ended by exceptions; results %016" PRIx64 "\n", count, call_count, exception_count, hash);
    for (unsigned i = 0; i < RUN_COUNT; i++) mote_engine_delete(runs[i].engine);
    printf("%d passed, %d failed\n", covered, !covered);
    return !covered;
}
