/* dump_timing.c - mote dump --timing: decodes, validates and compiles a module several times over and prints the medians. Speeds are in megabytes
 * (10^6) of code section per second of processor time, all threads together. */
#include "dump.h"
#include "os/os.h"
#include <stdlib.h>

enum { ROUNDS = 5 };

struct lap {
    uint64_t cpu_ns, wall_ns;
};
struct timing {
    struct lap load[ROUNDS], compile[ROUNDS], threaded[ROUNDS];
    mote_code_stats stats;
};

static struct lap lap_begin(void) { return (struct lap){mote__os_clock_ns(OS_CLOCK_PROCESS_CPU), mote__os_clock_ns(OS_CLOCK_MONOTONIC)}; }

static struct lap lap_end(struct lap begin) {
    struct lap now = lap_begin();
    return (struct lap){now.cpu_ns - begin.cpu_ns, now.wall_ns - begin.wall_ns};
}

static int by_cpu(const void *a, const void *b) {
    uint64_t x = ((const struct lap *)a)->cpu_ns, y = ((const struct lap *)b)->cpu_ns;
    return (x > y) - (x < y);
}

static struct lap median(struct lap laps[ROUNDS]) {
    qsort(laps, ROUNDS, sizeof *laps, by_cpu);
    return laps[ROUNDS / 2];
}

/* One module from its bytes to machine code, in an engine of its own. */
static mote_status run_round(mote_engine *engine, struct span binary, uint32_t threads, struct lap *load, struct lap *compile, mote_code_stats *stats,
                             mote_error *error) {
    mote_module *module;
    struct lap begin = lap_begin();
    mote_status status = mote_module_new(engine, binary.data, binary.size, MOTE_MODULE_BORROW, &module, error);
    if (status != MOTE_OK) return status;
    *load = lap_end(begin);
    begin = lap_begin();
    status = mote_module_compile(module, threads, NULL, NULL, error);
    *compile = lap_end(begin);
    mote_module_code_stats(module, stats);
    mote_module_delete(module);
    return status;
}

static int measure(const struct args *args, const struct input *input, struct span binary, uint32_t threads, struct lap *load, struct lap *compile,
                   mote_code_stats *stats) {
    mote_error error;
    mote_engine *engine = NULL;
    int code = engine_open(args, &engine);
    if (code) return code;
    mote_status status = run_round(engine, binary, threads, load, compile, stats, &error);
    mote_engine_delete(engine);
    return status == MOTE_OK ? EXIT_DONE : report_module_error(input, &error);
}

static double per_second(uint64_t bytes, uint64_t ns) { return ns ? (double)bytes * 1e3 / (double)ns : 0; }

static void print_lap(const char *what, uint32_t threads, struct lap lap, uint64_t bytes) {
    char label[64];
    snprintf(label, sizeof label, threads > 1 ? "%s, %u threads" : "%s", what, threads);
    printf("  %-24s %8.1f ms CPU  %8.1f ms  %7.1f MB/s\n", label, (double)lap.cpu_ns / 1e6, (double)lap.wall_ns / 1e6, per_second(bytes, lap.cpu_ns));
}

static void print_timing(struct timing *t, uint64_t bytes, uint32_t threads) {
    struct lap load = median(t->load), one = median(t->compile), many = threads != 1 ? median(t->threaded) : one;
    struct lap both = {load.cpu_ns + one.cpu_ns, load.wall_ns + one.wall_ns};
    printf("Timing: %llu bytes of code section, medians of %d rounds\n", (unsigned long long)bytes, ROUNDS);
    print_lap("decode and validate", 1, load, bytes);
    print_lap("compile", 1, one, bytes);
    print_lap("both", 1, both, bytes);
    if (threads != 1) print_lap("compile", threads, many, bytes);
    printf("Machine code: %llu bytes, %.2f times the code section\n", (unsigned long long)t->stats.code_bytes,
           bytes ? (double)t->stats.code_bytes / (double)bytes : 0);
    printf("Functions: %u, of them %u compiled, %u interpreted\n", t->stats.func_count, t->stats.compiled_count, t->stats.interpreted_count);
}

int dump_timing(const struct args *args, const struct input *input, struct span binary, uint64_t section_bytes) {
    struct timing timing;
    struct lap unused;
    uint32_t threads = (uint32_t)threads_wanted(args);
    int code = EXIT_DONE;
    for (int i = 0; i < ROUNDS && !code; i++) {
        code = measure(args, input, binary, 1, &timing.load[i], &timing.compile[i], &timing.stats);
        if (!code && threads != 1) code = measure(args, input, binary, threads, &unused, &timing.threaded[i], &timing.stats);
    }
    if (!code) print_timing(&timing, section_bytes, threads);
    return code;
}
