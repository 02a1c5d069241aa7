/* wasmtime.c - runs a WASI command under PyPI's wasmtime: a peer for bench/run and the judge of tests/guests/go-tests.
 * The package ships one shared library with wasmtime's C interface; this program loads it (first argument) and takes the spellings of
 * `wasmtime run` that our scripts use: --dir HOST::GUEST, --env K=V or K, -W unknown-imports-trap, -C compiler=winch, --argv0 NAME.
 * Winch lacks the proposals that the collector needs, so they are on for Cranelift alone.
 * Declares only what it calls. Exit code: the program's, 134 after a trap, 1 for a bad module, 2 for wrong usage. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    size_t size;
    char *data;
};

struct func {
    uint64_t store_id;
    void *private_part;
};

/* The functions of the library, X(result, name, parameters). Every handle is opaque here. */
#define FUNCTIONS(X)                                                                               \
    X(void *, wasm_config_new, (void))                                                             \
    X(void, wasmtime_config_strategy_set, (void *, uint8_t))                                       \
    X(void, wasmtime_config_wasm_gc_set, (void *, bool))                                           \
    X(void, wasmtime_config_wasm_function_references_set, (void *, bool))                          \
    X(void, wasmtime_config_wasm_exceptions_set, (void *, bool))                                   \
    X(void *, wasm_engine_new_with_config, (void *))                                               \
    X(void *, wasmtime_store_new, (void *, void *, void (*)(void *)))                              \
    X(void *, wasmtime_store_context, (void *))                                                    \
    X(void *, wasmtime_module_new, (void *, const char *, size_t, void **))                        \
    X(void *, wasmtime_linker_new, (void *))                                                       \
    X(void *, wasmtime_linker_define_wasi, (void *))                                               \
    X(void *, wasmtime_linker_define_unknown_imports_as_traps, (void *, void *))                   \
    X(void *, wasmtime_linker_module, (void *, void *, const char *, size_t, void *))              \
    X(void *, wasmtime_linker_get_default, (void *, void *, const char *, size_t, struct func *))  \
    X(void *, wasmtime_func_call,                                                                  \
      (void *, const struct func *, const void *, size_t, void *, size_t, void **))                \
    X(void *, wasmtime_context_set_wasi, (void *, void *))                                         \
    X(bool, wasmtime_error_exit_status, (void *, int *))                                           \
    X(void, wasmtime_error_message, (void *, struct bytes *))                                      \
    X(void, wasm_trap_message, (void *, struct bytes *))                                           \
    X(void *, wasi_config_new, (void))                                                             \
    X(bool, wasi_config_set_argv, (void *, size_t, char **))                                       \
    X(bool, wasi_config_set_env, (void *, size_t, char **, char **))                               \
    X(void, wasi_config_inherit_stdin, (void *))                                                   \
    X(void, wasi_config_inherit_stdout, (void *))                                                  \
    X(void, wasi_config_inherit_stderr, (void *))                                                  \
    X(bool, wasi_config_preopen_dir, (void *, const char *, const char *, bool))

static struct {
#define FIELD(result, name, parameters) result(*name) parameters;
    FUNCTIONS(FIELD)
#undef FIELD
} lib;

struct options {
    void *wasi;
    char **env_names, **env_values;
    size_t env_count;
    char *argv0;
    bool unknown_imports_trap, winch;
};

/* wasmtime_strategy_t of wasmtime/config.h. */
enum { STRATEGY_CRANELIFT = 1, STRATEGY_WINCH = 2 };

static void die(int code, const char *what, const char *detail) {
    fprintf(stderr, "wasmtime peer: %s %s\n", what, detail);
    exit(code);
}

