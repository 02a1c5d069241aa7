/* jacobi.c - Jacobi relaxation of a square grid of doubles: neighbours in memory. Native code is vectorised here by itself, two lanes wide. Size: sweeps. */
#include "kernel.h"

KERNEL(3000)

enum { SIDE = 512 };

static double sweep(const double *from, double *to) {
    double change = 0;
    for (int row = 1; row < SIDE - 1; row++)
        for (int column = 1; column < SIDE - 1; column++) {
            int at = row * SIDE + column;
            to[at] = 0.25 * (from[at - 1] + from[at + 1] + from[at - SIDE] + from[at + SIDE]);
        }
    for (int column = 1; column < SIDE - 1; column++) change += to[SIDE / 2 * SIDE + column] - from[SIDE / 2 * SIDE + column];
    return change;
}

static uint64_t kernel(uint32_t sweeps) {
    double *a = need(SIDE * SIDE * sizeof *a), *b = need(SIDE * SIDE * sizeof *b), change = 0;
    for (int i = 0; i < SIDE * SIDE; i++) a[i] = i < SIDE ? 100.0 : i % SIDE == 0 ? 50.0 : 0;
    memcpy(b, a, SIDE * SIDE * sizeof *a);
    for (uint32_t i = 0; i < sweeps; i++) {
        double *t = a;
        change = sweep(a, b);
        a = b;
        b = t;
    }
    return mix(mix(1, bits_of(a[SIDE * 20 + 99])), bits_of(change));
}
