/* memory_test.c - the command's own memory: blocks from the area and from libc, in each order of growing and freeing, and by several threads. */
#include "test.h"
#include "memory.c"
#include "os/os.h"

static const mote_allocator *const a = &command_allocator;

TEST(only_the_last_block_grows_in_place) {
    unsigned char *first = mote__alloc(a, 20), *second = mote__alloc(a, 30);
    memset(first, 1, 20);
    memset(second, 2, 30);
    CHECK(((uintptr_t)first & 15) == 0 && ((uintptr_t)second & 15) == 0);
    unsigned char *grown = a->resize(a->ctx, second, 30, 100);
    CHECK(BLOCK_BYTES_MAX == 0 || grown == second);
    unsigned char *moved = a->resize(a->ctx, first, 20, 200);
    CHECK(BLOCK_BYTES_MAX == 0 || moved != first);
    CHECK(moved[0] == 1 && moved[19] == 1);
    CHECK(grown[0] == 2 && grown[29] == 2);
    unsigned char *shrunk = a->resize(a->ctx, grown, 100, 10);
    CHECK(BLOCK_BYTES_MAX == 0 || shrunk == grown);
    CHECK(shrunk[0] == 2 && shrunk[9] == 2);
    mote__free(a, moved, 200);
    mote__free(a, shrunk, 10);
}

TEST(bytes_given_back_are_taken_again) {
    void *block = mote__alloc(a, 64);
    size_t before = atomic_load(&top);
    mote__free(a, block, 64);
    CHECK(BLOCK_BYTES_MAX == 0 || atomic_load(&top) == before - 64);
    void *again = mote__alloc(a, 64);
    CHECK(BLOCK_BYTES_MAX == 0 || again == block);
    mote__free(a, again, 64);
}

TEST(large_blocks_are_elsewhere) {
    unsigned char *block = mote__alloc(a, 100), *large = mote__alloc(a, 100000);
    memset(block, 7, 100);
    CHECK(!is_inside(large));
    block = a->resize(a->ctx, block, 100, 50000);
    CHECK(!is_inside(block) && block[0] == 7 && block[99] == 7);
    block = a->resize(a->ctx, block, 50000, 10);
    CHECK(block[9] == 7);
    mote__free(a, block, 10);
    mote__free(a, large, 100000);
}

TEST(a_full_area_is_no_failure) {
    enum { COUNT = 2 * AREA_BYTES / 1024 };
    unsigned char *blocks[COUNT];
    for (unsigned i = 0; i < COUNT; i++) memset(blocks[i] = mote__alloc(a, 1024), (int)i, 1024);
    CHECK(!is_inside(blocks[COUNT - 1]));
    unsigned wrong = 0;
    for (unsigned i = 0; i < COUNT; i++) wrong += blocks[i][0] != (i & 255) || blocks[i][1023] != (i & 255);
    CHECK_EQ(wrong, 0);
    for (unsigned i = COUNT; i-- > 0;) mote__free(a, blocks[i], 1024);
}

enum { THREADS = 4, ROUNDS = 20000 };
static atomic_uint torn;

/* Each block holds its thread's number until it is freed. */
static void *allocate(void *argument) {
    int number = (int)(uintptr_t)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t bytes = 16 + i % 100;
        unsigned char *block = memset(mote__alloc(a, bytes), number, bytes);
        block = a->resize(a->ctx, block, bytes, 2 * bytes);
        if (block[0] != number || block[bytes - 1] != number) atomic_fetch_add(&torn, 1);
        mote__free(a, block, 2 * bytes);
    }
    return NULL;
}

TEST(threads_get_blocks_of_their_own) {
    struct os_thread threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) CHECK(!mote__os_thread_create(&threads[i], allocate, (void *)(i + 1), 0));
    for (unsigned i = 0; i < THREADS; i++) mote__os_thread_join(threads[i]);
    CHECK_EQ(atomic_load(&torn), 0);
}
