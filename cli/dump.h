/* dump.h - the parts of mote dump that have files of their own. Each prints, and returns the exit code. */
#ifndef MOTE_CLI_DUMP_H
#define MOTE_CLI_DUMP_H

#include "base/reader.h"
#include "cli.h"

/* How long decoding, validation and compilation take, with 1 thread and with as many as --jobs says, and how large the code is (dump_timing.c). */
int dump_timing(const struct args *args, const struct input *input, struct span binary, uint64_t section_bytes);

/* The machine code of a function beside the instructions that it was made from (dump_native.c). */
int dump_native(const struct input *input, struct span binary, mote_module *module, uint32_t index);

#endif
