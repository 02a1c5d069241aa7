/* cli.h - what the commands share: exit codes, inputs, reports. A command is one function, cmd_NAME in cmd_NAME.c: it gets the parsed
 * arguments and returns the exit code. Output goes to stdout, everything about failures to stderr, with "mote: " before it. */
#ifndef MOTE_CLI_CLI_H
#define MOTE_CLI_CLI_H

#include "args.h"
#include <mote/mote.h>
#include <stdio.h>

/* Exit codes that are not the program's own. Documented in `mote help`. */
enum {
    EXIT_DONE = 0,
    EXIT_BAD_MODULE = 1,  /* a module that is malformed, invalid or does not link; a file that cannot be read */
    EXIT_USAGE = 2,       /* the command line makes no sense */
    EXIT_INTERRUPT = 130, /* Ctrl-C; 128 + the signal's number, as shells count */
    EXIT_TRAP = 134       /* a trap, an uncaught exception or an exhausted limit */
};

#define COMMAND(ident, ...) int cmd_##ident(const struct args *args);
#include "commands.def"

/* Of everything that a command makes (memory.c). */
extern const mote_allocator command_allocator;

/* ---- Inputs (input.c). ---- */

/* The bytes of a file or of standard input. */
struct input {
    const char *name; /* for messages */
    const uint8_t *bytes;
    size_t size;
    size_t heap_bytes; /* of the allocation ... */
    const mote_allocator *allocator; /* ... and whose it is */
};

/* Opens PATH, "-" for standard input. Prints why not and returns false. */
bool input_open(struct input *input, const char *path);
/* The same for a module, binary or text: of what begins like neither only the beginning is read. */
bool input_open_module(struct input *input, const char *path);
void input_close(struct input *input);

/* ---- Reports (report.c). ---- */

/* Prints "mote: ..." and returns EXIT_USAGE. */
int report_usage(const char *format, ...) MOTE_PRINTF(1, 2);
/* Prints "mote: ..." and returns EXIT_BAD_MODULE. */
int report_failure(const char *format, ...) MOTE_PRINTF(1, 2);
/* Prints why a module was refused and returns the exit code. */
int report_module_error(const struct input *input, const mote_error *error);
/* Prints how a call or an instantiation failed, with the backtrace of `store`, and returns the exit code. `input` and `module` are the main
 * module's. MOTE_E_EXIT prints nothing. */
int report_call_error(const struct input *input, const mote_module *module, mote_store *store, const mote_error *error);
/* Writes bytes of unknown origin so that they cannot steer a terminal: control characters as \xx. */
void print_name(FILE *out, const char *bytes, size_t size);
/* Flushes stdout; EXIT_BAD_MODULE, with a message unless the reader went away, when something could not be written, else `code`. */
int finish_output(int code);

/* ---- Engines (engine.c). ---- */

/* The features by default (or all, or none, by -W all-proposals), with those that were switched on and what they need, without those that were
 * switched off and what needs them. */
mote_features features_given(const struct args *args);
/* Makes an engine with the options of language and limits that were given; returns the exit code, and leaves `out` alone after printing why not. */
int engine_open(const struct args *args, mote_engine **out);
/* --jobs; without it one for each processor, within what --jobs takes. */
uint64_t threads_wanted(const struct args *args);
/* With --compile=eager compiles the whole module now; returns the exit code. */
int engine_compile(const struct args *args, const char *name, mote_module *module);

/* ---- Values (values.c). ---- */

/* Reads a value of a type as a person writes it: numbers in decimal or hexadecimal, floats also inf and nan, v128 as 0x and up to 32
 * digits, references only as "null". False when it is none. */
bool value_parse(const char *text, mote_valtype type, mote_value *out);
/* Prints a value: integers signed, floats with the fewest digits that read back the same, v128 as 0x and 32 digits. */
void value_print(FILE *out, const mote_store *store, const mote_value *value);

#endif
