/* sem_atomic.h - accesses to memories that several threads share: the atomic instructions (threads
 * proposal), one function sem_IDENT per row of ops.def of a kind ATOMIC_x, and the plain accesses
 * to shared memories.
 * ATOMIC_LOAD     value sem_IDENT(const mem *at)
 * ATOMIC_STORE    void sem_IDENT(mem *at, value x)
 * ATOMIC_RMW      value sem_IDENT(mem *at, value x)
 * ATOMIC_CMPXCHG  value sem_IDENT(mem *at, value expected, value replacement)
 * Operands are wrapped to the width of the access, results (what was there before) zero-extended.
 * Sequentially consistent; `at` must be aligned naturally (the caller traps otherwise) and in bounds.
 * Plain accesses are relaxed atomics, so that two threads racing on guest memory are no race of
 * ours: aligned ones whole, others byte by byte, which the memory model allows. */
#ifndef MOTE_WASM_SEM_ATOMIC_H
#define MOTE_WASM_SEM_ATOMIC_H

#include "wasm/v128.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One access width: `T` the type's name, `value` its C type, `w` what follows load, store and rmw,
 * `x` the suffix of zero extension. */
#define SEM_ATOMIC_RMW(name, builtin, value, mem)                                                  \
    static inline value sem_##name(mem *at, value x) {                                             \
        return builtin(at, (mem)x, __ATOMIC_SEQ_CST);                                              \
    }
