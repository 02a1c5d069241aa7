/* matmul.c - product of two dense matrices of doubles, one transposed: inner products, which no compiler may vectorise by itself. Size: rows. */
#include "kernel.h"

KERNEL(700)

static double *fill(uint32_t n, uint64_t random) {
    double *m = need((size_t)n * n * sizeof *m);
    for (uint32_t i = 0; i < n * n; i++) m[i] = (double)(random_next(&random) >> 40) / (1 << 24) - 0.5;
    return m;
}

static double inner(const double *a, const double *b, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static uint64_t kernel(uint32_t n) {
    double *a = fill(n, 1), *b = fill(n, 2);
    uint64_t sum = 1;
    for (uint32_t row = 0; row < n; row++)
        for (uint32_t column = 0; column < n; column++) sum = mix(sum, bits_of(inner(a + row * n, b + column * n, n)));
    return sum;
}
