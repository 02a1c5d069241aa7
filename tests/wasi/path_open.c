/* path_open.c - path_open: every flag and every error. */
#include "wasi_test.h"

static const __wasi_oflags_t create = __WASI_OFLAGS_CREAT, directory = __WASI_OFLAGS_DIRECTORY;
static const __wasi_oflags_t exclusive = __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL;

static bool opens(const char *path, __wasi_oflags_t flags) {
    __wasi_fd_t fd;
    return !open_at(ROOT, path, flags, 0, &fd) && !__wasi_fd_close(fd);
}

TEST(create) {
    __wasi_fd_t fd;
    FAILS(NOENT, open_at(ROOT, "new", 0, 0, &fd));
    CHECK(opens("new", create));
    CHECK(opens("new", create)); /* is there already: fine */
    CHECK(opens("new", 0));
    CHECK(holds("new", ""));
}

TEST(exclusive) {
    __wasi_fd_t fd;
    CHECK(opens("once", exclusive));
    FAILS(EXIST, open_at(ROOT, "once", exclusive, 0, &fd));
    MUST(__wasi_path_symlink("nowhere", ROOT, "dangling"));
    FAILS(EXIST, open_at(ROOT, "dangling", exclusive, 0, &fd)); /* a link counts, wherever it leads */
    CHECK(!exists("nowhere"));
}

TEST(truncate) {
    __wasi_fd_t fd;
    MUST(put("cut", "something"));
    CHECK(opens("cut", 0));
    CHECK(holds("cut", "something"));
    MUST(open_at(ROOT, "cut", __WASI_OFLAGS_TRUNC, 0, &fd));
    MUST(__wasi_fd_close(fd));
    CHECK(holds("cut", ""));
    FAILS(NOENT, open_at(ROOT, "missing", __WASI_OFLAGS_TRUNC, 0, &fd));
}

TEST(only_a_directory) {
    __wasi_fd_t fd;
    __wasi_fdstat_t stat;
    MUST(__wasi_path_create_directory(ROOT, "dir"));
    MUST(put("file", ""));
    MUST(open_at(ROOT, "dir", directory, 0, &fd));
    MUST(__wasi_fd_fdstat_get(fd, &stat));
    CHECK_EQ(stat.fs_filetype, __WASI_FILETYPE_DIRECTORY);
    MUST(__wasi_fd_close(fd));
    FAILS(NOTDIR, open_at(ROOT, "file", directory, 0, &fd));
    FAILS(NOENT, open_at(ROOT, "missing", directory, 0, &fd));
    FAILS2(INVAL, NOTDIR, open_at(ROOT, "dir2", create | directory, 0, &fd));
}

TEST(a_directory_for_writing) {
    __wasi_fd_t fd;
    MUST(__wasi_path_create_directory(ROOT, "plain"));
    FAILS(ISDIR, __wasi_path_open(ROOT, 0, "plain", 0, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0, 0, &fd));
    MUST(__wasi_path_open(ROOT, 0, "plain", 0, __WASI_RIGHTS_FD_READDIR, 0, 0, &fd)); /* without the flag it may be one */
    MUST(__wasi_fd_close(fd));
}

TEST(not_a_directory_on_the_way) {
    __wasi_fd_t fd;
    MUST(put("leaf", ""));
    FAILS(NOTDIR, open_at(ROOT, "leaf/more", 0, 0, &fd));
    FAILS(NOTDIR, open_at(ROOT, "leaf/more", create, 0, &fd));
    FAILS(NOTDIR, open_at(ROOT, "leaf/.", 0, 0, &fd));
    FAILS(NOTDIR, open_at(ROOT, "leaf/..", 0, 0, &fd));
    FAILS(NOENT, open_at(ROOT, "missing/more", create, 0, &fd));
}

