/* readdir.c - fd_readdir: entries, buffers that are too small, cookies that survive changes, through libc too. */
#include "wasi_test.h"
#include <dirent.h>

enum { NAMES = 200 };

/* Reads the directory from a cookie on with a buffer of `room` bytes a call; counts every name "fN" in seen[N].
 * Returns how many entries there were, "." and ".." included, or -1. */
static int list(__wasi_fd_t fd, __wasi_dircookie_t cookie, size_t room, unsigned *seen) {
    static uint8_t buffer[65536];
    int entries = 0;
    for (;;) {
        __wasi_size_t used, at = 0;
        if (__wasi_fd_readdir(fd, buffer, room, cookie, &used) || used > room) return -1;
        while (at + sizeof(__wasi_dirent_t) <= used) {
            __wasi_dirent_t entry;
            memcpy(&entry, buffer + at, sizeof entry);
            if (at + sizeof entry + entry.d_namlen > used) break;
            char name[32] = {0};
            memcpy(name, buffer + at + sizeof entry, entry.d_namlen < 31 ? entry.d_namlen : 31);
            if (name[0] == 'f') seen[atoi(name + 1)]++;
            at += sizeof entry + entry.d_namlen;
            cookie = entry.d_next;
            entries++;
        }
        if (used < room) return entries; /* the end */
        if (!at) return -1;              /* not even one entry fits */
    }
}

static __wasi_errno_t fill(const char *dir, __wasi_fd_t *fd) {
    __wasi_errno_t e = __wasi_path_create_directory(ROOT, dir);
    for (int i = 0; !e && i < NAMES; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/f%d", dir, i);
        e = put(path, "");
    }
    return e ? e : open_at(ROOT, dir, __WASI_OFLAGS_DIRECTORY, 0, fd);
}

static bool each_once(const unsigned *seen) {
    for (int i = 0; i < NAMES; i++)
        if (seen[i] != 1) return false;
    return true;
}

TEST(all_in_one_buffer) {
    __wasi_fd_t fd;
    unsigned seen[NAMES] = {0};
    MUST(fill("whole", &fd));
    CHECK_EQ(list(fd, 0, 65536, seen), NAMES + 2);
    CHECK(each_once(seen));
    MUST(__wasi_fd_close(fd));
}

TEST(small_buffers) {
    __wasi_fd_t fd;
    MUST(fill("small", &fd));
    for (size_t room = 32; room < 1000; room = room * 2 + 1) {
        unsigned seen[NAMES] = {0};
        CHECK_EQ(list(fd, 0, room, seen), NAMES + 2);
        CHECK(each_once(seen));
    }
    MUST(__wasi_fd_close(fd));
}

/* A buffer too small for an entry is filled to the last byte with its beginning. */
TEST(cut_entries) {
    __wasi_fd_t fd;
    __wasi_size_t used;
    uint8_t buffer[8];
    MUST(__wasi_path_create_directory(ROOT, "cut"));
    MUST(put("cut/name", ""));
    MUST(open_at(ROOT, "cut", __WASI_OFLAGS_DIRECTORY, 0, &fd));
    MUST(__wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &used));
    CHECK_EQ(used, sizeof buffer);
    MUST(__wasi_fd_readdir(fd, buffer, 0, 0, &used));
    CHECK_EQ(used, 0);
    MUST(__wasi_fd_close(fd));
}

TEST(types_and_inodes) {
    static uint8_t buffer[4096];
    __wasi_fd_t fd;
    __wasi_size_t used;
    __wasi_filestat_t stat;
    MUST(__wasi_path_create_directory(ROOT, "types"));
    MUST(__wasi_path_create_directory(ROOT, "types/d"));
    MUST(put("types/r", ""));
    MUST(__wasi_path_symlink("r", ROOT, "types/l"));
    MUST(open_at(ROOT, "types", __WASI_OFLAGS_DIRECTORY, 0, &fd));
    MUST(__wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &used));
    int found = 0;
    for (__wasi_size_t at = 0; at < used;) {
        __wasi_dirent_t entry;
        memcpy(&entry, buffer + at, sizeof entry);
        const uint8_t *name = buffer + at + sizeof entry;
        at += sizeof entry + entry.d_namlen;
        if (entry.d_namlen != 1 || *name == '.') continue;
        char path[2] = {(char)*name, 0};
        MUST(__wasi_path_filestat_get(fd, 0, path, &stat));
        CHECK_EQ(entry.d_type, stat.filetype);
        CHECK_EQ(entry.d_ino, stat.ino);
        found++;
    }
    CHECK_EQ(found, 3);
    MUST(__wasi_fd_close(fd));
}

/* Read half, remove half of what was read, go on from the cookie: what was not read yet comes exactly once. */
TEST(cookies_survive_removal) {
    static uint8_t buffer[2048];
    __wasi_fd_t fd;
    __wasi_size_t used;
    unsigned seen[NAMES] = {0}, later[NAMES] = {0};
    __wasi_dircookie_t cookie = 0;
    MUST(fill("removal", &fd));
    MUST(__wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &used));
    for (__wasi_size_t at = 0; at + sizeof(__wasi_dirent_t) < used;) {
        __wasi_dirent_t entry;
        char name[64] = {0};
        memcpy(&entry, buffer + at, sizeof entry);
        if (at + sizeof entry + entry.d_namlen > used) break;
        memcpy(name, buffer + at + sizeof entry, entry.d_namlen);
        at += sizeof entry + entry.d_namlen;
        cookie = entry.d_next;
        if (name[0] != 'f') continue;
        seen[atoi(name + 1)]++;
        if (atoi(name + 1) % 2) MUST(__wasi_path_unlink_file(fd, name));
    }
    CHECK(list(fd, cookie, sizeof buffer, later) >= 0);
    for (int i = 0; i < NAMES; i++) {
        if (!CHECK_EQ(seen[i] + later[i], 1)) return;
    }
    MUST(__wasi_fd_close(fd));
}

/* Starting over at cookie 0 sees what was made since. */
TEST(rewinding_sees_new_names) {
    __wasi_fd_t fd;
    unsigned seen[NAMES] = {0};
    MUST(__wasi_path_create_directory(ROOT, "fresh"));
    MUST(open_at(ROOT, "fresh", __WASI_OFLAGS_DIRECTORY, 0, &fd));
    CHECK_EQ(list(fd, 0, 4096, seen), 2);
    MUST(put("fresh/f7", ""));
    CHECK_EQ(list(fd, 0, 4096, seen), 3);
    CHECK_EQ(seen[7], 1);
    MUST(__wasi_fd_close(fd));
}

TEST(errors) {
    uint8_t buffer[64];
    __wasi_fd_t fd;
    __wasi_size_t used;
    MUST(put("file", ""));
    MUST(open_read(ROOT, "file", &fd));
    FAILS3(NOTDIR, BADF, NOTCAPABLE, __wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &used));
    MUST(__wasi_fd_close(fd));
    FAILS(BADF, __wasi_fd_readdir(999, buffer, sizeof buffer, 0, &used));
}

TEST(through_libc) {
    unsigned seen[NAMES] = {0};
    __wasi_fd_t fd;
    MUST(fill("libc", &fd));
    MUST(__wasi_fd_close(fd));
    DIR *dir = opendir("/libc");
    if (!CHECK(dir != NULL)) return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] == 'f') seen[atoi(entry->d_name + 1)]++;
    CHECK(!closedir(dir));
    CHECK(each_once(seen));
}
