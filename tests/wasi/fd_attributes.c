/* fd_attributes.c - fd_fdstat_get, fd_fdstat_set_flags, fd_fdstat_set_rights, fd_filestat_get, fd_filestat_set_size, fd_filestat_set_times,
 * fd_advise, fd_allocate, fd_sync, fd_datasync. */
#include "wasi_test.h"

static const uint64_t second = 1000000000;

TEST(fdstat_of_a_file) {
    __wasi_fd_t fd;
    __wasi_fdstat_t stat;
    MUST(open_at(ROOT, "stat", __WASI_OFLAGS_CREAT, __WASI_FDFLAGS_APPEND, &fd));
    MUST(__wasi_fd_fdstat_get(fd, &stat));
    CHECK_EQ(stat.fs_filetype, __WASI_FILETYPE_REGULAR_FILE);
    CHECK_EQ(stat.fs_flags, __WASI_FDFLAGS_APPEND);
    CHECK(stat.fs_rights_base & __WASI_RIGHTS_FD_READ);
    CHECK(stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE);
    MUST(__wasi_fd_close(fd));
    MUST(open_read(ROOT, "stat", &fd));
    MUST(__wasi_fd_fdstat_get(fd, &stat));
    CHECK_EQ(stat.fs_flags, 0);
    CHECK(stat.fs_rights_base & __WASI_RIGHTS_FD_READ);
    CHECK(!(stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE));
    MUST(__wasi_fd_close(fd));
}

TEST(fdstat_of_the_root) {
    __wasi_fdstat_t stat;
    MUST(__wasi_fd_fdstat_get(ROOT, &stat));
    CHECK_EQ(stat.fs_filetype, __WASI_FILETYPE_DIRECTORY);
    CHECK(stat.fs_rights_base & __WASI_RIGHTS_PATH_OPEN);
    CHECK(stat.fs_rights_inheriting & __WASI_RIGHTS_FD_READ);
}

TEST(append_switched_on_and_off) {
    __wasi_fd_t fd;
    __wasi_fdstat_t stat;
    __wasi_size_t done;
    __wasi_filesize_t at;
    MUST(put("flags", "12345"));
    MUST(open_at(ROOT, "flags", 0, 0, &fd));
    MUST(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
    MUST(__wasi_fd_fdstat_get(fd, &stat));
    CHECK_EQ(stat.fs_flags, __WASI_FDFLAGS_APPEND);
    MUST(write_text(fd, "6", &done));
    MUST(__wasi_fd_fdstat_set_flags(fd, 0));
    MUST(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    MUST(write_text(fd, "0", &done));
    MUST(__wasi_fd_close(fd));
    CHECK(holds("flags", "023456"));
}

/* Rights can be given up, never gained. A runtime may have no rights to speak of: then it says so. */
TEST(rights_are_given_up) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_fdstat_t stat;
    MUST(put("rights", "text"));
    MUST(open_at(ROOT, "rights", 0, 0, &fd));
    MUST(__wasi_fd_fdstat_get(fd, &stat));
    __wasi_errno_t e = __wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ, 0);
    if (e) {
        FAILS2(NOTSUP, NOSYS, e);
    } else {
        FAILS2(NOTCAPABLE, BADF, write_text(fd, "x", &done));
        FAILS2(NOTCAPABLE, PERM, __wasi_fd_fdstat_set_rights(fd, stat.fs_rights_base, 0));
    }
    MUST(__wasi_fd_close(fd));
    CHECK(holds("rights", "text"));
}

