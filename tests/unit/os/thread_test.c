/* thread_test.c - threads, waiting and waking between them, mutex, once, stack bounds. */
#define _GNU_SOURCE
#include "test.h"
#include "os/os.h"
#include <errno.h>
#include <signal.h>

enum { THREAD_COUNT = 4 };
static const uint64_t ms = 1000000;
static uint64_t now(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

static void run_in_threads(void *(*run)(void *argument), void *argument) {
    struct os_thread threads[THREAD_COUNT];
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        REQUIRE(!mote__os_thread_create(&threads[i], run, argument, 0));
    for (unsigned i = 0; i < THREAD_COUNT; i++) mote__os_thread_join(threads[i]);
}

/* ---- Waiting ---- */

TEST(waiting_for_another_value_returns_at_once) {
    _Atomic uint32_t word = 5;
    CHECK_EQ(mote__os_wait(&word, 4, OS_NEVER), OS_WAIT_DIFFERENT);
}

/* Waits again after the wakes without a reason that the interface allows. */
static enum os_wait wait_surely(const _Atomic uint32_t *word, uint32_t expected,
                                uint64_t deadline_ns) {
    enum os_wait result;
    do result = mote__os_wait(word, expected, deadline_ns);
    while (result == OS_WAIT_WOKEN && atomic_load(word) == expected);
    return result;
}

TEST(waiting_times_out_and_not_early) {
    _Atomic uint32_t word = 0;
    CHECK_EQ(wait_surely(&word, 0, 0), OS_WAIT_TIMED_OUT);
    CHECK_EQ(wait_surely(&word, 0, now()), OS_WAIT_TIMED_OUT);
    uint64_t deadline = now() + 30 * ms;
    CHECK_EQ(wait_surely(&word, 0, deadline), OS_WAIT_TIMED_OUT);
    CHECK(now() >= deadline);
    CHECK(now() < deadline + 5000 * ms);
}

struct ball {
    _Atomic uint32_t turn;
    _Atomic uint32_t hits;
};
enum { HITS = 2000 };

static void *play_odd(void *argument) {
    struct ball *ball = argument;
    for (uint32_t turn = 1; turn < HITS; turn += 2) {
        for (uint32_t seen; (seen = atomic_load(&ball->turn)) != turn;)
            mote__os_wait(&ball->turn, seen, OS_NEVER);
        ball->hits++;
        atomic_store(&ball->turn, turn + 1);
        mote__os_wake(&ball->turn, 1);
    }
    return NULL;
}

TEST(two_threads_wake_each_other) {
    struct ball ball = {0};
    struct os_thread thread;
    REQUIRE(!mote__os_thread_create(&thread, play_odd, &ball, 0));
    for (uint32_t turn = 0; turn < HITS; turn += 2) {
        for (uint32_t seen; (seen = atomic_load(&ball.turn)) != turn;)
            mote__os_wait(&ball.turn, seen, OS_NEVER);
        atomic_store(&ball.turn, turn + 1);
        mote__os_wake(&ball.turn, 1);
    }
    mote__os_thread_join(thread);
    CHECK_EQ(ball.hits, HITS / 2);
}

struct gate {
    _Atomic uint32_t open, arrived, passed;
};

static void *pass_gate(void *argument) {
    struct gate *gate = argument;
    gate->arrived++;
    while (!atomic_load(&gate->open)) mote__os_wait(&gate->open, 0, now() + 60000 * ms);
    gate->passed++;
    return NULL;
}

TEST(waking_all_wakes_all_long_before_their_deadline) {
    struct gate gate = {0};
    struct os_thread threads[THREAD_COUNT];
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        REQUIRE(!mote__os_thread_create(&threads[i], pass_gate, &gate, 0));
    while (gate.arrived < THREAD_COUNT) mote__os_sleep_until(now() + ms);
    mote__os_sleep_until(now() + 20 * ms);
    CHECK_EQ(gate.passed, 0);
    uint64_t start = now();
    atomic_store(&gate.open, 1);
    mote__os_wake(&gate.open, UINT32_MAX);
    for (unsigned i = 0; i < THREAD_COUNT; i++) mote__os_thread_join(threads[i]);
    CHECK_EQ(gate.passed, THREAD_COUNT);
    CHECK(now() - start < 20000 * ms);
}

/* ---- Mutex and once ---- */

struct counter {
    struct os_mutex mutex;
    uint64_t plain; /* kept by the mutex alone */
};
enum { ADDITIONS = 20000 };

static void *add(void *argument) {
    struct counter *counter = argument;
    for (unsigned i = 0; i < ADDITIONS; i++) {
        mote__os_mutex_lock(&counter->mutex);
        counter->plain++;
        mote__os_mutex_unlock(&counter->mutex);
    }
    return NULL;
}

TEST(a_mutex_lets_one_in) {
    struct counter counter = {0};
    run_in_threads(add, &counter);
    CHECK_EQ(counter.plain, (uint64_t)ADDITIONS * THREAD_COUNT);
    CHECK(mote__os_mutex_try_lock(&counter.mutex));
    CHECK(!mote__os_mutex_try_lock(&counter.mutex));
    mote__os_mutex_unlock(&counter.mutex);
    CHECK(mote__os_mutex_try_lock(&counter.mutex));
}

struct queue {
    struct os_mutex mutex;
    _Atomic uint32_t arrived;
    unsigned passed; /* kept by the mutex */
};

static void *pass_queue(void *argument) {
    struct queue *queue = argument;
    queue->arrived++;
    mote__os_mutex_lock(&queue->mutex);
    queue->passed++;
    mote__os_mutex_unlock(&queue->mutex);
    return NULL;
}

TEST(who_waits_for_a_mutex_sleeps_and_gets_it) {
    struct queue queue = {0};
    struct os_thread threads[THREAD_COUNT];
    mote__os_mutex_lock(&queue.mutex);
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        REQUIRE(!mote__os_thread_create(&threads[i], pass_queue, &queue, 0));
    while (queue.arrived < THREAD_COUNT) mote__os_sleep_until(now() + ms);
    uint64_t cpu = mote__os_clock_ns(OS_CLOCK_PROCESS_CPU);
    mote__os_sleep_until(now() + 100 * ms);
    CHECK(mote__os_clock_ns(OS_CLOCK_PROCESS_CPU) - cpu < 40 * ms);
    CHECK_EQ(queue.passed, 0);
    mote__os_mutex_unlock(&queue.mutex);
    for (unsigned i = 0; i < THREAD_COUNT; i++) mote__os_thread_join(threads[i]);
    CHECK_EQ(queue.passed, THREAD_COUNT);
}

static struct os_once once;
static unsigned once_runs;

static void run_slowly(void) {
    mote__os_sleep_until(now() + 20 * ms);
    once_runs++;
}

static void *run_once(void *argument) {
    _Atomic uint32_t *saw_done = argument;
    mote__os_once(&once, run_slowly);
    *saw_done += once_runs == 1;
    return NULL;
}

TEST(once_runs_once_and_the_others_wait_for_it) {
    _Atomic uint32_t saw_done = 0;
    run_in_threads(run_once, &saw_done);
    CHECK_EQ(once_runs, 1);
    CHECK_EQ(saw_done, THREAD_COUNT);
}

/* ---- Threads ---- */

static void *open_gate(void *argument) {
    struct gate *gate = argument;
    atomic_store(&gate->open, 1);
    mote__os_wake(&gate->open, 1);
    return NULL;
}

TEST(detached_threads_run) {
    static struct gate gate;
    struct os_thread thread;
    REQUIRE(!mote__os_thread_create(&thread, open_gate, &gate, 0));
    mote__os_thread_detach(thread);
    while (!atomic_load(&gate.open)) mote__os_wait(&gate.open, 0, OS_NEVER);
}

static void *note_signals(void *argument) {
    bool *blocked = argument;
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    *blocked =
        sigismember(&mask, SIGTERM) && sigismember(&mask, SIGALRM) && !sigismember(&mask, SIGSEGV);
    return NULL;
}

TEST(threads_leave_the_signals_of_the_process_alone) {
    bool blocked = false;
    struct os_thread thread;
    REQUIRE(!mote__os_thread_create(&thread, note_signals, &blocked, 0));
    mote__os_thread_join(thread);
    CHECK(blocked);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGTERM));
}

