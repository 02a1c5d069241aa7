/* arena_test.c - alignment, zeroes, chunks of their own for large pieces, and no memory at every
 * point. */
#include "test.h"
#include "fail_alloc.h"
#include "base/arena.h"

TEST(pieces_are_aligned_zeroed_and_apart) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    struct arena arena;
    mote__arena_init(&arena, &f.allocator);
    enum { COUNT = 500 };
    uint8_t *pieces[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = mote__arena_alloc(&arena, i);
        REQUIRE(pieces[i]);
        CHECK_EQ((uintptr_t)pieces[i] % 16, 0);
        for (size_t k = 0; k < i; k++) REQUIRE(pieces[i][k] == 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < i; k++) REQUIRE(pieces[i][k] == (uint8_t)i);
    CHECK_EQ(arena.bytes_total, f.live_bytes);
    mote__arena_deinit(&arena);
    CHECK_EQ(f.live_blocks, 0);
    CHECK_EQ(f.wrong_sizes, 0);
    CHECK_EQ(arena.bytes_total, 0);
}

TEST(an_arena_is_usable_again_after_deinit) {
    struct arena arena;
    mote__arena_init(&arena, &mote__allocator_libc);
    CHECK(mote__arena_alloc(&arena, 5));
    mote__arena_deinit(&arena);
    CHECK(mote__arena_alloc(&arena, 5));
    mote__arena_deinit(&arena);
}

TEST(nothing_allocated_nothing_taken) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    struct arena arena;
    mote__arena_init(&arena, &f.allocator);
    mote__arena_deinit(&arena);
    CHECK_EQ(f.calls, 0);
}

TEST(empty_pieces_are_valid_pointers) {
    struct arena arena;
    mote__arena_init(&arena, &mote__allocator_libc);
    CHECK(mote__arena_alloc(&arena, 0));
    CHECK(mote__arena_alloc_array(&arena, 0, 8));
    CHECK(mote__arena_alloc(&arena, 100000));
    CHECK(mote__arena_alloc(&arena, 0));
    mote__arena_deinit(&arena);
}

#ifndef MOTE_HOSTILE /* there every piece is a chunk */
TEST(small_pieces_share_chunks_large_ones_do_not_waste_them) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    struct arena arena;
    mote__arena_init(&arena, &f.allocator);
    for (unsigned i = 0; i < 200; i++) mote__arena_alloc(&arena, 16);
    CHECK_EQ(f.calls, 1);
    mote__arena_alloc(&arena, 1 << 20);
    mote__arena_alloc(&arena, 16);
    CHECK_EQ(f.calls, 2);
    CHECK(arena.bytes_total < (1 << 20) + 8192);
    mote__arena_deinit(&arena);
    CHECK_EQ(f.live_bytes, 0);
}

TEST(the_number_of_chunks_grows_slowly) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    struct arena arena;
    mote__arena_init(&arena, &f.allocator);
    for (unsigned i = 0; i < 200000; i++) mote__arena_alloc(&arena, 48);
    CHECK(f.calls < 60);
    CHECK(arena.bytes_total < 200000 * 48 * 5 / 4 + 8192);
    mote__arena_deinit(&arena);
}
#endif

TEST(strings_are_copied_and_ended) {
    struct arena arena;
    mote__arena_init(&arena, &mote__allocator_libc);
    char source[] = "abc\0def";
    char *copy = mote__arena_string(&arena, source, 7);
    REQUIRE(copy);
    memset(source, 'x', sizeof source);
    CHECK_MEM(copy, "abc\0def\0", 8);
    CHECK_STR(mote__arena_string(&arena, NULL, 0), "");
    CHECK_EQ((uintptr_t)mote__arena_alloc(&arena, 1) % 16, 0);
    mote__arena_deinit(&arena);
}

TEST(sizes_that_overflow_are_no_memory) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    struct arena arena;
    mote__arena_init(&arena, &f.allocator);
    for (unsigned round = 0; round < 2; round++) {
        CHECK(!mote__arena_alloc(&arena, SIZE_MAX));
        CHECK(!mote__arena_alloc(&arena, SIZE_MAX - 15));
        CHECK(!mote__arena_alloc_array(&arena, SIZE_MAX / 8, 16));
        CHECK(!mote__arena_string(&arena, "", SIZE_MAX));
        CHECK(mote__arena_alloc(&arena, 1));
    }
    mote__arena_deinit(&arena);
    CHECK_EQ(f.live_bytes, 0);
}

static bool build(const mote_allocator *a, void *ctx) {
    (void)ctx;
    struct arena arena;
    mote__arena_init(&arena, a);
    bool done = true;
    for (size_t i = 0; i < 40 && done; i++) {
        uint8_t *piece = mote__arena_alloc(&arena, i * 97);
        done = piece && mote__arena_string(&arena, "name", 4);
    }
    mote__arena_deinit(&arena);
    return done;
}

TEST(no_memory_at_every_point) { CHECK(fail_alloc_sweep(build, NULL) > 5); }

TEST(usable_after_a_failure) {
    struct fail_alloc f;
    fail_alloc_init(&f, 2);
    struct arena arena;
    mote__arena_init(&arena, &f.allocator);
    uint32_t *first = MOTE__ARENA_NEW(&arena, uint32_t);
    REQUIRE(first);
    *first = 42;
    CHECK(!mote__arena_alloc(&arena, 1 << 16));
    CHECK(mote__arena_alloc(&arena, 1 << 16));
    CHECK_EQ(*first, 42);
    mote__arena_deinit(&arena);
    CHECK_EQ(f.live_bytes, 0);
}
