/* wasi_test.h - the frame of a WASI test: include it in one tests/wasi/NAME.c and write TEST(name) { ... }; tests register themselves and
 * main() is here. The program is a guest: it prints "ok NAME" or "FAILED NAME" for each test and exits 1 if one failed.
 *
 * tests/wasi/run prepares the world: descriptor 3 is "/", a fresh directory of the host, in which `escape` is a symbolic link to a
 * directory beside it (which holds `secret`) and `absolute` one to the host's /etc. A line of a program's head that begins with "run:" asks for a run
 * of its own: options of the runtime, "--", arguments; "exit: N" on such a line expects that code. `arg()` is the first argument. */
#ifndef MOTE_TESTS_WASI_TEST_H
#define MOTE_TESTS_WASI_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#include "../test_case.h"

enum { ROOT = 3 }; /* the preopened directory */

static int test_argc;
static char **test_argv;

#define CHECK(cond) ((cond) ? true : test_fail(__LINE__, #cond))
#define CHECK_EQ(a, b) test_equal(__LINE__, #a " == " #b, (uint64_t)(a), (uint64_t)(b))
/* A call that must succeed; on failure the test is left. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (!test_errno(__LINE__, #call, (call), (const uint16_t[]){0, TEST_END})) return;         \
    } while (0)
/* A call that must fail with one of the errors named: FAILS(BADF, call), FAILS2(PERM, NOTCAPABLE, call). */
#define FAILS(e, call)                                                                             \
    test_errno(__LINE__, #call, (call), (const uint16_t[]){__WASI_ERRNO_##e, TEST_END})
#define FAILS2(e1, e2, call)                                                                       \
    test_errno(__LINE__, #call, (call),                                                            \
               (const uint16_t[]){__WASI_ERRNO_##e1, __WASI_ERRNO_##e2, TEST_END})
#define FAILS3(e1, e2, e3, call)                                                                   \
    test_errno(__LINE__, #call, (call),                                                            \
               (const uint16_t[]){__WASI_ERRNO_##e1, __WASI_ERRNO_##e2, __WASI_ERRNO_##e3,         \
                                  TEST_END})

enum { TEST_END = 0xffff };

static inline bool test_fail(int line, const char *what) {
    printf("  line %d: failed: %s\n", line, what);
    test_failures++;
    return false;
}

static inline bool test_equal(int line, const char *what, uint64_t a, uint64_t b) {
    if (a == b) return true;
    printf("  %llu against %llu\n", (unsigned long long)a, (unsigned long long)b);
    return test_fail(line, what);
}

static inline bool test_errno(int line, const char *what, uint16_t got, const uint16_t *wanted) {
    for (const uint16_t *w = wanted; *w != TEST_END; w++)
        if (got == *w) return true;
    printf("  errno %u (%s), expected", got, strerror(got));
    for (const uint16_t *w = wanted; *w != TEST_END; w++) printf(" %u (%s)", *w, strerror(*w));
    putchar('\n');
    return test_fail(line, what);
}

/* The first argument of this run, "" without one. */
static inline const char *arg(void) { return test_argc > 1 ? test_argv[1] : ""; }

/* Everything a file descriptor can be asked for. */
#define RIGHTS_ALL ((__wasi_rights_t)0x3fffffff)

/* Opens `path` beneath `dir`, following links; `oflags` and `fdflags` as in path_open. */
static inline __wasi_errno_t open_at(__wasi_fd_t dir, const char *path, __wasi_oflags_t oflags,
                                     __wasi_fdflags_t fdflags, __wasi_fd_t *fd) {
    __wasi_rights_t rights = RIGHTS_ALL;
    if (oflags & __WASI_OFLAGS_DIRECTORY)
        rights &= ~(__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_ALLOCATE |
                    __WASI_RIGHTS_FD_FILESTAT_SET_SIZE);
    return __wasi_path_open(dir, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, oflags, rights,
                            RIGHTS_ALL, fdflags, fd);
}

/* For reading alone. */
static inline __wasi_errno_t open_read(__wasi_fd_t dir, const char *path, __wasi_fd_t *fd) {
    return __wasi_path_open(dir, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0,
                            __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL |
                                __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_POLL_FD_READWRITE,
                            0, 0, fd);
}

static inline __wasi_errno_t write_text(__wasi_fd_t fd, const char *text, __wasi_size_t *done) {
    __wasi_ciovec_t piece = {(const uint8_t *)text, strlen(text)};
    return __wasi_fd_write(fd, &piece, 1, done);
}

static inline __wasi_errno_t read_bytes(__wasi_fd_t fd, void *out, size_t size, __wasi_size_t *done) {
    __wasi_iovec_t piece = {out, size};
    return __wasi_fd_read(fd, &piece, 1, done);
}

/* Makes a file beneath the root with this text. */
static inline __wasi_errno_t put(const char *path, const char *text) {
    __wasi_fd_t fd;
    __wasi_size_t done;
    __wasi_errno_t e = open_at(ROOT, path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC, 0, &fd);
    if (e) return e;
    if (!(e = write_text(fd, text, &done)) && done != strlen(text)) e = __WASI_ERRNO_IO;
    __wasi_errno_t closed = __wasi_fd_close(fd);
    return e ? e : closed;
}

/* Whether the file beneath the root holds exactly this text. */
static inline bool holds(const char *path, const char *text) {
    char found[512];
    __wasi_fd_t fd;
    __wasi_size_t done;
    if (open_read(ROOT, path, &fd)) return false;
    bool same = !read_bytes(fd, found, sizeof found, &done) && done == strlen(text) &&
                !memcmp(found, text, done);
    return !__wasi_fd_close(fd) && same;
}

/* Whether there is something of this name beneath the root; links are not followed. */
static inline bool exists(const char *path) {
    __wasi_filestat_t stat;
    return !__wasi_path_filestat_get(ROOT, 0, path, &stat);
}

int main(int argc, char **argv) {
    bool good = true;
    test_argc = argc;
    test_argv = argv;
    for (struct test_case *t = test_first; t; t = t->next) {
        test_failures = 0;
        t->run();
        printf("%s %s\n", test_failures ? "FAILED" : "ok", t->name);
        good &= !test_failures;
    }
    return !good;
}

#endif
