/* binarytrees.c - complete binary trees made, counted and freed on malloc; binarytrees_gc.wat is the same on the collector. Size: depth of the deepest. */
#include "kernel.h"

KERNEL(17)

enum { DEPTH_MIN = 4 };

struct node {
    struct node *left, *right;
};

static struct node *make(uint32_t depth) {
    struct node *n = need(sizeof *n);
    n->left = depth ? make(depth - 1) : NULL;
    n->right = depth ? make(depth - 1) : NULL;
    return n;
}

static uint32_t count(const struct node *n) { return n->left ? 1 + count(n->left) + count(n->right) : 1; }

static void drop(struct node *n) {
    if (n->left) drop(n->left);
    if (n->right) drop(n->right);
    free(n);
}

static uint32_t made_and_counted(uint32_t depth) {
    struct node *n = make(depth);
    uint32_t nodes = count(n);
    drop(n);
    return nodes;
}

static uint64_t kernel(uint32_t depth_max) {
    uint64_t sum = made_and_counted(depth_max + 1);
    struct node *kept = make(depth_max);
    for (uint32_t depth = DEPTH_MIN; depth <= depth_max; depth += 4) {
        uint32_t times = 1u << (depth_max - depth + DEPTH_MIN);
        for (uint32_t i = 0; i < times; i++) sum += made_and_counted(depth);
    }
    sum += count(kept);
    drop(kept);
    return sum;
}
