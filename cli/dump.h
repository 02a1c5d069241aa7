/* dump.h - the parts of mote dump that have files of their own. Each prints, and returns the exit code. */
#ifndef MOTE_CLI_DUMP_H
#define MOTE_CLI_DUMP_H

#include "base/reader.h"
#include "cli.h"

/* How long decoding, validation and compilation take, with 1 thread and with as many as --jobs says, and how large the code is (dump_timing.c). */
int dump_timing(const struct args *args, const struct input *input, struct span binary, uint64_t section_bytes);

#endif