TEST(filestat) {
    __wasi_fd_t fd;
    __wasi_filestat_t stat, again;
    __wasi_size_t done;
    __wasi_timestamp_t now;
    MUST(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &now));
    MUST(open_at(ROOT, "info", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(write_text(fd, "seven..", &done));
    MUST(__wasi_fd_filestat_get(fd, &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_REGULAR_FILE);
    CHECK_EQ(stat.size, 7);
    CHECK_EQ(stat.nlink, 1);
    CHECK(stat.mtim + 10 * second > now && stat.mtim < now + 10 * second);
    MUST(__wasi_path_filestat_get(ROOT, 0, "info", &again));
    CHECK_EQ(again.ino, stat.ino);
    CHECK_EQ(again.dev, stat.dev);
    MUST(__wasi_fd_close(fd));
    MUST(__wasi_fd_filestat_get(ROOT, &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_DIRECTORY);
    CHECK(stat.ino != again.ino);
}

TEST(size_down_and_up) {
    __wasi_fd_t fd;
    __wasi_filestat_t stat;
    __wasi_filesize_t at;
    __wasi_size_t done;
    char text[8];
    MUST(put("size", "0123456789"));
    MUST(open_at(ROOT, "size", 0, 0, &fd));
    MUST(__wasi_fd_filestat_set_size(fd, 3));
    MUST(__wasi_fd_filestat_set_size(fd, 6));
    MUST(__wasi_fd_filestat_get(fd, &stat));
    CHECK_EQ(stat.size, 6);
    MUST(__wasi_fd_tell(fd, &at));
    CHECK_EQ(at, 0);
    MUST(read_bytes(fd, text, sizeof text, &done));
    CHECK(done == 6 && !memcmp(text, "012\0\0\0", 6));
    MUST(__wasi_fd_close(fd));
}

TEST(size_needs_writing) {
    __wasi_fd_t fd;
    MUST(put("fixed", "12345"));
    MUST(open_read(ROOT, "fixed", &fd));
    FAILS3(INVAL, BADF, NOTCAPABLE, __wasi_fd_filestat_set_size(fd, 0));
    MUST(__wasi_fd_close(fd));
    CHECK(holds("fixed", "12345"));
}

TEST(times) {
    __wasi_fd_t fd;
    __wasi_filestat_t stat;
    __wasi_timestamp_t now;
    MUST(open_at(ROOT, "times", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(__wasi_fd_filestat_set_times(fd, 1000 * second + 123456000, 2000 * second + 5000,
                                      __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    MUST(__wasi_fd_filestat_get(fd, &stat));
    CHECK_EQ(stat.atim, 1000 * second + 123456000);
    CHECK_EQ(stat.mtim, 2000 * second + 5000);
    MUST(__wasi_fd_filestat_set_times(fd, 7, 3000 * second, __WASI_FSTFLAGS_MTIM));
    MUST(__wasi_fd_filestat_get(fd, &stat));
    CHECK_EQ(stat.atim, 1000 * second + 123456000); /* not asked for: untouched */
    CHECK_EQ(stat.mtim, 3000 * second);
    MUST(__wasi_fd_filestat_set_times(fd, 7, 7, __WASI_FSTFLAGS_ATIM_NOW));
    MUST(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &now));
    MUST(__wasi_fd_filestat_get(fd, &stat));
    CHECK(stat.atim + 10 * second > now && stat.atim < now + 10 * second);
    CHECK_EQ(stat.mtim, 3000 * second);
    MUST(__wasi_fd_close(fd));
}

TEST(times_contradict) {
    __wasi_fd_t fd;
    MUST(open_at(ROOT, "times", __WASI_OFLAGS_CREAT, 0, &fd));
    FAILS(INVAL, __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    FAILS(INVAL, __wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    MUST(__wasi_fd_close(fd));
}

TEST(advise) {
    __wasi_fd_t fd;
    MUST(put("advise", "text"));
    MUST(open_at(ROOT, "advise", 0, 0, &fd));
    for (uint8_t advice = 0; advice <= 5; advice++) MUST(__wasi_fd_advise(fd, 0, 4, advice));
    MUST(__wasi_fd_close(fd));
    FAILS2(BADF, NOTCAPABLE, __wasi_fd_advise(ROOT, 0, 4, 0));
}

/* fd_allocate never shortens a file; a runtime without it says so. */
TEST(allocate) {
    __wasi_fd_t fd;
    __wasi_filestat_t stat;
    MUST(put("space", "0123456789"));
    MUST(open_at(ROOT, "space", 0, 0, &fd));
    __wasi_errno_t e = __wasi_fd_allocate(fd, 0, 4);
    if (e) {
        FAILS2(NOTSUP, NOSYS, e);
    } else {
        MUST(__wasi_fd_filestat_get(fd, &stat));
        CHECK_EQ(stat.size, 10);
        MUST(__wasi_fd_allocate(fd, 8, 92));
        MUST(__wasi_fd_filestat_get(fd, &stat));
        CHECK_EQ(stat.size, 100);
    }
    MUST(__wasi_fd_close(fd));
}

TEST(sync) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    MUST(open_at(ROOT, "sync", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(write_text(fd, "x", &done));
    MUST(__wasi_fd_datasync(fd));
    MUST(__wasi_fd_sync(fd));
    MUST(__wasi_fd_close(fd));
}

TEST(unknown_descriptors) {
    __wasi_fdstat_t fdstat;
    __wasi_filestat_t filestat;
    FAILS(BADF, __wasi_fd_fdstat_get(999, &fdstat));
    FAILS(BADF, __wasi_fd_fdstat_set_flags(999, 0));
    FAILS2(BADF, NOTSUP, __wasi_fd_fdstat_set_rights(999, 0, 0));
    FAILS(BADF, __wasi_fd_filestat_get(999, &filestat));
    FAILS(BADF, __wasi_fd_filestat_set_size(999, 0));
    FAILS(BADF, __wasi_fd_filestat_set_times(999, 0, 0, __WASI_FSTFLAGS_ATIM_NOW));
    FAILS(BADF, __wasi_fd_advise(999, 0, 0, 0));
    FAILS(BADF, __wasi_fd_allocate(999, 0, 1));
    FAILS(BADF, __wasi_fd_sync(999));
    FAILS(BADF, __wasi_fd_datasync(999));
}
