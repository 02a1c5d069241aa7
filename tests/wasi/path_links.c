/* path_links.c - path_link, path_symlink, path_readlink. */
#include "wasi_test.h"

TEST(hard_link) {
    __wasi_filestat_t a, b;
    MUST(put("first", "same"));
    MUST(__wasi_path_link(ROOT, 0, "first", ROOT, "second"));
    CHECK(holds("second", "same"));
    MUST(__wasi_path_filestat_get(ROOT, 0, "first", &a));
    MUST(__wasi_path_filestat_get(ROOT, 0, "second", &b));
    CHECK_EQ(a.ino, b.ino);
    CHECK_EQ(a.nlink, 2);
    MUST(__wasi_path_unlink_file(ROOT, "first"));
    CHECK(holds("second", "same"));
}

TEST(hard_link_errors) {
    MUST(put("source", ""));
    MUST(put("taken", ""));
    MUST(__wasi_path_create_directory(ROOT, "dir"));
    FAILS(EXIST, __wasi_path_link(ROOT, 0, "source", ROOT, "taken"));
    FAILS(NOENT, __wasi_path_link(ROOT, 0, "missing", ROOT, "new"));
    FAILS(NOENT, __wasi_path_link(ROOT, 0, "source", ROOT, "missing/new"));
    FAILS2(PERM, ISDIR, __wasi_path_link(ROOT, 0, "dir", ROOT, "dir2"));
    FAILS2(NOTDIR, NOENT, __wasi_path_link(ROOT, 0, "source/", ROOT, "new"));
    FAILS3(NOENT, NOTDIR, EXIST, __wasi_path_link(ROOT, 0, "source", ROOT, "new/"));
    FAILS(BADF, __wasi_path_link(999, 0, "source", ROOT, "new"));
    FAILS(BADF, __wasi_path_link(ROOT, 0, "source", 999, "new"));
    CHECK(!exists("new"));
}

TEST(hard_link_between_directories) {
    __wasi_fd_t a, b;
    MUST(__wasi_path_create_directory(ROOT, "a"));
    MUST(__wasi_path_create_directory(ROOT, "b"));
    MUST(put("a/file", "moved along"));
    MUST(open_at(ROOT, "a", __WASI_OFLAGS_DIRECTORY, 0, &a));
    MUST(open_at(ROOT, "b", __WASI_OFLAGS_DIRECTORY, 0, &b));
    MUST(__wasi_path_link(a, 0, "file", b, "copy"));
    CHECK(holds("b/copy", "moved along"));
    FAILS2(PERM, NOTCAPABLE, __wasi_path_link(a, 0, "file", b, "../out"));
    FAILS2(PERM, NOTCAPABLE, __wasi_path_link(a, 0, "../b/copy", b, "again"));
    MUST(__wasi_fd_close(a));
    MUST(__wasi_fd_close(b));
}

TEST(symlink_and_readlink) {
    uint8_t text[16];
    __wasi_size_t done;
    MUST(__wasi_path_symlink("any/where", ROOT, "sign"));
    MUST(__wasi_path_readlink(ROOT, "sign", text, sizeof text, &done));
    CHECK(done == 9 && !memcmp(text, "any/where", 9));
    MUST(__wasi_path_readlink(ROOT, "sign", text, 3, &done)); /* cut, no error */
    CHECK_EQ(done, 3);
    FAILS(EXIST, __wasi_path_symlink("x", ROOT, "sign"));
}

TEST(readlink_of_other_things) {
    uint8_t text[16];
    __wasi_size_t done;
    MUST(put("no-link", ""));
    FAILS(INVAL, __wasi_path_readlink(ROOT, "no-link", text, sizeof text, &done));
    FAILS(INVAL, __wasi_path_readlink(ROOT, ".", text, sizeof text, &done));
    FAILS(NOENT, __wasi_path_readlink(ROOT, "missing", text, sizeof text, &done));
    FAILS(NOTDIR, __wasi_path_readlink(ROOT, "no-link/x", text, sizeof text, &done));
    FAILS(BADF, __wasi_path_readlink(999, "x", text, sizeof text, &done));
}

TEST(symlink_errors) {
    MUST(put("there", ""));
    FAILS(EXIST, __wasi_path_symlink("x", ROOT, "there"));
    FAILS(NOENT, __wasi_path_symlink("x", ROOT, "missing/x"));
    FAILS2(NOENT, INVAL, __wasi_path_symlink("", ROOT, "to-nothing"));
    FAILS(BADF, __wasi_path_symlink("x", 999, "y"));
    FAILS2(PERM, NOTCAPABLE, __wasi_path_symlink("/etc/passwd", ROOT, "away")); /* absolute targets lead out */
    CHECK(!exists("away"));
}

TEST(links_on_the_way) {
    MUST(__wasi_path_create_directory(ROOT, "real"));
    MUST(put("real/file", "found"));
    MUST(__wasi_path_symlink("real", ROOT, "alias"));
    MUST(__wasi_path_symlink("../alias/file", ROOT, "real/back"));
    CHECK(holds("alias/file", "found"));
    CHECK(holds("real/back", "found"));
    CHECK(holds("alias/../alias/back", "found"));
}

TEST(chains) {
    char from[16], to[16];
    __wasi_filestat_t stat;
    MUST(put("c0", "end"));
    for (int i = 1; i <= 60; i++) {
        snprintf(from, sizeof from, "c%d", i);
        snprintf(to, sizeof to, "c%d", i - 1);
        MUST(__wasi_path_symlink(to, ROOT, from));
    }
    CHECK(holds("c5", "end"));
    FAILS(LOOP, __wasi_path_filestat_get(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "c60", &stat));
    MUST(__wasi_path_filestat_get(ROOT, 0, "c60", &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_SYMBOLIC_LINK);
}

TEST(link_of_a_link) {
    __wasi_filestat_t stat;
    MUST(put("origin", "x"));
    MUST(__wasi_path_symlink("origin", ROOT, "soft"));
    MUST(__wasi_path_link(ROOT, 0, "soft", ROOT, "hard"));
    MUST(__wasi_path_filestat_get(ROOT, 0, "hard", &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_SYMBOLIC_LINK);
}
