/* fd_io.c - fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell: positions, vectors, append, errors. */
#include "wasi_test.h"

static __wasi_ciovec_t out_piece(const char *text) {
    return (__wasi_ciovec_t){(const uint8_t *)text, strlen(text)};
}

TEST(write_then_read) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_filesize_t at;
    char text[16];
    MUST(open_at(ROOT, "a", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(write_text(fd, "hello world", &done));
    CHECK_EQ(done, 11);
    MUST(__wasi_fd_tell(fd, &at));
    CHECK_EQ(at, 11);
    MUST(read_bytes(fd, text, sizeof text, &done));
    CHECK_EQ(done, 0); /* the end */
    MUST(__wasi_fd_seek(fd, 6, __WASI_WHENCE_SET, &at));
    CHECK_EQ(at, 6);
    MUST(read_bytes(fd, text, sizeof text, &done));
    CHECK(done == 5 && !memcmp(text, "world", 5));
    MUST(__wasi_fd_close(fd));
}

TEST(vectors) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_ciovec_t out[] = {out_piece("one"), out_piece(""), out_piece("two"), out_piece("three")};
    MUST(open_at(ROOT, "vectors", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(__wasi_fd_write(fd, out, 4, &done));
    CHECK(done == 11 || done == 3); /* a short write is allowed */
    MUST(__wasi_fd_close(fd));
    MUST(put("vectors", "onetwothree"));
    MUST(open_read(ROOT, "vectors", &fd));
    char text[12] = "-----------";
    __wasi_size_t total = 0;
    do {
        __wasi_size_t left = total < 4 ? 4 - total : 0;
        __wasi_iovec_t in[] = {{(uint8_t *)text + total, left}, {NULL, 0}, {(uint8_t *)text + total + left, 11 - total - left}};
        MUST(__wasi_fd_read(fd, in, 3, &done));
        total += done;
    } while (done && total < 11);
    CHECK(!strcmp(text, "onetwothree"));
    MUST(__wasi_fd_close(fd));
}

TEST(no_vectors) {
    __wasi_fd_t fd;
    __wasi_size_t done = 9;
    MUST(open_at(ROOT, "none", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(__wasi_fd_write(fd, NULL, 0, &done));
    CHECK_EQ(done, 0);
    done = 9;
    MUST(__wasi_fd_read(fd, NULL, 0, &done));
    CHECK_EQ(done, 0);
    MUST(__wasi_fd_close(fd));
}

TEST(seek_whences) {
    __wasi_fd_t fd;
    __wasi_filesize_t at;
    MUST(put("seek", "0123456789"));
    MUST(open_at(ROOT, "seek", 0, 0, &fd));
    MUST(__wasi_fd_seek(fd, -3, __WASI_WHENCE_END, &at));
    CHECK_EQ(at, 7);
    MUST(__wasi_fd_seek(fd, 2, __WASI_WHENCE_CUR, &at));
    CHECK_EQ(at, 9);
    MUST(__wasi_fd_seek(fd, -9, __WASI_WHENCE_CUR, &at));
    CHECK_EQ(at, 0);
    MUST(__wasi_fd_seek(fd, 1000, __WASI_WHENCE_SET, &at)); /* behind the end is fine */
    CHECK_EQ(at, 1000);
    FAILS(INVAL, __wasi_fd_seek(fd, -1, __WASI_WHENCE_SET, &at));
    FAILS(INVAL, __wasi_fd_seek(fd, -2000, __WASI_WHENCE_CUR, &at));
    FAILS(INVAL, __wasi_fd_seek(fd, -11, __WASI_WHENCE_END, &at));
    MUST(__wasi_fd_tell(fd, &at));
    CHECK_EQ(at, 1000); /* failures moved nothing */
    MUST(__wasi_fd_close(fd));
}

TEST(write_behind_the_end_leaves_zeros) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_filesize_t at;
    char text[8];
    MUST(open_at(ROOT, "hole", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(__wasi_fd_seek(fd, 4, __WASI_WHENCE_SET, &at));
    MUST(write_text(fd, "end", &done));
    MUST(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    MUST(read_bytes(fd, text, sizeof text, &done));
    CHECK(done == 7 && !memcmp(text, "\0\0\0\0end", 7));
    MUST(__wasi_fd_close(fd));
}

TEST(pread_and_pwrite_leave_the_position) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_filesize_t at;
    char text[8];
    __wasi_iovec_t in = {(uint8_t *)text, 4};
    __wasi_ciovec_t out = out_piece("XY");
    MUST(put("positions", "0123456789"));
    MUST(open_at(ROOT, "positions", 0, 0, &fd));
    MUST(__wasi_fd_seek(fd, 1, __WASI_WHENCE_SET, &at));
    MUST(__wasi_fd_pread(fd, &in, 1, 5, &done));
    CHECK(done == 4 && !memcmp(text, "5678", 4));
    MUST(__wasi_fd_pwrite(fd, &out, 1, 3, &done));
    CHECK_EQ(done, 2);
    MUST(__wasi_fd_tell(fd, &at));
    CHECK_EQ(at, 1);
    MUST(__wasi_fd_pread(fd, &in, 1, 10, &done));
    CHECK_EQ(done, 0);
    MUST(__wasi_fd_pread(fd, &in, 1, 8, &done));
    CHECK_EQ(done, 2);
    MUST(__wasi_fd_close(fd));
    CHECK(holds("positions", "012XY56789"));
}

TEST(append_always_writes_at_the_end) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_filesize_t at;
    MUST(put("log", "start"));
    MUST(open_at(ROOT, "log", 0, __WASI_FDFLAGS_APPEND, &fd));
    MUST(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    MUST(write_text(fd, "+1", &done));
    MUST(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    MUST(write_text(fd, "+2", &done));
    MUST(__wasi_fd_tell(fd, &at));
    CHECK_EQ(at, 9);
    MUST(__wasi_fd_close(fd));
    CHECK(holds("log", "start+1+2"));
}

TEST(two_descriptors_have_two_positions) {
    __wasi_fd_t a, b;
    __wasi_size_t done;
    char byte;
    MUST(put("shared", "abc"));
    MUST(open_read(ROOT, "shared", &a));
    MUST(open_read(ROOT, "shared", &b));
    CHECK(a != b);
    MUST(read_bytes(a, &byte, 1, &done));
    MUST(read_bytes(a, &byte, 1, &done));
    CHECK_EQ(byte, 'b');
    MUST(read_bytes(b, &byte, 1, &done));
    CHECK_EQ(byte, 'a');
    MUST(__wasi_fd_close(a));
    MUST(__wasi_fd_close(b));
}

TEST(closed_and_unknown_descriptors) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_filesize_t at;
    char byte;
    __wasi_iovec_t in = {(uint8_t *)&byte, 1};
    __wasi_ciovec_t out = out_piece("x");
    MUST(open_at(ROOT, "closed", __WASI_OFLAGS_CREAT, 0, &fd));
    MUST(__wasi_fd_close(fd));
    const __wasi_fd_t bad[] = {fd, 12345, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FAILS(BADF, __wasi_fd_close(bad[i]));
        FAILS(BADF, __wasi_fd_read(bad[i], &in, 1, &done));
        FAILS(BADF, __wasi_fd_write(bad[i], &out, 1, &done));
        FAILS(BADF, __wasi_fd_pread(bad[i], &in, 1, 0, &done));
        FAILS(BADF, __wasi_fd_pwrite(bad[i], &out, 1, 0, &done));
        FAILS(BADF, __wasi_fd_seek(bad[i], 0, __WASI_WHENCE_CUR, &at));
        FAILS(BADF, __wasi_fd_tell(bad[i], &at));
    }
}

/* Opened for reading it cannot be written, and the other way round. */
TEST(wrong_direction) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    char byte;
    MUST(put("direction", "text"));
    MUST(open_read(ROOT, "direction", &fd));
    FAILS2(BADF, NOTCAPABLE, write_text(fd, "x", &done));
    MUST(__wasi_fd_close(fd));
    MUST(__wasi_path_open(ROOT, 0, "direction", 0, __WASI_RIGHTS_FD_WRITE, 0, 0, &fd));
    FAILS2(BADF, NOTCAPABLE, read_bytes(fd, &byte, 1, &done));
    MUST(__wasi_fd_close(fd));
    CHECK(holds("direction", "text"));
}

TEST(a_directory_is_no_file) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_filesize_t at;
    char byte;
    MUST(open_at(ROOT, ".", __WASI_OFLAGS_DIRECTORY, 0, &fd));
    FAILS3(BADF, ISDIR, NOTCAPABLE, read_bytes(fd, &byte, 1, &done));
    FAILS3(BADF, ISDIR, NOTCAPABLE, write_text(fd, "x", &done));
    FAILS3(BADF, ISDIR, NOTCAPABLE, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    MUST(__wasi_fd_close(fd));
}

TEST(large_file) {
    enum { CHUNK = 1 << 16, CHUNKS = 40 };
    static uint8_t chunk[CHUNK];
    __wasi_fd_t fd;
    __wasi_size_t done;
    MUST(open_at(ROOT, "large", __WASI_OFLAGS_CREAT, 0, &fd));
    for (int i = 0; i < CHUNKS; i++) {
        memset(chunk, i, CHUNK);
        for (size_t at = 0; at < CHUNK; at += done) {
            __wasi_ciovec_t piece = {chunk + at, CHUNK - at};
            MUST(__wasi_fd_write(fd, &piece, 1, &done));
        }
    }
    for (int i = 0; i < CHUNKS; i++) {
        uint8_t byte;
        __wasi_iovec_t piece = {&byte, 1};
        MUST(__wasi_fd_pread(fd, &piece, 1, (__wasi_filesize_t)i * CHUNK + 777, &done));
        CHECK_EQ(byte, i);
    }
    MUST(__wasi_fd_close(fd));
}

TEST(standard_streams) {
    __wasi_size_t done;
    char text[32];
    MUST(read_bytes(0, text, sizeof text, &done)); /* the runner's: "input\n" */
    CHECK(done == 6 && !memcmp(text, "input\n", 6));
    MUST(read_bytes(0, text, sizeof text, &done));
    CHECK_EQ(done, 0);
    MUST(write_text(2, "", &done));
}
