/* pwd.h - for SQLite's shell, which asks for the user's home folder: WASI has no users. */
#ifndef MOTE_BENCH_PWD_H
#define MOTE_BENCH_PWD_H

struct passwd {
    char *pw_dir;
};

static inline struct passwd *getpwuid(unsigned user) { return (void)user, (struct passwd *)0; }
static inline unsigned getuid(void) { return 1; }

#endif
