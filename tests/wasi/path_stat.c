/* path_stat.c - path_filestat_get and path_filestat_set_times. */
#include "wasi_test.h"

enum { FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW };
static const uint64_t second = 1000000000;

TEST(kinds) {
    __wasi_filestat_t stat;
    MUST(put("file", "12345"));
    MUST(__wasi_path_create_directory(ROOT, "dir"));
    MUST(__wasi_path_symlink("file", ROOT, "link"));
    MUST(__wasi_path_filestat_get(ROOT, 0, "file", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_REGULAR_FILE && stat.size == 5);
    MUST(__wasi_path_filestat_get(ROOT, 0, "dir", &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_DIRECTORY);
    MUST(__wasi_path_filestat_get(ROOT, 0, "link", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && stat.size == 4);
    MUST(__wasi_path_filestat_get(ROOT, FOLLOW, "link", &stat));
    CHECK(stat.filetype == __WASI_FILETYPE_REGULAR_FILE && stat.size == 5);
    MUST(__wasi_path_filestat_get(ROOT, 0, ".", &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_DIRECTORY);
}

TEST(errors) {
    __wasi_filestat_t stat;
    MUST(put("leaf", ""));
    MUST(__wasi_path_symlink("nowhere", ROOT, "broken"));
    FAILS(NOENT, __wasi_path_filestat_get(ROOT, 0, "missing", &stat));
    FAILS(NOENT, __wasi_path_filestat_get(ROOT, FOLLOW, "broken", &stat));
    MUST(__wasi_path_filestat_get(ROOT, 0, "broken", &stat));
    FAILS(NOTDIR, __wasi_path_filestat_get(ROOT, 0, "leaf/x", &stat));
    FAILS(NOTDIR, __wasi_path_filestat_get(ROOT, 0, "leaf/", &stat));
    FAILS2(NOENT, INVAL, __wasi_path_filestat_get(ROOT, 0, "", &stat));
    FAILS(BADF, __wasi_path_filestat_get(999, 0, "leaf", &stat));
    FAILS3(BADF, NOTDIR, NOTCAPABLE, __wasi_path_filestat_get(0, 0, "leaf", &stat));
}

TEST(times) {
    __wasi_filestat_t stat;
    MUST(put("timed", ""));
    MUST(__wasi_path_filestat_set_times(ROOT, 0, "timed", 11 * second, 22 * second, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    MUST(__wasi_path_filestat_get(ROOT, 0, "timed", &stat));
    CHECK_EQ(stat.atim, 11 * second);
    CHECK_EQ(stat.mtim, 22 * second);
    MUST(__wasi_path_filestat_set_times(ROOT, 0, "timed", 33 * second, 0, __WASI_FSTFLAGS_ATIM));
    MUST(__wasi_path_filestat_get(ROOT, 0, "timed", &stat));
    CHECK_EQ(stat.atim, 33 * second);
    CHECK_EQ(stat.mtim, 22 * second);
    MUST(__wasi_path_filestat_set_times(ROOT, 0, "timed", 0, 0, 0)); /* nothing asked for */
    FAILS(INVAL, __wasi_path_filestat_set_times(ROOT, 0, "timed", 1, 1, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    FAILS(NOENT, __wasi_path_filestat_set_times(ROOT, 0, "missing", 1, 1, __WASI_FSTFLAGS_MTIM));
    FAILS(BADF, __wasi_path_filestat_set_times(999, 0, "timed", 1, 1, __WASI_FSTFLAGS_MTIM));
}

TEST(times_of_links) {
    __wasi_filestat_t stat;
    MUST(put("goal", ""));
    MUST(__wasi_path_symlink("goal", ROOT, "pointer"));
    MUST(__wasi_path_filestat_set_times(ROOT, FOLLOW, "pointer", 0, 44 * second, __WASI_FSTFLAGS_MTIM));
    MUST(__wasi_path_filestat_get(ROOT, 0, "goal", &stat));
    CHECK_EQ(stat.mtim, 44 * second);
    MUST(__wasi_path_filestat_set_times(ROOT, 0, "pointer", 0, 55 * second, __WASI_FSTFLAGS_MTIM));
    MUST(__wasi_path_filestat_get(ROOT, 0, "goal", &stat));
    CHECK_EQ(stat.mtim, 44 * second); /* only the link changed */
    MUST(__wasi_path_filestat_get(ROOT, 0, "pointer", &stat));
    CHECK_EQ(stat.mtim, 55 * second);
}

TEST(writing_moves_the_time) {
    __wasi_filestat_t stat;
    __wasi_timestamp_t now;
    MUST(put("old", ""));
    MUST(__wasi_path_filestat_set_times(ROOT, 0, "old", 0, 5 * second, __WASI_FSTFLAGS_MTIM));
    MUST(put("old", "new text"));
    MUST(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &now));
    MUST(__wasi_path_filestat_get(ROOT, 0, "old", &stat));
    CHECK(stat.mtim + 10 * second > now);
}
