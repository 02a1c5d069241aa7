/* cmd_run.c - mote run: loads a module, gives it what the options say, runs it. Start-up time is the point: nothing is prepared that the
 * program does not ask for. */
#include "run.h"
#include "base/error.h"
#include <sys/resource.h>

static const mote_allocator *const allocator = &command_allocator;

/* ---- Making things. Each prints why it failed and returns the exit code. ---- */

static int load(struct run *run, const char *path, struct input *input, mote_module **out) {
    mote_error error;
    if (!input_open_module(input, path)) return EXIT_BAD_MODULE;
    if (mote_module_new(run->engine, input->bytes, input->size, MOTE_MODULE_BORROW, out, &error) == MOTE_OK)
        return engine_compile(run->args, input->name, *out);
    return report_module_error(input, &error);
}

/* Numbers that cannot be meant, or not be kept. */
static int check_ranges(const struct args *args) {
    static const struct {
        enum option_id option;
        uint64_t least, most;
        const char *range;
    } ranges[] = {
        {OPT_max_stack, 1, UINT32_MAX, "-W max-wasm-stack takes more than 0 and less than 4GiB"},
        {OPT_max_heap, 0, UINT64_C(4) << 30, "-W max-gc-heap takes 4GiB at most"},
        {OPT_max_instances, 0, UINT32_MAX, "-W max-instances takes 4294967295 at most"},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct given *given = args_find(args, ranges[i].option);
        if (given && (given->number < ranges[i].least || given->number > ranges[i].most))
            return report_usage("%s, not `%s`", ranges[i].range, given->text);
    }
    return EXIT_DONE;
}

static void fill_limits(const struct args *args, mote_limits *limits) {
    mote_limits_init(limits);
    limits->memory_bytes_max = args_number(args, OPT_max_memory, limits->memory_bytes_max);
    limits->table_elements_max = args_number(args, OPT_max_elements, limits->table_elements_max);
    limits->gc_heap_bytes_max = args_number(args, OPT_max_heap, limits->gc_heap_bytes_max);
    limits->instances_max = (uint32_t)args_number(args, OPT_max_instances, limits->instances_max);
    limits->stack_bytes = (uint32_t)args_number(args, OPT_max_stack, limits->stack_bytes);
}

/* Of the whole program: its threads share the first one's fuel and end with its deadline. */
static mote_status start_meters(const struct run *run, mote_store *store, mote_error *error) {
    uint64_t timeout_ns = args_number(run->args, OPT_timeout, 0);
    mote_store_set_fuel(store, args_number(run->args, OPT_fuel, 0));
    return timeout_ns ? mote_store_set_timeout(store, timeout_ns, error) : MOTE_OK;
}

/* What calls through the host, and between interpreted and compiled functions, may use of the first thread's stack: half of it. */
static uint32_t own_stack_bytes(void) {
    const rlim_t most = 64 << 20;
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit)) return 64 << 10;
    return (uint32_t)(limit.rlim_cur < 2 * most ? limit.rlim_cur / 2 : most);
}

static int make_store(struct run *run) {
    mote_error error;
    fill_limits(run->args, &run->limits);
    mote_limits limits = run->limits;
    limits.native_stack_bytes = own_stack_bytes();
    mote_status status = mote_store_new(run->engine, &limits, &run->store, &error);
    if (status == MOTE_OK) status = start_meters(run, run->store, &error);
    return status == MOTE_OK ? EXIT_DONE : report_failure("%s", error.message);
}

static int make_linker(struct run *run) {
    mote_error error;
    mote_status status = mote_linker_new(run->engine, &run->linker, &error);
    if (status == MOTE_OK) status = mote_wasi_define(run->wasi, run->linker, &error);
    if (status == MOTE_OK) status = run_link_components(run->guest, run->linker, &error);
    if (status != MOTE_OK) return report_failure("%s", error.message);
    mote_linker_unknown_imports_trap(run->linker, args_flag(run->args, OPT_unknown_imports_trap));
    return EXIT_DONE;
}

/* ---- Modules before the program. ---- */

/* Loads the module of "NAME=FILE". */
static int load_before(struct run *run, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) return report_usage("--preload takes NAME=FILE, not `%s`", text);
    struct preload *preload = mote__vec_push(&run->preloads, allocator);
    if (preload) preload->name = mote__arena_string(&run->arena, text, (size_t)(equals - text));
    if (!preload || !preload->name) return report_failure("out of memory");
    return load(run, equals + 1, &preload->input, &preload->module);
}

/* Instantiates a module and defines its exports under its name. */
static mote_status link_before(const struct preload *preload, mote_store *store, mote_linker *linker, mote_error *error) {
    mote_instance instance;
    TRY(mote_linker_instantiate(linker, store, preload->module, &instance, error));
    TRY(mote_wasi_initialize(store, instance, error));
    return mote_linker_define_instance(linker, preload->name, instance, error);
}

static int preload_all(struct run *run) {
    int code = EXIT_DONE;
    for (size_t i = 0; i < run->args->given.count && !code; i++)
        if (run->args->given.data[i].option == OPT_preload) code = load_before(run, run->args->given.data[i].text);
    for (size_t i = 0; i < run->preloads.count && !code; i++) {
        const struct preload *preload = &run->preloads.data[i];
        mote_error error;
        if (link_before(preload, run->store, run->linker, &error) != MOTE_OK)
            code = report_call_error(&preload->input, preload->module, run->store, &error);
    }
    return code;
}

/* ---- Threads of the program. ---- */

