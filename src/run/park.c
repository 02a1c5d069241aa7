/* park.c - memory.atomic.wait and notify (threads proposal): a parking lot keyed by the address in the host, because memories that several
 * stores share never move. A waiter is a record on its own C stack, in the bucket of its key, oldest first.
 * Keeps: a record is linked, unlinked and woken under its bucket's lock alone; the waiter takes that lock before its record goes. It sleeps on
 * exec->park, which whoever ends a wait counts up: so wakes and interrupts use one word, and none is missed. */
#include "run/exec.h"
#include "wasm/sem_atomic.h"
#include <assert.h>

enum { BUCKET_COUNT = 256 };
enum { WAIT_WOKEN = 0, WAIT_NOT_EQUAL = 1, WAIT_TIMED_OUT = 2 };

struct waiter {
    const uint8_t *key;
    struct mote__exec *exec;
    bool woken;
    struct waiter *next;
};

static struct bucket {
    struct os_mutex lock;
    struct waiter *first;
} buckets[BUCKET_COUNT];

static struct bucket *bucket_of(const uint8_t *key) {
    return &buckets[((uintptr_t)key >> 2) * UINT64_C(0x9E3779B97F4A7C15) >> 56];
}
static_assert(BUCKET_COUNT == 1 << 8, "the hash has eight bits");

static void link_last(struct bucket *bucket, struct waiter *waiter) {
    struct waiter **end = &bucket->first;
    while (*end) end = &(*end)->next;
    *end = waiter;
}

static void unlink_waiter(struct bucket *bucket, struct waiter *waiter) {
    struct waiter **place = &bucket->first;
    while (*place != waiter) place = &(*place)->next;
    *place = waiter->next;
}

static bool still_equal(const uint8_t *at, uint64_t expected, unsigned bytes) {
    if (bytes == 8) return sem_i64_atomic_load((const uint64_t *)(const void *)at) == expected;
    return sem_i32_atomic_load((const uint32_t *)(const void *)at) == (uint32_t)expected;
}

/* Looks whether the wait is over, and takes the record out of its bucket if so. */
static bool is_over(struct bucket *bucket, struct waiter *waiter, uint64_t deadline_ns, uint32_t *result, uint32_t *trap) {
    uint32_t interrupt = mote__exec_interrupt(waiter->exec);
    mote__os_mutex_lock(&bucket->lock);
    bool woken = waiter->woken, late = !woken && deadline_ns != OS_NEVER && mote__os_clock_ns(OS_CLOCK_MONOTONIC) >= deadline_ns;
    if (!woken && (late || interrupt)) unlink_waiter(bucket, waiter);
    mote__os_mutex_unlock(&bucket->lock);
    *result = woken ? WAIT_WOKEN : WAIT_TIMED_OUT;
    if (!woken && interrupt) *trap = interrupt;
    return woken || late || interrupt;
}

/* Links the record unless the value has changed: one step towards those who change it and then notify. */
static bool begin(struct bucket *bucket, struct waiter *waiter, uint64_t expected, unsigned bytes) {
    mote__os_mutex_lock(&bucket->lock);
    bool equal = still_equal(waiter->key, expected, bytes);
    if (equal) link_last(bucket, waiter);
    mote__os_mutex_unlock(&bucket->lock);
    return equal;
}

static uint32_t wait(struct mote__exec *exec, const uint8_t *at, uint64_t expected, unsigned bytes, uint64_t deadline_ns, uint32_t *trap) {
    struct bucket *bucket = bucket_of(at);
    struct waiter waiter = {.key = at, .exec = exec};
    uint32_t result;
    if (!begin(bucket, &waiter, expected, bytes)) return WAIT_NOT_EQUAL;
    for (;;) {
        uint32_t seen = atomic_load(&exec->park);
        if (is_over(bucket, &waiter, deadline_ns, &result, trap)) return result;
        mote__os_wait(&exec->park, seen, deadline_ns);
    }
}

static uint32_t check_access(struct mote__memory *memory, uint64_t address, unsigned bytes) {
    uint64_t size = mote__memory_bytes(memory);
    if (address > size || size - address < bytes) return MOTE_TRAP_MEMORY_OUT_OF_BOUNDS;
    return address % bytes ? MOTE_TRAP_UNALIGNED_ATOMIC : MOTE_TRAP_NONE;
}

uint32_t mote__memory_wait(struct mote__exec *exec, struct mote__memory *memory, uint64_t address, uint64_t expected, unsigned bytes,
                           int64_t timeout_ns, uint32_t *trap) {
    uint64_t deadline_ns = OS_NEVER;
    *trap = check_access(memory, address, bytes);
    if (!*trap && !memory->shared) *trap = MOTE_TRAP_EXPECTED_SHARED;
    if (*trap) return 0;
    if (timeout_ns >= 0 && __builtin_add_overflow(mote__os_clock_ns(OS_CLOCK_MONOTONIC), (uint64_t)timeout_ns, &deadline_ns))
        deadline_ns = OS_NEVER;
    return wait(exec, memory->base + address, expected, bytes, deadline_ns, trap);
}

/* Wakes a waiter that is out of its bucket. After this its record may be gone. */
static void wake(struct waiter *waiter) {
    struct mote__exec *exec = waiter->exec;
    waiter->woken = true;
    atomic_fetch_add(&exec->park, 1);
    mote__os_wake(&exec->park, UINT32_MAX);
}

uint32_t mote__memory_notify(struct mote__memory *memory, uint64_t address, uint32_t count, uint32_t *trap) {
    uint32_t woken = 0;
    *trap = check_access(memory, address, 4);
    if (*trap || !memory->shared) return 0;
    const uint8_t *key = memory->base + address;
    struct bucket *bucket = bucket_of(key);
    mote__os_mutex_lock(&bucket->lock);
    for (struct waiter **place = &bucket->first, *waiter; (waiter = *place) && woken < count;) {
        if (waiter->key != key) {
            place = &waiter->next;
            continue;
        }
        *place = waiter->next;
        wake(waiter);
        woken++;
    }
    mote__os_mutex_unlock(&bucket->lock);
    return woken;
}