TEST(a_stack_that_no_machine_has_is_no_thread) {
    struct os_thread thread;
    int result = mote__os_thread_create(&thread, open_gate, NULL, SIZE_MAX / 2);
    CHECK(result == ENOMEM || result == EAGAIN);
}

TEST(there_is_a_processor) { CHECK(mote__os_cpu_count() >= 1 && mote__os_cpu_count() < 65536); }

/* ---- Stack bounds; platforms that do not know them have nothing to check ---- */

/* Uses the stack down to `low`, a page at a time. */
static unsigned dig(uintptr_t low) {
    volatile uint8_t room[4096];
    for (size_t i = 0; i < sizeof room; i += 512) room[i] = 1;
    unsigned depth = (uintptr_t)__builtin_frame_address(0) > low ? dig(low) : 0;
    return depth + room[0];
}

static bool check_own_stack(size_t bytes_min, size_t bytes_max) {
    struct os_stack stack;
    if (!mote__os_thread_stack(&stack)) return false;
    /* Not a local's address: the address sanitizer may keep those elsewhere. */
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    size_t bytes = stack.high - stack.low;
    CHECK(stack.low < here && here < stack.high);
    CHECK(bytes >= bytes_min && bytes <= bytes_max);
    enum { LEFT_BYTES = 128 * 1024 }; /* for the last frames and what the sanitizers add */
    CHECK(dig(stack.low + LEFT_BYTES) > (here - stack.low - LEFT_BYTES) / 65536);
    return true;
}

TEST(main_stack_bounds_can_be_used_to_the_end) { check_own_stack(256 << 10, 1 << 30); }

/* libc may give a thread the larger stack of one that has ended. */
static void *check_thread_stack(void *argument) {
    size_t bytes = *(size_t *)argument;
    check_own_stack(bytes - bytes / 8, 1 << 30);
    return NULL;
}

TEST(thread_stack_bounds_can_be_used_to_the_end) {
    size_t sizes[] = {512 << 10, 1 << 20, 5 << 20};
    for (size_t i = 0; i < 3; i++) {
        struct os_thread thread;
        REQUIRE(!mote__os_thread_create(&thread, check_thread_stack, &sizes[i], sizes[i]));
        mote__os_thread_join(thread);
    }
}