/* A new thread's store and linker get what the first thread's have. */
static mote_status prepare_thread(void *context, mote_store *store, mote_linker *linker, mote_error *error) {
    const struct run *run = context;
    mote_linker_unknown_imports_trap(linker, args_flag(run->args, OPT_unknown_imports_trap));
    TRY(run_link_components(run->guest, linker, error));
    for (size_t i = 0; i < run->preloads.count; i++) TRY(link_before(&run->preloads.data[i], store, linker, error));
    return MOTE_OK;
}

static int allow_threads(struct run *run) {
    mote_error error;
    mote_wasi_threads threads = {.module = run->module, .limits = &run->limits, .prepare = prepare_thread, .context = run};
    if (!args_number(run->args, OPT_threads, true)) return EXIT_DONE;
    mote_status status = mote_wasi_define_threads(run->wasi, run->linker, run->store, &threads, &error);
    return status == MOTE_OK ? EXIT_DONE : report_call_error(&run->input, run->module, run->store, &error);
}

/* ---- The run. ---- */

static bool is_func(const mote_exporttype *export, const char *name) {
    bool named = !name || (export->name.size == strlen(name) && !memcmp(export->name.data, name, export->name.size));
    return named && export->type.kind == MOTE_EXTERN_FUNC;
}

static bool has_func(const mote_module *module, const char *name) {
    size_t count = mote_module_export_count(module), i = 0;
    for (; i < count; i++) {
        mote_exporttype export = mote_module_export(module, i);
        if (is_func(&export, name)) break;
    }
    return i < count;
}

/* A library was run: that its functions were not called should not come as a surprise. */
static void hint_at_invoke(const struct run *run) {
    bool is_command = has_func(run->module, "_start") || has_func(run->module, "_initialize");
    if (is_command || !has_func(run->module, NULL)) return;
    fprintf(stderr, "mote: %s has no `_start`; --invoke NAME calls a function of it:", run->input.name);
    size_t count = mote_module_export_count(run->module);
    for (size_t i = 0, shown = 0; i < count && shown < 8; i++) {
        mote_exporttype export = mote_module_export(run->module, i);
        if (!is_func(&export, NULL)) continue;
        fputs(shown++ ? ", " : " ", stderr);
        print_name(stderr, export.name.data, export.name.size);
    }
    fputc('\n', stderr);
}

static int run_program(struct run *run) {
    uint32_t exit_code = 0;
    mote_error error;
    mote_status status = mote_wasi_run(run->wasi, run->linker, run->store, run->module, &exit_code, &error);
    if (status != MOTE_OK) return report_call_error(&run->input, run->module, run->store, &error);
    hint_at_invoke(run);
    return (int)exit_code;
}

static bool is_late(void *store) { return mote_store_interrupted(store); }

/* File systems that hold back what is written commit it after a good end, and forget it after any other. */
static int close_files(struct run *run, int code) {
    mote_vfs_set_patience((mote_vfs_patience){is_late, run->store});
    mote_vfs_error error = mote_wasi_close(run->wasi, code == EXIT_DONE);
    mote_vfs_set_patience((mote_vfs_patience){NULL, NULL});
    bool lost = error && code == EXIT_DONE;
    return lost ? report_failure("a file that the program left open could not be kept: %s", mote_vfs_error_text(error)) : code;
}

static int run_all(struct run *run) {
    const char *invoke = args_text(run->args, OPT_invoke, NULL);
    int code = check_ranges(run->args);
    if (!code) code = run_open_components(run);
    if (!code) code = engine_open(run->args, &run->engine);
    if (!code) code = load(run, run->args->operands[0], &run->input, &run->module);
    if (!code) code = run_make_wasi(run);
    if (!code) code = make_store(run);
    if (!code) code = make_linker(run);
    if (!code) code = preload_all(run);
    if (!code) code = allow_threads(run);
    if (code) return code;
    return close_files(run, invoke ? run_invoke(run, invoke) : run_program(run));
}

/* With --verbose: what has become of the module's functions. */
static void tell_functions(const struct run *run) {
    mote_code_stats stats;
    if (!run->module || !args_flag(run->args, OPT_tell)) return;
    mote_module_code_stats(run->module, &stats);
    fprintf(stderr, "mote: %s: %u functions: %u compiled to %llu bytes, %u interpreted, the others not called\n", run->input.name, stats.func_count,
            stats.compiled_count, (unsigned long long)stats.code_bytes, stats.interpreted_count);
}

/* The process is about to end, which gives its memory back faster than anybody can piece by piece (for hello, a sixth of all that it costs). So only
 * builds with assertions free all of it, for whoever looks for leaks. Components may have tied anything to the store: with them it always goes. */
#ifdef NDEBUG
enum { FREES_MEMORY = 0 };
#else
enum { FREES_MEMORY = 1 };
#endif

static void free_memory(struct run *run) {
    mote_module_delete(run->module);
    for (size_t i = 0; i < run->preloads.count; i++) {
        mote_module_delete(run->preloads.data[i].module);
        input_close(&run->preloads.data[i].input);
    }
    mote__vec_deinit(&run->preloads, allocator);
    mote_engine_delete(run->engine);
    input_close(&run->input);
    mote__arena_deinit(&run->arena);
}

/* What can be seen from outside ends in any case: threads, files, components. */
static void clean_up(struct run *run) {
    bool frees = FREES_MEMORY || run->components;
    if (frees) {
        mote_store_delete(run->store);
        mote_linker_delete(run->linker);
    }
    mote_wasi_delete(run->wasi);
    run_close_components(run);
    if (frees) free_memory(run);
}

int cmd_run(const struct args *args) {
    struct run run = {.args = args};
    mote__arena_init(&run.arena, allocator);
    int code = run_all(&run);
    fflush(stdout);
    tell_functions(&run);
    clean_up(&run);
    return code;
}
