/* sorted.h - arrays in the order of the bytes of their elements' keys. An element begins with its
 * key; the array is a VEC. A key is found in the logarithm of their number, put in and taken out by
 * moving what is behind it. */
#ifndef MOTE_PARTS_SORTED_H
#define MOTE_PARTS_SORTED_H

#include <mote/parts.h>
#include "base/vec.h"

struct sorted_key {
    char *data; /* the element's own */
    size_t size;
};

/* Below 0, 0 or above it: how a key stands to another. */
static inline int sorted_order(const void *a, size_t a_size, const void *b, size_t b_size) {
    size_t size = a_size < b_size ? a_size : b_size;
    int order = size ? memcmp(a, b, size) : 0;
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static inline bool sorted_begins(const void *key, size_t size, const mote_parts_bytes *with) {
    return size >= with->size && (!with->size || !memcmp(key, with->data, with->size));
}

/* Index of a key, or of where it would be; `bytes` is the size of an element. */
static inline size_t sorted_position(const void *elements, size_t count, size_t bytes,
                                     const mote_parts_bytes *key, bool *found) {
    size_t low = 0, high = count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        const struct sorted_key *at =
            (const struct sorted_key *)((const char *)elements + middle * bytes);
        int order = sorted_order(at->data, at->size, key->data, key->size);
        *found = !order;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return high;
}
#define SORTED_POSITION(v, key, found)                                                             \
    sorted_position((v)->data, (v)->count, sizeof *(v)->data, (key), (found))

/* Moves what is at `at` and behind it, so that one more has its place there; there is room. */
#define SORTED_OPEN(v, at)                                                                         \
    memmove(&(v)->data[(at) + 1], &(v)->data[at], ((v)->count++ - (at)) * sizeof *(v)->data)
/* Takes the element at `at` out. */
#define SORTED_CLOSE(v, at)                                                                        \
    memmove(&(v)->data[at], &(v)->data[(at) + 1], (--(v)->count - (at)) * sizeof *(v)->data)

#endif
