/* builtin.c - the drivers that need no client library. */
#include "builtin.h"
#include <string.h>

const struct parts_driver *mote__parts_builtin(const char *type) {
    static const struct parts_driver *const drivers[] = {
        &mote__state_memory,         &mote__state_redis,        &mote__secrets_env,
        &mote__secrets_file,         &mote__lock_memory,        &mote__lock_redis,
        &mote__configuration_memory, &mote__configuration_redis};
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (!strcmp(drivers[i]->type, type)) return drivers[i];
    return NULL;
}
