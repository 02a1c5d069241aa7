/* printer.h - a module of the binary format as text that parses back to it. Reads the binary by
 * itself, so that modules which are well-formed but invalid can be printed too. */
#ifndef MOTE_TEXT_PRINTER_H
#define MOTE_TEXT_PRINTER_H

#include "base/alloc.h"
#include "base/reader.h"

struct text_options {
    bool without_names;   /* indices only: do not look into the name section */
    bool without_customs; /* leave out custom sections */
};

/* Text in UTF-8 from the given allocator, exactly `size` bytes, not terminated. */
struct text_output {
    char *text;
    size_t size;
};

/* Prints a module. Names from its name section become identifiers (or name annotations, where two
 * things have one name); custom sections and branch hints become annotations. Parsing the text
 * gives the same bytes when the binary is in canonical form: shortest LEB128, sections and forms as
 * the parser chooses them (see encode.h and put_elem in parse_fields.c). binary   borrowed for the
 * call. options  NULL for defaults. out      owned by the caller: mote__text_output_deinit.
 * Untouched on error. Returns MOTE_OK, MOTE_E_MALFORMED (error->offset is the byte), MOTE_E_LIMIT
 * (the text would be too long) or MOTE_E_NOMEM. */
mote_status mote__binary_to_text(const mote_allocator *allocator, struct span binary,
                                 const struct text_options *options, struct text_output *out,
                                 mote_error *error);
void mote__text_output_deinit(const mote_allocator *allocator, struct text_output *output);

#endif
