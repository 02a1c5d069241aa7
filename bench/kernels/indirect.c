/* indirect.c - calls through pointers: shapes with tables of functions, visited in an order that changes. Size: millions of calls. */
#include "kernel.h"

KERNEL(60)

struct shape;
struct methods {
    uint32_t (*area)(const struct shape *);
    uint32_t (*grow)(struct shape *, uint32_t);
};
struct shape {
    const struct methods *methods;
    uint32_t a, b;
};

static uint32_t square_area(const struct shape *s) { return s->a * s->a; }
static uint32_t box_area(const struct shape *s) { return s->a * s->b; }
static uint32_t triangle_area(const struct shape *s) { return s->a * s->b / 2; }
static uint32_t ring_area(const struct shape *s) { return 3 * (s->a * s->a - s->b * s->b); }
static uint32_t grow_first(struct shape *s, uint32_t by) { return s->a += by; }
static uint32_t grow_second(struct shape *s, uint32_t by) { return s->b += by; }
static uint32_t grow_both(struct shape *s, uint32_t by) { return (s->a += by) ^ (s->b += by); }

static const struct methods kinds[] = {
    {square_area, grow_first}, {box_area, grow_second}, {triangle_area, grow_both}, {ring_area, grow_first},
    {box_area, grow_both},     {square_area, grow_both},
};

static uint64_t kernel(uint32_t millions) {
    enum { SHAPES = 1024 };
    static struct shape shapes[SHAPES];
    uint64_t random = 13, sum = 1;
    for (int i = 0; i < SHAPES; i++) shapes[i] = (struct shape){&kinds[random_next(&random) % 6], (uint32_t)i + 1, 2};
    uint32_t at = 0;
    for (uint32_t i = 0; i < millions * 500000; i++) {
        struct shape *s = &shapes[at % SHAPES];
        uint32_t area = s->methods->area(s);
        sum += area + s->methods->grow(s, area & 1);
        at = at * 5 + 1;
    }
    return mix(sum, at);
}
