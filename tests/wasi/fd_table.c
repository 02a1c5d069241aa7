/* fd_table.c - fd_close, fd_renumber, fd_prestat_get, fd_prestat_dir_name: the table of descriptors. */
#include "wasi_test.h"

/* First, while nothing is open: only the streams and the root are there, and the root is "/". */
TEST(prestat) {
    __wasi_prestat_t stat;
    char name[8] = "-------";
    MUST(__wasi_fd_prestat_get(ROOT, &stat));
    CHECK_EQ(stat.tag, __WASI_PREOPENTYPE_DIR);
    CHECK_EQ(stat.u.dir.pr_name_len, 1);
    MUST(__wasi_fd_prestat_dir_name(ROOT, (uint8_t *)name, 1));
    CHECK(!strcmp(name, "/------")); /* the bytes of the name alone */
    FAILS(BADF, __wasi_fd_prestat_get(ROOT + 1, &stat));
}

TEST(prestat_of_what_is_not_preopened) {
    __wasi_prestat_t stat;
    __wasi_fd_t fd;
    uint8_t name[8];
    for (__wasi_fd_t stream = 0; stream < 3; stream++) FAILS(BADF, __wasi_fd_prestat_get(stream, &stat));
    MUST(open_at(ROOT, ".", __WASI_OFLAGS_DIRECTORY, 0, &fd));
    FAILS(BADF, __wasi_fd_prestat_get(fd, &stat));
    FAILS2(BADF, NOTDIR, __wasi_fd_prestat_dir_name(fd, name, sizeof name));
    MUST(__wasi_fd_close(fd));
}

TEST(prestat_name_too_short) {
    uint8_t name[1];
    FAILS2(NAMETOOLONG, INVAL, __wasi_fd_prestat_dir_name(ROOT, name, 0));
}

TEST(renumber_moves) {
    __wasi_fd_t from, to;
    __wasi_size_t done;
    __wasi_fdstat_t stat;
    char text[8];
    MUST(put("one", "1111"));
    MUST(put("two", "2222"));
    MUST(open_read(ROOT, "one", &from));
    MUST(open_read(ROOT, "two", &to));
    MUST(read_bytes(from, text, 1, &done));
    MUST(__wasi_fd_renumber(from, to));
    FAILS(BADF, __wasi_fd_fdstat_get(from, &stat));
    MUST(read_bytes(to, text, sizeof text, &done)); /* the position came along */
    CHECK(done == 3 && !memcmp(text, "111", 3));
    MUST(__wasi_fd_close(to));
}

TEST(renumber_onto_itself) {
    __wasi_fd_t fd;
    __wasi_fdstat_t stat;
    MUST(put("self", "x"));
    MUST(open_read(ROOT, "self", &fd));
    MUST(__wasi_fd_renumber(fd, fd));
    MUST(__wasi_fd_fdstat_get(fd, &stat));
    MUST(__wasi_fd_close(fd));
}

TEST(renumber_unknown) {
    __wasi_fd_t fd;
    MUST(put("known", "x"));
    MUST(open_read(ROOT, "known", &fd));
    FAILS(BADF, __wasi_fd_renumber(999, fd));
    FAILS(BADF, __wasi_fd_renumber(fd, 999)); /* the target must be open */
    FAILS(BADF, __wasi_fd_renumber(fd, 0xffffffff));
    MUST(__wasi_fd_close(fd));
}

TEST(many_at_once) {
    enum { COUNT = 100 };
    __wasi_fd_t fds[COUNT];
    MUST(put("many", "x"));
    for (int i = 0; i < COUNT; i++) MUST(open_read(ROOT, "many", &fds[i]));
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            if (!CHECK(fds[i] != fds[j])) return;
    for (int i = 0; i < COUNT; i++) MUST(__wasi_fd_close(fds[i]));
    for (int i = 0; i < COUNT; i++) FAILS(BADF, __wasi_fd_close(fds[i]));
}

/* A file that is removed while open goes on to exist for whoever holds it. */
TEST(removed_while_open) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    char text[8];
    MUST(put("gone", "still"));
    MUST(open_read(ROOT, "gone", &fd));
    MUST(__wasi_path_unlink_file(ROOT, "gone"));
    MUST(read_bytes(fd, text, sizeof text, &done));
    CHECK_EQ(done, 5);
    MUST(__wasi_fd_close(fd));
}

/* Last: the root itself may be closed, and then it is gone. */
TEST(zz_close_the_root) {
    __wasi_filestat_t stat;
    MUST(__wasi_fd_close(ROOT));
    FAILS(BADF, __wasi_path_filestat_get(ROOT, 0, ".", &stat));
    FAILS(BADF, __wasi_fd_close(ROOT));
}