static void library_load(const char *path) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) die(2, "cannot load", dlerror());
#define LOAD(result, name, parameters)                                                             \
    *(void **)&lib.name = dlsym(handle, #name);                                                    \
    if (!lib.name) die(2, "the library lacks", #name);
    FUNCTIONS(LOAD)
#undef LOAD
}

/* Ends the program on an error: with the guest's own exit code when it called proc_exit. */
static void check(void *error, int code) {
    if (!error) return;
    int status;
    if (lib.wasmtime_error_exit_status(error, &status)) exit(status);
    struct bytes text;
    lib.wasmtime_error_message(error, &text);
    fprintf(stderr, "wasmtime peer: %.*s\n", (int)text.size, text.data);
    exit(code);
}

static void option_dir(struct options *o, char *value) {
    char *guest = strstr(value, "::");
    if (guest) *guest = 0;
    if (!lib.wasi_config_preopen_dir(o->wasi, value, guest ? guest + 2 : value, true))
        die(2, "cannot open the directory", value);
}

static void option_env(struct options *o, char *value) {
    char *equals = strchr(value, '=');
    char *text = equals ? equals + 1 : getenv(value);
    if (!text) return;
    if (equals) *equals = 0;
    o->env_names[o->env_count] = value;
    o->env_values[o->env_count++] = text;
}

/* The value of option `name` at argv[*at] (--name=value or --name value), or NULL if it is another option. */
static char *option_value(char **argv, int *at, const char *name) {
    size_t length = strlen(name);
    if (strncmp(argv[*at], name, length)) return NULL;
    if (argv[*at][length] == '=') return argv[*at] + length + 1;
    if (argv[*at][length]) return NULL;
    if (!argv[*at + 1]) die(2, "needs a value:", name);
    return argv[++*at];
}

/* Reads the options before the module's name; returns the index of that name. */
static int options_read(struct options *o, char **argv, int at) {
    char *value;
    for (; argv[at] && argv[at][0] == '-' && argv[at][1]; at++) {
        if ((value = option_value(argv, &at, "--dir"))) option_dir(o, value);
        else if ((value = option_value(argv, &at, "--env"))) option_env(o, value);
        else if ((value = option_value(argv, &at, "--argv0"))) o->argv0 = value;
        else if ((value = option_value(argv, &at, "-W")) && !strcmp(value, "unknown-imports-trap"))
            o->unknown_imports_trap = true;
        else if ((value = option_value(argv, &at, "-C")) && !strcmp(value, "compiler=winch")) o->winch = true;
        else die(2, "unknown option", argv[at]);
    }
    if (!argv[at]) die(2, "usage: wasmtime LIBRARY [--dir H::G] [--env K=V] [-W ...]", "FILE [ARG...]");
    return at;
}

static struct bytes file_read(const char *path) {
    struct bytes file = {0, NULL};
    FILE *in = fopen(path, "rb");
    if (!in) die(1, "cannot open", path);
    size_t room = 1 << 16, got;
    file.data = malloc(room);
    while (file.data && (got = fread(file.data + file.size, 1, room - file.size, in)) > 0)
        if ((file.size += got) == room) file.data = realloc(file.data, room *= 2);
    if (!file.data) die(1, "no memory for", path);
    fclose(in);
    return file;
}

static void *engine_new(bool winch) {
    void *config = lib.wasm_config_new();
    lib.wasmtime_config_strategy_set(config, winch ? STRATEGY_WINCH : STRATEGY_CRANELIFT);
    lib.wasmtime_config_wasm_function_references_set(config, !winch);
    lib.wasmtime_config_wasm_gc_set(config, !winch);
    lib.wasmtime_config_wasm_exceptions_set(config, !winch);
    return lib.wasm_engine_new_with_config(config);
}

/* Compiles, links and runs the command; returns only when it ended without proc_exit. */
static int run(struct options *o, struct bytes file) {
    void *engine = engine_new(o->winch), *store = lib.wasmtime_store_new(engine, NULL, NULL);
    void *context = lib.wasmtime_store_context(store), *module, *trap = NULL;
    void *linker = lib.wasmtime_linker_new(engine);
    check(lib.wasmtime_linker_define_wasi(linker), 1);
    check(lib.wasmtime_module_new(engine, file.data, file.size, &module), 1);
    if (o->unknown_imports_trap)
        check(lib.wasmtime_linker_define_unknown_imports_as_traps(linker, module), 1);
    check(lib.wasmtime_context_set_wasi(context, o->wasi), 1);
    check(lib.wasmtime_linker_module(linker, context, "", 0, module), 1);
    struct func start;
    check(lib.wasmtime_linker_get_default(linker, context, "", 0, &start), 1);
    check(lib.wasmtime_func_call(context, &start, NULL, 0, NULL, 0, &trap), 134);
    if (!trap) return 0;
    struct bytes text;
    lib.wasm_trap_message(trap, &text);
    fprintf(stderr, "wasmtime peer: %.*s\n", (int)text.size, text.data);
    return 134;
}

int main(int argc, char **argv) {
    if (argc < 3) die(2, "usage: wasmtime LIBRARY [--dir H::G] [--env K=V] [-W ...]", "FILE [ARG...]");
    library_load(argv[1]);
    struct options o = {.wasi = lib.wasi_config_new()};
    o.env_names = calloc((size_t)argc, sizeof(char *));
    o.env_values = calloc((size_t)argc, sizeof(char *));
    if (!o.env_names || !o.env_values) die(1, "no memory", "");
    int at = options_read(&o, argv, 2);
    struct bytes file = file_read(argv[at]);
    if (o.argv0) argv[at] = o.argv0;
    lib.wasi_config_set_argv(o.wasi, (size_t)(argc - at), argv + at);
    lib.wasi_config_set_env(o.wasi, o.env_count, o.env_names, o.env_values);
    lib.wasi_config_inherit_stdin(o.wasi);
    lib.wasi_config_inherit_stdout(o.wasi);
    lib.wasi_config_inherit_stderr(o.wasi);
    return run(&o, file);
}
