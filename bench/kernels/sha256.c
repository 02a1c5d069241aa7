/* sha256.c - SHA-256 (FIPS 180-4) over a buffer, again and again: 32-bit integer arithmetic and rotations. Size: KiB hashed. */
#include "kernel.h"

KERNEL(100000)

/* The fractional parts of cube and square roots of primes, computed rather than listed. */
static uint32_t round_constant[64], initial[8];

static int is_prime(unsigned n) {
    for (unsigned d = 2; d * d <= n; d++)
        if (n % d == 0) return 0;
    return 1;
}

/* The first 32 bits behind the binary point of the root of the given degree, by bisection in integers. */
static uint32_t root_fraction(unsigned prime, int degree) {
    unsigned __int128 low = 0, high = (unsigned __int128)1 << 38;
    while (high - low > 1) {
        unsigned __int128 middle = (low + high) / 2, power = middle * middle;
        if (degree == 3 ? power * middle <= ((unsigned __int128)prime << 96) : power <= ((unsigned __int128)prime << 64)) low = middle;
        else high = middle;
    }
    return (uint32_t)low;
}

static void constants_make(void) {
    unsigned prime = 2;
    for (int i = 0; i < 64; prime++) {
        if (!is_prime(prime)) continue;
        if (i < 8) initial[i] = root_fraction(prime, 2);
        round_constant[i++] = root_fraction(prime, 3);
    }
}

static uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void schedule_make(uint32_t w[64], const uint8_t *block) {
    for (int i = 0; i < 16; i++) w[i] = big_endian(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

/* One round; instead of moving the eight words along, their names move: word n of round i lies at (n - i) mod 8. */
static inline void turn(uint32_t *s, int i, uint32_t constant, uint32_t word) {
    uint32_t a = s[(0 - i) & 7], b = s[(1 - i) & 7], c = s[(2 - i) & 7], *d = &s[(3 - i) & 7];
    uint32_t e = s[(4 - i) & 7], f = s[(5 - i) & 7], g = s[(6 - i) & 7], *h = &s[(7 - i) & 7];
    uint32_t one = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constant + word;
    *d += one;
    *h = one + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

static void compress(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64], s[8];
    schedule_make(w, block);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i += 8) {
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; j++) turn(s, j, round_constant[i + j], w[i + j]);
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

/* Hashes `size` bytes, a multiple of 64. */
static void sha256(const uint8_t *bytes, size_t size, uint32_t state[8]) {
    uint8_t last[64] = {0x80};
    memcpy(state, initial, sizeof initial);
    for (size_t at = 0; at < size; at += 64) compress(state, bytes + at);
    for (int i = 0; i < 8; i++) last[63 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
    compress(state, last);
}

static uint64_t kernel(uint32_t kib) {
    static uint8_t buffer[1 << 14];
    uint64_t sum = 1, random = 7;
    uint32_t state[8];
    constants_make();
    for (size_t i = 0; i < sizeof buffer; i++) buffer[i] = (uint8_t)random_next(&random);
    for (uint32_t done = 0; done < kib; done += sizeof buffer / 1024) {
        sha256(buffer, sizeof buffer, state);
        memcpy(buffer, state, sizeof state);
        sum = mix(sum, state[0] | (uint64_t)state[7] << 32);
    }
    return sum;
}