TEST(trailing_slash) {
    __wasi_fd_t fd;
    MUST(__wasi_path_create_directory(ROOT, "slashed"));
    MUST(put("unslashed", ""));
    CHECK(opens("slashed/", directory));
    CHECK(opens("slashed///", directory));
    FAILS(NOTDIR, open_at(ROOT, "unslashed/", 0, 0, &fd));
    FAILS3(ISDIR, NOENT, NOTDIR, open_at(ROOT, "made/", create, 0, &fd));
    CHECK(!exists("made"));
}

TEST(dots_and_slashes_within) {
    MUST(__wasi_path_create_directory(ROOT, "x"));
    MUST(__wasi_path_create_directory(ROOT, "x/y"));
    MUST(put("x/y/z", "deep"));
    CHECK(holds("x/y/z", "deep"));
    CHECK(holds("./x/./y/./z", "deep"));
    CHECK(holds("x//y///z", "deep"));
    CHECK(holds("x/y/../y/z", "deep"));
    CHECK(holds("x/../x/y/../../x/y/z", "deep"));
}

TEST(links) {
    __wasi_fd_t fd;
    MUST(put("target", "there"));
    MUST(__wasi_path_symlink("target", ROOT, "link"));
    CHECK(holds("link", "there"));
    FAILS(LOOP, __wasi_path_open(ROOT, 0, "link", 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd));
    MUST(__wasi_path_symlink("absent", ROOT, "broken"));
    FAILS(NOENT, open_at(ROOT, "broken", 0, 0, &fd));
    MUST(__wasi_path_symlink("ring2", ROOT, "ring1"));
    MUST(__wasi_path_symlink("ring1", ROOT, "ring2"));
    FAILS(LOOP, open_at(ROOT, "ring1", 0, 0, &fd));
    FAILS(LOOP, open_at(ROOT, "ring1/x", 0, 0, &fd));
}

TEST(beneath_another_directory) {
    __wasi_fd_t dir, fd;
    MUST(__wasi_path_create_directory(ROOT, "sub"));
    MUST(put("sub/inner", "within"));
    MUST(open_at(ROOT, "sub", directory, 0, &dir));
    MUST(open_at(dir, "inner", 0, 0, &fd));
    MUST(__wasi_fd_close(fd));
    FAILS2(PERM, NOTCAPABLE, open_at(dir, "../target", 0, 0, &fd)); /* a directory is a box of its own */
    FAILS2(PERM, NOTCAPABLE, open_at(dir, "..", directory, 0, &fd));
    MUST(__wasi_fd_close(dir));
}

TEST(names) {
    __wasi_fd_t fd;
    static char name[5001];
    FAILS2(NOENT, INVAL, open_at(ROOT, "", 0, 0, &fd));
    memset(name, 'n', 256);
    FAILS(NAMETOOLONG, open_at(ROOT, name, create, 0, &fd));
    memset(name, 'n', 5000);
    FAILS(NAMETOOLONG, open_at(ROOT, name, 0, 0, &fd));
    name[255] = 0;
    CHECK(opens(name, create));
    CHECK(opens("  spaces and \t tabs ", create));
    CHECK(opens("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", create));
    CHECK(opens("...", create));
    CHECK(opens("back\\slash", create));
}

TEST(bad_descriptors) {
    __wasi_fd_t fd, file;
    FAILS(BADF, open_at(999, "x", 0, 0, &fd));
    FAILS3(NOTDIR, BADF, NOTCAPABLE, open_at(1, "x", 0, 0, &fd));
    MUST(put("nodir", ""));
    MUST(open_read(ROOT, "nodir", &file));
    FAILS3(NOTDIR, BADF, NOTCAPABLE, open_at(file, "x", 0, 0, &fd));
    MUST(__wasi_fd_close(file));
}

TEST(descriptors_start_above_the_root) {
    __wasi_fd_t fd;
    MUST(put("number", ""));
    MUST(open_read(ROOT, "number", &fd));
    CHECK(fd > ROOT);
    MUST(__wasi_fd_close(fd));
}
