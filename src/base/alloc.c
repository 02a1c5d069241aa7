/* alloc.c - the allocator of hosts that bring none: libc's, behind the interface of status.h.
 * Keeps: results are aligned to 16, which malloc promises on every 64-bit system. */
#include "base/alloc.h"
#include <assert.h>
#include <stdlib.h>

static void *resize_libc(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes) {
    (void)ctx;
    (void)old_bytes;
    if (!new_bytes) {
        free(ptr);
        return NULL;
    }
    void *result = realloc(ptr, new_bytes);
    assert(((uintptr_t)result & 15) == 0);
    return result;
}

const mote_allocator mote__allocator_libc = {resize_libc, NULL};
