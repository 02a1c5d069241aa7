/* poll.c - poll_oneoff: clocks, descriptors, both, errors. */
#include "wasi_test.h"

static const uint64_t ms = 1000000;

static uint64_t now(uint32_t clock) {
    __wasi_timestamp_t t = 0;
    return __wasi_clock_time_get(clock, 1, &t) ? 0 : t;
}

static __wasi_subscription_t on_clock(uint64_t userdata, uint32_t clock, uint64_t timeout, bool absolute) {
    return (__wasi_subscription_t){
        .userdata = userdata,
        .u = {.tag = __WASI_EVENTTYPE_CLOCK,
              .u.clock = {.id = clock,
                          .timeout = timeout,
                          .flags = absolute ? __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME : 0}}};
}

static __wasi_subscription_t on_fd(uint64_t userdata, uint8_t type, __wasi_fd_t fd) {
    return (__wasi_subscription_t){
        .userdata = userdata, .u = {.tag = type, .u.fd_read.file_descriptor = fd}};
}

TEST(nothing_to_wait_for) {
    __wasi_size_t count;
    __wasi_subscription_t what = {0};
    __wasi_event_t event;
    FAILS(INVAL, __wasi_poll_oneoff(&what, &event, 0, &count));
}

TEST(relative_clock) {
    __wasi_subscription_t what = on_clock(0x123456789abcdef0, __WASI_CLOCKID_MONOTONIC, 30 * ms, false);
    __wasi_event_t event;
    __wasi_size_t count;
    uint64_t before = now(__WASI_CLOCKID_MONOTONIC);
    MUST(__wasi_poll_oneoff(&what, &event, 1, &count));
    CHECK(now(__WASI_CLOCKID_MONOTONIC) - before >= 30 * ms);
    CHECK_EQ(count, 1);
    CHECK_EQ(event.userdata, 0x123456789abcdef0);
    CHECK_EQ(event.error, 0);
    CHECK_EQ(event.type, __WASI_EVENTTYPE_CLOCK);
}

TEST(absolute_clocks) {
    for (uint32_t clock = 0; clock <= 1; clock++) {
        uint64_t until = now(clock) + 20 * ms;
        __wasi_subscription_t what = on_clock(1, clock, until, true);
        __wasi_event_t event;
        __wasi_size_t count;
        MUST(__wasi_poll_oneoff(&what, &event, 1, &count));
        CHECK(now(clock) >= until);
        CHECK_EQ(count, 1);
    }
}

TEST(an_absolute_time_in_the_past) {
    __wasi_subscription_t what = on_clock(1, __WASI_CLOCKID_MONOTONIC, 1, true);
    __wasi_event_t event;
    __wasi_size_t count;
    uint64_t before = now(__WASI_CLOCKID_MONOTONIC);
    MUST(__wasi_poll_oneoff(&what, &event, 1, &count));
    CHECK_EQ(count, 1);
    CHECK(now(__WASI_CLOCKID_MONOTONIC) - before < 1000 * ms);
}

TEST(the_earliest_clock_wins) {
    __wasi_subscription_t what[3] = {on_clock(10, __WASI_CLOCKID_MONOTONIC, 60000 * ms, false),
                                     on_clock(11, __WASI_CLOCKID_MONOTONIC, 10 * ms, false),
                                     on_clock(12, __WASI_CLOCKID_REALTIME, 60000 * ms, false)};
    __wasi_event_t events[3];
    __wasi_size_t count;
    MUST(__wasi_poll_oneoff(what, events, 3, &count));
    CHECK_EQ(count, 1);
    CHECK_EQ(events[0].userdata, 11);
}

/* Files are always ready; a clock beside them does not hold things up. */
TEST(files_are_ready) {
    __wasi_fd_t fd;
    __wasi_event_t events[3];
    __wasi_size_t count;
    MUST(put("ready", "12345"));
    MUST(open_at(ROOT, "ready", 0, 0, &fd));
    __wasi_subscription_t what[3] = {on_clock(1, __WASI_CLOCKID_MONOTONIC, 60000 * ms, false),
                                     on_fd(2, __WASI_EVENTTYPE_FD_READ, fd),
                                     on_fd(3, __WASI_EVENTTYPE_FD_WRITE, fd)};
    MUST(__wasi_poll_oneoff(what, events, 3, &count));
    CHECK(count == 1 || count == 2); /* at least one is told */
    for (__wasi_size_t i = 0; i < count; i++) {
        CHECK(events[i].userdata == 2 || events[i].userdata == 3);
        CHECK_EQ(events[i].error, 0);
        CHECK_EQ(events[i].type, events[i].userdata == 2 ? __WASI_EVENTTYPE_FD_READ : __WASI_EVENTTYPE_FD_WRITE);
    }
    MUST(__wasi_fd_close(fd));
}

TEST(standard_output_is_ready) {
    __wasi_subscription_t what = on_fd(5, __WASI_EVENTTYPE_FD_WRITE, 1);
    __wasi_event_t event;
    __wasi_size_t count;
    MUST(__wasi_poll_oneoff(&what, &event, 1, &count));
    CHECK(count == 1 && event.userdata == 5 && event.error == 0);
}

/* The runner's input is a pipe with six bytes in it. */
TEST(standard_input_is_ready) {
    __wasi_subscription_t what[2] = {on_fd(6, __WASI_EVENTTYPE_FD_READ, 0), on_clock(7, __WASI_CLOCKID_MONOTONIC, 5000 * ms, false)};
    __wasi_event_t events[2];
    __wasi_size_t count;
    char text[8];
    MUST(__wasi_poll_oneoff(what, events, 2, &count));
    CHECK(count == 1 && events[0].userdata == 6 && events[0].error == 0);
    MUST(read_bytes(0, text, sizeof text, &count));
    CHECK_EQ(count, 6);
}

/* A descriptor that is not open is an event with an error, not a failed call. */
TEST(unknown_descriptor) {
    __wasi_subscription_t what = on_fd(8, __WASI_EVENTTYPE_FD_READ, 999);
    __wasi_event_t event;
    __wasi_size_t count;
    __wasi_errno_t e = __wasi_poll_oneoff(&what, &event, 1, &count);
    if (e) {
        FAILS(BADF, e); /* wasmtime fails the call */
        return;
    }
    CHECK(count == 1 && event.userdata == 8 && event.error == __WASI_ERRNO_BADF);
}

TEST(many_subscriptions) {
    enum { COUNT = 200 };
    static __wasi_subscription_t what[COUNT];
    static __wasi_event_t events[COUNT];
    __wasi_size_t count;
    for (unsigned i = 0; i < COUNT; i++) what[i] = on_clock(i, __WASI_CLOCKID_MONOTONIC, (i == 137 ? 5 : 60000) * ms, false);
    MUST(__wasi_poll_oneoff(what, events, COUNT, &count));
    CHECK(count == 1 && events[0].userdata == 137);
}
