/* os_unix.h - what the files of src/os share among themselves. Not for anybody else. */
#ifndef MOTE_OS_OS_UNIX_H
#define MOTE_OS_OS_UNIX_H

#include "os/os.h"
#include <time.h>

enum { OS_NS_PER_S = 1000000000 };

/* Random bytes from /dev/urandom. */
bool mote__os_unix_random(void *out, size_t bytes);

static inline struct timespec mote__os_unix_timespec(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / OS_NS_PER_S),
                             .tv_nsec = (long)(ns % OS_NS_PER_S)};
}

#endif
