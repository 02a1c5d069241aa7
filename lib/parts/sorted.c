/* sorted.c - the treap of sorted.h.
 * Keeps: what is left of a node has smaller keys, what is right of it larger ones, and no child has
 * a higher priority. */
#include "sorted.h"

static int order(const struct sorted_node *node, const void *key, size_t size) {
    return sorted_order(node->key, node->key_size, key, size);
}

struct sorted_node *mote__sorted_find(const struct sorted *sorted, const mote_parts_bytes *key) {
    struct sorted_node *node = sorted->root;
    for (int how; node && (how = order(node, key->data, key->size)) != 0;)
        node = how < 0 ? node->right : node->left;
    return node;
}

/* The first whose order to a key is at least `least`. */
static struct sorted_node *first(const struct sorted *sorted, const void *key, size_t size,
                                 int least) {
    struct sorted_node *node = sorted->root, *found = NULL;
    while (node) {
        int how = order(node, key, size);
        bool fits = how > 0 || (!how && !least);
        if (fits) found = node;
        node = fits ? node->left : node->right;
    }
    return found;
}

struct sorted_node *mote__sorted_from(const struct sorted *sorted, const mote_parts_bytes *key) {
    return first(sorted, key->data, key->size, 0);
}

struct sorted_node *mote__sorted_after(const struct sorted *sorted,
                                       const struct sorted_node *node) {
    return first(sorted, node->key, node->key_size, 1);
}

/* Marsaglia's xorshift. */
static uint32_t by_chance(struct sorted *sorted) {
    uint32_t x = sorted->chance ? sorted->chance : (uint32_t)(uintptr_t)sorted | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return sorted->chance = x;
}

void mote__sorted_insert(struct sorted *sorted, struct sorted_node *node) {
    struct sorted_node **link = &sorted->root, **smaller = &node->left, **larger = &node->right;
    node->priority = by_chance(sorted);
    while (*link && (*link)->priority >= node->priority)
        link = order(*link, node->key, node->key_size) < 0 ? &(*link)->right : &(*link)->left;
    /* What was there is divided between its two sides. */
    struct sorted_node *rest = *link;
    *link = node;
    while (rest) {
        bool is_smaller = order(rest, node->key, node->key_size) < 0;
        struct sorted_node ***side = is_smaller ? &smaller : &larger;
        **side = rest;
        *side = is_smaller ? &rest->right : &rest->left;
        rest = **side;
    }
    *smaller = *larger = NULL;
}

void mote__sorted_remove(struct sorted *sorted, struct sorted_node *node) {
    struct sorted_node **link = &sorted->root, *left = node->left, *right = node->right;
    while (*link != node)
        link = order(*link, node->key, node->key_size) < 0 ? &(*link)->right : &(*link)->left;
    while (left && right) {
        bool is_left = left->priority >= right->priority;
        struct sorted_node **from = is_left ? &left : &right;
        *link = *from;
        link = is_left ? &left->right : &right->left;
        *from = *link;
    }
    *link = left ? left : right;
}
