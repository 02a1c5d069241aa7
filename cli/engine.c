/* engine.c - from options to an engine. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "os/os.h"
#include <unistd.h>

enum { THREADS_MAX = 64, PROGRESS_AFTER_NS = 300000000, PROGRESS_STEP_NS = 100000000 };

mote_features features_given(const struct args *args) {
    const struct given *all = args_find(args, OPT_all_proposals);
    mote_features base = !all ? mote_features_default() : all->number ? ~(mote_features)0 : mote_feature_find("mvp");
    mote_features with = mote_features_with(base, args_features(args, true));
    return mote_features_without(with, args_features(args, false));
}

/* Each of these returns an exit code: EXIT_USAGE after saying what is wrong with the option. */

/* --tier. */
static int tier_given(const struct args *args, mote_tier *out) {
    const char *name = args_text(args, OPT_tier, NULL);
    if (!name) return EXIT_DONE;
    *out = !strcmp(name, "baseline") ? MOTE_TIER_BASELINE : MOTE_TIER_INTERPRETER;
    if (*out == MOTE_TIER_BASELINE || !strcmp(name, "interp")) return EXIT_DONE;
    return report_usage("--tier is interp or baseline, not `%s`", name);
}

/* --cpu. */
static int cpu_given(const struct args *args, mote_config *config) {
    const char *name = args_text(args, OPT_cpu, "native");
    config->cpu_baseline = !strcmp(name, "baseline");
    if (config->cpu_baseline || !strcmp(name, "native")) return EXIT_DONE;
    return report_usage("--cpu is native or baseline, not `%s`", name);
}

uint64_t threads_wanted(const struct args *args) {
    const struct given *given = args_find(args, OPT_jobs);
    if (given) return given->number;
    unsigned cpus = mote__os_cpu_count(); /* a system call: only when it counts */
    return cpus < THREADS_MAX ? cpus : THREADS_MAX;
}

/* --compile and --jobs: how many threads compile all functions at once, 0: none. */
static int threads_given(const struct args *args, uint32_t *out) {
    const char *when = args_text(args, OPT_compile, "lazy");
    bool eager = !strcmp(when, "eager");
    uint64_t jobs = eager || args_find(args, OPT_jobs) ? threads_wanted(args) : 1;
    *out = eager ? (uint32_t)jobs : 0;
    if (!eager && strcmp(when, "lazy") != 0) return report_usage("--compile is lazy or eager, not `%s`", when);
    if (!jobs || jobs > THREADS_MAX) return report_usage("--jobs takes 1 to %d", THREADS_MAX);
    bool idle = args_find(args, OPT_jobs) && !eager && !args_find(args, OPT_timing);
    return idle ? report_usage("--jobs goes with --compile=eager: otherwise each function is compiled when it is first called") : EXIT_DONE;
}

/* --jit-only LO-HI or N: function indices, both ends among them. */
static int range_given(const struct args *args, mote_config *config) {
    const char *text = args_text(args, OPT_jit_only, NULL);
    char low[16];
    uint64_t first, last;
    if (!text) return EXIT_DONE;
    size_t size = strcspn(text, "-");
    snprintf(low, sizeof low, "%.*s", (int)size, text);
    bool good = size < sizeof low && parse_count(low, &first) && parse_count(text[size] ? text + size + 1 : low, &last);
    if (!good || first > last || last >= UINT32_MAX)
        return report_usage("--jit-only takes indices of functions, as 10-20 or 15, not `%s`", text);
    config->compile_first = (uint32_t)first;
    config->compile_end = (uint32_t)last + 1;
    return EXIT_DONE;
}

/* --profile. */
static int profile_given(const struct args *args, mote_config *config) {
    const char *name = args_text(args, OPT_profile, NULL);
    config->perf_map = name;
    return !name || !strcmp(name, "perfmap") ? EXIT_DONE : report_usage("--profile is perfmap, not `%s`", name);
}

/* What a long compilation shows on a terminal. */
struct progress {
    const char *name;
    uint64_t begin_ns, shown_ns; /* shown_ns 0: nothing yet */
};

static void show_progress(void *context, uint32_t done, uint32_t total) {
    struct progress *p = context;
    uint64_t now = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    bool is_over = done == total;
    if (is_over && p->shown_ns) fputs("\r\033[K", stderr);
    if (is_over || now - p->begin_ns < PROGRESS_AFTER_NS || now - p->shown_ns < PROGRESS_STEP_NS) return;
    fprintf(stderr, "\rmote: compiling %s: %u of %u functions", p->name, done, total);
    p->shown_ns = now;
}

int engine_compile(const struct args *args, const char *name, mote_module *module) {
    uint32_t threads = 0;
    mote_error error;
    threads_given(args, &threads); /* engine_open has looked at it */
    if (!threads) return EXIT_DONE;
    struct progress progress = {.name = name, .begin_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC)};
    mote_status status = mote_module_compile(module, threads, isatty(STDERR_FILENO) ? show_progress : NULL, &progress, &error);
    return status == MOTE_OK ? EXIT_DONE : report_failure("%s: %s", name, error.message);
}

/* With --verbose: why nothing is compiled although nobody asked for the interpreter. */
static void tell_tier(const struct args *args, const mote_engine *engine) {
    const char *why;
    if (!args_flag(args, OPT_tell) || mote_engine_tier(engine, &why) != MOTE_TIER_INTERPRETER || !why) return;
    fprintf(stderr, "mote: functions are interpreted: %s\n", why);
}

/* The configuration that the options ask for. */
static int config_given(const struct args *args, mote_config *config) {
    uint32_t threads = 0;
    mote_config_init(config);
    config->allocator = command_allocator;
    config->features = features_given(args);
    config->fuel = args_find(args, OPT_fuel);
    config->canonical_nans = args_flag(args, OPT_canonical_nans);
    config->relaxed_deterministic = args_flag(args, OPT_relaxed_deterministic);
    config->low_address_space = args_flag(args, OPT_low_address_space);
    config->debug_info = args_flag(args, OPT_debug_info);
    int code = tier_given(args, &config->tier);
    if (!code) code = cpu_given(args, config);
    if (!code) code = threads_given(args, &threads);
    if (!code) code = range_given(args, config);
    if (!code) code = profile_given(args, config);
    if (args->command != CMD_run) config->compile_threads = threads; /* there engine_compile does it, and shows how far it is */
    return code;
}

int engine_open(const struct args *args, mote_engine **out) {
    mote_config config;
    mote_error error;
    int code = config_given(args, &config);
    if (code) return code;
    if (mote_engine_new(&config, out, &error) != MOTE_OK) return report_failure("%s", error.message);
    tell_tier(args, *out);
    return EXIT_DONE;
}
