/* vec.h - a growing array of one type, as a macro-declared struct and typed inline functions.
 *   VEC(uint32_t) offsets = {0};                         declares {data, count, capacity}
 *   uint32_t *slot = mote__vec_push(&offsets, a);        NULL when out of memory, else a zeroed new last element
 *   mote__vec_deinit(&offsets, a);
 * The allocator is passed at each growing call so that a vec is three words. Elements move when it grows. */
#ifndef MOTE_BASE_VEC_H
#define MOTE_BASE_VEC_H

#include "base/alloc.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *data;                                                                                \
        size_t count, capacity;                                                                    \
    }

/* Makes room for `more` elements beyond *count; false when out of memory (nothing changed). Grows by half, from 8. */
bool mote__vec_reserve_bytes(const mote_allocator *a, void **data, size_t count, size_t *capacity,
                             size_t more, size_t size);

#define mote__vec_reserve(v, a, more)                                                              \
    ((v)->capacity - (v)->count >= (size_t)(more) ||                                               \
     mote__vec_reserve_bytes((a), (void **)&(v)->data, (v)->count, &(v)->capacity, (more),         \
                             sizeof *(v)->data))
#define mote__vec_push(v, a)                                                                       \
    (mote__vec_reserve((v), (a), 1)                                                                \
         ? memset(&(v)->data[(v)->count++], 0, sizeof *(v)->data),                                 \
           &(v)->data[(v)->count - 1]                                                              \
         : NULL)
#define mote__vec_last(v)      (&(v)->data[(v)->count - 1])
#define mote__vec_deinit(v, a)                                                                     \
    (mote__free((a), (v)->data, (v)->capacity * sizeof *(v)->data), (v)->data = NULL,              \
     (v)->count = (v)->capacity = 0)

#endif
