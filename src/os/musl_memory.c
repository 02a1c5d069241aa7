/* musl_memory.c - memcpy, memmove and memset for the static mote: musl's own copy eight bytes at a time, and one byte at a time where the
 * areas overlap, which shows in every guest that copies much (memory.copy and memory.fill come down to these).
 * Linked into the command alone, before musl. Small sizes are two overlapping accesses of the largest width that fits, all loads before the first
 * store, so that direction does not matter; large ones go in blocks from the end that the overlap leaves free.
 * Keeps: nothing here is turned back into a call of itself (the file is compiled with -fno-builtin). */
#include <stddef.h>
#include <stdint.h>

typedef unsigned char vec16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t any64 __attribute__((aligned(1), may_alias));
typedef uint32_t any32 __attribute__((aligned(1), may_alias));
typedef uint16_t any16 __attribute__((aligned(1), may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

/* From here on one string instruction is faster than a loop, on processors of the last ten years; much slower when the areas are closer than that. */
enum { STRING_MIN = 2048 };

#define LOAD(type, at)     (*(const type *)(const void *)(at))
#define STORE(type, at, x) (*(type *)(void *)(at) = (x))
/* The first and the last bytes, which may overlap. */
#define COPY_ENDS(type)                                                                            \
    do {                                                                                           \
        type first = LOAD(type, s), last = LOAD(type, s + n - sizeof(type));                       \
        STORE(type, d, first);                                                                     \
        STORE(type, d + n - sizeof(type), last);                                                   \
    } while (0)

static inline void copy_64(unsigned char *d, const unsigned char *s) {
    vec16 a = LOAD(vec16, s), b = LOAD(vec16, s + 16), c = LOAD(vec16, s + 32), e = LOAD(vec16, s + 48);
    STORE(vec16, d, a);
    STORE(vec16, d + 16, b);
    STORE(vec16, d + 32, c);
    STORE(vec16, d + 48, e);
}

static inline void copy_string(unsigned char *d, const unsigned char *s, size_t n) {
#if defined(__x86_64__)
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
#else
    for (; n >= 64; n -= 64, d += 64, s += 64) copy_64(d, s);
    while (n--) *d++ = *s++;
#endif
}

/* More than 64 bytes to a lower address, or to one behind the source: the last 64 are loaded first, since the way there may overwrite them. */
static void copy_forward(unsigned char *d, const unsigned char *s, size_t n) {
    if (n >= STRING_MIN && (uintptr_t)(s - d) >= STRING_MIN) {
        copy_string(d, s, n);
        return;
    }
    const unsigned char *end = s + n - 64;
    vec16 a = LOAD(vec16, end), b = LOAD(vec16, end + 16), c = LOAD(vec16, end + 32), e = LOAD(vec16, end + 48);
    unsigned char *last = d + n - 64;
    for (; d < last; d += 64, s += 64) copy_64(d, s);
    STORE(vec16, last, a);
    STORE(vec16, last + 16, b);
    STORE(vec16, last + 32, c);
    STORE(vec16, last + 48, e);
}

/* More than 64 bytes to a higher address inside the source. */
static void copy_backward(unsigned char *d, const unsigned char *s, size_t n) {
    vec16 a = LOAD(vec16, s), b = LOAD(vec16, s + 16), c = LOAD(vec16, s + 32), e = LOAD(vec16, s + 48);
    for (size_t left = n; left > 64; left -= 64) copy_64(d + left - 64, s + left - 64);
    STORE(vec16, d, a);
    STORE(vec16, d + 16, b);
    STORE(vec16, d + 32, c);
    STORE(vec16, d + 48, e);
}

static inline void copy_up_to_64(unsigned char *d, const unsigned char *s, size_t n) {
    if (n > 32) {
        vec16 a = LOAD(vec16, s), b = LOAD(vec16, s + 16), c = LOAD(vec16, s + n - 32), e = LOAD(vec16, s + n - 16);
        STORE(vec16, d, a);
        STORE(vec16, d + 16, b);
        STORE(vec16, d + n - 32, c);
        STORE(vec16, d + n - 16, e);
    } else if (n >= 16) {
        COPY_ENDS(vec16);
    } else if (n >= 8) {
        COPY_ENDS(any64);
    } else if (n >= 4) {
        COPY_ENDS(any32);
    } else if (n >= 2) {
        COPY_ENDS(any16);
    } else if (n) {
        *d = *s;
    }
}

void *memmove(void *to, const void *from, size_t n) {
    unsigned char *d = to;
    const unsigned char *s = from;
    if (n <= 64) copy_up_to_64(d, s, n);
    else if ((uintptr_t)(d - s) >= n) copy_forward(d, s, n);
    else copy_backward(d, s, n);
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) { return memmove(to, from, n); }

static inline void fill_up_to_64(unsigned char *d, uint64_t pattern, vec16 v, size_t n) {
    if (n > 32) {
        STORE(vec16, d, v);
        STORE(vec16, d + 16, v);
        STORE(vec16, d + n - 32, v);
        STORE(vec16, d + n - 16, v);
    } else if (n >= 16) {
        STORE(vec16, d, v);
        STORE(vec16, d + n - 16, v);
    } else if (n >= 8) {
        STORE(any64, d, pattern);
        STORE(any64, d + n - 8, pattern);
    } else if (n >= 4) {
        STORE(any32, d, (uint32_t)pattern);
        STORE(any32, d + n - 4, (uint32_t)pattern);
    } else if (n >= 2) {
        STORE(any16, d, (uint16_t)pattern);
        STORE(any16, d + n - 2, (uint16_t)pattern);
    } else if (n) {
        *d = (unsigned char)pattern;
    }
}

static inline void fill_64(unsigned char *d, vec16 v) {
    STORE(vec16, d, v);
    STORE(vec16, d + 16, v);
    STORE(vec16, d + 32, v);
    STORE(vec16, d + 48, v);
}

static void fill_many(unsigned char *d, unsigned char value, vec16 v, size_t n) {
#if defined(__x86_64__)
    if (n >= STRING_MIN) {
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(value) : "memory");
        return;
    }
#endif
    (void)value;
    unsigned char *last = d + n - 64;
    for (; d < last; d += 64) fill_64(d, v);
    fill_64(last, v);
}

void *memset(void *to, int value, size_t n) {
    uint64_t pattern = (unsigned char)value * UINT64_C(0x0101010101010101);
    typedef uint64_t pair __attribute__((vector_size(16)));
    vec16 v = (vec16)(pair){pattern, pattern};
    if (n <= 64) fill_up_to_64(to, pattern, v, n);
    else fill_many(to, (unsigned char)value, v, n);
    return to;
}
