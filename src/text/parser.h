/* parser.h - the text format of modules (core spec 3.0, "Text Format") to the binary format. What
 * comes out is well-formed but not validated: the decoder and validator judge it like any other
 * binary. */
#ifndef MOTE_TEXT_PARSER_H
#define MOTE_TEXT_PARSER_H

#include "base/alloc.h"
#include "base/reader.h"

/* A module in the binary format; bytes come from the allocator that was given, exactly `size` of
 * them. */
struct text_binary {
    uint8_t *bytes;
    size_t size;
};

/* Parses one module: (module ...), its fields alone, (module binary ...) or (module quote ...);
 * (module definition ...) of scripts too. text      borrowed for the call. features  the bits of
 * features.def; of them the parser looks at `annotations` only. out       owned by the caller:
 * mote__text_binary_deinit. Untouched on error. Returns MOTE_OK, MOTE_E_MALFORMED, MOTE_E_LIMIT or
 * MOTE_E_NOMEM; error->offset is the place in `text`, and the message begins with the words of the
 * specification suite, then says where and shows the line with a caret. Identifiers go into a name
 * section. Cost: linear in the size of the text. */
mote_status mote__text_to_binary(const mote_allocator *allocator, struct span text,
                                 uint64_t features, struct text_binary *out, mote_error *error);
void mote__text_binary_deinit(const mote_allocator *allocator, struct text_binary *binary);

/* True when the bytes are of the binary format, to be told from text: they start with \0asm. */
bool mote__is_binary(struct span bytes);

/* For a module that came from text and that the decoder or validator refuses: turns error->offset,
 * a byte of `binary` inside a function's body, into the place of the instruction in `text`, and
 * appends that place to the message as the parser does. Where there is no such place (other
 * sections, quoted and binary modules, no memory) the offset becomes MOTE_NO_OFFSET. Parses the
 * text once more. */
void mote__text_explain(const mote_allocator *allocator, struct span text, uint64_t features,
                        struct span binary, mote_error *error);

/* Line and column (from 1; the column in characters) of an offset. */
struct text_place {
    uint64_t line, column;
};
struct text_place mote__text_place(struct span text, uint64_t offset);
/* Appends to error->message where error->offset is: " at LINE:COLUMN", the line, and a caret under
 * `size` characters of it. */
void mote__text_show_place(struct span text, size_t size, mote_error *error);

#endif