#define SEM_ATOMIC(T, w, x_u, value, mem)                                                          \
    static inline value sem_##T##_atomic_load##w##x_u(const mem *at) {                             \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                              \
    }                                                                                              \
    static inline void sem_##T##_atomic_store##w(mem *at, value x) {                               \
        __atomic_store_n(at, (mem)x, __ATOMIC_SEQ_CST);                                            \
    }                                                                                              \
    SEM_ATOMIC_RMW(T##_atomic_rmw##w##_add##x_u, __atomic_fetch_add, value, mem)                   \
    SEM_ATOMIC_RMW(T##_atomic_rmw##w##_sub##x_u, __atomic_fetch_sub, value, mem)                   \
    SEM_ATOMIC_RMW(T##_atomic_rmw##w##_and##x_u, __atomic_fetch_and, value, mem)                   \
    SEM_ATOMIC_RMW(T##_atomic_rmw##w##_or##x_u, __atomic_fetch_or, value, mem)                     \
    SEM_ATOMIC_RMW(T##_atomic_rmw##w##_xor##x_u, __atomic_fetch_xor, value, mem)                   \
    SEM_ATOMIC_RMW(T##_atomic_rmw##w##_xchg##x_u, __atomic_exchange_n, value, mem)                 \
    static inline value sem_##T##_atomic_rmw##w##_cmpxchg##x_u(mem *at, value expected,            \
                                                               value replacement) {                \
        mem found = (mem)expected; /* becomes what is there where that differs */                  \
        __atomic_compare_exchange_n(at, &found, (mem)replacement, 0, __ATOMIC_SEQ_CST,             \
                                    __ATOMIC_SEQ_CST);                                             \
        return found;                                                                              \
    }

SEM_ATOMIC(i32, , , uint32_t, uint32_t)
SEM_ATOMIC(i64, , , uint64_t, uint64_t)
SEM_ATOMIC(i32, 8, _u, uint32_t, uint8_t)
SEM_ATOMIC(i32, 16, _u, uint32_t, uint16_t)
SEM_ATOMIC(i64, 8, _u, uint64_t, uint8_t)
SEM_ATOMIC(i64, 16, _u, uint64_t, uint16_t)
SEM_ATOMIC(i64, 32, _u, uint64_t, uint32_t)

static inline void sem_atomic_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* Bytes of a shared memory, one relaxed access each. */
static inline void mote__shared_read_bytes(void *to, const uint8_t *at, size_t size) {
    uint8_t *out = to;
    for (size_t i = 0; i < size; i++) out[i] = __atomic_load_n(at + i, __ATOMIC_RELAXED);
}

static inline void mote__shared_write_bytes(uint8_t *at, const void *from, size_t size) {
    const uint8_t *in = from;
    for (size_t i = 0; i < size; i++) __atomic_store_n(at + i, in[i], __ATOMIC_RELAXED);
}

/* mote__shared_load_MEM and mote__shared_store_MEM for each C type of the column `mem`, at any
 * address; memory has no type of its own, hence may_alias. */
#define SEM_SHARED(mem)                                                                            \
    typedef mem mote__shared_##mem __attribute__((may_alias));                                     \
    static inline mem mote__shared_load_##mem(const void *at) {                                    \
        mem x;                                                                                     \
        if ((uintptr_t)at % sizeof x != 0) mote__shared_read_bytes(&x, at, sizeof x);              \
        else x = __atomic_load_n((const mote__shared_##mem *)at, __ATOMIC_RELAXED);                \
        return x;                                                                                  \
    }                                                                                              \
    static inline void mote__shared_store_##mem(void *at, mem x) {                                 \
        if ((uintptr_t)at % sizeof x != 0) mote__shared_write_bytes(at, &x, sizeof x);             \
        else __atomic_store_n((mote__shared_##mem *)at, x, __ATOMIC_RELAXED);                      \
    }
SEM_SHARED(int8_t)
SEM_SHARED(uint8_t)
SEM_SHARED(int16_t)
SEM_SHARED(uint16_t)
SEM_SHARED(int32_t)
SEM_SHARED(uint32_t)
SEM_SHARED(uint64_t)

/* A vector is two halves: no machine here promises more. */
static inline mote__v128 mote__shared_load_mote__v128(const void *at) {
    const uint8_t *low = at;
    return (mote__v128){mote__shared_load_uint64_t(low), mote__shared_load_uint64_t(low + 8)};
}

static inline void mote__shared_store_mote__v128(void *at, mote__v128 x) {
    uint8_t *low = at;
    mote__shared_store_uint64_t(low, x[0]);
    mote__shared_store_uint64_t(low + 8, x[1]);
}

/* memory.fill, memory.init and memory.copy on shared memories: eight bytes at a time where the
 * addresses allow it. */
static inline void mote__shared_fill(uint8_t *at, uint8_t byte, size_t size) {
    uint64_t word = byte * UINT64_C(0x0101010101010101);
    for (; size > 0 && (uintptr_t)at % 8 != 0; size--) mote__shared_store_uint8_t(at++, byte);
    for (; size >= 8; size -= 8, at += 8) mote__shared_store_uint64_t(at, word);
    for (; size > 0; size--) mote__shared_store_uint8_t(at++, byte);
}

static inline void mote__shared_copy_up(uint8_t *to, const uint8_t *from, size_t size) {
    for (; size > 0 && (uintptr_t)to % 8 != 0; size--) {
        mote__shared_store_uint8_t(to++, mote__shared_load_uint8_t(from++));
    }
    for (; size >= 8; size -= 8, to += 8, from += 8) {
        mote__shared_store_uint64_t(to, mote__shared_load_uint64_t(from));
    }
    for (; size > 0; size--) mote__shared_store_uint8_t(to++, mote__shared_load_uint8_t(from++));
}

static inline void mote__shared_copy_down(uint8_t *to, const uint8_t *from, size_t size) {
    to += size, from += size;
    for (; size > 0 && (uintptr_t)to % 8 != 0; size--) {
        mote__shared_store_uint8_t(--to, mote__shared_load_uint8_t(--from));
    }
    for (; size >= 8; size -= 8) {
        mote__shared_store_uint64_t(to -= 8, mote__shared_load_uint64_t(from -= 8));
    }
    for (; size > 0; size--) mote__shared_store_uint8_t(--to, mote__shared_load_uint8_t(--from));
}

/* The two ranges may overlap; either may be private. */
static inline void mote__shared_copy(uint8_t *to, const uint8_t *from, size_t size) {
    if ((uintptr_t)to <= (uintptr_t)from) mote__shared_copy_up(to, from, size);
    else mote__shared_copy_down(to, from, size);
}

#undef SEM_ATOMIC
#undef SEM_ATOMIC_RMW
#undef SEM_SHARED

#endif
