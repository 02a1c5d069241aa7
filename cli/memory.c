/* memory.c - where the command's memory comes from: the first small blocks from an area that is part of the program, the others from libc. A short run then
 * asks the system for almost nothing: libc maps pages for each size of block, which was a quarter of what hello costs.
 * The area is a stack. Its last block grows in place and gives its bytes back; any other block that is freed is lost, the whole area at most.
 * Threads: any; the top is one atomic word. */
#include "cli.h"
#include "base/alloc.h"
#include <stdatomic.h>

enum { AREA_BYTES = 128 * 1024, ALIGNMENT = 16 };
#ifdef MOTE_HOSTILE /* whoever writes beyond a block is to be seen: none are here */
enum { BLOCK_BYTES_MAX = 0 };
#else
enum { BLOCK_BYTES_MAX = 8 * 1024 };
#endif
static _Alignas(ALIGNMENT) unsigned char area[AREA_BYTES];
static atomic_size_t top;

static size_t rounded(size_t bytes) { return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1); }

static bool is_inside(const void *ptr) { return (uintptr_t)ptr - (uintptr_t)area < AREA_BYTES; }

/* NULL: too large, or nothing is left. */
static void *take(size_t bytes) {
    size_t start = atomic_load_explicit(&top, memory_order_relaxed);
    do {
        if (bytes > BLOCK_BYTES_MAX || rounded(bytes) > AREA_BYTES - start) return NULL;
    } while (!atomic_compare_exchange_weak(&top, &start, start + rounded(bytes)));
    return area + start;
}

/* The last block ends elsewhere; false: it is not the last, or becomes too large. */
static bool move_end(const unsigned char *block, size_t old_bytes, size_t new_bytes) {
    size_t start = (size_t)(block - area), end = start + rounded(old_bytes);
    if (new_bytes > BLOCK_BYTES_MAX || rounded(new_bytes) > AREA_BYTES - start) return false;
    return atomic_compare_exchange_strong(&top, &end, start + rounded(new_bytes));
}

static void *make(size_t bytes) {
    void *block = take(bytes);
    return block ? block : mote__alloc(&mote__allocator_libc, bytes);
}

static void *resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes) {
    if (!ptr && new_bytes) return make(new_bytes);
    if (!ptr || !is_inside(ptr)) return mote__allocator_libc.resize(ctx, ptr, old_bytes, new_bytes);
    if (move_end(ptr, old_bytes, new_bytes) || new_bytes <= old_bytes) return new_bytes ? ptr : NULL;
    void *moved = make(new_bytes);
    if (moved) memcpy(moved, ptr, old_bytes);
    return moved;
}

const mote_allocator command_allocator = {resize, NULL};
