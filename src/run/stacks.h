/* stacks.h - memory for the stacks of execs: an engine keeps some of what stores are done with, cleared, since mapping memory costs more than the rest of
 * making a store. */
#ifndef MOTE_RUN_STACKS_H
#define MOTE_RUN_STACKS_H

#include <mote/mote.h>

#include "os/os.h"

enum { STACKS_KEPT = 32 };

/* A part of the engine; all zero at first. */
struct mote__stacks {
    struct os_mutex lock;
    uint32_t count;
    struct mote__kept_stack { void *start; size_t bytes; } kept[STACKS_KEPT]; /* oldest first */
};

/* `bytes` (whole pages) of zeros; NULL when the system refuses. */
void *mote__stack_take(mote_engine *engine, size_t bytes);
/* Gives it back. What was on it is gone; but for a page where the stack begins, so is the memory. */
void mote__stack_give(mote_engine *engine, void *start, size_t bytes, bool grows_down);
/* Frees what is kept; nothing of the engine's may be taken any more. */
void mote__stacks_end(mote_engine *engine);

#endif
