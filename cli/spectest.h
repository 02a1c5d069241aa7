/* spectest.h - the host module "spectest" that the specification's scripts import from. */
#ifndef MOTE_CLI_SPECTEST_H
#define MOTE_CLI_SPECTEST_H

#include <mote/mote.h>

/* Defines "spectest" in a linker, with objects of `store`: functions print, print_i32, print_i64, print_f32, print_f64, print_i32_f32 and
 * print_f64_f64, which do nothing; constants global_i32 and its like (666, 666.6); table (10 to 20 funcref) and table64; memory (1 to 2
 * pages) and, where the engine knows threads, shared_memory.
 * Returns MOTE_OK, or why something could not be made. */
MOTE_CHECKED mote_status spectest_define(mote_linker *linker, mote_store *store, mote_features features, mote_error *error);

#endif
