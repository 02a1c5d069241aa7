/* vec_test.c - growing, zeroed slots, overflow and no memory. */
#include "test.h"
#include "fail_alloc.h"
#include "base/vec.h"

TEST(push_grows_and_keeps) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    VEC(uint32_t) numbers = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t *slot = mote__vec_push(&numbers, &f.allocator);
        REQUIRE(slot);
        CHECK_EQ(*slot, 0);
        *slot = i;
    }
    CHECK_EQ(numbers.count, 1000);
    for (uint32_t i = 0; i < 1000; i++) CHECK_EQ(numbers.data[i], i);
    CHECK_EQ(*mote__vec_last(&numbers), 999);
    CHECK(f.calls < 16);
    mote__vec_deinit(&numbers, &f.allocator);
    CHECK_EQ(f.live_bytes, 0);
    CHECK_EQ(f.wrong_sizes, 0);
    CHECK(!numbers.data && !numbers.count && !numbers.capacity);
}

TEST(the_first_growth_is_to_eight_then_by_half) {
    VEC(uint64_t) numbers = {0};
    const mote_allocator *a = &mote__allocator_libc;
    REQUIRE(mote__vec_push(&numbers, a));
    CHECK_EQ(numbers.capacity, 8);
    REQUIRE(mote__vec_reserve(&numbers, a, 8));
    CHECK_EQ(numbers.capacity, 12);
    REQUIRE(mote__vec_reserve(&numbers, a, 99));
    CHECK_EQ(numbers.capacity, 100);
    CHECK_EQ(numbers.count, 1);
    mote__vec_deinit(&numbers, a);
}

TEST(too_many_is_no_memory_and_changes_nothing) {
    struct fail_alloc f;
    fail_alloc_init(&f, 0);
    VEC(uint64_t) numbers = {0};
    REQUIRE(mote__vec_push(&numbers, &f.allocator));
    *numbers.data = 5;
    uint64_t *before = numbers.data;
    CHECK(!mote__vec_reserve(&numbers, &f.allocator, SIZE_MAX));
    CHECK(!mote__vec_reserve(&numbers, &f.allocator, SIZE_MAX / 8));
    CHECK(numbers.data == before);
    CHECK_EQ(numbers.count, 1);
    CHECK_EQ(numbers.capacity, 8);
    CHECK_EQ(*numbers.data, 5);
    mote__vec_deinit(&numbers, &f.allocator);
}

static bool push_hundred(const mote_allocator *a, void *ctx) {
    (void)ctx;
    VEC(uint16_t) numbers = {0};
    size_t pushed = 0;
    while (pushed < 100 && mote__vec_push(&numbers, a)) pushed++;
    bool kept = numbers.count == pushed;
    mote__vec_deinit(&numbers, a);
    return kept && pushed == 100;
}

TEST(no_memory_at_every_growth) { CHECK_EQ(fail_alloc_sweep(push_hundred, NULL), 8); }
