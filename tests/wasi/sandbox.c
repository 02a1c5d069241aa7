/* sandbox.c - nothing outside the preopened directory is reached, by no path of any function. The runner put `escape` (a link to ../outside,
 * which holds `secret`) and `absolute` (a link to /etc) there. */
#include "wasi_test.h"

enum { FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW };

/* Paths that lead out, each in its own way. */
static const char *const outside[] = {
    "..", "../", "../outside", "../outside/secret", "../box", "./..", "./../outside/secret", "inside/../../outside/secret",
    "inside/../..", "escape/secret", "escape/.", "escape/../outside/secret", "absolute/passwd", "absolute/.", "/", "/etc/passwd", "//etc",
    "/..", "inside/climb/outside/secret", "inside/climb/../outside/secret",
};
enum { OUTSIDE = sizeof outside / sizeof *outside };

/* Refused in words: EPERM (wasmtime's answer today) or ENOTCAPABLE (what the specification calls it). */
static bool refused(int line, const char *what, const char *path, __wasi_errno_t e) {
    if (e == __WASI_ERRNO_PERM || e == __WASI_ERRNO_NOTCAPABLE) return true;
    printf("  %s of \"%s\": errno %u (%s)\n", what, path, e, strerror(e));
    return test_fail(line, "refused");
}
#define REFUSED(path, call) refused(__LINE__, #call, path, (call))

/* First: a directory within, and in it a link that climbs out. */
TEST(a_prepare) {
    MUST(__wasi_path_create_directory(ROOT, "inside"));
    MUST(put("inside/file", "fine"));
    __wasi_errno_t e = __wasi_path_symlink("../..", ROOT, "inside/climb");
    if (e) FAILS2(PERM, NOTCAPABLE, e); /* may be refused at once: then the path does not exist */
}

/* "inside/climb..." may not exist when the runtime refused to make the link. */
static bool climbs(const char *path) { return strstr(path, "climb") && !exists("inside/climb"); }

TEST(open) {
    for (int i = 0; i < OUTSIDE; i++) {
        __wasi_fd_t fd;
        if (climbs(outside[i])) continue;
        REFUSED(outside[i], open_read(ROOT, outside[i], &fd));
        REFUSED(outside[i], open_at(ROOT, outside[i], __WASI_OFLAGS_DIRECTORY, 0, &fd));
        REFUSED(outside[i], __wasi_path_open(ROOT, FOLLOW, outside[i], 0, 0, 0, 0, &fd));
    }
}

TEST(create) {
    __wasi_fd_t fd;
    REFUSED("../new", open_at(ROOT, "../new", __WASI_OFLAGS_CREAT, 0, &fd));
    REFUSED("escape/new", open_at(ROOT, "escape/new", __WASI_OFLAGS_CREAT, 0, &fd));
    REFUSED("/tmp/new", open_at(ROOT, "/tmp/new", __WASI_OFLAGS_CREAT, 0, &fd));
    REFUSED("../new", __wasi_path_create_directory(ROOT, "../new"));
    REFUSED("escape/new", __wasi_path_create_directory(ROOT, "escape/new"));
    REFUSED("../new", __wasi_path_symlink("x", ROOT, "../new"));
    REFUSED("escape/new", __wasi_path_symlink("x", ROOT, "escape/new"));
}

TEST(look) {
    uint8_t text[64];
    __wasi_filestat_t stat;
    __wasi_size_t done;
    for (int i = 0; i < OUTSIDE; i++) {
        if (climbs(outside[i])) continue;
        REFUSED(outside[i], __wasi_path_filestat_get(ROOT, FOLLOW, outside[i], &stat));
    }
    REFUSED("escape", __wasi_path_filestat_get(ROOT, FOLLOW, "escape", &stat));
    MUST(__wasi_path_filestat_get(ROOT, 0, "escape", &stat)); /* the link itself is within */
    CHECK_EQ(stat.filetype, __WASI_FILETYPE_SYMBOLIC_LINK);
    REFUSED("../outside", __wasi_path_readlink(ROOT, "../outside", text, sizeof text, &done));
    REFUSED("escape/secret", __wasi_path_readlink(ROOT, "escape/secret", text, sizeof text, &done));
    REFUSED("escape/secret",
            __wasi_path_filestat_set_times(ROOT, FOLLOW, "escape/secret", 1, 1, __WASI_FSTFLAGS_MTIM));
}

TEST(remove) {
    REFUSED("escape/secret", __wasi_path_unlink_file(ROOT, "escape/secret"));
    REFUSED("../outside/secret", __wasi_path_unlink_file(ROOT, "../outside/secret"));
    REFUSED("../outside", __wasi_path_remove_directory(ROOT, "../outside"));
    REFUSED("escape/..", __wasi_path_remove_directory(ROOT, "../box"));
}

TEST(move_and_link) {
    REFUSED("../out", __wasi_path_rename(ROOT, "inside/file", ROOT, "../out"));
    REFUSED("escape/out", __wasi_path_rename(ROOT, "inside/file", ROOT, "escape/out"));
    REFUSED("escape/secret", __wasi_path_rename(ROOT, "escape/secret", ROOT, "stolen"));
    REFUSED("../outside/secret", __wasi_path_link(ROOT, 0, "../outside/secret", ROOT, "stolen"));
    REFUSED("escape/secret", __wasi_path_link(ROOT, 0, "escape/secret", ROOT, "stolen"));
    REFUSED("escape/out", __wasi_path_link(ROOT, 0, "inside/file", ROOT, "escape/out"));
    CHECK(holds("inside/file", "fine"));
    CHECK(!exists("stolen"));
}

/* A link that is made to lead out later is refused when it is used, at the latest. */
TEST(own_links) {
    __wasi_fd_t fd;
    MUST(__wasi_path_symlink("inside", ROOT, "turn"));
    CHECK(holds("turn/file", "fine"));
    MUST(__wasi_path_unlink_file(ROOT, "turn"));
    if (__wasi_path_symlink("../outside", ROOT, "turn")) return;
    REFUSED("turn/secret", open_read(ROOT, "turn/secret", &fd));
    REFUSED("turn", open_at(ROOT, "turn", __WASI_OFLAGS_DIRECTORY, 0, &fd));
}

/* Going up and down again stays within and is fine. */
TEST(up_and_down_within) {
    CHECK(holds("inside/../inside/file", "fine"));
    CHECK(holds("inside/./../inside/./file", "fine"));
    __wasi_fd_t dir, fd;
    MUST(open_at(ROOT, "inside", __WASI_OFLAGS_DIRECTORY, 0, &dir));
    REFUSED("..", open_at(dir, "..", __WASI_OFLAGS_DIRECTORY, 0, &fd));
    REFUSED("../inside/file", open_read(dir, "../inside/file", &fd));
    MUST(__wasi_fd_close(dir));
}
