/* clock_test.c - clocks go forward at about the same pace, sleeping is not short, random bytes
 * differ. */
#define _DEFAULT_SOURCE
#include "test.h"
#include "os/os.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static const uint64_t ms = 1000000;
static uint64_t now(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

TEST(clocks_never_go_back) {
    static const enum os_clock clocks[] = {OS_CLOCK_MONOTONIC, OS_CLOCK_PROCESS_CPU,
                                           OS_CLOCK_THREAD_CPU};
    for (size_t i = 0; i < 3; i++) {
        uint64_t start = mote__os_clock_ns(clocks[i]), last = start;
        for (unsigned step = 0; step < 20000; step++) {
            uint64_t time = mote__os_clock_ns(clocks[i]);
            REQUIRE(time >= last);
            last = time;
        }
        CHECK(last > start);
    }
}

TEST(realtime_is_that_of_libc) {
    uint64_t seconds = mote__os_clock_ns(OS_CLOCK_REALTIME) / 1000000000;
    uint64_t expected = (uint64_t)time(NULL);
    CHECK(seconds <= expected + 1 && expected <= seconds + 1);
}

TEST(resolutions_are_at_least_one) {
    for (unsigned clock = OS_CLOCK_MONOTONIC; clock <= OS_CLOCK_THREAD_CPU; clock++) {
        uint64_t step = mote__os_clock_resolution_ns((enum os_clock)clock);
        CHECK(step >= 1 && step <= 1000 * ms);
    }
}

TEST(sleeping_takes_wall_time_but_no_cpu_time) {
    uint64_t cpu = mote__os_clock_ns(OS_CLOCK_THREAD_CPU), deadline = now() + 50 * ms;
    mote__os_sleep_until(deadline);
    CHECK(now() >= deadline);
    CHECK(mote__os_clock_ns(OS_CLOCK_THREAD_CPU) - cpu < 25 * ms);
    uint64_t before = now();
    mote__os_sleep_until(before);
    mote__os_sleep_until(0);
    CHECK(now() - before < 1000 * ms);
}

static volatile sig_atomic_t alarms;
static void count_alarm(int signal_number) { alarms += signal_number == SIGALRM; }

TEST(signals_do_not_cut_sleep_short) {
    struct sigaction action = {.sa_handler = count_alarm};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    uint64_t deadline = now() + 30 * ms;
    setitimer(ITIMER_REAL, &every, NULL);
    mote__os_sleep_until(deadline);
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK(now() >= deadline);
    CHECK(alarms > 0);
}

TEST(random_bytes_fill_everything) {
    static uint8_t bytes[100000];
    CHECK(mote__os_random(bytes, sizeof bytes));
    unsigned counts[256] = {0};
    for (size_t i = 0; i < sizeof bytes; i++) counts[bytes[i]]++;
    for (unsigned value = 0; value < 256; value++)
        CHECK(counts[value] > 200 && counts[value] < 600);
    uint64_t a = 0, b = 0;
    CHECK(mote__os_random(&a, sizeof a) && mote__os_random(&b, sizeof b));
    CHECK(a != b);
    CHECK(mote__os_random(NULL, 0));
}
