/* alloc.h - typed front of the one allocator. Every byte that libmote owns on the heap passes through these, with its exact size, so that
 * limits and accounting cost nothing. All of them return NULL only for "no memory" (or a count that overflows). */
#ifndef MOTE_BASE_ALLOC_H
#define MOTE_BASE_ALLOC_H

#include <mote/status.h>
#include <string.h>

/* malloc, realloc and free behind the interface. */
extern const mote_allocator mote__allocator_libc;

static inline void *mote__alloc(const mote_allocator *a, size_t bytes) {
    return a->resize(a->ctx, NULL, 0, bytes);
}

static inline void *mote__alloc_zeroed(const mote_allocator *a, size_t bytes) {
    void *ptr = mote__alloc(a, bytes);
    if (ptr) memset(ptr, 0, bytes);
    return ptr;
}

static inline void mote__free(const mote_allocator *a, void *ptr, size_t bytes) {
    if (ptr) a->resize(a->ctx, ptr, bytes, 0);
}

/* Resizes an array of `old_count` elements of `size` bytes; NULL on overflow or no memory, the old array then stays valid. */
static inline void *mote__realloc_array(const mote_allocator *a, void *ptr, size_t old_count,
                                        size_t new_count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(new_count, size, &bytes)) return NULL;
    return a->resize(a->ctx, ptr, old_count * size, bytes);
}

#define MOTE__NEW(a, type)               ((type *)mote__alloc_zeroed((a), sizeof(type)))
#define MOTE__NEW_ARRAY(a, type, count)  ((type *)mote__alloc_array_zeroed((a), (count), sizeof(type)))
#define MOTE__DELETE(a, ptr)             mote__free((a), (ptr), sizeof *(ptr))
#define MOTE__DELETE_ARRAY(a, ptr, count) mote__free((a), (ptr), (size_t)(count) * sizeof *(ptr))

/* Zeroed array; NULL when count is 0 is not a failure: check with `count && !ptr`. */
static inline void *mote__alloc_array_zeroed(const mote_allocator *a, size_t count, size_t size) {
    size_t bytes;
    if (!count || __builtin_mul_overflow(count, size, &bytes)) return NULL;
    return mote__alloc_zeroed(a, bytes);
}

#endif
