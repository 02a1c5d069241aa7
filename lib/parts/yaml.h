/* yaml.h - YAML (and JSON, which is a part of it) as a tree of nodes with their lines, in an arena.
 * Anchors are fine, aliases are refused: no text grows. */
#ifndef MOTE_PARTS_YAML_H
#define MOTE_PARTS_YAML_H

#include "base/arena.h"

enum { YAML_BYTES_MAX = 1 << 20, YAML_NODES_MAX = 100000, YAML_DEPTH_MAX = 32 };

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    unsigned line;    /* from 1 */
    bool is_plain;    /* a scalar without quotes: may be a number, true, null */
    const char *text; /* scalars; NUL-terminated */
    size_t size;      /* of text; children of others */
    struct yaml_node *first,
        *next; /* children: of a mapping the keys, each followed by its value */
};

struct yaml_documents {
    struct yaml_node *first; /* roots, by `next`; NULL: none */
};

/* Parses all documents of a text; empty ones are left out. `name` is for messages, "NAME:LINE:
 * ...". Returns MOTE_OK, MOTE_E_ARGUMENT, MOTE_E_LIMIT or MOTE_E_NOMEM. */
mote_status mote__yaml_parse(struct arena *arena, const char *name, const char *text, size_t size,
                             struct yaml_documents *out, mote_error *error);

/* The value of a mapping's key, NULL when there is none or it is no mapping. */
const struct yaml_node *mote__yaml_get(const struct yaml_node *mapping, const char *key);
/* Whether a node is a plain null: nothing, ~ or null. */
bool mote__yaml_is_null(const struct yaml_node *node);

#endif
