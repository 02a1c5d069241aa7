/* path_rename.c - path_rename: over files and directories, across directories, what must not work. */
#include "wasi_test.h"

static __wasi_errno_t move(const char *from, const char *to) { return __wasi_path_rename(ROOT, from, ROOT, to); }

TEST(a_file) {
    MUST(put("old", "text"));
    MUST(move("old", "new"));
    CHECK(!exists("old"));
    CHECK(holds("new", "text"));
    MUST(move("new", "new"));
    CHECK(holds("new", "text"));
}

TEST(over_a_file) {
    MUST(put("winner", "winner"));
    MUST(put("loser", "loser"));
    MUST(move("winner", "loser"));
    CHECK(!exists("winner"));
    CHECK(holds("loser", "winner"));
}

TEST(directories) {
    MUST(__wasi_path_create_directory(ROOT, "from"));
    MUST(put("from/file", "inside"));
    MUST(move("from", "to"));
    CHECK(holds("to/file", "inside"));
    MUST(__wasi_path_create_directory(ROOT, "empty"));
    MUST(move("to", "empty")); /* over an empty one */
    CHECK(holds("empty/file", "inside"));
    MUST(__wasi_path_create_directory(ROOT, "other"));
    FAILS2(NOTEMPTY, EXIST, move("other", "empty"));
    MUST(move("other/", "third/"));
    CHECK(exists("third"));
}

TEST(kinds_do_not_mix) {
    MUST(put("file", ""));
    MUST(__wasi_path_create_directory(ROOT, "dir"));
    FAILS(NOTDIR, move("dir", "file"));
    FAILS(ISDIR, move("file", "dir"));
    FAILS(NOTDIR, move("file/", "x"));
    FAILS2(NOTDIR, NOENT, move("file", "x/"));
    CHECK(exists("file") && exists("dir") && !exists("x"));
}

TEST(into_itself) {
    MUST(__wasi_path_create_directory(ROOT, "box"));
    FAILS(INVAL, move("box", "box/within"));
    CHECK(exists("box"));
}

TEST(missing) {
    MUST(put("here", ""));
    FAILS(NOENT, move("nothing", "x"));
    FAILS(NOENT, move("here", "nothing/x"));
    FAILS(NOTDIR, move("here/x", "y"));
    FAILS2(NOENT, INVAL, move("", "x"));
    FAILS2(NOENT, INVAL, move("here", ""));
}

TEST(across_directories) {
    __wasi_fd_t a, b;
    MUST(__wasi_path_create_directory(ROOT, "a"));
    MUST(__wasi_path_create_directory(ROOT, "b"));
    MUST(put("a/file", "travels"));
    MUST(open_at(ROOT, "a", __WASI_OFLAGS_DIRECTORY, 0, &a));
    MUST(open_at(ROOT, "b", __WASI_OFLAGS_DIRECTORY, 0, &b));
    MUST(__wasi_path_rename(a, "file", b, "arrived"));
    CHECK(holds("b/arrived", "travels"));
    FAILS2(PERM, NOTCAPABLE, __wasi_path_rename(b, "arrived", a, "../escaped"));
    FAILS2(PERM, NOTCAPABLE, __wasi_path_rename(b, "../a", a, "x"));
    MUST(__wasi_fd_close(a));
    MUST(__wasi_fd_close(b));
}

TEST(the_link_itself_moves) {
    __wasi_filestat_t stat;
    MUST(put("target", "stays"));
    MUST(__wasi_path_symlink("target", ROOT, "link"));
    MUST(move("link", "moved"));
    MUST(__wasi_path_filestat_get(ROOT, 0, "moved", &stat));
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_SYMBOLIC_LINK);
    MUST(put("plain", "plain"));
    MUST(move("plain", "moved")); /* replaces the link, not what it leads to */
    CHECK(holds("target", "stays"));
}

TEST(an_open_file_moves_along) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    MUST(put("before", "1"));
    MUST(open_at(ROOT, "before", 0, __WASI_FDFLAGS_APPEND, &fd));
    MUST(move("before", "after"));
    MUST(write_text(fd, "2", &done));
    MUST(__wasi_fd_close(fd));
    CHECK(holds("after", "12"));
}

TEST(bad_descriptors) {
    MUST(put("x", ""));
    FAILS(BADF, __wasi_path_rename(999, "x", ROOT, "y"));
    FAILS(BADF, __wasi_path_rename(ROOT, "x", 999, "y"));
    FAILS3(BADF, NOTDIR, NOTCAPABLE, __wasi_path_rename(ROOT, "x", 1, "y"));
}
