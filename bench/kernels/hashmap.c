/* hashmap.c - a hash map with open addressing under insertions, look-ups and removals: random reads of memory. Size: thousands of operations. */
#include "kernel.h"

KERNEL(6000)

struct map {
    uint64_t *keys, *values; /* key 0: free, key 1: removed */
    uint32_t mask, used;
};

static struct map map_make(uint32_t slots) {
    struct map m = {need(slots * sizeof(uint64_t)), need(slots * sizeof(uint64_t)), slots - 1, 0};
    memset(m.keys, 0, slots * sizeof(uint64_t));
    return m;
}

static uint32_t home(const struct map *m, uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15 >> 32) & m->mask; }

/* The slot of the key, or the free slot where it would stand. */
static uint32_t find(const struct map *m, uint64_t key) {
    uint32_t at = home(m, key);
    while (m->keys[at] && m->keys[at] != key) at = (at + 1) & m->mask;
    return at;
}

static void put(struct map *m, uint64_t key, uint64_t value);

static void grow(struct map *m) {
    struct map larger = map_make((m->mask + 1) * 2);
    for (uint32_t i = 0; i <= m->mask; i++)
        if (m->keys[i] > 1) put(&larger, m->keys[i], m->values[i]);
    free(m->keys);
    free(m->values);
    *m = larger;
}

static void put(struct map *m, uint64_t key, uint64_t value) {
    if (m->used * 4 > m->mask * 3u) grow(m);
    uint32_t at = find(m, key);
    m->used += !m->keys[at];
    m->keys[at] = key;
    m->values[at] = value;
}

static uint64_t kernel(uint32_t thousands) {
    struct map m = map_make(16);
    uint64_t random = 3, sum = 1;
    for (uint32_t i = 0; i < thousands * 1000; i++) {
        uint64_t word = random_next(&random), key = (word >> 16) % 100000 + 2;
        uint32_t at = find(&m, key);
        if (word % 4 == 0) put(&m, key, word);
        else if (word % 16 == 1) m.keys[at] = m.keys[at] ? 1 : 0;
        else if (m.keys[at]) sum += m.values[at];
    }
    return mix(sum, m.used);
}
