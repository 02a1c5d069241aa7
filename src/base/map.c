/* map.c - linear probing over a power of two of entries; removal moves later entries back, so there
 * are no tombstones.
 * Keeps: at least a quarter of the entries is free, so every probe ends; no free entry between a
 * key's home and its place. */
#include "base/map.h"
#include <assert.h>

enum { CAPACITY_MIN = 8 };

static uint64_t swap_halves(uint64_t x) { return x << 32 | x >> 32; }

/* Multiplies 64 by 64 bits and folds the 128 together; in 32-bit pieces, so that every machine
 * computes the same. */
static uint64_t fold(uint64_t a, uint64_t b) {
    uint64_t a_low = (uint32_t)a, a_high = a >> 32, b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t outer = a_high * b_high + swap_halves(a_high * b_low);
    uint64_t inner = a_low * b_low + swap_halves(a_low * b_high);
    return outer ^ inner;
}

/* Mixes 16 bytes in. The state (and so the seed) is in both factors: without it nobody can make one
 * of them 0. */
static uint64_t absorb(uint64_t state, const uint8_t block[16]) {
    uint64_t words[2];
    memcpy(words, block, sizeof words);
    return fold(words[0] ^ state, words[1] ^ swap_halves(state) ^ 0x9e3779b97f4a7c15) + state;
}

uint64_t mote__hash(const void *bytes, size_t size, uint64_t seed) {
    const uint8_t *at = bytes;
    uint64_t state = fold(seed ^ 0xd1342543de82ef95, (uint64_t)size + 0xa0761d6478bd642f) ^ seed;
    for (size_t left = size; left; at += 16, left -= 16) {
        if (left < 16) {
            uint8_t tail[16] = {0};
            memcpy(tail, at, left);
            state = absorb(state, tail);
            break;
        }
        state = absorb(state, at);
    }
    return fold(state ^ 0x2545f4914f6cdd1d, swap_halves(state) + 0xbf58476d1ce4e5b9);
}

void mote__map_init(struct map *map, const mote_allocator *allocator) {
    *map = (struct map){.allocator = allocator};
}

void mote__map_deinit(struct map *map) {
    MOTE__DELETE_ARRAY(map->allocator, map->entries, map->capacity);
    mote__map_init(map, map->allocator);
}

/* Keys that are NULL (of no bytes) must not look like free entries. */
static const void *key_or_empty(const void *key) { return key ? key : ""; }

static bool entry_is(const struct map_entry *entry, uint64_t hash, const void *key,
                     size_t key_bytes) {
    return entry->hash == hash && entry->key_bytes == key_bytes &&
           !memcmp(entry->key, key, key_bytes);
}

/* The entry that holds the key, or the free one where it would go. Needs a capacity. */
static struct map_entry *find(const struct map *map, uint64_t hash, const void *key,
                              size_t key_bytes) {
    for (size_t i = hash;; i++) {
        struct map_entry *entry = &map->entries[i & (map->capacity - 1)];
        if (!entry->key || entry_is(entry, hash, key, key_bytes)) return entry;
    }
}

/* The first free entry for a key that is known to be absent. */
static struct map_entry *find_free(const struct map *map, uint64_t hash) {
    size_t i = hash;
    while (map->entries[i & (map->capacity - 1)].key) i++;
    return &map->entries[i & (map->capacity - 1)];
}

static bool grow(struct map *map) {
    size_t new_capacity = map->capacity ? map->capacity * 2 : CAPACITY_MIN;
    struct map larger = *map;
    larger.entries = MOTE__NEW_ARRAY(map->allocator, struct map_entry, new_capacity);
    if (!larger.entries) return false;
    larger.capacity = new_capacity;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct map_entry *entry = &map->entries[i];
        if (entry->key) *find_free(&larger, entry->hash) = *entry;
    }
    MOTE__DELETE_ARRAY(map->allocator, map->entries, map->capacity);
    *map = larger;
    return true;
}

uint64_t *mote__map_get(const struct map *map, const void *key, size_t key_bytes) {
    if (!map->count) return NULL;
    key = key_or_empty(key);
    struct map_entry *entry = find(map, mote__hash(key, key_bytes, map->seed), key, key_bytes);
    return entry->key ? &entry->value : NULL;
}

uint64_t *mote__map_put(struct map *map, const void *key, size_t key_bytes, bool *added) {
    key = key_or_empty(key);
    if (!map->capacity) map->seed = fold((uintptr_t)map ^ 0x94d049bb133111eb, (uintptr_t)key | 1);
    uint64_t hash = mote__hash(key, key_bytes, map->seed);
    struct map_entry *entry = map->capacity ? find(map, hash, key, key_bytes) : NULL;
    bool is_new = !entry || !entry->key;
    if (is_new) {
        if (map->count >= map->capacity / 4 * 3) {
            if (!grow(map)) return NULL;
            entry = find_free(map, hash);
        }
        *entry = (struct map_entry){.key = key, .key_bytes = key_bytes, .hash = hash};
        map->count++;
    }
    if (added) *added = is_new;
    return &entry->value;
}

/* Fills `hole` with the next entry of its run that may stand there, until the run ends. */
static void close_hole(struct map *map, size_t hole) {
    size_t mask = map->capacity - 1;
    for (size_t i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
        size_t from_home = (i - map->entries[i].hash) & mask, from_hole = (i - hole) & mask;
        if (from_home < from_hole) continue;
        map->entries[hole] = map->entries[i];
        hole = i;
    }
    map->entries[hole] = (struct map_entry){0};
}

bool mote__map_remove(struct map *map, const void *key, size_t key_bytes) {
    if (!map->count) return false;
    key = key_or_empty(key);
    struct map_entry *entry = find(map, mote__hash(key, key_bytes, map->seed), key, key_bytes);
    if (!entry->key) return false;
    close_hole(map, (size_t)(entry - map->entries));
    map->count--;
    return true;
}
