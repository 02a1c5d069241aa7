/* map.h - a hash map from byte strings to 64-bit values, open addressing, load at most 3/4. Keys are borrowed: they must outlive the map.
 * The hash is seeded per map (from its address and the first key's), so that chosen names cannot make it slow. */
#ifndef MOTE_BASE_MAP_H
#define MOTE_BASE_MAP_H

#include "base/alloc.h"

struct map_entry {
    const void *key; /* NULL: free */
    size_t key_bytes;
    uint64_t hash, value;
};

struct map {
    const mote_allocator *allocator;
    struct map_entry *entries;
    size_t count, capacity; /* capacity is 0 or a power of two */
    uint64_t seed;
};

void mote__map_init(struct map *map, const mote_allocator *allocator);
void mote__map_deinit(struct map *map);
/* Returns the place of the key's value, or NULL. Valid until the next put. */
uint64_t *mote__map_get(const struct map *map, const void *key, size_t key_bytes);
/* Returns the place of the key's value, adding it with value 0 if it is new (*added tells); NULL when out of memory. */
uint64_t *mote__map_put(struct map *map, const void *key, size_t key_bytes, bool *added);
/* Removes a key; false if it was not there. */
bool mote__map_remove(struct map *map, const void *key, size_t key_bytes);
/* 64-bit hash of bytes (for other tables too). */
uint64_t mote__hash(const void *bytes, size_t size, uint64_t seed);

#endif
