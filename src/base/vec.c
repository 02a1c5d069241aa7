/* vec.c - growing, the part of vec.h that is not inline. */
#include "base/vec.h"

enum { CAPACITY_MIN = 8 };

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

bool mote__vec_reserve_bytes(const mote_allocator *a, void **data, size_t count, size_t *capacity,
                             size_t more, size_t size) {
    size_t needed, grown;
    if (__builtin_add_overflow(count, more, &needed)) return false;
    if (needed <= *capacity) return true;
    if (__builtin_add_overflow(*capacity, *capacity / 2, &grown)) grown = needed;
    size_t new_capacity = larger(larger(needed, grown), CAPACITY_MIN);
    /* *data is some `T *`, not a `void *`: copied as bytes to keep to the aliasing rules. */
    void *old_data, *new_data;
    memcpy(&old_data, data, sizeof old_data);
    new_data = mote__realloc_array(a, old_data, *capacity, new_capacity, size);
    if (!new_data) return false;
    memcpy(data, &new_data, sizeof new_data);
    *capacity = new_capacity;
    return true;
}
