/* print.h - what the files of the printer share. A module is printed twice: first without names, to
 * count the index spaces, and then with those names that belong to something (printer.c). Types are
 * in print_types.c, names in print_names.c, sections in print_sections.c, instructions in
 * print_instr.c. Keeps: readers are sticky; whoever reads a section checks its reader at the end.
 * The output buffer is sticky too. */
#ifndef MOTE_TEXT_PRINT_H
#define MOTE_TEXT_PRINT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "text/encode.h"
#include "text/printer.h"
#include "wasm/op.h"

struct name_entry {
    uint32_t index;
    bool is_id; /* the first with this name: it can be the identifier */
    struct span name;
};
/* In increasing order of index. */
struct name_list {
    struct name_entry *entries;
    uint32_t count;
};

/* An indirect name map, read entry by entry as its outer indices come up. */
struct name_cursor {
    struct reader in;
    uint32_t left;  /* entries not yet read */
    uint32_t index; /* of the entry that was read last and waits */
    bool waiting;
    struct reader map; /* its name map */
};

/* A defined type, as far as printing needs it. */
struct printed_type {
    bool is_func;
    struct reader signature; /* of functions: parameters and results */
    uint32_t param_count;
    struct name_list fields;
};

struct printed_custom {
    unsigned place;
    struct span name, payload;
};

/* The branch hints of one function, in order of offset. */
struct hint_cursor {
    struct reader in;
    uint32_t funcs_left, func, hints_left, offset;
    bool waiting, likely;
};

struct printer {
    const mote_allocator *allocator;
    struct span binary;
    struct text_options options;
    mote_error *error;
    struct arena arena;
    struct buffer out;
    unsigned indent;

    struct reader sections[SECTION_COUNT];
    bool has_section[SECTION_COUNT];
    VEC(struct printed_custom) customs;
    struct span name_section, hint_section;
    uint32_t name_section_count;
    size_t customs_before_names;

    bool has_module_name;
    struct span module_name;
    struct name_list names[NAMES_COUNT]; /* of the direct maps */
    uint32_t counts[NAMES_COUNT];        /* of the index spaces */
    struct name_cursor locals, labels, fields;
    struct hint_cursor hints;

    VEC(struct printed_type) types;
    VEC(uint32_t) func_types; /* type of each function */

    /* The body under way. */
    struct name_list local_names, label_names;
    uint32_t label_count;
    VEC(struct open_label {
        struct span name;
        uint64_t old;
    })
    open_labels;
    struct map labels_by_name; /* name -> index in open_labels + 1 */
};

/* ---- Output (printer.c). ---- */

void mote__print(struct printer *p, const char *format, ...) MOTE_PRINTF(2, 3);
/* A new line, indented. */
void mote__print_line(struct printer *p);
/* Text put in, or bytes taken out, at a place before the end. */
void mote__print_insert(struct printer *p, size_t at, const char *text);
void mote__print_remove(struct printer *p, size_t at, size_t size);
/* A string in quotes; bytes that are not printable ASCII are escaped. */
void mote__print_string(struct printer *p, struct span bytes);
mote_status mote__print_fail(struct printer *p, const uint8_t *at, const char *why);
/* What went wrong in a reader, or with the output, if anything did. */
mote_status mote__print_check(struct printer *p, const struct reader *in);

/* ---- Names (print_names.c). ---- */

/* Reads the name section and keeps the names of indices below p->counts; false when it is malformed
 * or has nothing in it. */
mote_status mote__load_names(struct printer *p, bool *useful);
const struct name_entry *mote__find_name(const struct name_list *list, uint32_t index);
/* The names of `outer` with indices below `count`. Outer indices must be asked for in increasing
 * order. */
mote_status mote__inner_names(struct printer *p, struct name_cursor *cursor, uint32_t outer,
                              uint32_t count, struct name_list *list);
/* $name */
void mote__print_id(struct printer *p, struct span name);
/* " $name" or " N" for a reference; in a definition " $name (;N;)", with an annotation where the
 * name is not the identifier. */
void mote__print_index(struct printer *p, enum names space, uint32_t index);
void mote__print_definition(struct printer *p, enum names space, uint32_t index);
/* The same with a given list; a definition without name prints nothing. */
void mote__print_index_in(struct printer *p, const struct name_list *list, uint32_t index);
void mote__print_binding(struct printer *p, const struct name_list *list, uint32_t index);

/* ---- Types (print_types.c). ---- */

/* Each prints what it reads, beginning with a space. */
void mote__print_type(struct printer *p, struct reader *in);
/* The type of a global or a field, "(mut TYPE)" if it is. */
void mote__print_mutable_type(struct printer *p, struct reader *in);
/* mote__print_type for one whose first byte has been read. */
void mote__print_type_of_code(struct printer *p, struct reader *in, uint8_t code);
void mote__print_heaptype(struct printer *p, struct reader *in);
void mote__print_reftype(struct printer *p, bool nullable, struct reader *in);
/* (param ...) (result ...) of a function type; names may be NULL. */
void mote__print_signature(struct printer *p, struct reader in, const struct name_list *names);
/* (type N) and its signature, if it is a function type that exists. */
void mote__print_typeuse(struct printer *p, uint32_t type, const struct name_list *names);
mote_status mote__print_type_section(struct printer *p);

/* ---- Sections (print_sections.c). ---- */

mote_status mote__print_imports(struct printer *p);
mote_status mote__print_definitions(struct printer *p);

/* ---- Instructions (print_instr.c). ---- */

/* A constant expression in one line: " (WORD instr ...)", or " (instr)" when it is one instruction;
 * without WORD: " instr ...". */
void mote__print_expr(struct printer *p, struct reader *in, const char *word);
/* The instructions of a body, one a line, up to the end of the reader. `start` is where offsets of
 * branch hints count from. */
void mote__print_body(struct printer *p, struct reader *in, const uint8_t *start);

#endif
