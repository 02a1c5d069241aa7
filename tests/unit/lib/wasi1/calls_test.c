/* calls_test.c - the handlers of WASI calls, called as a program would, over a memory that is an
 * array here: descriptors, rights, positions, directories, waiting, pointers that lead outside.
 * Each test has a system of its own with a tree in memory at 3 and, where it asks, more. */
#define _GNU_SOURCE
#include "test.h"
#include "fail_alloc.h"
#include "scratch.h"
#include "wasi1/process.h"
#include <errno.h>
#include <sys/socket.h>

enum {
    MEMORY_BYTES = 65536,
    /* where things are in the guest's memory */
    PATH = 256,
    PATH2 = 1024,
    IOVS = 2048,
    DATA = 4096,
    OUT = 40000,
    OUT2 = 40064,
    EVENTS = 42000
};

static uint8_t memory[MEMORY_BYTES];

struct world {
    mote_wasi *wasi;
    mote_vfs_node *tree, *output;
    struct call c;
};

static bool begin_with(struct world *w, mote_wasi_config *config) {
    mote_error error;
    mote_wasi_dir dirs[2] = {{.guest_path = "/"}, {.guest_path = "ro", .read_only = true}};
    memset(memory, 0, sizeof memory);
    if (mote_vfs_memory_new(NULL, 0, &w->tree) || mote_vfs_buffer_new(NULL, 1 << 20, &w->output))
        return false;
    dirs[0].node = dirs[1].node = w->tree;
    config->dirs = dirs;
    config->dir_count = 2;
    config->inherit_stdio = false;
    config->standard[1] = w->output;
    mote_status status = mote_wasi_new(config, &w->wasi, &error);
    w->c = (struct call){.wasi = w->wasi, .memory = memory, .memory_bytes = sizeof memory};
    return status == MOTE_OK;
}

static bool begin(struct world *w) {
    mote_wasi_config config;
    mote_wasi_config_init(&config);
    return begin_with(w, &config);
}

static void end(struct world *w) {
    mote_wasi_delete(w->wasi);
    mote_vfs_release(w->tree);
    mote_vfs_release(w->output);
}

/* ---------------------------------------------------------------- calling */

static uint32_t put_text(uint32_t at, const char *text) {
    memcpy(memory + at, text, strlen(text));
    return (uint32_t)strlen(text);
}

/* One buffer at DATA, announced at IOVS. */
static void put_iov(uint32_t size) {
    mote__store_u32(memory + IOVS, DATA);
    mote__store_u32(memory + IOVS + 4, size);
}

static const uint64_t all_rights = WASI_RIGHTS_ALL;

/* Opens beneath 3 (or another) and gives the number back, -error on failure. */
static int64_t open_at(struct world *w, uint32_t dir, const char *path, uint32_t oflags,
                       uint64_t rights, uint32_t fdflags) {
    uint32_t size = put_text(PATH, path);
    mote_vfs_error error = mote__wasi_path_open(&w->c, dir, WASI_LOOKUP_FOLLOW, PATH, size, oflags,
                                                rights, all_rights, fdflags, OUT);
    return error ? -(int64_t)error : (int64_t)mote__load_u32(memory + OUT);
}

static uint32_t open_new(struct world *w, const char *path) {
    int64_t fd = open_at(w, 3, path, WASI_O_CREAT, all_rights, 0);
    CHECK(fd >= 0);
    return (uint32_t)fd;
}

static mote_vfs_error write_text(struct world *w, uint32_t fd, const char *text) {
    put_iov(put_text(DATA, text));
    return mote__wasi_fd_write(&w->c, fd, IOVS, 1, OUT);
}

static mote_vfs_error read_some(struct world *w, uint32_t fd, uint32_t size) {
    memset(memory + DATA, 0, size + 1);
    put_iov(size);
    return mote__wasi_fd_read(&w->c, fd, IOVS, 1, OUT);
}

static bool read_is(struct world *w, uint32_t fd, const char *text) {
    return read_some(w, fd, 1000) == MOTE_VFS_OK && !strcmp((char *)memory + DATA, text) &&
           mote__load_u32(memory + OUT) == strlen(text);
}

static mote_vfs_error seek_to(struct world *w, uint32_t fd, int64_t offset, uint32_t whence) {
    return mote__wasi_fd_seek(&w->c, fd, (uint64_t)offset, whence, OUT);
}

static uint64_t position(struct world *w, uint32_t fd) {
    CHECK_EQ(mote__wasi_fd_tell(&w->c, fd, OUT), MOTE_VFS_OK);
    return mote__load_u64(memory + OUT);
}

/* ---------------------------------------------------------------- reading, writing, positions */

