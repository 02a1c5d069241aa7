/* wast_run.h - runs parsed scripts over mote.h: what cmd_wast.c and the wast_*.c files share. */
#ifndef MOTE_CLI_WAST_RUN_H
#define MOTE_CLI_WAST_RUN_H

#include "cli.h"
#include "os/os.h"
#include "text/wast.h"

/* What a directive came to: passed, or "expected ..., got ..." on one line. */
struct verdict {
    bool passed;
    char text[1024];
};

/* Sets the verdict to a failure and returns false. */
bool verdict_fail(struct verdict *v, const char *format, ...) MOTE_PRINTF(2, 3);

/* ---- Runs (wast_run.c). ---- */

/* Something that actions can name. In a thread the outer script's instances appear with nothing but their shared memories. */
struct wast_instance {
    struct span name;
    mote_instance instance; /* ptr NULL: of the outer script */
    size_t shared_first, shared_count; /* in scope.shared */
};

struct wast_definition {
    struct span name;
    mote_module *module;
};

struct wast_shared {
    mote_name name;
    mote_memory memory;
};

/* The world of one script, or of one thread in it: a store with its instances. */
struct wast_scope {
    mote_engine *engine;
    mote_features features;
    uint64_t fuel; /* that the store has at first */
    mote_store *store;
    mote_linker *linker;
    struct arena arena;
    VEC(struct wast_instance) instances;     /* the last is the one that actions without a name mean */
    VEC(struct wast_definition) definitions; /* likewise for (module instance) */
    VEC(struct wast_shared) shared;
    VEC(struct wast_thread *) threads;
    bool has_current; /* false after a module that could not be instantiated */
    /* Called with the verdict on each directive; from the script's threads too. */
    void (*visit)(void *context, const struct wast_command *command, const struct verdict *verdict);
    void *context;
    unsigned failed; /* directives whose verdict was a failure */
};

/* A directive (thread ...) under way. */
struct wast_thread {
    struct span name;
    struct os_thread handle;
    bool joined;
    struct wast_scope scope;
    const struct wast_command *commands;
    uint32_t command_count;
};

/* Makes a scope with a fresh store in which "spectest" is defined. */
mote_status wast_scope_init(struct wast_scope *scope, mote_engine *engine, mote_features features, uint64_t fuel, mote_error *error);
void wast_scope_deinit(struct wast_scope *scope);
/* Runs commands in order, with a verdict on each. */
void wast_run(struct wast_scope *scope, const struct wast_command *commands, uint32_t count);

/* ---- Threads (wast_thread.c). ---- */

bool wast_thread_start(struct wast_scope *scope, const struct wast_command *command, struct verdict *v);
bool wast_thread_wait(struct wast_scope *scope, const struct wast_command *command, struct verdict *v);
void wast_threads_join(struct wast_scope *scope);
/* Finds an instance by name, the last one if it has none; NULL if there is none. */
struct wast_instance *wast_instance_find(struct wast_scope *scope, struct span name);

/* ---- Values and messages (wast_match.c). ---- */

/* Makes the value of an argument; references are new ones in the store. */
mote_status wast_value_make(mote_store *store, const struct wast_value *in, mote_value *out, mote_error *error);
/* Fails unless the values are what the script expects. */
bool wast_results_match(mote_store *store, const struct wast_value *expected, uint32_t expected_count, const mote_value *got,
                        size_t got_count, struct verdict *v);
/* True if `message` begins with the expected words, or with words that wast_match.c lists as meaning the same. */
bool wast_message_matches(struct span expected, const char *message);

#endif
