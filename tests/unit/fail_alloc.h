/* fail_alloc.h - an allocator for tests: fails the call it is told to, counts what lives so that
 * leaks are seen, holds its users to the contract of mote_allocator (the old size is exact) and is
 * unkind within it: new bytes are rubbish, growing always moves, the old place is overwritten.
 * Include after test.h.
 *
 *   static bool make_one(const mote_allocator *a, void *ctx) { makes and frees; false: no memory }
 *   TEST(no_memory) { CHECK(fail_alloc_sweep(make_one, NULL) > 0); }
 *
 * runs make_one with its first allocation failing, then its second, and so on; or by hand:
 *
 *   struct fail_alloc f;
 *   fail_alloc_init(&f, 3);
 *   use(&f.allocator);
 *   CHECK_EQ(f.live_bytes, 0); */
#ifndef MOTE_TESTS_UNIT_FAIL_ALLOC_H
#define MOTE_TESTS_UNIT_FAIL_ALLOC_H

#include <mote/status.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fail_alloc {
    mote_allocator allocator;
    uint64_t fail_at; /* the call that fails, counted from 1; 0: none. Later calls succeed again */
    _Atomic uint64_t calls;    /* calls that wanted memory */
    _Atomic uint64_t failures; /* calls that were refused */
    _Atomic uint64_t live_bytes, live_blocks;
    _Atomic uint64_t wrong_sizes; /* calls whose old size was not that of the block */
};

/* In front of each block; keeps the block aligned to 16. */
struct fail_alloc_head {
    uint64_t bytes, padding;
};

static inline void fail_alloc_release(struct fail_alloc *f, void *ptr, size_t old_bytes) {
    struct fail_alloc_head *head = (struct fail_alloc_head *)ptr - 1;
    if (head->bytes != old_bytes) f->wrong_sizes++;
    f->live_bytes -= head->bytes;
    f->live_blocks--;
    memset(ptr, 0xdd, head->bytes);
    free(head);
}

static inline void *fail_alloc_take(struct fail_alloc *f, size_t bytes) {
    if (++f->calls == f->fail_at || bytes > PTRDIFF_MAX / 2) {
        f->failures++;
        return NULL;
    }
    struct fail_alloc_head *head = malloc(sizeof *head + bytes);
    if (!head) return NULL;
    head->bytes = bytes;
    f->live_bytes += bytes;
    f->live_blocks++;
    return memset(head + 1, 0xa5, bytes);
}

static inline void *fail_alloc_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes) {
    struct fail_alloc *f = ctx;
    if (!ptr && old_bytes) f->wrong_sizes++;
    void *result = new_bytes ? fail_alloc_take(f, new_bytes) : NULL;
    if (new_bytes && !result) return NULL;
    if (!ptr) return result;
    size_t kept_bytes = ((struct fail_alloc_head *)ptr - 1)->bytes;
    if (result) memcpy(result, ptr, kept_bytes < new_bytes ? kept_bytes : new_bytes);
    fail_alloc_release(f, ptr, old_bytes);
    return result;
}

static inline void fail_alloc_init(struct fail_alloc *f, uint64_t fail_at) {
    memset(f, 0, sizeof *f);
    f->allocator = (mote_allocator){fail_alloc_resize, f};
    f->fail_at = fail_at;
}

/* Runs `body` with allocation `n` failing. A run with a failure must return false, one without true;
 * each must give back all it took, with the right sizes. Returns whether it was so. */
static inline bool fail_alloc_once(struct fail_alloc *f, bool (*body)(const mote_allocator *a, void *ctx),
                                   void *ctx, uint64_t n) {
    fail_alloc_init(f, n);
    bool succeeded = body(&f->allocator, ctx);
    bool clean = CHECK_EQ(f->live_blocks, 0) && CHECK_EQ(f->live_bytes, 0) &&
                 CHECK_EQ(f->wrong_sizes, 0) && CHECK_EQ(succeeded, f->failures == 0);
    if (!clean) printf("  with allocation %" PRIu64 " failing\n", n);
    return clean;
}

/* The first allocation failing, then the second, and so on until none of them does. Returns how many
 * allocations a whole run makes. */
static inline uint64_t fail_alloc_sweep(bool (*body)(const mote_allocator *a, void *ctx),
                                        void *ctx) {
    struct fail_alloc f;
    for (uint64_t n = 1;; n++)
        if (!fail_alloc_once(&f, body, ctx, n) || !f.failures) return n - 1;
}

/* The same for what makes too many: `samples` of them fail, evenly spread, the last among them. */
static inline uint64_t fail_alloc_sample(bool (*body)(const mote_allocator *a, void *ctx), void *ctx,
                                         uint64_t samples) {
    struct fail_alloc f;
    if (!fail_alloc_once(&f, body, ctx, 0)) return 0;
    uint64_t total = f.calls;
    for (uint64_t i = 1; i <= samples; i++)
        if (!fail_alloc_once(&f, body, ctx, (total * i + samples - 1) / samples)) break;
    return total;
}

#endif
