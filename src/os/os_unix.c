/* os_unix.c - the part of os.h that all Unix systems do alike: mmap, pthreads, clock_gettime. */
#define _DEFAULT_SOURCE
#include "os/os_unix.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

/* Only a hint: nothing is written to before mote__os_commit. */
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

const char *mote__os_error_text(int os_error) { return strerror(os_error); }

/* ---- Pages ---- */

size_t mote__os_page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static bool is_page_aligned(const void *start, size_t bytes) {
    return (((uintptr_t)start | bytes) & (mote__os_page_bytes() - 1)) == 0;
}

static void *map(void *start, size_t bytes, int protection, int extra_flags) {
    void *result = mmap(start, bytes, protection,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags, -1, 0);
    return result == MAP_FAILED ? NULL : result;
}

static void *map_nothing(void *start, size_t bytes, int extra_flags) {
    return map(start, bytes, PROT_NONE, extra_flags);
}

void *mote__os_map(size_t bytes) {
    assert(bytes);
    assert(is_page_aligned(NULL, bytes));
    return map(NULL, bytes, PROT_READ | PROT_WRITE, 0);
}

/* Reserves more than needed, so that an aligned part is inside, and gives back both ends. */
static void *reserve_aligned(size_t bytes, size_t alignment) {
    size_t more;
    if (__builtin_add_overflow(bytes, alignment - mote__os_page_bytes(), &more)) return NULL;
    uint8_t *start = map_nothing(NULL, more, 0);
    if (!start) return NULL;
    size_t before = -(uintptr_t)start & (alignment - 1);
    mote__os_release(start, before);
    mote__os_release(start + before + bytes, more - before - bytes);
    return start + before;
}

void *mote__os_reserve(size_t bytes, size_t alignment) {
    assert(bytes);
    assert(is_page_aligned(NULL, bytes));
    assert((alignment & (alignment - 1)) == 0);
    return alignment > mote__os_page_bytes() ? reserve_aligned(bytes, alignment)
                                             : map_nothing(NULL, bytes, 0);
}

bool mote__os_commit(void *start, size_t bytes) {
    return mote__os_protect(start, bytes, OS_ACCESS_READ_WRITE);
}

/* A new mapping over the old one: unlike the kinds of madvise, it means the same everywhere. */
bool mote__os_decommit(void *start, size_t bytes) {
    assert(is_page_aligned(start, bytes));
    return !bytes || map_nothing(start, bytes, MAP_FIXED);
}

void mote__os_release(void *start, size_t bytes) {
    assert(is_page_aligned(start, bytes));
    if (!bytes) return;
    int result = munmap(start, bytes);
    assert(!result);
    (void)result;
}

bool mote__os_protect(void *start, size_t bytes, enum os_access access) {
    static const int protections[] = {
        [OS_ACCESS_NONE] = PROT_NONE,
        [OS_ACCESS_READ] = PROT_READ,
        [OS_ACCESS_READ_WRITE] = PROT_READ | PROT_WRITE,
        [OS_ACCESS_READ_EXECUTE] = PROT_READ | PROT_EXEC,
    };
    assert(is_page_aligned(start, bytes));
    return !bytes || !mprotect(start, bytes, protections[access]);
}

/* ---- Threads ---- */

static_assert(sizeof(pthread_t) == sizeof(uintptr_t), "os_thread holds a pthread_t");

static pthread_t to_pthread(struct os_thread thread) {
    pthread_t result;
    memcpy(&result, &thread.handle, sizeof result);
    return result;
}

/* All signals but those that the thread's own instructions cause. */
static void fill_with_outside_signals(sigset_t *set) {
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigfillset(set);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(set, own[i]);
}

static size_t stack_bytes_allowed(size_t wanted) {
    long least = sysconf(_SC_THREAD_STACK_MIN);
    if (!wanted) wanted = OS_THREAD_STACK_BYTES_DEFAULT;
    if (least > 0 && wanted < (size_t)least) wanted = (size_t)least;
    size_t mask = mote__os_page_bytes() - 1;
    return wanted > SIZE_MAX - mask ? wanted : (wanted + mask) & ~mask;
}

/* A thread inherits its creator's signal mask: the only way to begin with signals blocked. */
static int create_with_signals_blocked(struct os_thread *out, const pthread_attr_t *attributes,
                                       void *(*run)(void *argument), void *argument) {
    sigset_t outside, before;
    pthread_t thread;
    fill_with_outside_signals(&outside);
    pthread_sigmask(SIG_BLOCK, &outside, &before);
    int result = pthread_create(&thread, attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!result) memcpy(&out->handle, &thread, sizeof thread);
    return result;
}

int64_t mote__os_process_id(void) { return getpid(); }

