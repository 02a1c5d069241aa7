/* builtin.h - the drivers that are compiled in, by name. */
#ifndef MOTE_PARTS_BUILTIN_H
#define MOTE_PARTS_BUILTIN_H

#include "set.h"

extern const struct parts_driver mote__state_memory, mote__state_redis, mote__secrets_env,
    mote__secrets_file, mote__lock_memory, mote__lock_redis, mote__configuration_memory,
    mote__configuration_redis;

#endif
