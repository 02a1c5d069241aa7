/* sorted.h - elements in the order of the bytes of their keys: a treap, whose nodes are part of the
 * elements. Everything takes the logarithm of their number on average, whatever order they come in;
 * nothing allocates, so that what was taken out can always be put back. */
#ifndef MOTE_PARTS_SORTED_H
#define MOTE_PARTS_SORTED_H

#include <mote/parts.h>
#include <string.h>

struct sorted_node {
    const char *key; /* stays while the node is in */
    size_t key_size;
    struct sorted_node *left, *right;
    uint32_t priority; /* by chance; that of a node is not below those of its children */
};

struct sorted {
    struct sorted_node *root;
    uint32_t chance;
};

/* Below 0, 0 or above it: how a key stands to another. */
static inline int sorted_order(const void *a, size_t a_size, const void *b, size_t b_size) {
    size_t size = a_size < b_size ? a_size : b_size;
    int order = size ? memcmp(a, b, size) : 0;
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static inline bool sorted_begins(const void *key, size_t size, const mote_parts_bytes *with) {
    return size >= with->size && (!with->size || !memcmp(key, with->data, with->size));
}

/* The element of a key; NULL: there is none. */
struct sorted_node *mote__sorted_find(const struct sorted *sorted, const mote_parts_bytes *key);
/* The first at a key or behind it; NULL: there is none. */
struct sorted_node *mote__sorted_from(const struct sorted *sorted, const mote_parts_bytes *key);
/* The one behind a node, which need not be in any more while its key is there. */
struct sorted_node *mote__sorted_after(const struct sorted *sorted, const struct sorted_node *node);
/* Puts a node in whose key nobody has. */
void mote__sorted_insert(struct sorted *sorted, struct sorted_node *node);
void mote__sorted_remove(struct sorted *sorted, struct sorted_node *node);

#endif
