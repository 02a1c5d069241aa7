/* test_case.h - tests that register themselves: TEST(name) { ... }. For unit/test.h and wasi/wasi_test.h, which have the checks and main(). */
#ifndef MOTE_TESTS_TEST_CASE_H
#define MOTE_TESTS_TEST_CASE_H

#include <stddef.h>

struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
};

static struct test_case *test_first, **test_end = &test_first;
static unsigned test_failures; /* failed checks of the test under way */

#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    __attribute__((constructor)) static void test_register_##id(void) {                            \
        static struct test_case self = {#id, test_##id, NULL};                                     \
        *test_end = &self;                                                                         \
        test_end = &self.next;                                                                     \
    }                                                                                              \
    static void test_##id(void)

#endif