int mote__os_thread_create(struct os_thread *out, void *(*run)(void *argument), void *argument,
                           size_t stack_bytes) {
    pthread_attr_t attributes;
    int result = pthread_attr_init(&attributes);
    if (result) return result;
    result = pthread_attr_setstacksize(&attributes, stack_bytes_allowed(stack_bytes));
    if (!result) result = create_with_signals_blocked(out, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return result == EINVAL ? ENOMEM : result; /* of a size that no stack can have */
}

void mote__os_thread_join(struct os_thread thread) {
    int result = pthread_join(to_pthread(thread), NULL);
    assert(!result);
    (void)result;
}

void mote__os_thread_detach(struct os_thread thread) {
    int result = pthread_detach(to_pthread(thread));
    assert(!result);
    (void)result;
}

/* ---- Clocks ---- */

static const clockid_t clock_ids[] = {
    [OS_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
    [OS_CLOCK_REALTIME] = CLOCK_REALTIME,
    [OS_CLOCK_PROCESS_CPU] = CLOCK_PROCESS_CPUTIME_ID,
    [OS_CLOCK_THREAD_CPU] = CLOCK_THREAD_CPUTIME_ID,
};

/* Times before the start count as the start (a real-time clock may be set to before 1970). */
static uint64_t to_ns(struct timespec time) {
    return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * OS_NS_PER_S + (uint64_t)time.tv_nsec;
}

uint64_t mote__os_clock_ns(enum os_clock clock) {
    struct timespec time;
    return clock_gettime(clock_ids[clock], &time) ? 0 : to_ns(time);
}

uint64_t mote__os_clock_resolution_ns(enum os_clock clock) {
    struct timespec step;
    if (clock_getres(clock_ids[clock], &step)) return 0;
    return to_ns(step) ? to_ns(step) : 1;
}

void mote__os_sleep_until(uint64_t deadline_ns) {
    for (uint64_t now; (now = mote__os_clock_ns(OS_CLOCK_MONOTONIC)) < deadline_ns;) {
        struct timespec left = mote__os_unix_timespec(deadline_ns - now);
        nanosleep(&left, NULL);
    }
}

/* ---- Files for tools ---- */

int mote__os_perf_map_open(void) {
    static _Atomic bool is_ours;
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    int cut = atomic_exchange(&is_ours, true) ? 0 : O_TRUNC;
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | cut, 0644);
}

bool mote__os_write(int fd, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    while (size) {
        ssize_t done = write(fd, at, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

void mote__os_close(int fd) { close(fd); }

/* ---- Random bytes ---- */

static bool read_all(int fd, uint8_t *out, size_t bytes) {
    while (bytes) {
        ssize_t got = read(fd, out, bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        out += got;
        bytes -= (size_t)got;
    }
    return true;
}

bool mote__os_unix_random(void *out, size_t bytes) {
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool done = read_all(fd, out, bytes);
    close(fd);
    return done;
}

/* ---- The processor ---- */

#ifdef __x86_64__
static const struct { unsigned leaf, reg, bit; enum os_cpu cpu; } cpu_rows[] = {
    {1, 2, 19, OS_CPU_SSE41}, {1, 2, 23, OS_CPU_POPCNT}, {7, 1, 3, OS_CPU_BMI1}, {7, 1, 8, OS_CPU_BMI2}, {0x80000001, 2, 5, OS_CPU_LZCNT},
};
enum { CPU_ROWS = sizeof cpu_rows / sizeof *cpu_rows };
static _Atomic unsigned cpu_known, cpu_has; /* sums of enum os_cpu: what was asked for so far, and what of it there is */

/* Leaf 1 is always there, and 0x80000001 where there are 64 bits. */
static void ask_cpu(unsigned leaf) {
    unsigned regs[4] = {0}, known = 0, has = 0; /* eax to edx */
    if (leaf != 7 || __get_cpuid_max(0, NULL) >= 7) __cpuid_count(leaf, 0, regs[0], regs[1], regs[2], regs[3]);
    for (size_t i = 0; i < CPU_ROWS; i++) {
        if (cpu_rows[i].leaf != leaf) continue;
        known |= cpu_rows[i].cpu;
        if (regs[cpu_rows[i].reg] >> cpu_rows[i].bit & 1) has |= cpu_rows[i].cpu;
    }
    atomic_fetch_or(&cpu_has, has);
    atomic_fetch_or(&cpu_known, known);
}

unsigned mote__os_cpu(unsigned wanted) {
    for (size_t i = 0; i < CPU_ROWS && wanted & ~atomic_load(&cpu_known); i++)
        if (cpu_rows[i].cpu & wanted & ~atomic_load(&cpu_known)) ask_cpu(cpu_rows[i].leaf);
    return atomic_load_explicit(&cpu_has, memory_order_relaxed) & wanted;
}
#else
unsigned mote__os_cpu(unsigned wanted) { return (void)wanted, 0; }
#endif