static void check_file(struct world *w, uint32_t dir) {
    int64_t opened = open_at(w, dir, "file", WASI_O_CREAT | WASI_O_TRUNC, all_rights, 0);
    REQUIRE(opened >= 0);
    uint32_t fd = (uint32_t)opened;
    CHECK_EQ(write_text(w, fd, "hello world"), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 11);
    CHECK_EQ(position(w, fd), 11);
    CHECK_EQ(seek_to(w, fd, 6, MOTE_VFS_SEEK_SET), MOTE_VFS_OK);
    CHECK(read_is(w, fd, "world"));
    CHECK(read_is(w, fd, ""));
    CHECK_EQ(seek_to(w, fd, -5, MOTE_VFS_SEEK_END), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u64(memory + OUT), 6);
    CHECK_EQ(seek_to(w, fd, -3, MOTE_VFS_SEEK_CUR), MOTE_VFS_OK);
    CHECK_EQ(position(w, fd), 3);
    CHECK_EQ(seek_to(w, fd, -4, MOTE_VFS_SEEK_CUR), MOTE_VFS_EINVAL);
    CHECK_EQ(seek_to(w, fd, 0, 3), MOTE_VFS_EINVAL);
    put_iov(put_text(DATA, "XY"));
    CHECK_EQ(mote__wasi_fd_pwrite(&w->c, fd, IOVS, 1, 9, OUT), MOTE_VFS_OK);
    CHECK_EQ(position(w, fd), 3);
    put_iov(5);
    CHECK_EQ(mote__wasi_fd_pread(&w->c, fd, IOVS, 1, 6, OUT), MOTE_VFS_OK);
    CHECK_MEM(memory + DATA, "worXY", 5);
    CHECK_EQ(mote__wasi_fd_filestat_set_size(&w->c, fd, 4), MOTE_VFS_OK);
    CHECK(read_is(w, fd, "l"));
    CHECK_EQ(mote__wasi_fd_filestat_get(&w->c, fd, OUT), MOTE_VFS_OK);
    CHECK_EQ(memory[OUT + 16], MOTE_VFS_FILE);
    CHECK_EQ(mote__load_u64(memory + OUT + 24), 1);
    CHECK_EQ(mote__load_u64(memory + OUT + 32), 4);
    CHECK_EQ(mote__wasi_old_fd_filestat_get(&w->c, fd, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT + 20), 1);
    CHECK_EQ(mote__load_u64(memory + OUT + 24), 4);
    CHECK_EQ(mote__wasi_old_fd_seek(&w->c, fd, 1, 2, OUT),
             MOTE_VFS_OK); /* the older "from the start" */
    CHECK_EQ(mote__load_u64(memory + OUT), 1);
    CHECK_EQ(mote__wasi_old_fd_seek(&w->c, fd, 1, 3, OUT), MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_fd_filestat_set_times(&w->c, fd, 5000, 7000, WASI_ATIM | WASI_MTIM), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_filestat_get(&w->c, fd, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u64(memory + OUT + 40), 5000);
    CHECK_EQ(mote__load_u64(memory + OUT + 48), 7000);
    CHECK_EQ(mote__wasi_fd_allocate(&w->c, fd, 0, 100), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_advise(&w->c, fd, 0, 100, 3), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_advise(&w->c, fd, 0, 100, 6), MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_fd_sync(&w->c, fd), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_datasync(&w->c, fd), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_close(&w->c, fd), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_close(&w->c, fd), MOTE_VFS_EBADF);
}

/* Writing at the end, switched on at opening and off later. */
static void check_append(struct world *w, uint32_t dir) {
    int64_t opened =
        open_at(w, dir, "appended", WASI_O_CREAT | WASI_O_TRUNC, all_rights, WASI_FD_APPEND);
    REQUIRE(opened >= 0);
    uint32_t fd = (uint32_t)opened;
    CHECK_EQ(write_text(w, fd, "ab"), MOTE_VFS_OK);
    CHECK_EQ(seek_to(w, fd, 0, MOTE_VFS_SEEK_SET), MOTE_VFS_OK);
    CHECK_EQ(write_text(w, fd, "cd"), MOTE_VFS_OK);
    CHECK_EQ(position(w, fd), 4);
    put_iov(put_text(DATA, "ef"));
    CHECK_EQ(mote__wasi_fd_pwrite(&w->c, fd, IOVS, 1, 0, OUT),
             MOTE_VFS_OK); /* as on Linux: the offset does not count */
    CHECK_EQ(mote__wasi_fd_fdstat_get(&w->c, fd, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u16(memory + OUT + 2), WASI_FD_APPEND);
    CHECK_EQ(mote__wasi_fd_fdstat_set_flags(&w->c, fd, WASI_FD_NONBLOCK), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_fdstat_set_flags(&w->c, fd, WASI_FD_SYNC_FLAG), MOTE_VFS_EINVAL);
    CHECK_EQ(seek_to(w, fd, 0, MOTE_VFS_SEEK_SET), MOTE_VFS_OK);
    CHECK_EQ(write_text(w, fd, "Z"), MOTE_VFS_OK);
    CHECK_EQ(seek_to(w, fd, 0, MOTE_VFS_SEEK_SET), MOTE_VFS_OK);
    CHECK(read_is(w, fd, "Zbcdef"));
    CHECK_EQ(mote__wasi_fd_close(&w->c, fd), MOTE_VFS_OK);
}

TEST(file_memory) {
    struct world w;
    REQUIRE(begin(&w));
    check_file(&w, 3);
    check_append(&w, 3);
    end(&w);
}

TEST(file_host) {
    struct world w;
    struct scratch s;
    mote_vfs_node *dir;
    uint32_t fd;
    REQUIRE(scratch_begin(&s));
    REQUIRE(begin(&w));
    REQUIRE(!mote_vfs_host_dir_new(NULL, s.path, &dir));
    REQUIRE(
        !mote__table_add(w.wasi, mote__description_new(w.wasi, dir, all_rights, all_rights), &fd));
    check_file(&w, fd);
    check_append(&w, fd);
    end(&w);
    scratch_end(&s);
}

/* ---------------------------------------------------------------- the table */

TEST(numbers) {
    struct world w;
    REQUIRE(begin(&w));
    CHECK_EQ(open_new(&w, "a"), 5);
    CHECK_EQ(open_new(&w, "b"), 6);
    CHECK_EQ(open_new(&w, "c"), 7);
    CHECK_EQ(mote__wasi_fd_close(&w.c, 5), MOTE_VFS_OK);
    CHECK_EQ(open_new(&w, "d"), 5); /* the lowest free one */
    CHECK_EQ(mote__wasi_fd_renumber(&w.c, 7, 6), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_close(&w.c, 7), MOTE_VFS_EBADF);
    CHECK_EQ(write_text(&w, 6, "into c"), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_renumber(&w.c, 6, 7), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_fd_renumber(&w.c, 99, 6), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_fd_renumber(&w.c, 6, 6), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_close(&w.c, 3), MOTE_VFS_OK); /* preopened ones too */
    CHECK_EQ(mote__wasi_fd_prestat_get(&w.c, 3, OUT), MOTE_VFS_EBADF);
    CHECK_EQ(open_at(&w, 4, "c", 0, WASI_FD_READ, 0), 3);
    CHECK(read_is(&w, 3, "into c"));
    end(&w);
}

TEST(prestat) {
    struct world w;
    REQUIRE(begin(&w));
    CHECK_EQ(mote__wasi_fd_prestat_get(&w.c, 4, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 0);
    CHECK_EQ(mote__load_u32(memory + OUT + 4), 2);
    CHECK_EQ(mote__wasi_fd_prestat_dir_name(&w.c, 4, DATA, 1), MOTE_VFS_ENAMETOOLONG);
    CHECK_EQ(mote__wasi_fd_prestat_dir_name(&w.c, 4, DATA, 2), MOTE_VFS_OK);
    CHECK_MEM(memory + DATA, "ro", 2);
    CHECK_EQ(mote__wasi_fd_prestat_get(&w.c, 1, OUT), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_fd_prestat_get(&w.c, 5, OUT), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_fd_prestat_dir_name(&w.c, 1, DATA, 9), MOTE_VFS_ENOTDIR);
    end(&w);
}

TEST(many_descriptors) {
    struct world w;
    REQUIRE(begin(&w));
    open_new(&w, "f");
    int64_t fd = 0;
    for (int i = 6; i < MOTE_WASI_DESCRIPTORS_MAX && fd >= 0; i++)
        fd = open_at(&w, 3, "f", 0, WASI_FD_READ, 0);
    CHECK_EQ(fd, MOTE_WASI_DESCRIPTORS_MAX - 1);
    CHECK_EQ(open_at(&w, 3, "f", 0, WASI_FD_READ, 0), -MOTE_VFS_EMFILE);
    end(&w);
}

/* ---------------------------------------------------------------- rights */

static uint64_t base_of(struct world *w, uint32_t fd) {
    CHECK_EQ(mote__wasi_fd_fdstat_get(&w->c, fd, OUT), MOTE_VFS_OK);
    return mote__load_u64(memory + OUT + 8);
}

TEST(rights) {
    struct world w;
    REQUIRE(begin(&w));
    uint64_t base = base_of(&w, 3), inheriting = mote__load_u64(memory + OUT + 16);
    CHECK_EQ(memory[OUT], MOTE_VFS_DIRECTORY);
    CHECK_EQ(base & (WASI_FD_SEEK | WASI_FD_FILESTAT_SET_SIZE | WASI_FD_READ), 0);
    CHECK_EQ(base & (WASI_PATH_OPEN | WASI_FD_READDIR), WASI_PATH_OPEN | WASI_FD_READDIR);
    CHECK_EQ(inheriting, all_rights);
    uint32_t fd = open_new(&w, "f");
    CHECK_EQ(write_text(&w, fd, "x"), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_fdstat_set_rights(&w.c, fd, WASI_FD_READ | WASI_FD_TELL, 0),
             MOTE_VFS_OK);
    CHECK_EQ(base_of(&w, fd), WASI_FD_READ | WASI_FD_TELL);
    CHECK_EQ(write_text(&w, fd, "x"), MOTE_VFS_ENOTCAPABLE);
    CHECK_EQ(seek_to(&w, fd, 0, MOTE_VFS_SEEK_SET), MOTE_VFS_ENOTCAPABLE);
    CHECK_EQ(seek_to(&w, fd, 0, MOTE_VFS_SEEK_CUR), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_fdstat_set_rights(&w.c, fd, WASI_FD_READ | WASI_FD_WRITE, 0),
             MOTE_VFS_ENOTCAPABLE);
    int64_t reader = open_at(&w, 3, "f", 0, WASI_FD_READ, 0),
            writer = open_at(&w, 3, "f", 0, WASI_FD_WRITE, 0);
    CHECK_EQ(write_text(&w, (uint32_t)reader, "x"), MOTE_VFS_EBADF);
    CHECK_EQ(read_some(&w, (uint32_t)writer, 1), MOTE_VFS_EBADF);
    /* what a directory does not pass on, nobody beneath it gets */
    CHECK_EQ(mote__wasi_fd_fdstat_set_rights(&w.c, 3, base & ~(uint64_t)WASI_PATH_CREATE_FILE,
                                             inheriting & ~(uint64_t)WASI_FD_WRITE),
             MOTE_VFS_OK);
    CHECK_EQ(open_at(&w, 3, "f", 0, WASI_FD_WRITE, 0), -MOTE_VFS_ENOTCAPABLE);
    CHECK_EQ(open_at(&w, 3, "new", WASI_O_CREAT, WASI_FD_READ, 0), -MOTE_VFS_ENOTCAPABLE);
    CHECK(open_at(&w, 3, "f", 0, WASI_FD_READ, 0) > 0);
    end(&w);
}

/* A directory that was opened for reading has all that its parent passes on. */
TEST(rights_of_directories) {
    struct world w;
    REQUIRE(begin(&w));
    REQUIRE(!w.tree->ops->make_directory(w.tree, "d"));
    int64_t dir = open_at(&w, 3, "d", 0, WASI_FD_READ | WASI_FD_READDIR, 0);
    CHECK(dir > 0);
    CHECK_EQ(base_of(&w, (uint32_t)dir), WASI_RIGHTS_DIRECTORY);
    CHECK(open_at(&w, (uint32_t)dir, "new", WASI_O_CREAT | WASI_O_TRUNC, WASI_FD_WRITE, 0) > 0);
    end(&w);
}

/* The wrong kind of descriptor for a call. */
TEST(wrong_kinds) {
    struct world w;
    REQUIRE(begin(&w));
    uint32_t fd = open_new(&w, "f"), size = put_text(PATH, "x");
    CHECK_EQ(read_some(&w, 3, 4), MOTE_VFS_EBADF);
    CHECK_EQ(write_text(&w, 3, "x"), MOTE_VFS_EBADF);
    CHECK_EQ(seek_to(&w, 3, 0, MOTE_VFS_SEEK_SET), MOTE_VFS_EBADF);
    CHECK_EQ(seek_to(&w, 0, 0, MOTE_VFS_SEEK_SET), MOTE_VFS_ESPIPE);
    CHECK_EQ(mote__wasi_fd_tell(&w.c, 1, OUT), MOTE_VFS_ESPIPE);
    put_iov(1);
    CHECK_EQ(mote__wasi_fd_pread(&w.c, 0, IOVS, 1, 0, OUT), MOTE_VFS_ESPIPE);
    CHECK_EQ(mote__wasi_fd_pwrite(&w.c, 1, IOVS, 1, 0, OUT), MOTE_VFS_ESPIPE);
    CHECK_EQ(write_text(&w, 0, "x"), MOTE_VFS_EBADF);
    CHECK_EQ(read_some(&w, 1, 1), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_path_create_directory(&w.c, fd, PATH, size), MOTE_VFS_ENOTDIR);
    CHECK_EQ(open_at(&w, fd, "x", 0, WASI_FD_READ, 0), -MOTE_VFS_ENOTDIR);
    CHECK_EQ(mote__wasi_fd_readdir(&w.c, fd, DATA, 100, 0, OUT), MOTE_VFS_ENOTDIR);
    CHECK_EQ(mote__wasi_fd_allocate(&w.c, 3, 0, 1), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_sock_shutdown(&w.c, fd, WASI_SD_RD), MOTE_VFS_ENOTSOCK);
    CHECK_EQ(mote__wasi_sock_accept(&w.c, fd, 0, OUT), MOTE_VFS_ENOTSOCK);
    CHECK_EQ(mote__wasi_sock_recv(&w.c, fd, IOVS, 1, 0, OUT, OUT2), MOTE_VFS_ENOTSOCK);
    CHECK_EQ(mote__wasi_sock_send(&w.c, fd, IOVS, 1, 0, OUT), MOTE_VFS_ENOTSOCK);
    CHECK_EQ(mote__wasi_sock_accept(&w.c, 99, 0, OUT), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_fd_fdstat_get(&w.c, 99, OUT), MOTE_VFS_EBADF);
    CHECK_EQ(mote__wasi_fd_fdstat_get(&w.c, UINT32_MAX, OUT), MOTE_VFS_EBADF);
    end(&w);
}

TEST(read_only) {
    struct world w;
    REQUIRE(begin(&w));
    uint32_t fd = open_new(&w, "f"), size = put_text(PATH, "f"), size2 = put_text(PATH2, "g");
    CHECK_EQ(write_text(&w, fd, "text"), MOTE_VFS_OK);
    int64_t reader = open_at(&w, 4, "f", 0, all_rights & ~(uint64_t)WASI_FD_WRITE, 0);
    CHECK(reader > 0);
    CHECK(read_is(&w, (uint32_t)reader, "text"));
    CHECK_EQ(mote__wasi_fd_filestat_set_times(&w.c, (uint32_t)reader, 1, 1, WASI_MTIM),
             MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_fd_filestat_set_size(&w.c, (uint32_t)reader, 1), MOTE_VFS_EROFS);
    CHECK_EQ(open_at(&w, 4, "f", 0, WASI_FD_WRITE, 0), -MOTE_VFS_EROFS);
    CHECK_EQ(open_at(&w, 4, "f", WASI_O_TRUNC, WASI_FD_READ, 0), -MOTE_VFS_EROFS);
    CHECK_EQ(open_at(&w, 4, "new", WASI_O_CREAT, WASI_FD_READ, 0), -MOTE_VFS_EROFS);
    put_text(PATH, "f");
    CHECK_EQ(mote__wasi_path_unlink_file(&w.c, 4, PATH, size), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_create_directory(&w.c, 4, PATH, size), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_remove_directory(&w.c, 4, PATH, size), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_symlink(&w.c, PATH, size, 4, PATH2, size2), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_rename(&w.c, 4, PATH, size, 4, PATH2, size2), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_rename(&w.c, 3, PATH, size, 4, PATH2, size2), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_link(&w.c, 4, 0, PATH, size, 3, PATH2, size2), MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_filestat_set_times(&w.c, 4, 0, PATH, size, 0, 0, WASI_MTIM_NOW),
             MOTE_VFS_EROFS);
    CHECK_EQ(mote__wasi_path_filestat_get(&w.c, 4, 0, PATH, size, OUT), MOTE_VFS_OK);
    /* so are directories beneath it */
    REQUIRE(!w.tree->ops->make_directory(w.tree, "d"));
    int64_t dir = open_at(&w, 4, "d", WASI_O_DIRECTORY, all_rights & ~(uint64_t)WASI_FD_WRITE, 0);
    CHECK(dir > 0);
    CHECK_EQ(open_at(&w, (uint32_t)dir, "new", WASI_O_CREAT, WASI_FD_READ, 0), -MOTE_VFS_EROFS);
    end(&w);
}

/* ---------------------------------------------------------------- paths */

TEST(paths) {
    struct world w;
    char longest[MOTE_VFS_PATH_MAX + 2];
    REQUIRE(begin(&w));
    CHECK_EQ(open_at(&w, 3, "", 0, WASI_FD_READ, 0), -MOTE_VFS_ENOENT);
    CHECK_EQ(open_at(&w, 3, "/", 0, WASI_FD_READ, 0), -MOTE_VFS_EPERM);
    CHECK_EQ(open_at(&w, 3, "..", 0, WASI_FD_READ, 0), -MOTE_VFS_EPERM);
    CHECK(open_at(&w, 3, ".", 0, WASI_FD_READ, 0) > 0);
    CHECK_EQ(open_at(&w, 3, "d", WASI_O_CREAT | WASI_O_DIRECTORY, WASI_FD_READ, 0),
             -MOTE_VFS_EINVAL);
    CHECK_EQ(open_at(&w, 3, "d", 16, WASI_FD_READ, 0), -MOTE_VFS_EINVAL);
    CHECK_EQ(open_at(&w, 3, "d", 0, WASI_FD_READ, 32), -MOTE_VFS_EINVAL);
    memcpy(memory + PATH, "a\0b", 3);
    CHECK_EQ(mote__wasi_path_create_directory(&w.c, 3, PATH, 3), MOTE_VFS_EINVAL);
    memset(longest, '/', sizeof longest);
    memcpy(memory + DATA, longest, sizeof longest);
    CHECK_EQ(mote__wasi_path_create_directory(&w.c, 3, DATA, sizeof longest),
             MOTE_VFS_ENAMETOOLONG);
    uint32_t size = put_text(PATH, "d"), size2 = put_text(PATH2, "e");
    CHECK_EQ(mote__wasi_path_create_directory(&w.c, 3, PATH, size), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_path_rename(&w.c, 3, PATH, size, 3, PATH2, size2), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_path_remove_directory(&w.c, 3, PATH2, size2), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_path_symlink(&w.c, PATH, size, 3, PATH2, size2), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_path_readlink(&w.c, 3, PATH2, size2, DATA, 100, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 1);
    CHECK_EQ(mote__wasi_path_readlink(&w.c, 3, PATH2, size2, DATA, 0, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 0);
    CHECK_EQ(mote__wasi_path_filestat_get(&w.c, 3, 0, PATH2, size2, OUT), MOTE_VFS_OK);
    CHECK_EQ(memory[OUT + 16], MOTE_VFS_SYMLINK);
    CHECK_EQ(mote__wasi_path_filestat_get(&w.c, 3, WASI_LOOKUP_FOLLOW, PATH2, size2, OUT),
             MOTE_VFS_ENOENT);
    CHECK_EQ(mote__wasi_path_filestat_get(&w.c, 3, 2, PATH2, size2, OUT), MOTE_VFS_EINVAL);
    CHECK_EQ(
        mote__wasi_path_filestat_set_times(&w.c, 3, 0, PATH2, size2, 5, 6, WASI_ATIM | WASI_MTIM),
        MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_old_path_filestat_get(&w.c, 3, 0, PATH2, size2, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u64(memory + OUT + 32), 5);
    CHECK_EQ(mote__load_u64(memory + OUT + 40), 6);
    CHECK_EQ(mote__wasi_path_filestat_set_times(&w.c, 3, 0, PATH2, size2, 5, 6,
                                                WASI_ATIM | WASI_ATIM_NOW),
             MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_path_filestat_set_times(&w.c, 3, 0, PATH2, size2, 5, 6, 16),
             MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_path_unlink_file(&w.c, 3, PATH2, size2), MOTE_VFS_OK);
    end(&w);
}

/* Between two file systems nothing moves. */
TEST(across) {
    struct world w;
    struct scratch s;
    mote_vfs_node *dir;
    uint32_t fd, size = 1;
    REQUIRE(scratch_begin(&s));
    REQUIRE(begin(&w));
    REQUIRE(!mote_vfs_host_dir_new(NULL, s.path, &dir));
    REQUIRE(
        !mote__table_add(w.wasi, mote__description_new(w.wasi, dir, all_rights, all_rights), &fd));
    open_new(&w, "f");
    CHECK_EQ(mote__wasi_path_rename(&w.c, 3, PATH, size, fd, PATH, size), MOTE_VFS_EXDEV);
    CHECK_EQ(mote__wasi_path_link(&w.c, 3, 0, PATH, size, fd, PATH, size), MOTE_VFS_EXDEV);
    end(&w);
    scratch_end(&s);
}

/* ---------------------------------------------------------------- directories */

/* Reads a directory from a cookie with a small buffer; names in order, separated by spaces. Returns
 * the last cookie. */
static uint64_t read_names(struct world *w, uint32_t fd, uint64_t cookie, uint32_t room,
                           unsigned most, char *names) {
    *names = 0;
    for (unsigned taken = 0; taken < most;) {
        CHECK_EQ(mote__wasi_fd_readdir(&w->c, fd, DATA, room, cookie, OUT), MOTE_VFS_OK);
        uint32_t used = mote__load_u32(memory + OUT), at = 0;
        bool any = false;
        while (taken < most && at + WASI_DIRENT_BYTES <= used) {
            uint32_t size = mote__load_u32(memory + DATA + at + 16);
            if (at + WASI_DIRENT_BYTES + size > used) break;
            cookie = mote__load_u64(memory + DATA + at);
            strncat(names, (char *)memory + DATA + at + WASI_DIRENT_BYTES, size);
            strcat(names, " ");
            at += WASI_DIRENT_BYTES + size;
            any = true;
            taken++;
        }
        if (!any || used < room) break;
    }
    return cookie;
}

TEST(readdir) {
    struct world w;
    char names[256];
    REQUIRE(begin(&w));
    open_new(&w, "a");
    open_new(&w, "bb");
    open_new(&w, "ccc");
    read_names(&w, 3, 0, 4096, 100, names);
    CHECK_STR(names, ". .. a bb ccc ");
    read_names(&w, 3, 0, 30, 100, names); /* one or so at a time */
    CHECK_STR(names, ". .. a bb ccc ");
    uint64_t cookie = read_names(&w, 3, 0, 4096, 3, names);
    CHECK_STR(names, ". .. a ");
    put_text(PATH, "bb"); /* changes do not disturb a reading under way */
    CHECK_EQ(mote__wasi_path_unlink_file(&w.c, 3, PATH, 2), MOTE_VFS_OK);
    open_new(&w, "aaa");
    read_names(&w, 3, cookie, 4096, 100, names);
    CHECK_STR(names, "bb ccc ");
    read_names(&w, 3, cookie, 4096, 1, names); /* cookies can be used again */
    CHECK_STR(names, "bb ");
    read_names(&w, 3, 0, 4096, 100, names); /* a new reading sees them */
    CHECK_STR(names, ". .. a aaa ccc ");
    CHECK_EQ(mote__wasi_fd_readdir(&w.c, 3, DATA, 100, 999, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 0);
    CHECK_EQ(mote__wasi_fd_readdir(&w.c, 3, DATA, 10, 0, OUT),
             MOTE_VFS_OK); /* cut off: there is more */
    CHECK_EQ(mote__load_u32(memory + OUT), 10);
    CHECK_EQ(mote__wasi_fd_readdir(&w.c, 3, MEMORY_BYTES - 4, 5, 0, OUT), MOTE_VFS_EFAULT);
    end(&w);
}

TEST(readdir_types) {
    struct world w;
    REQUIRE(begin(&w));
    REQUIRE(!w.tree->ops->make_directory(w.tree, "d"));
    REQUIRE(!w.tree->ops->make_link(w.tree, "d", "l"));
    CHECK_EQ(mote__wasi_fd_readdir(&w.c, 3, DATA, 1000, 2, OUT), MOTE_VFS_OK);
    CHECK_EQ(memory[DATA + 20], MOTE_VFS_DIRECTORY);
    CHECK(mote__load_u64(memory + DATA + 8) != 0);
    CHECK_EQ(memory[DATA + WASI_DIRENT_BYTES + 1 + 20], MOTE_VFS_SYMLINK);
    end(&w);
}

/* What a host's directory says of things that are no files: each in a folder of its own, after "." and "..". */
TEST(readdir_types_of_host) {
    static const struct {
        const char *name;
        mode_t mode;
        uint8_t type;
    } kinds[] = {{"fifo", S_IFIFO, MOTE_VFS_UNKNOWN}, {"socket", S_IFSOCK, MOTE_VFS_SOCKET_STREAM}, {"file", S_IFREG, MOTE_VFS_FILE}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct world w;
        struct scratch s;
        mote_vfs_node *dir;
        uint32_t fd;
        REQUIRE(scratch_begin(&s));
        REQUIRE(!mknodat(s.fd, kinds[i].name, kinds[i].mode | 0600, 0));
        REQUIRE(begin(&w));
        REQUIRE(!mote_vfs_host_dir_new(NULL, s.path, &dir));
        REQUIRE(!mote__table_add(w.wasi, mote__description_new(w.wasi, dir, all_rights, all_rights), &fd));
        CHECK_EQ(mote__wasi_fd_readdir(&w.c, fd, DATA, 1000, 2, OUT), MOTE_VFS_OK);
        CHECK_MEM(memory + DATA + WASI_DIRENT_BYTES, kinds[i].name, strlen(kinds[i].name));
        CHECK_EQ(memory[DATA + 20], kinds[i].type);
        end(&w);
        scratch_end(&s);
    }
}

/* ---------------------------------------------------------------- streams and waiting */

TEST(output) {
    struct world w;
    size_t size;
    REQUIRE(begin(&w));
    mote__store_u32(memory + IOVS, DATA);
    mote__store_u32(memory + IOVS + 4, put_text(DATA, "one "));
    mote__store_u32(memory + IOVS + 8, 12345678); /* no bytes are nowhere */
    mote__store_u32(memory + IOVS + 12, 0);
    mote__store_u32(memory + IOVS + 16, DATA + 100);
    mote__store_u32(memory + IOVS + 20, put_text(DATA + 100, "two"));
    CHECK_EQ(mote__wasi_fd_write(&w.c, 1, IOVS, 3, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 7);
    CHECK_MEM(mote_vfs_buffer_bytes(w.output, &size), "one two", 7);
    CHECK_EQ(size, 7);
    CHECK_EQ(write_text(&w, 2, "nowhere"), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 7);
    CHECK(read_is(&w, 0, ""));
    end(&w);
}

/* Every pointer of every call that takes one, out of memory. */
TEST(bad_pointers) {
    const uint32_t bad = MEMORY_BYTES - 1, far = UINT32_MAX - 2;
    struct world w;
    REQUIRE(begin(&w));
    uint32_t fd = open_new(&w, "f");
    put_iov(4);
    struct call *c = &w.c;
    CHECK_EQ(mote__wasi_fd_write(c, 1, bad, 1, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_write(c, 1, far, 1, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_write(c, 1, IOVS, UINT32_MAX, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_write(c, 1, IOVS, 1, bad), MOTE_VFS_EFAULT);
    mote__store_u32(memory + IOVS, bad);
    CHECK_EQ(mote__wasi_fd_write(c, 1, IOVS, 1, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_read(c, fd, IOVS, 1, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_pread(c, fd, IOVS, 1, 0, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_pwrite(c, fd, IOVS, 1, 0, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_filestat_get(c, fd, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_fdstat_get(c, fd, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_prestat_get(c, 3, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_prestat_dir_name(c, 4, bad, 2), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_seek(c, fd, 0, 0, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_fd_tell(c, fd, far), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_path_open(c, 3, 0, bad, 2, 0, 0, 0, 0, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_path_open(c, 3, 0, PATH, 1, 0, 0, 0, 0, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_path_create_directory(c, 3, far, 3), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_path_readlink(c, 3, PATH, 1, bad, 2, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_path_filestat_get(c, 3, 0, PATH, 1, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_random_get(c, bad, 2), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_clock_time_get(c, 0, 0, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_clock_res_get(c, 0, far), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_args_sizes_get(c, bad, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_environ_sizes_get(c, OUT, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_poll_oneoff(c, bad, EVENTS, 1, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_poll_oneoff(c, DATA, bad, 1, OUT), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_poll_oneoff(c, DATA, EVENTS, 1, bad), MOTE_VFS_EFAULT);
    CHECK_EQ(mote__wasi_sock_accept(c, 99, 0, bad), MOTE_VFS_EFAULT);
    end(&w);
}

/* A subscription at DATA + index * 48. */
static void put_clock(unsigned index, uint64_t userdata, uint32_t clock, uint64_t timeout,
                      uint16_t flags) {
    uint8_t *at = memory + DATA + index * WASI_SUBSCRIPTION_BYTES;
    memset(at, 0, WASI_SUBSCRIPTION_BYTES);
    mote__store_u64(at, userdata);
    mote__store_u32(at + 16, clock);
    mote__store_u64(at + 24, timeout);
    mote__store_u16(at + 40, flags);
}

static void put_wait(unsigned index, uint64_t userdata, uint8_t type, uint32_t fd) {
    uint8_t *at = memory + DATA + index * WASI_SUBSCRIPTION_BYTES;
    memset(at, 0, WASI_SUBSCRIPTION_BYTES);
    mote__store_u64(at, userdata);
    at[8] = type;
    mote__store_u32(at + 16, fd);
}

static uint32_t poll_count(struct world *w, uint32_t count) {
    CHECK_EQ(mote__wasi_poll_oneoff(&w->c, DATA, EVENTS, count, OUT), MOTE_VFS_OK);
    return mote__load_u32(memory + OUT);
}

static uint64_t event_user(unsigned index) {
    return mote__load_u64(memory + EVENTS + index * WASI_EVENT_BYTES);
}
static uint16_t event_error(unsigned index) {
    return mote__load_u16(memory + EVENTS + index * WASI_EVENT_BYTES + 8);
}

TEST(poll_clocks) {
    struct world w;
    REQUIRE(begin(&w));
    CHECK_EQ(mote__wasi_poll_oneoff(&w.c, DATA, EVENTS, 0, OUT), MOTE_VFS_EINVAL);
    uint64_t before = mote__os_clock_ns(OS_CLOCK_MONOTONIC),
             cpu = mote__os_clock_ns(OS_CLOCK_THREAD_CPU);
    put_clock(0, 7, WASI_CLOCK_MONOTONIC, 120000000, 0);
    put_clock(1, 8, WASI_CLOCK_REALTIME, 5000000000, 0);
    CHECK_EQ(poll_count(&w, 2), 1);
    uint64_t took = mote__os_clock_ns(OS_CLOCK_MONOTONIC) - before;
    CHECK_EQ(event_user(0), 7);
    CHECK_EQ(event_error(0), 0);
    CHECK(took >= 120000000 && took < 3000000000);
    CHECK(mote__os_clock_ns(OS_CLOCK_THREAD_CPU) - cpu < took / 4); /* slept, did not spin */
    put_clock(0, 9, WASI_CLOCK_REALTIME, 1, WASI_CLOCK_ABSOLUTE);
    put_clock(1, 10, WASI_CLOCK_MONOTONIC, 1, WASI_CLOCK_ABSOLUTE);
    CHECK_EQ(poll_count(&w, 2), 2);
    put_clock(0, 11, WASI_CLOCK_REALTIME, mote__os_clock_ns(OS_CLOCK_REALTIME) + 30000000,
              WASI_CLOCK_ABSOLUTE);
    CHECK_EQ(poll_count(&w, 1), 1);
    put_clock(0, 12, WASI_CLOCK_PROCESS, 1, 0);
    CHECK_EQ(poll_count(&w, 1), 1);
    CHECK_EQ(event_error(0), MOTE_VFS_EINVAL);
    end(&w);
}

TEST(poll_descriptors) {
    int ends[2];
    struct world w;
    mote_vfs_node *in, *out;
    uint32_t in_fd, out_fd;
    REQUIRE(begin(&w));
    REQUIRE(!pipe(ends));
    REQUIRE(!mote_vfs_fd_new(NULL, ends[0], true, &in));
    REQUIRE(!mote_vfs_fd_new(NULL, ends[1], true, &out));
    REQUIRE(!mote__table_add(
        w.wasi, mote__description_new(w.wasi, in, WASI_RIGHTS_ALL & ~WASI_FD_WRITE, 0), &in_fd));
    REQUIRE(!mote__table_add(
        w.wasi, mote__description_new(w.wasi, out, WASI_RIGHTS_ALL & ~WASI_FD_READ, 0), &out_fd));
    put_wait(0, 1, WASI_EVENT_FD_READ, in_fd);
    put_clock(1, 2, WASI_CLOCK_MONOTONIC, 20000000, 0);
    CHECK_EQ(poll_count(&w, 2), 1);
    CHECK_EQ(event_user(0), 2); /* nothing to read: the clock */
    CHECK_EQ(write_text(&w, out_fd, "xyz"), MOTE_VFS_OK);
    put_wait(0, 1, WASI_EVENT_FD_READ, in_fd);
    put_clock(1, 2, WASI_CLOCK_MONOTONIC, 5000000000, 0);
    put_wait(2, 3, WASI_EVENT_FD_WRITE, out_fd);
    put_wait(3, 4, WASI_EVENT_FD_READ, 99);
    put_wait(4, 5, 3, 0); /* a type that does not exist is the call's failure */
    CHECK_EQ(mote__wasi_poll_oneoff(&w.c, DATA, EVENTS, 5, OUT), MOTE_VFS_EINVAL);
    CHECK_EQ(poll_count(&w, 4), 3);
    CHECK_EQ(event_user(0), 1);
    CHECK_EQ(mote__load_u64(memory + EVENTS + 16), 3);
    CHECK_EQ(event_user(1), 3);
    CHECK_EQ(event_error(2), MOTE_VFS_EBADF);
    CHECK(read_is(&w, in_fd, "xyz"));
    CHECK_EQ(mote__wasi_fd_close(&w.c, out_fd), MOTE_VFS_OK);
    put_wait(0, 1, WASI_EVENT_FD_READ, in_fd);
    CHECK_EQ(poll_count(&w, 1), 1);
    CHECK_EQ(mote__load_u16(memory + EVENTS + 24), WASI_EVENT_HANGUP);
    uint32_t fd = open_new(&w, "f"); /* files are always ready */
    CHECK_EQ(write_text(&w, fd, "12345"), MOTE_VFS_OK);
    CHECK_EQ(seek_to(&w, fd, 1, MOTE_VFS_SEEK_SET), MOTE_VFS_OK);
    put_wait(0, 1, WASI_EVENT_FD_READ, fd);
    put_wait(1, 2, WASI_EVENT_FD_WRITE, fd);
    CHECK_EQ(poll_count(&w, 2), 2);
    CHECK_EQ(mote__load_u64(memory + EVENTS + 16), 4);
    for (unsigned i = 0; i < 40; i++)
        put_wait(i, i, WASI_EVENT_FD_WRITE, fd); /* more than fit on the stack */
    CHECK_EQ(poll_count(&w, 40), 40);
    CHECK_EQ(event_user(39), 39);
    end(&w);
}

/* Functions of the host that are ready when they are asked for the third time. */
static unsigned ready_later(void *asked) { return ++*(unsigned *)asked < 3 ? 0 : MOTE_VFS_READ; }

static mote_vfs_error read_letters(void *asked, void *data, size_t size, size_t *done) {
    (void)asked;
    *done = size < 3 ? size : 3;
    memset(data, 'x', *done);
    return MOTE_VFS_OK;
}

TEST(poll_stream) {
    struct world w;
    unsigned asked = 0;
    uint32_t fd;
    mote_vfs_node *node;
    const mote_vfs_stream calls = {.context = &asked, .read = read_letters, .ready = ready_later};
    REQUIRE(begin(&w));
    REQUIRE(!mote_vfs_stream_new(NULL, &calls, &node));
    REQUIRE(!mote__table_add(w.wasi, mote__description_new(w.wasi, node, WASI_RIGHTS_ALL & ~WASI_FD_WRITE, 0), &fd));
    put_wait(0, 1, WASI_EVENT_FD_READ, fd);
    put_clock(1, 2, WASI_CLOCK_MONOTONIC, 10000000000, 0);
    CHECK_EQ(poll_count(&w, 2), 1);
    CHECK_EQ(event_user(0), 1);
    CHECK_EQ(asked, 3); /* not in a circle without a pause */
    CHECK(read_is(&w, fd, "xxx"));
    end(&w);
}

/* wasi_unstable's subscriptions: 56 bytes, the clock's id 8 later. */
TEST(poll_old) {
    struct world w;
    REQUIRE(begin(&w));
    uint32_t fd = open_new(&w, "f");
    memset(memory + DATA, 0, 112);
    mote__store_u64(memory + DATA, 1);
    mote__store_u32(memory + DATA + 24, WASI_CLOCK_MONOTONIC);
    mote__store_u64(memory + DATA + 32, 1000000);
    CHECK_EQ(mote__wasi_old_poll_oneoff(&w.c, DATA, EVENTS, 1, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 1);
    CHECK_EQ(event_user(0), 1);
    mote__store_u64(memory + DATA + 56, 2);
    memory[DATA + 56 + 8] = WASI_EVENT_FD_READ;
    mote__store_u32(memory + DATA + 56 + 16, fd);
    mote__store_u64(memory + DATA + 32, UINT64_C(5000000000));
    CHECK_EQ(mote__wasi_old_poll_oneoff(&w.c, DATA, EVENTS, 2, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 1);
    CHECK_EQ(event_user(0), 2);
    end(&w);
}

/* ---------------------------------------------------------------- sockets */

TEST(sockets) {
    int ends[2];
    struct world w;
    mote_vfs_node *node;
    mote_wasi_config config;
    char text[8] = {0};
    REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    REQUIRE(!mote_vfs_fd_new(NULL, ends[0], true, &node));
    mote_wasi_config_init(&config);
    config.sockets = &node;
    config.socket_count = 1;
    REQUIRE(begin_with(&w, &config));
    CHECK_EQ(mote__wasi_fd_fdstat_get(&w.c, 3, OUT), MOTE_VFS_OK);
    CHECK_EQ(memory[OUT], MOTE_VFS_SOCKET_STREAM);
    CHECK_EQ(mote__wasi_fd_prestat_get(&w.c, 3, OUT),
             MOTE_VFS_OK); /* no directory, but directories follow */
    CHECK_EQ(mote__load_u32(memory + OUT), WASI_PREOPEN_OTHER);
    CHECK_EQ(mote__wasi_fd_prestat_get(&w.c, 4, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), WASI_PREOPEN_DIRECTORY);
    put_iov(put_text(DATA, "ping"));
    CHECK_EQ(mote__wasi_sock_send(&w.c, 3, IOVS, 1, 0, OUT), MOTE_VFS_OK);
    CHECK_EQ(read(ends[1], text, 8), 4);
    CHECK_STR(text, "ping");
    CHECK_EQ(write(ends[1], "pong", 4), 4);
    CHECK_EQ(mote__wasi_sock_recv(&w.c, 3, IOVS, 1, WASI_RI_PEEK, OUT, OUT2), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_sock_recv(&w.c, 3, IOVS, 1, 0, OUT, OUT2), MOTE_VFS_OK);
    CHECK_MEM(memory + DATA, "pong", 4);
    CHECK_EQ(mote__wasi_sock_recv(&w.c, 3, IOVS, 1, 4, OUT, OUT2), MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_fd_fdstat_set_flags(&w.c, 3, 0), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_fd_fdstat_set_flags(&w.c, 3, WASI_FD_NONBLOCK), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_sock_recv(&w.c, 3, IOVS, 1, 0, OUT, OUT2), MOTE_VFS_EAGAIN);
    CHECK_EQ(mote__wasi_sock_accept(&w.c, 3, 0, OUT), MOTE_VFS_EINVAL); /* not a listener */
    CHECK_EQ(mote__wasi_sock_shutdown(&w.c, 3, 0), MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_sock_shutdown(&w.c, 3, WASI_SD_WR), MOTE_VFS_OK);
    CHECK_EQ(read(ends[1], text, 8), 0);
    close(ends[1]);
    put_iov(4);
    CHECK_EQ(mote__wasi_fd_write(&w.c, 3, IOVS, 1, OUT), MOTE_VFS_EPIPE); /* and no signal */
    mote_vfs_release(node);
    end(&w);
}

TEST(listener) {
    struct world w;
    mote_vfs_node *node;
    mote_wasi_config config;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
        client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct {
        sa_family_t family;
        char path[20];
    } address = {AF_UNIX, "\0mote-wasi-test"};
    snprintf(address.path + 1, sizeof address.path - 1, "mote-%ld", (long)getpid());
    REQUIRE(!bind(listener, (struct sockaddr *)&address, sizeof address));
    REQUIRE(!listen(listener, 4));
    REQUIRE(!mote_vfs_fd_new(NULL, listener, true, &node));
    mote_wasi_config_init(&config);
    config.sockets = &node;
    config.socket_count = 1;
    REQUIRE(begin_with(&w, &config));
    /* says that it does not wait; from then on it does not */
    CHECK_EQ(mote__wasi_fd_fdstat_get(&w.c, 3, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u16(memory + OUT + 2), WASI_FD_NONBLOCK);
    CHECK_EQ(mote__wasi_sock_accept(&w.c, 3, 0, OUT), MOTE_VFS_EAGAIN);
    REQUIRE(!connect(client, (struct sockaddr *)&address, sizeof address));
    CHECK_EQ(mote__wasi_sock_accept(&w.c, 3, WASI_FD_NONBLOCK, OUT), MOTE_VFS_OK);
    uint32_t fd = mote__load_u32(memory + OUT);
    CHECK_EQ(fd, 6);
    CHECK_EQ(read_some(&w, fd, 4), MOTE_VFS_EAGAIN);
    CHECK_EQ(write(client, "hi", 2), 2);
    CHECK(read_is(&w, fd, "hi"));
    CHECK_EQ(mote__wasi_sock_accept(&w.c, 3, WASI_FD_APPEND, OUT), MOTE_VFS_EINVAL);
    close(client);
    mote_vfs_release(node);
    end(&w);
}

/* ---------------------------------------------------------------- the system */

TEST(strings) {
    struct world w;
    mote_wasi_config config;
    const mote_name args[] = {{"prog", 4}, {"", 0}, {"\xff\xfe", 2}};
    const mote_name env[] = {{"A=b", 3}};
    mote_wasi_config_init(&config);
    config.args = args;
    config.arg_count = 3;
    config.env = env;
    config.env_count = 1;
    REQUIRE(begin_with(&w, &config));
    CHECK_EQ(mote__wasi_args_sizes_get(&w.c, OUT, OUT2), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), 3);
    CHECK_EQ(mote__load_u32(memory + OUT2), 9);
    CHECK_EQ(mote__wasi_args_get(&w.c, OUT, DATA), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u32(memory + OUT), DATA);
    CHECK_EQ(mote__load_u32(memory + OUT + 4), DATA + 5);
    CHECK_EQ(mote__load_u32(memory + OUT + 8), DATA + 6);
    CHECK_MEM(memory + DATA, "prog\0\0\xff\xfe", 9);
    CHECK_EQ(mote__wasi_environ_get(&w.c, OUT, DATA), MOTE_VFS_OK);
    CHECK_STR((char *)memory + DATA, "A=b");
    end(&w);
}

TEST(bad_configurations) {
    mote_wasi_config config;
    mote_wasi *wasi = NULL;
    mote_error error;
    const mote_name nul = {"a\0b", 3};
    mote_wasi_dir dir = {.guest_path = "x"};
    mote_wasi_config_init(&config);
    config.args = &nul;
    config.arg_count = 1;
    CHECK_EQ(mote_wasi_new(&config, &wasi, &error), MOTE_E_ARGUMENT);
    CHECK_STR(error.message, "arguments: a NUL inside");
    mote_wasi_config_init(&config);
    config.dirs = &dir;
    config.dir_count = 1;
    CHECK_EQ(mote_wasi_new(&config, &wasi, &error), MOTE_E_ARGUMENT);
    dir.host_path = "/no/such/directory";
    CHECK_EQ(mote_wasi_new(&config, &wasi, &error), MOTE_E_IO);
    CHECK_STR(error.message, "/no/such/directory: does not exist");
    CHECK(!wasi);
}

static mote_vfs_error sevens(void *context, void *bytes, size_t size) {
    (void)context;
    memset(bytes, 7, size);
    return MOTE_VFS_OK;
}

/* Time goes on only when somebody sleeps. */
static uint64_t virtual_clock(void *context, unsigned clock, uint64_t sleep_ns) {
    return *(uint64_t *)context += sleep_ns, *(uint64_t *)context + clock;
}

TEST(determinism) {
    struct world w;
    uint64_t now = 1000;
    mote_wasi_config config;
    mote_wasi_config_init(&config);
    config.context = &now;
    config.random = sevens;
    config.clock = virtual_clock;
    REQUIRE(begin_with(&w, &config));
    CHECK_EQ(mote__wasi_random_get(&w.c, DATA, 3), MOTE_VFS_OK);
    CHECK_MEM(memory + DATA, "\7\7\7\0", 4);
    CHECK_EQ(mote__wasi_clock_time_get(&w.c, 1, 0, OUT), MOTE_VFS_OK);
    CHECK_EQ(mote__load_u64(memory + OUT), 1001);
    put_clock(0, 1, WASI_CLOCK_MONOTONIC, UINT64_C(3600000000000), 0); /* an hour in no time */
    CHECK_EQ(poll_count(&w, 1), 1);
    CHECK(now >= UINT64_C(3600000001000));
    end(&w);
}

TEST(clocks_and_random) {
    struct world w;
    REQUIRE(begin(&w));
    for (uint32_t clock = 0; clock < 4; clock++) {
        CHECK_EQ(mote__wasi_clock_res_get(&w.c, clock, OUT), MOTE_VFS_OK);
        CHECK(mote__load_u64(memory + OUT) > 0);
        CHECK_EQ(mote__wasi_clock_time_get(&w.c, clock, 0, OUT), MOTE_VFS_OK);
        CHECK(mote__load_u64(memory + OUT) > 0);
    }
    CHECK_EQ(mote__wasi_clock_res_get(&w.c, 4, OUT), MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_clock_time_get(&w.c, 4, 0, OUT), MOTE_VFS_EINVAL);
    CHECK_EQ(mote__wasi_random_get(&w.c, DATA, 16), MOTE_VFS_OK);
    CHECK(mote__load_u64(memory + DATA) != mote__load_u64(memory + DATA + 8));
    CHECK_EQ(mote__wasi_random_get(&w.c, UINT32_MAX, 0), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_sched_yield(&w.c), MOTE_VFS_OK);
    CHECK_EQ(mote__wasi_proc_raise(&w.c, 6), MOTE_VFS_ENOTSUP);
    end(&w);
}

/* ---------------------------------------------------------------- out of memory */

static bool use_system(const mote_allocator *a, void *context) {
    const mote_name args[] = {{"prog", 4}}, env[] = {{"A=b", 3}};
    mote_wasi_dir dirs[] = {{.guest_path = "/", .node = context}};
    mote_wasi_config config;
    mote_wasi *wasi;
    mote_wasi_config_init(&config);
    config.allocator = a;
    config.args = args, config.arg_count = 1;
    config.env = env, config.env_count = 1;
    config.dirs = dirs, config.dir_count = 1;
    if (mote_wasi_new(&config, &wasi, NULL)) return false;
    struct world w = {.wasi = wasi,
                      .c = {.wasi = wasi, .memory = memory, .memory_bytes = sizeof memory}};
    bool good = true;
    for (int i = 0; i < 10 && good; i++)
        good = open_at(&w, 3, "f", WASI_O_CREAT, all_rights, 0) > 0;
    if (good) good = mote__wasi_fd_readdir(&w.c, 3, DATA, 100, 0, OUT) == MOTE_VFS_OK;
    for (unsigned i = 0; i < 40; i++) put_wait(i, i, WASI_EVENT_FD_READ, 4);
    if (good) good = mote__wasi_poll_oneoff(&w.c, DATA, EVENTS, 40, OUT) == MOTE_VFS_OK;
    mote_wasi_delete(wasi);
    return good;
}

TEST(no_memory) {
    mote_vfs_node *tree;
    REQUIRE(!mote_vfs_memory_new(NULL, 0, &tree));
    CHECK(fail_alloc_sweep(use_system, tree) > 20);
    mote_vfs_release(tree);
}
