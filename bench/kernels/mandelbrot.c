/* mandelbrot.c - iterations of z*z + c over a square grid: short loops of floating point with an exit. Size: points a side. */
#include "kernel.h"

KERNEL(2200)

enum { TURNS = 100 };

static uint32_t turns_at(double cx, double cy) {
    double x = 0, y = 0;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        double xx = x * x, yy = y * y;
        if (xx + yy > 4) return turn;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
    }
    return TURNS;
}

static uint64_t kernel(uint32_t side) {
    uint64_t sum = 1;
    for (uint32_t row = 0; row < side; row++) {
        uint32_t line = 0;
        for (uint32_t column = 0; column < side; column++)
            line = line * 31 + turns_at(column * 3.0 / side - 2.2, row * 2.4 / side - 1.2);
        sum = mix(sum, line);
    }
    return sum;
}
