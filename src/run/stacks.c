/* stacks.c - the pool of stacks.h: a short list under a lock, newest used first, since its first page is the likeliest to be in a cache.
 * Keeps: whatever is in the list is zero, and nobody knows its address. */
#include "run/stacks.h"

#include <string.h>

#include "run/store.h"

static void *take_kept(struct mote__stacks *stacks, size_t bytes) {
    void *start = NULL;
    mote__os_mutex_lock(&stacks->lock);
    for (uint32_t i = stacks->count; i-- > 0 && !start;) {
        if (stacks->kept[i].bytes != bytes) continue;
        start = stacks->kept[i].start;
        stacks->count--;
        memmove(&stacks->kept[i], &stacks->kept[i + 1], (stacks->count - i) * sizeof stacks->kept[0]);
    }
    mote__os_mutex_unlock(&stacks->lock);
    return start;
}

void *mote__stack_take(mote_engine *engine, size_t bytes) {
    void *start = take_kept(&engine->stacks, bytes);
    return start ? start : mote__os_map(bytes);
}

/* Zero again, without most of the memory. False when the system does not do that. */
static bool clear(void *start, size_t bytes, bool grows_down) {
    size_t page = mote__os_page_bytes(), rest = bytes - page;
    memset((uint8_t *)start + (grows_down ? rest : 0), 0, page);
    return mote__os_clear((uint8_t *)start + (grows_down ? 0 : page), rest);
}

/* Adds one; what has no room any more is returned. */
static struct mote__kept_stack keep(struct mote__stacks *stacks, struct mote__kept_stack stack) {
    struct mote__kept_stack oldest = {0};
    mote__os_mutex_lock(&stacks->lock);
    if (stacks->count == STACKS_KEPT) {
        oldest = stacks->kept[0];
        stacks->count--;
        memmove(&stacks->kept[0], &stacks->kept[1], stacks->count * sizeof stack);
    }
    stacks->kept[stacks->count++] = stack;
    mote__os_mutex_unlock(&stacks->lock);
    return oldest;
}

void mote__stack_give(mote_engine *engine, void *start, size_t bytes, bool grows_down) {
    struct mote__kept_stack gone = {start, bytes};
    if (clear(start, bytes, grows_down)) gone = keep(&engine->stacks, gone);
    if (gone.start) mote__os_release(gone.start, gone.bytes);
}

void mote__stacks_end(mote_engine *engine) {
    struct mote__stacks *stacks = &engine->stacks;
    while (stacks->count) {
        struct mote__kept_stack *last = &stacks->kept[--stacks->count];
        mote__os_release(last->start, last->bytes);
    }
}
