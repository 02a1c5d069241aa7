/* wasi_posix.h - what SQLite's unix layer asks of POSIX and wasi-libc has not: declared away, included before SQLite's sources. Files have no owners and no
 * locks there. */
#ifndef MOTE_BENCH_WASI_POSIX_H
#define MOTE_BENCH_WASI_POSIX_H

#include <sys/types.h>

#define F_GETLK 5 /* fcntl answers EINVAL: databases in files need --vfs unix-none */
#define F_SETLK 6
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

static inline int fchmod(int fd, unsigned mode) { return (void)fd, (void)mode, 0; }
static inline int fchown(int fd, unsigned user, unsigned group) { return (void)fd, (void)user, (void)group, 0; }
static inline int chmod(const char *path, unsigned mode) { return (void)path, (void)mode, 0; }
static inline unsigned geteuid(void) { return 1; }

#endif
