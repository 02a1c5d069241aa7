/* alloc_test.c - the libc allocator keeps the contract of status.h; fail_alloc.h, which other tests
 * rely on, sees what it must see. */
#include "test.h"
#include "fail_alloc.h"
#include "base/alloc.h"

TEST(libc_allocates_resizes_frees) {
    const mote_allocator *a = &mote__allocator_libc;
    uint8_t *bytes = mote__alloc_zeroed(a, 100);
    REQUIRE(bytes);
    CHECK_EQ((uintptr_t)bytes % 16, 0);
    for (size_t i = 0; i < 100; i++) CHECK_EQ(bytes[i], 0);
    memset(bytes, 7, 100);
    uint8_t *more = mote__realloc_array(a, bytes, 100, 100000, 1);
    REQUIRE(more);
    CHECK_EQ(more[0], 7);
    CHECK_EQ(more[99], 7);
    CHECK(!a->resize(a->ctx, more, 100000, 0));
    mote__free(a, NULL, 0);
}

TEST(counts_that_overflow_are_no_memory) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    CHECK(!MOTE__NEW_ARRAY(&f.allocator, uint64_t, SIZE_MAX / 4));
    CHECK(!MOTE__NEW_ARRAY(&f.allocator, uint64_t, 0));
    uint64_t *kept = MOTE__NEW_ARRAY(&f.allocator, uint64_t, 3);
    REQUIRE(kept);
    CHECK_EQ(kept[2], 0);
    CHECK(!mote__realloc_array(&f.allocator, kept, 3, SIZE_MAX / 4, sizeof *kept));
    CHECK_EQ(f.calls, 1);
    MOTE__DELETE_ARRAY(&f.allocator, kept, 3);
    CHECK_EQ(f.live_bytes, 0);
}

TEST(fail_alloc_fails_once_and_keeps_the_old_block) {
    struct fail_alloc f;
    fail_alloc_init(&f, 2);
    const mote_allocator *a = &f.allocator;
    char *text = mote__alloc(a, 4);
    REQUIRE(text);
    memcpy(text, "abc", 4);
    CHECK(!mote__realloc_array(a, text, 4, 8, 1));
    CHECK_STR(text, "abc");
    CHECK_EQ(f.failures, 1);
    char *longer = mote__realloc_array(a, text, 4, 8, 1);
    REQUIRE(longer);
    CHECK_STR(longer, "abc");
    CHECK_EQ(f.live_bytes, 8);
    CHECK_EQ(f.live_blocks, 1);
    mote__free(a, longer, 7);
    CHECK_EQ(f.wrong_sizes, 1);
    CHECK_EQ(f.live_bytes, 0);
}

struct three {
    void *parts[3];
};

static bool make_three(const mote_allocator *a, void *ctx) {
    unsigned *runs = ctx;
    ++*runs;
    struct three three = {0};
    bool done = true;
    for (size_t i = 0; i < 3 && done; i++) done = (three.parts[i] = mote__alloc(a, 10 + i)) != NULL;
    for (size_t i = 0; i < 3; i++) mote__free(a, three.parts[i], 10 + i);
    return done;
}

TEST(sweep_fails_each_allocation_in_turn) {
    unsigned runs = 0;
    CHECK_EQ(fail_alloc_sweep(make_three, &runs), 3);
    CHECK_EQ(runs, 4);
}
