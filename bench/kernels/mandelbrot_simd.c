/* mandelbrot_simd.c - the grid of mandelbrot.c in floats, four points at once: 128-bit arithmetic, comparisons and masks. Size: points a side. */
#include "kernel.h"

KERNEL(4200)

enum { TURNS = 100 };

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t counts __attribute__((vector_size(16)));

static int any(counts mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }

static counts turns_at(lanes cx, lanes cy) {
    lanes x = {0}, y = {0};
    counts turns = {0};
    for (int turn = 0; turn < TURNS; turn++) {
        lanes xx = x * x, yy = y * y;
        counts inside = xx + yy <= 4.0f;
        if (!any(inside)) break;
        turns -= inside; /* true is -1 */
        y = (x + x) * y + cy;
        x = xx - yy + cx;
    }
    return turns;
}

static uint64_t kernel(uint32_t side) {
    uint64_t sum = 1;
    float pitch_x = 3.0f / (float)side, pitch_y = 2.4f / (float)side;
    for (uint32_t row = 0; row < side; row++) {
        counts line = {0};
        lanes cy = {0}, steps = {0, 1, 2, 3};
        cy += (float)row * pitch_y - 1.2f;
        for (uint32_t column = 0; column < side; column += 4)
            line = line * 31 + turns_at((steps + (float)column) * pitch_x - 2.2f, cy);
        for (int i = 0; i < 4; i++) sum = mix(sum, (uint32_t)line[i]);
    }
    return sum;
}
