/* sorted_test.c - the order of keys (sorted.h) against a table of which numbers are in. */
#include "test.h"
#include "parts/sorted.h"
#include <stdio.h>

enum { NUMBERS = 300, STEPS = 30000 };

static struct sorted sorted;
static struct sorted_node nodes[NUMBERS];
static char keys[NUMBERS][8];
static bool is_in[NUMBERS];

static mote_parts_bytes key_of(int number) {
    return (mote_parts_bytes){keys[number], strlen(keys[number])};
}

/* The first from a number on that is in, or NUMBERS. */
static int next_in(int number) {
    while (number < NUMBERS && !is_in[number]) number++;
    return number;
}

static bool is_node(const struct sorted_node *node, int number) {
    return number == NUMBERS ? !node : node == &nodes[number];
}

static void check_all(void) {
    const mote_parts_bytes least = {"", 0};
    int number = next_in(0);
    const struct sorted_node *node = mote__sorted_from(&sorted, &least);
    for (; node; node = mote__sorted_after(&sorted, node), number = next_in(number + 1))
        if (!CHECK(is_node(node, number))) return;
    CHECK_EQ(number, NUMBERS);
}

static void toggle(int number) {
    if (is_in[number]) mote__sorted_remove(&sorted, &nodes[number]);
    else mote__sorted_insert(&sorted, &nodes[number]);
    is_in[number] = !is_in[number];
}

TEST(in_and_out_by_chance) {
    uint32_t chance = 1;
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(keys[i], sizeof keys[i], "%03d", i);
        nodes[i] = (struct sorted_node){.key = keys[i], .key_size = 3};
    }
    for (int step = 0; step < STEPS; step++) {
        chance = chance * 1664525 + 1013904223;
        int number = (int)(chance >> 8) % NUMBERS, from = (int)(chance >> 20) % NUMBERS;
        toggle(number);
        const mote_parts_bytes key = key_of(number), other = key_of(from);
        CHECK(is_node(mote__sorted_find(&sorted, &key), is_in[number] ? number : NUMBERS));
        CHECK(is_node(mote__sorted_from(&sorted, &other), next_in(from)));
        CHECK(is_node(mote__sorted_after(&sorted, &nodes[from]), next_in(from + 1)));
        if (step % 1000 == 0) check_all();
    }
    for (int i = 0; i < NUMBERS; i++)
        if (is_in[i]) toggle(i);
    CHECK(!sorted.root);
}

/* Keys in their order, which would make a list of a tree that only grows: nobody goes deep. */
static int depth(const struct sorted_node *node) {
    int left = node ? depth(node->left) : -1, right = node ? depth(node->right) : -1;
    return 1 + (left > right ? left : right);
}

TEST(in_order) {
    for (int i = 0; i < NUMBERS; i++) toggle(i);
    check_all();
    printf("%d deep\n", depth(sorted.root));
    CHECK(depth(sorted.root) < 50);
    for (int i = 0; i < NUMBERS; i++) toggle(i);
    CHECK(!sorted.root);
}

TEST(orders) {
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {{"", "", 0},     {"", "a", -1},   {"a", "", 1},       {"a", "a", 0},
                {"a", "b", -1},  {"a", "aa", -1}, {"ab", "aa", 1},    {"a/", "a!", 1},
                {"a/", "a0", -1}, {"\xff", "a", 1}, {"\x7f", "\x80", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int order = sorted_order(rows[i].a, strlen(rows[i].a), rows[i].b, strlen(rows[i].b));
        CHECK_EQ((order > 0) - (order < 0), rows[i].order);
    }
}
