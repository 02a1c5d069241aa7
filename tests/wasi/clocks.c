/* clocks.c - clock_time_get, clock_res_get, sched_yield. */
#include "wasi_test.h"

static const uint64_t second = 1000000000;

TEST(realtime_is_after_2020) {
    __wasi_timestamp_t now;
    MUST(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &now));
    CHECK(now > 1577836800 * second);
    CHECK(now < 1577836800 * second * 10);
}

TEST(monotonic_never_goes_back) {
    __wasi_timestamp_t before = 0, now, first;
    MUST(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &first));
    for (int i = 0; i < 10000; i++) {
        MUST(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &now));
        if (!CHECK(now >= before)) return;
        before = now;
    }
    CHECK(now > first);
}

TEST(resolution) {
    for (uint32_t id = 0; id <= 1; id++) {
        __wasi_timestamp_t resolution;
        MUST(__wasi_clock_res_get((__wasi_clockid_t){id}, &resolution));
        CHECK(resolution > 0 && resolution <= second);
    }
}

/* The two processor clocks are optional; if they are there, they run. */
TEST(processor_clocks) {
    for (uint32_t id = 2; id <= 3; id++) {
        __wasi_timestamp_t a, b;
        __wasi_errno_t e = __wasi_clock_time_get((__wasi_clockid_t){id}, 0, &a);
        if (e) {
            FAILS3(INVAL, NOTSUP, BADF, e);
            continue;
        }
        volatile unsigned work = 0;
        for (int i = 0; i < 1000000; i++) work += (unsigned)i;
        MUST(__wasi_clock_time_get((__wasi_clockid_t){id}, 0, &b));
        CHECK(b >= a);
    }
}

TEST(yield) { MUST(__wasi_sched_yield()); }
