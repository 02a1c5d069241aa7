/* map_test.c - the map against a plain array that does the same slowly; runs of colliding keys; no
 * memory. */
#include "test.h"
#include "fail_alloc.h"
#include "base/map.h"

enum { KEY_COUNT = 700 };
static char keys[KEY_COUNT][8];

static void make_keys(void) {
    for (unsigned i = 0; i < KEY_COUNT; i++) snprintf(keys[i], sizeof keys[i], "k%u", i);
}

static uint32_t next_random(uint32_t *state) {
    return (*state = *state * 1664525 + 1013904223) >> 8;
}

TEST(put_get_remove_against_a_plain_array) {
    make_keys();
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    struct map map;
    mote__map_init(&map, &f.allocator);
    uint64_t model[KEY_COUNT] = {0}; /* 0: absent */
    uint32_t state = 1;
    size_t count = 0;
    for (uint64_t step = 1; step < 50000; step++) {
        unsigned i = next_random(&state) % KEY_COUNT;
        size_t size = strlen(keys[i]);
        uint64_t *found = mote__map_get(&map, keys[i], size);
        REQUIRE((found != NULL) == (model[i] != 0));
        if (found) REQUIRE(*found == model[i]);
        if (next_random(&state) % 2) {
            bool added;
            uint64_t *slot = mote__map_put(&map, keys[i], size, &added);
            REQUIRE(slot && added == !model[i] && *slot == model[i]);
            count += added;
            *slot = model[i] = step;
        } else {
            REQUIRE(mote__map_remove(&map, keys[i], size) == (model[i] != 0));
            count -= model[i] != 0;
            model[i] = 0;
        }
        REQUIRE(map.count == count);
    }
    CHECK(map.count * 4 <= map.capacity * 3);
    mote__map_deinit(&map);
    CHECK_EQ(f.live_bytes, 0);
    CHECK_EQ(f.wrong_sizes, 0);
}

TEST(empty_maps_and_empty_keys) {
    struct map map;
    mote__map_init(&map, &mote__allocator_libc);
    CHECK(!mote__map_get(&map, "a", 1));
    CHECK(!mote__map_remove(&map, "a", 1));
    uint64_t *slot = mote__map_put(&map, NULL, 0, NULL);
    REQUIRE(slot);
    CHECK_EQ(*slot, 0);
    *slot = 9;
    CHECK(mote__map_get(&map, "", 0) == slot);
    CHECK(mote__map_remove(&map, NULL, 0));
    CHECK(!mote__map_get(&map, NULL, 0));
    mote__map_deinit(&map);
}

TEST(keys_are_bytes_not_strings) {
    struct map map;
    mote__map_init(&map, &mote__allocator_libc);
    static const char text[] = "a\0b\0c";
    for (size_t size = 0; size < sizeof text; size++) *mote__map_put(&map, text, size, NULL) = size;
    CHECK_EQ(map.count, sizeof text);
    for (size_t size = 0; size < sizeof text; size++)
        CHECK_EQ(*mote__map_get(&map, text, size), size);
    mote__map_deinit(&map);
}

TEST(seeds_differ_between_maps_and_hashes_with_them) {
    struct map maps[2];
    for (unsigned i = 0; i < 2; i++) {
        mote__map_init(&maps[i], &mote__allocator_libc);
        REQUIRE(mote__map_put(&maps[i], "key", 3, NULL));
    }
    CHECK(maps[0].seed != maps[1].seed);
    CHECK(mote__hash("key", 3, maps[0].seed) != mote__hash("key", 3, maps[1].seed));
    for (unsigned i = 0; i < 2; i++) mote__map_deinit(&maps[i]);
}

/* Each input bit, flipped, changes each output bit in about half of the cases: sums over bits and
 * lengths, with wide margins. */
TEST(hash_spreads_every_bit) {
    uint8_t bytes[40];
    uint32_t state = 7;
    unsigned flips[64] = {0}, cases = 0;
    for (size_t size = 1; size <= sizeof bytes; size++) {
        for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)next_random(&state);
        uint64_t before = mote__hash(bytes, size, size);
        for (size_t bit = 0; bit < size * 8; bit++, cases++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            uint64_t changed = before ^ mote__hash(bytes, size, size);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            REQUIRE(changed);
            for (unsigned out = 0; out < 64; out++) flips[out] += changed >> out & 1;
        }
    }
    for (unsigned out = 0; out < 64; out++)
        CHECK(flips[out] > cases * 45 / 100 && flips[out] < cases * 55 / 100);
}

TEST(hash_depends_on_length) {
    static const uint8_t zeroes[64];
    for (size_t size = 1; size < sizeof zeroes; size++)
        CHECK(mote__hash(zeroes, size, 1) != mote__hash(zeroes, size - 1, 1));
}

static bool fill(const mote_allocator *a, void *ctx) {
    (void)ctx;
    struct map map;
    mote__map_init(&map, a);
    size_t put = 0;
    while (put < KEY_COUNT && mote__map_put(&map, keys[put], strlen(keys[put]), NULL)) put++;
    bool consistent = map.count == put;
    for (size_t i = 0; i < put; i++)
        consistent &= mote__map_get(&map, keys[i], strlen(keys[i])) != NULL;
    if (put < KEY_COUNT) consistent &= !mote__map_get(&map, keys[put], strlen(keys[put]));
    mote__map_deinit(&map);
    return CHECK(consistent) && put == KEY_COUNT;
}

TEST(no_memory_at_every_growth) {
    make_keys();
    CHECK_EQ(fail_alloc_sweep(fill, NULL), 8);
}
