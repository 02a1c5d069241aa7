/* reference.c - parts.def as Markdown for people. */
#include <mote/guest.h>
#include <mote/parts.h>
#include "tables.h"
#include <stdarg.h>
#include <stdio.h>

struct page {
    char *out;
    size_t size, length;
};

static void print(struct page *p, const char *format, ...) MOTE_PRINTF(2, 3);
static void print(struct page *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t left = p->length < p->size ? p->size - p->length : 0;
    int written = vsnprintf(left ? p->out + p->length : NULL, left, format, args);
    if (written > 0) p->length += (size_t)written;
    va_end(args);
}

static void print_key(struct page *p, const struct parts_key_row *row) {
    print(p, "| `%s`%s%s%s | %s | ", row->name, *row->alias ? ", `" : "", row->alias,
          *row->alias ? "`" : "", mote__parts_kind_text(row->kind));
    if (row->need == NEED_REQUIRED) print(p, "must be given");
    else if (row->otherwise && *row->otherwise) print(p, "`%s`", row->otherwise);
    print(p, " | %s |\n", row->text);
}

static void print_driver(struct page *p, enum parts_driver_id id) {
    const struct parts_driver_row *row = &mote__parts_drivers[id];
    print(p, "\n### %s\n%s.", row->type, row->summary);
    if (*row->module) print(p, " Needs Debian's %s.", row->package);
    print(p,
          " A key has at most %zu bytes, with its prefix; a value %zu.\n\n| metadata | is | else | "
          "|\n|---|---|---|---|\n",
          row->key_bytes_max, row->value_bytes_max);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (mote__parts_keys[i].driver == id) print_key(p, &mote__parts_keys[i]);
    for (size_t i = 0; i < mote__parts_later_count; i++)
        if (mote__parts_later[i].driver == id)
            print(p, "\nNot there yet, and refused: %s (%s).\n", mote__parts_later[i].names,
                  mote__parts_later[i].text);
}

static void print_fields(struct page *p) {
    static const struct {
        const char *path, *text;
    } rows[] = {
#define FIELD(path, text) {path, text},
#include "parts.def"
    };
    print(p, "## Every component\n| field | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print(p, "| `%s` | %s |\n", rows[i].path, rows[i].text);
}

static void print_ops(struct page *p) {
    static const struct {
        const char *name, *block, *text;
        int number;
    } rows[] = {
#define OP(ident, block, verb, text) {#ident, #block, text, MOTE1_##ident},
#include "parts.def"
    };
    print(p, "\n## Operations of `mote1`\n| operation | number | block | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        print(p, "| `MOTE1_%s` | %d | %s | %s |\n", rows[i].name, rows[i].number, rows[i].block,
              rows[i].text);
}

size_t mote_parts_reference(char *out, size_t size) {
    struct page p = {out, size, 0};
    print_fields(&p);
    for (size_t block = 0; block < BLOCK_COUNT; block++) {
        print(&p, "\n## %s\n", mote__parts_blocks[block].title);
        for (int id = 0; id < DRIVER_COUNT; id++)
            if (mote__parts_drivers[id].block == block) print_driver(&p, (enum parts_driver_id)id);
    }
    print_ops(&p);
    return p.length;
}
