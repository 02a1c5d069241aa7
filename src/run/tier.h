/* tier.h - how a compiler takes the interpreter's place, function by function (design: docs/design.md, "Tiers").
 *
 * An engine has at most one tier; src/run calls it through this table and includes nothing of it. With a tier every function of a module has an entry
 * cell: an atomic pointer to machine code that runs it (at first code that compiles it, or has it interpreted if it cannot be compiled).
 * Frames on the value stack are the interpreter's (exec.h) except that FRAME_SITE is not used: return addresses are on the exec's native stack,
 * one for each frame and nothing else. A stretch of compiled frames is an activation of its own (mote__activation.native). */
#ifndef MOTE_RUN_TIER_H
#define MOTE_RUN_TIER_H

#include "run/code.h"

/* How to compile a whole module: the arguments of mote_module_compile. */
struct mote__compile_job {
    uint32_t threads;
    mote_compile_progress *progress;
    void *context;
};

struct mote__tier {
    const char *name;
    /* Readies a new engine: MOTE_OK, MOTE_E_NOMEM, MOTE_E_IO (perf_map), or MOTE_E_UNSUPPORTED when machine code cannot be used here: the engine interprets then. */
    mote_status (*engine_begin)(mote_engine *engine);
    /* Makes the module's entry cells, once; thread-safe. MOTE_E_NOMEM when that cannot be: then nothing of the module runs. */
    mote_status (*module_begin)(mote_module *module, mote_error *error);
    void (*module_end)(mote_module *module);
    void (*engine_end)(mote_engine *engine);
    /* Runs a function whose frame `fp` has its caller and instance; results go to the parameters' place: statuses of mote_call. */
    mote_status (*enter)(struct mote__exec *exec, struct mote__instance *instance, uint32_t own_index, uint64_t *fp);
    /* Readies an exec for entering: its native stack. */
    mote_status (*exec_begin)(struct mote__exec *exec, mote_error *error);
    void (*exec_end)(struct mote__exec *exec);
    /* The entry cell of a host function. */
    void *(*host_cell)(mote_engine *engine);
    /* True when the tier runs the function, false when the interpreter does: compiles it to find out. */
    bool (*compiles)(mote_module *module, uint32_t own_index);
    /* A function's machine code for people (mote_module_native): MOTE_E_UNSUPPORTED when it is interpreted. */
    mote_status (*native)(mote_module *module, uint32_t own_index, mote_native **out, mote_error *error);
    /* Compiles all functions of a module that are not compiled yet (mote_module_compile). */
    mote_status (*compile_all)(mote_module *module, const struct mote__compile_job *job, mote_error *error);
    /* Fills in what is compiled, what is left to the interpreter, and the bytes of code. */
    void (*code_stats)(mote_module *module, mote_code_stats *out);
    /* The tables of the code around a return address (sites and handlers count bytes) and the address as a distance from its start. */
    const struct mote__code *(*code_of_site)(mote_module *module, const void *site, uint32_t *offset);
    /* The module offset of the instruction around a distance from a function's start; 0 without memory to find out. */
    uint64_t (*wasm_offset)(mote_module *module, uint32_t func_index, uint32_t offset);
};

/* The frames of an activation, innermost first, with the code that each is in. */
struct mote__frame_walk {
    const struct mote__activation *activation;
    uint64_t *fp;
    const uint16_t *pc;        /* interpreted frames */
    const uint64_t *sp;        /* compiled frames: where the next return address is */
};
struct mote__frame_at {
    uint64_t *fp;
    struct mote__instance *instance;
    const struct mote__code *code; /* NULL: a position that is no site */
    uint32_t offset;               /* units or bytes from the code's start */
    const uint16_t *pc;
    const uint64_t *sp;            /* compiled: above this frame's return address */
};
void mote__frame_walk_init(struct mote__frame_walk *walk, const struct mote__activation *activation);
/* The next frame, or false at the activation's base. `by_address`: the first one is where it trapped, which for interpreted code is no site. */
bool mote__frame_walk_next(struct mote__frame_walk *walk, struct mote__frame_at *out, bool by_address);

/* Status of mote__interp_run when a frame that returns to C tail-called a compiled function: exec->tail_index, the activation's fp. */
enum { MOTE__TAIL_COMPILED = 100 };
/* Runs one instruction of lowered code, which ends with an exit, in a compiled frame: statuses of mote_call. */
mote_status mote__interp_step(struct mote__exec *exec, uint64_t *fp, const uint16_t *units);

#endif
