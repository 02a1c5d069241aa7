/* matmul_simd.c - product of two dense matrices of floats in vectors of four: 128-bit loads, multiplications, additions. Size: rows, a multiple of 4. */
#include "kernel.h"

KERNEL(1200)

typedef float lanes __attribute__((vector_size(16)));

static float *fill(uint32_t n, uint64_t random) {
    float *m = need((size_t)n * n * sizeof *m);
    for (uint32_t i = 0; i < n * n; i++) m[i] = (float)(random_next(&random) >> 48) / 65536 - 0.5f;
    return m;
}

/* Four columns of one row of the product, four rows at a time from the right matrix. */
static inline lanes four_columns(const float *row, const float *right, uint32_t n) {
    lanes sum = {0};
    for (uint32_t i = 0; i < n; i++) {
        lanes values;
        memcpy(&values, right + (size_t)i * n, sizeof values);
        sum += row[i] * values;
    }
    return sum;
}

static uint64_t kernel(uint32_t n) {
    float *a = fill(n, 1), *b = fill(n, 2);
    uint64_t sum = 1;
    for (uint32_t column = 0; column < n; column += 4)
        for (uint32_t row = 0; row < n; row++) {
            lanes four = four_columns(a + row * n, b + column, n);
            uint64_t halves[2];
            memcpy(halves, &four, sizeof halves);
            sum = mix(mix(sum, halves[0]), halves[1]);
        }
    return sum;
}
