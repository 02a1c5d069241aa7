/* arena.h - memory that is freed all at once: a list of chunks, a bump pointer. What a module owns lives in one.
 * Allocations are aligned to 16 and zeroed (strings are packed), and never move. */
#ifndef MOTE_BASE_ARENA_H
#define MOTE_BASE_ARENA_H

#include "base/alloc.h"

struct arena_chunk;

struct arena {
    const mote_allocator *allocator;
    struct arena_chunk *chunks; /* newest first */
    uint8_t *next, *end;        /* free space in the newest chunk */
    size_t bytes_total;         /* bytes taken from the allocator */
};

void mote__arena_init(struct arena *arena, const mote_allocator *allocator);
void mote__arena_deinit(struct arena *arena);

/* Returns `bytes` zeroed bytes aligned to 16, or NULL when out of memory. bytes may be 0 (a valid pointer then). */
void *mote__arena_alloc(struct arena *arena, size_t bytes);
/* The same for `count` elements; NULL on overflow too. */
void *mote__arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* Copies `size` bytes into the arena and adds a NUL. */
char *mote__arena_string(struct arena *arena, const void *bytes, size_t size);

#define MOTE__ARENA_NEW(arena, type)              ((type *)mote__arena_alloc((arena), sizeof(type)))
#define MOTE__ARENA_ARRAY(arena, type, count)     ((type *)mote__arena_alloc_array((arena), (count), sizeof(type)))

#endif
