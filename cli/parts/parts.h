/* parts.h - components in the command: what mounts.c and cmd_parts.c share. */
#ifndef MOTE_CLI_PARTS_PARTS_H
#define MOTE_CLI_PARTS_PARTS_H

#include "cli.h"
#include <mote/parts.h>

/* Loads the components that the options name. Prints why not and returns the exit code. */
int components_load(const struct args *args, const char *folder, mote_parts **out);

#endif
