/* enums.c - values that no enumeration or set of flags of preview 1 has: EINVAL, and the program goes on. (wasmtime ends the program here.) */
#include "wasi_test.h"

TEST(clock) {
    __wasi_timestamp_t unused;
    FAILS2(INVAL, BADF, __wasi_clock_time_get((__wasi_clockid_t){77}, 0, &unused));
    FAILS2(INVAL, BADF, __wasi_clock_res_get((__wasi_clockid_t){77}, &unused));
}

TEST(advice) {
    __wasi_fd_t fd;
    MUST(open_at(ROOT, "advice", __WASI_OFLAGS_CREAT, 0, &fd));
    FAILS(INVAL, __wasi_fd_advise(fd, 0, 4, 99));
    MUST(__wasi_fd_close(fd));
}

TEST(whence) {
    __wasi_fd_t fd;
    __wasi_filesize_t at;
    MUST(open_at(ROOT, "whence", __WASI_OFLAGS_CREAT, 0, &fd));
    FAILS(INVAL, __wasi_fd_seek(fd, 0, 3, &at));
    FAILS(INVAL, __wasi_fd_seek(fd, 0, 255, &at));
    MUST(__wasi_fd_close(fd));
}

TEST(time_flags) {
    __wasi_fd_t fd;
    MUST(open_at(ROOT, "times", __WASI_OFLAGS_CREAT, 0, &fd));
    FAILS(INVAL, __wasi_fd_filestat_set_times(fd, 1, 1, 0x80));
    MUST(__wasi_fd_close(fd));
}

TEST(event_type) {
    __wasi_subscription_t what = {.userdata = 1, .u.tag = 9};
    __wasi_event_t event;
    __wasi_size_t count;
    FAILS(INVAL, __wasi_poll_oneoff(&what, &event, 1, &count));
}
