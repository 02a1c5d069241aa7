/* sem_atomic_test.c - atomic instructions against plain C on one thread, that they are atomic on
 * several, and the plain accesses to shared memories at every alignment. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "sem_ref.h"
#include "wasm/sem_atomic.h"

#include <pthread.h>
#include <sched.h>

/* A memory that an access must leave alone outside its own bytes. */
struct cell {
    uint64_t before;
    union {
        uint8_t uint8_t_;
        uint16_t uint16_t_;
        uint32_t uint32_t_;
        uint64_t uint64_t_;
    } at;
    uint64_t after;
};

/* One width: `T` the type's name, `w` and `x_u` as in the function's names. */
#define WIDTH_TEST(name, T, w, x_u, value, mem)                                                    \
    static struct cell name##_cell(uint64_t bits) {                                                \
        return (struct cell){ref_random_state, {.uint64_t_ = bits}, ~ref_random_state};            \
    }                                                                                              \
    static void name##_check(const struct cell *cell, uint64_t old, mem want) {                    \
        uint64_t rest = sizeof(mem) < 8 ? ~(uint64_t)0 << sizeof(mem) % 8 * 8 : 0;                 \
        CHECK_EQ(cell->at.uint64_t_, (old & rest) | want);                                         \
        CHECK_EQ(cell->before, ref_random_state);                                                  \
        CHECK_EQ(cell->after, ~ref_random_state);                                                  \
    }                                                                                              \
    static void name##_pair(uint64_t old, value x) {                                               \
        const mem was = (mem)old;                                                                  \
        struct cell cell = name##_cell(old);                                                       \
        CHECK_EQ(sem_##T##_atomic_load##w##x_u(&cell.at.mem##_), was);                             \
        sem_##T##_atomic_store##w(&cell.at.mem##_, x);                                             \
        name##_check(&cell, old, (mem)x);                                                          \
        RMW(name, T, w, x_u, add, was + x)                                                         \
        RMW(name, T, w, x_u, sub, was - x)                                                         \
        RMW(name, T, w, x_u, and, was &x)                                                          \
        RMW(name, T, w, x_u, or, was | x)                                                          \
        RMW(name, T, w, x_u, xor, was ^ x)                                                         \
        RMW(name, T, w, x_u, xchg, x)                                                              \
        cell = name##_cell(old);                                                                   \
        CHECK_EQ(sem_##T##_atomic_rmw##w##_cmpxchg##x_u(&cell.at.mem##_, (value)old, x), was);     \
        name##_check(&cell, old, (mem)x);                                                          \
        cell = name##_cell(old);                                                                   \
        CHECK_EQ(sem_##T##_atomic_rmw##w##_cmpxchg##x_u(&cell.at.mem##_, (value)(old + 1), x), was); \
        name##_check(&cell, old, was);                                                             \
    }                                                                                              \
    TEST(name) {                                                                                   \
        for (size_t m = 0; m < COUNT_OF(ref_integers); m++) {                                      \
            for (size_t n = 0; n < COUNT_OF(ref_integers); n++) {                                  \
                name##_pair(ref_integers[m], (value)ref_integers[n]);                              \
            }                                                                                      \
        }                                                                                          \
    }
#define RMW(name, T, w, x_u, op, expr)                                                             \
    cell = name##_cell(old);                                                                       \
    CHECK_EQ(sem_##T##_atomic_rmw##w##_##op##x_u(name##_at(&cell), x), was);                       \
    name##_check(&cell, old, name##_cut(expr));

#define ACCESS(name, mem)                                                                          \
    static mem *name##_at(struct cell *cell) { return &cell->at.mem##_; }                          \
    static mem name##_cut(uint64_t x) { return (mem)x; }

ACCESS(i32_8, uint8_t)
ACCESS(i32_16, uint16_t)
ACCESS(i32_32, uint32_t)
ACCESS(i64_8, uint8_t)
ACCESS(i64_16, uint16_t)
ACCESS(i64_32, uint32_t)
ACCESS(i64_64, uint64_t)
WIDTH_TEST(i32_8, i32, 8, _u, uint32_t, uint8_t)
WIDTH_TEST(i32_16, i32, 16, _u, uint32_t, uint16_t)
WIDTH_TEST(i32_32, i32, , , uint32_t, uint32_t)
WIDTH_TEST(i64_8, i64, 8, _u, uint64_t, uint8_t)
WIDTH_TEST(i64_16, i64, 16, _u, uint64_t, uint16_t)
WIDTH_TEST(i64_32, i64, 32, _u, uint64_t, uint32_t)
WIDTH_TEST(i64_64, i64, , , uint64_t, uint64_t)

enum { THREAD_COUNT = 4, STEP_COUNT = 1000000, ROUND_COUNT = 100000 };

/* Waits until *count is at least `want`, spinning first: threads that wake together run into each other. */
static void wait_for(const uint32_t *count, uint32_t want) {
    for (unsigned spins = 0; __atomic_load_n(count, __ATOMIC_ACQUIRE) < want; spins++) {
        if (spins > 2000) sched_yield();
    }
}

/* Counts in the four ways that an update can be lost, one of them on one byte of a word. */
static struct {
    uint32_t arrived;
    uint64_t sum;
    uint32_t difference, exchanged;
    uint8_t bytes[8];
} shared;

static void *count_up(void *byte_index) {
    uint8_t *byte = &shared.bytes[*(unsigned *)byte_index];
    __atomic_fetch_add(&shared.arrived, 1, __ATOMIC_ACQ_REL);
    wait_for(&shared.arrived, THREAD_COUNT);
    for (unsigned step = 0; step < STEP_COUNT; step++) {
        sem_i64_atomic_rmw_add(&shared.sum, 3);
        sem_i32_atomic_rmw_sub(&shared.difference, 1);
        sem_i32_atomic_rmw8_add_u(byte, 1);
        uint32_t seen = sem_i32_atomic_load(&shared.exchanged), found;
        while ((found = sem_i32_atomic_rmw_cmpxchg(&shared.exchanged, seen, seen + 1)) != seen) seen = found;
    }
    return NULL;
}

TEST(no_update_is_lost) {
    pthread_t threads[THREAD_COUNT];
    unsigned indices[THREAD_COUNT];
    for (unsigned n = 0; n < THREAD_COUNT; n++) {
        indices[n] = n;
        REQUIRE(pthread_create(&threads[n], NULL, count_up, &indices[n]) == 0);
    }
    for (unsigned n = 0; n < THREAD_COUNT; n++) pthread_join(threads[n], NULL);
    CHECK_EQ(shared.sum, 3 * THREAD_COUNT * STEP_COUNT);
    CHECK_EQ(shared.difference, (uint32_t)-(THREAD_COUNT * STEP_COUNT));
    CHECK_EQ(shared.exchanged, THREAD_COUNT * STEP_COUNT);
    for (unsigned n = 0; n < THREAD_COUNT; n++) CHECK_EQ(shared.bytes[n], STEP_COUNT & 0xFF);
}

/* Dekker's pattern: each of two threads stores to its flag and loads the other's. With sequential
 * consistency at least one of them sees the other's store. Each then waits for the other, so that
 * both start the next round at nearly the same time. */
static struct {
    _Alignas(64) uint32_t flag;
    bool blind[ROUND_COUNT + 1];
} sides[2];

static void *raise_and_look(void *own_index) {
    unsigned own = *(unsigned *)own_index;
    for (uint32_t round = 1; round <= ROUND_COUNT; round++) {
        sem_i32_atomic_store(&sides[own].flag, round);
        sides[own].blind[round] = sem_i32_atomic_load(&sides[1 - own].flag) < round;
        wait_for(&sides[1 - own].flag, round);
    }
    return NULL;
}

TEST(stores_are_seen_in_one_order) {
    unsigned indices[2] = {0, 1}, both_blind = 0;
    pthread_t other;
    if (test_is_emulated("the order of a store and the load after it")) return;
    REQUIRE(pthread_create(&other, NULL, raise_and_look, &indices[1]) == 0);
    raise_and_look(&indices[0]);
    pthread_join(other, NULL);
    for (unsigned round = 1; round <= ROUND_COUNT; round++) both_blind += sides[0].blind[round] && sides[1].blind[round];
    CHECK_EQ(both_blind, 0);
}

/* A plain access at every offset within a word, with its neighbours watched. */
#define SHARED_TEST(mem)                                                                           \
    TEST(shared_##mem) {                                                                           \
        for (size_t offset = 0; offset < 16; offset++) {                                           \
            _Alignas(16) uint8_t bytes[48], want[48];                                              \
            for (size_t n = 0; n < sizeof bytes; n++) bytes[n] = want[n] = (uint8_t)ref_random();  \
            mem x, put;                                                                            \
            uint64_t random[2] = {ref_random(), ref_random()};                                     \
            memcpy(&put, random, sizeof put);                                                      \
            x = mote__shared_load_##mem(bytes + offset);                                           \
            CHECK_MEM(&x, want + offset, sizeof x);                                                \
            mote__shared_store_##mem(bytes + offset, put);                                         \
            memcpy(want + offset, &put, sizeof put);                                               \
            CHECK_MEM(bytes, want, sizeof want);                                                   \
        }                                                                                          \
    }
SHARED_TEST(int8_t)
SHARED_TEST(uint8_t)
SHARED_TEST(int16_t)
SHARED_TEST(uint16_t)
SHARED_TEST(int32_t)
SHARED_TEST(uint32_t)
SHARED_TEST(uint64_t)
SHARED_TEST(mote__v128)

TEST(shared_fill_and_copy) {
    _Alignas(8) uint8_t bytes[96], want[96];
    for (unsigned round = 0; round < 4000; round++) {
        size_t size = ref_random() % 40, to = ref_random() % 50, from = round % 4 ? ref_random() % 50 : to + round % 3;
        for (size_t n = 0; n < sizeof bytes; n++) bytes[n] = want[n] = (uint8_t)ref_random();
        mote__shared_copy(bytes + to, bytes + from, size);
        memmove(want + to, want + from, size);
        CHECK_MEM(bytes, want, sizeof want);
        mote__shared_fill(bytes + from, (uint8_t)round, size);
        memset(want + from, (uint8_t)round, size);
        CHECK_MEM(bytes, want, sizeof want);
    }
}
