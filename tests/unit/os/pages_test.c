/* pages_test.c - reservations, pieces of them in use, alignment. */
#define _DEFAULT_SOURCE
#include "test.h"
#include "os/os.h"
#include <errno.h>

static const size_t four_gib = (size_t)1 << 32;

static bool all_are(const uint8_t *bytes, size_t size, uint8_t value) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value) return false;
    return true;
}

TEST(page_size_is_a_power_of_two) {
    size_t page = mote__os_page_bytes();
    CHECK(page >= 4096 && page <= 65536 && !(page & (page - 1)));
}

TEST(four_gib_committed_piecewise) {
    size_t page = mote__os_page_bytes();
    uint8_t *base = mote__os_reserve(four_gib, 0);
    REQUIRE(base);
    for (size_t offset = 0; offset < four_gib; offset += four_gib / 8) {
        REQUIRE(mote__os_commit(base + offset, 3 * page));
        CHECK(all_are(base + offset, 3 * page, 0));
        memset(base + offset, 0x5a, 3 * page);
    }
    uint8_t *last = base + four_gib - page;
    REQUIRE(mote__os_commit(last, page));
    last[page - 1] = 1;
    CHECK(all_are(base, 3 * page, 0x5a));
    mote__os_release(base, four_gib);
}

TEST(decommitted_pages_come_back_zero_and_alone) {
    size_t page = mote__os_page_bytes();
    uint8_t *base = mote__os_reserve(8 * page, 0);
    REQUIRE(base);
    REQUIRE(mote__os_commit(base, 8 * page));
    memset(base, 7, 8 * page);
    REQUIRE(mote__os_decommit(base + 2 * page, 3 * page));
    REQUIRE(mote__os_commit(base + 2 * page, 3 * page));
    CHECK(all_are(base, 2 * page, 7));
    CHECK(all_are(base + 2 * page, 3 * page, 0));
    CHECK(all_are(base + 5 * page, 3 * page, 7));
    mote__os_release(base, 8 * page);
}

TEST(protect_keeps_contents) {
    size_t page = mote__os_page_bytes();
    uint8_t *base = mote__os_reserve(page, 0);
    REQUIRE(base);
    REQUIRE(mote__os_commit(base, page));
    memset(base, 9, page);
    REQUIRE(mote__os_protect(base, page, OS_ACCESS_NONE));
    REQUIRE(mote__os_protect(base, page, OS_ACCESS_READ));
    CHECK(all_are(base, page, 9));
    REQUIRE(mote__os_commit(base, page));
    CHECK(all_are(base, page, 9));
    mote__os_release(base, page);
}

TEST(reservations_are_aligned) {
    size_t page = mote__os_page_bytes();
    for (size_t alignment = 1; alignment <= four_gib; alignment *= 4) {
        uint8_t *base = mote__os_reserve(3 * page, alignment);
        REQUIRE(base);
        CHECK_EQ((uintptr_t)base % (alignment > page ? alignment : page), 0);
        REQUIRE(mote__os_commit(base, 3 * page));
        base[0] = base[3 * page - 1] = 1;
        mote__os_release(base, 3 * page);
    }
}

TEST(parts_can_be_released) {
    size_t page = mote__os_page_bytes();
    uint8_t *base = mote__os_reserve(4 * page, 0);
    REQUIRE(base);
    mote__os_release(base + page, 2 * page);
    REQUIRE(mote__os_commit(base, page));
    REQUIRE(mote__os_commit(base + 3 * page, page));
    CHECK(!mote__os_commit(base, 4 * page));
    mote__os_release(base, page);
    mote__os_release(base + 3 * page, page);
}

TEST(what_no_machine_has_is_refused) {
    size_t page = mote__os_page_bytes();
    CHECK(!mote__os_reserve(SIZE_MAX & ~(page - 1), 0));
    CHECK(!mote__os_reserve(SIZE_MAX & ~(page - 1), 1 << 20));
}

TEST(error_numbers_have_words) {
    CHECK(*mote__os_error_text(ENOENT));
    CHECK(mote__os_error_text(123456) != NULL);
}
