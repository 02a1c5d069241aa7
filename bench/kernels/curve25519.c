/* curve25519.c - scalar multiplications on Curve25519 (RFC 7748) by the Montgomery ladder, ten limbs of 25 and 26 bits: 64-bit multiplications.
 * Size: multiplications, each with the result of the one before as its scalar. */
#include "kernel.h"

KERNEL(2500)

enum { LIMBS = 10 };
typedef int64_t field[LIMBS]; /* limb i has weight 2^ceil(25.5 i) */

static int width(int limb) { return limb % 2 ? 25 : 26; }

/* Brings every limb back to its width; what leaves the top comes in below times 19. */
static inline void carry(field h) {
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < LIMBS; i++) {
            int64_t over = (h[i] + ((int64_t)1 << (width(i) - 1))) >> width(i);
            h[i] -= over * ((int64_t)1 << width(i));
            if (i < LIMBS - 1) h[i + 1] += over;
            else h[0] += 19 * over;
        }
}

static inline void add(field out, const field a, const field b) {
    for (int i = 0; i < LIMBS; i++) out[i] = a[i] + b[i];
}

static inline void subtract(field out, const field a, const field b) {
    for (int i = 0; i < LIMBS; i++) out[i] = a[i] - b[i];
}

static void multiply(field out, const field a, const field b) {
    field h = {0};
#pragma clang loop unroll(full)
    for (int i = 0; i < LIMBS; i++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < LIMBS; j++) {
            int64_t product = a[i] * b[j] * (i % 2 && j % 2 ? 2 : 1);
            if (i + j < LIMBS) h[i + j] += product;
            else h[i + j - LIMBS] += 19 * product;
        }
    }
    carry(h);
    memcpy(out, h, sizeof h);
}

static void square_times(field out, const field a, int times) {
    multiply(out, a, a);
    while (--times > 0) multiply(out, out, out);
}

/* a^(p-2), the inverse. */
static void invert(field out, const field a) {
    field x2, x9, x11, x5, x10, x20, x50, x100, t;
    square_times(x2, a, 1);
    square_times(t, x2, 2);
    multiply(x9, t, a);
    multiply(x11, x9, x2);
    square_times(t, x11, 1);
    multiply(x5, t, x9); /* 2^5 - 1 */
    square_times(t, x5, 5);
    multiply(x10, t, x5);
    square_times(t, x10, 10);
    multiply(x20, t, x10);
    square_times(t, x20, 20);
    multiply(t, t, x20);
    square_times(t, t, 10);
    multiply(x50, t, x10);
    square_times(t, x50, 50);
    multiply(x100, t, x50);
    square_times(t, x100, 100);
    multiply(t, t, x100);
    square_times(t, t, 50);
    multiply(t, t, x50);
    square_times(t, t, 5);
    multiply(out, t, x11);
}

static void swap_if(field a, field b, int64_t yes) {
    for (int i = 0; i < LIMBS; i++) {
        int64_t difference = (a[i] ^ b[i]) & -yes;
        a[i] ^= difference;
        b[i] ^= difference;
    }
}

static int offset_of(int limb) { return (51 * limb + 1) / 2; }

static void load(field out, const uint8_t *bytes) {
    for (int i = 0; i < LIMBS; i++) {
        out[i] = 0;
        for (int bit = 0; bit < width(i); bit++) {
            int at = offset_of(i) + bit;
            if (at < 255) out[i] |= (int64_t)(bytes[at / 8] >> at % 8 & 1) << bit;
        }
    }
}

/* The one representative below 2^255 - 19, in bytes. */
static void store(uint8_t *bytes, field a) {
    carry(a);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < LIMBS; i++) {
            int64_t over = a[i] >> width(i);
            a[i] -= over * ((int64_t)1 << width(i));
            if (i < LIMBS - 1) a[i + 1] += over;
            else a[0] += 19 * over;
        }
    int is_large = a[0] >= (1 << 26) - 19;
    for (int i = 1; i < LIMBS; i++) is_large &= a[i] == ((int64_t)1 << width(i)) - 1;
    for (int i = 0; is_large && i < LIMBS; i++) a[i] -= i ? a[i] : (1 << 26) - 19;
    memset(bytes, 0, 32);
    for (int i = 0; i < LIMBS; i++)
        for (int bit = 0; bit < width(i); bit++) {
            int at = offset_of(i) + bit;
            bytes[at / 8] |= (uint8_t)((a[i] >> bit & 1) << at % 8);
        }
}

static void ladder_step(const field x1, field x2, field z2, field x3, field z3) {
    static const field a24 = {121665};
    field a, b, aa, bb, e, c, d;
    add(a, x2, z2);
    subtract(b, x2, z2);
    square_times(aa, a, 1);
    square_times(bb, b, 1);
    subtract(e, aa, bb);
    add(c, x3, z3);
    subtract(d, x3, z3);
    multiply(d, d, a);
    multiply(c, c, b);
    add(x3, d, c);
    square_times(x3, x3, 1);
    subtract(z3, d, c);
    square_times(z3, z3, 1);
    multiply(z3, z3, x1);
    multiply(x2, aa, bb);
    multiply(z2, a24, e);
    add(z2, z2, aa);
    multiply(z2, z2, e);
}

static void scalar_multiply(uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) {
    uint8_t k[32];
    field x1, x2 = {1}, z2 = {0}, x3, z3 = {1};
    int64_t swapped = 0;
    memcpy(k, scalar, sizeof k);
    k[0] &= 248;
    k[31] = (uint8_t)((k[31] & 127) | 64);
    load(x1, point);
    memcpy(x3, x1, sizeof x3);
    for (int bit = 254; bit >= 0; bit--) {
        int64_t one = k[bit / 8] >> bit % 8 & 1;
        swap_if(x2, x3, swapped ^ one);
        swap_if(z2, z3, swapped ^ one);
        swapped = one;
        ladder_step(x1, x2, z2, x3, z3);
    }
    swap_if(x2, x3, swapped);
    swap_if(z2, z3, swapped);
    invert(z2, z2);
    multiply(x2, x2, z2);
    store(out, x2);
}

static uint64_t kernel(uint32_t times) {
    uint8_t k[32] = {9}, u[32] = {9}, next[32];
    for (uint32_t i = 0; i < times; i++) {
        scalar_multiply(next, k, u);
        memcpy(u, k, sizeof u);
        memcpy(k, next, sizeof k);
    }
    return mix_bytes(1, k, sizeof k);
}
