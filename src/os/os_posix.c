/* os_posix.c - the part of os.h that POSIX alone allows, for systems without a file of their own:
 * waiting through hashed condition variables, no fault handler, no stack bounds. */
#define _DEFAULT_SOURCE
#include "os/os_unix.h"
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* A new mapping over the old one: the kinds of madvise differ. */
bool mote__os_clear(void *start, size_t bytes) {
    return !bytes || mmap(start, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

void mote__os_prefer_large_pages(void *start, size_t bytes) {
    (void)start;
    (void)bytes;
}

bool mote__os_fault_install(os_fault_callback *callback) {
    (void)callback;
    return false;
}

bool mote__os_fault_thread_init(void) { return false; }

void mote__os_fault_redirect(struct os_fault *fault, uintptr_t pc, uintptr_t sp,
                             uintptr_t argument) {
    (void)fault, (void)pc, (void)sp, (void)argument; /* nobody has a fault to redirect */
}

uintptr_t mote__os_entry_sp(uintptr_t stack_top) { return stack_top & ~(uintptr_t)15; }

bool mote__os_thread_stack(struct os_stack *out) {
    (void)out;
    return false;
}

unsigned mote__os_cpu_count(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

bool mote__os_random(void *out, size_t bytes) { return mote__os_unix_random(out, bytes); }

/* ---- Waiting. Words whose addresses hash alike share a condition; who is woken looks again. ---- */

enum { BUCKET_COUNT = 64 };
/* A module loaded at run time has this file, and so buckets, of its own: a wake from there is not seen here. So nobody sleeps longer than this without
 * looking at the word again. */
#define WAIT_SLICE_NS UINT64_C(5000000)

struct bucket {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* waits by the monotonic clock */
};
static struct bucket buckets[BUCKET_COUNT];
static pthread_once_t buckets_once = PTHREAD_ONCE_INIT;

static void init_buckets(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        pthread_mutex_init(&buckets[i].mutex, NULL);
        pthread_cond_init(&buckets[i].changed, &attributes);
    }
    pthread_condattr_destroy(&attributes);
}

static struct bucket *bucket_of(const _Atomic uint32_t *word) {
    pthread_once(&buckets_once, init_buckets);
    uint64_t mixed = (uint64_t)(uintptr_t)word * 0x9e3779b97f4a7c15;
    return &buckets[(mixed >> 32) % BUCKET_COUNT];
}

static enum os_wait wait_in(struct bucket *bucket, uint64_t deadline_ns) {
    uint64_t slice_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC) + WAIT_SLICE_NS;
    struct timespec until = mote__os_unix_timespec(deadline_ns < slice_ns ? deadline_ns : slice_ns);
    int result = pthread_cond_timedwait(&bucket->changed, &bucket->mutex, &until);
    return result == ETIMEDOUT && deadline_ns <= slice_ns ? OS_WAIT_TIMED_OUT : OS_WAIT_WOKEN;
}

enum os_wait mote__os_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
    struct bucket *bucket = bucket_of(word);
    pthread_mutex_lock(&bucket->mutex);
    enum os_wait result =
        atomic_load(word) == expected ? wait_in(bucket, deadline_ns) : OS_WAIT_DIFFERENT;
    pthread_mutex_unlock(&bucket->mutex);
    return result;
}

/* All of the bucket's: one wake could go to somebody who waits on another word. */
void mote__os_wake(const _Atomic uint32_t *word, uint32_t count) {
    if (!count) return;
    struct bucket *bucket = bucket_of(word);
    pthread_mutex_lock(&bucket->mutex);
    pthread_cond_broadcast(&bucket->changed);
    pthread_mutex_unlock(&bucket->mutex);
}

/* ---- Machine code: none here, so that everything is interpreted. ---- */

bool mote__os_code_map(size_t code_bytes, size_t data_bytes, bool nameless, struct os_code *out) {
    (void)code_bytes, (void)data_bytes, (void)nameless, (void)out;
    return false;
}

void mote__os_code_unmap(const struct os_code *code) { (void)code; }

void mote__os_code_write(const struct os_code *code, size_t offset, const void *bytes, size_t count) { (void)code, (void)offset, (void)bytes, (void)count; }

void mote__os_code_discard(const struct os_code *code, size_t offset, size_t bytes) { (void)code, (void)offset, (void)bytes; }
