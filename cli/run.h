/* run.h - one run of a program: what cmd_run.c, run_wasi.c and run_invoke.c share. */
#ifndef MOTE_CLI_RUN_H
#define MOTE_CLI_RUN_H

#include "base/arena.h"
#include "cli.h"
#include <mote/wasi.h>

/* A module that is linked in before the program. */
struct preload {
    const char *name;
    struct input input;
    mote_module *module;
};

struct run {
    const struct args *args;
    struct arena arena; /* strings and lists of the configuration */
    struct input input;
    mote_engine *engine;
    mote_module *module;
    mote_limits limits;
    mote_store *store;
    mote_linker *linker;
    mote_wasi *wasi;
    VEC(struct preload) preloads;
    struct mote_parts *components; /* NULL: none were asked for */
    struct mote_parts_guest *guest; /* what the program may ask of them itself */
    VEC(mote_wasi_dir) mounts;     /* nodes over them */
};

/* ---- Components: elsewhere.c, or parts/mounts.c in the program that has them. ---- */

/* Opens what --components and --mount ask for. Where it is not in this program (elsewhere.c) the one beside it is run in its place. Prints why
 * not and returns the exit code, EXIT_DONE when it worked or nothing was asked for. */
int run_open_components(struct run *run);
/* Defines what a program imports to ask them itself (mote1), in each of its threads' linkers. */
mote_status run_link_components(struct mote_parts_guest *guest, mote_linker *linker, mote_error *error);
/* After everything that could use them is gone. */
void run_close_components(struct run *run);

/* Makes run->wasi from the options (run_wasi.c). Prints why not and returns the exit code, EXIT_DONE when it worked. */
int run_make_wasi(struct run *run);
/* Instantiates the program, calls the export that --invoke names with the operands, prints its results; returns the exit code (run_invoke.c). */
int run_invoke(struct run *run, const char *name);

#endif
