/* scratch.h - a directory of its own for a test, gone afterwards. */
#ifndef MOTE_TESTS_WASI1_SCRATCH_H
#define MOTE_TESTS_WASI1_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
    char path[256];
    int fd;
};

static inline bool scratch_begin(struct scratch *s) {
    const char *base = getenv("TMPDIR");
    snprintf(s->path, sizeof s->path, "%s/mote-wasi-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(s->path)) return false;
    s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->fd >= 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *where) {
    (void)st, (void)type, (void)where;
    return remove(path);
}

static inline void scratch_end(struct scratch *s) {
    close(s->fd);
    nftw(s->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_file(const struct scratch *s, const char *name, const char *text) {
    int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) perror(name);
    close(fd);
}

/* Descriptors that this process has open: a test that leaks some sees it here. */
static inline unsigned scratch_open_count(void) {
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

#endif
