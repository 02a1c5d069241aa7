/* test.h - the frame of a unit test: include it in one tests/unit/PATH_test.c, write TEST(name) { CHECK(...); }, and nothing else; tests
 * register themselves and main() is here. A failed check names itself and the test goes on, REQUIRE leaves the test. The last line printed is
 * "N passed, N failed" (tests, not checks). A word on the command line runs only the tests whose name contains it. */
#ifndef MOTE_TESTS_UNIT_TEST_H
#define MOTE_TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../test_case.h"

#define CHECK(cond) ((cond) ? true : test_fail(__FILE__, __LINE__, #cond))
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!CHECK(cond)) return;                                                                  \
    } while (0)
/* Integers of any type, compared as 64 bits; the values are shown when they differ. */
#define CHECK_EQ(a, b) test_equal(__FILE__, __LINE__, #a " == " #b, (uint64_t)(a), (uint64_t)(b))
/* NUL-terminated strings; NULL equals NULL only. */
#define CHECK_STR(a, b) test_equal_str(__FILE__, __LINE__, #a " == " #b, (a), (b))
/* `size` bytes of memory. */
#define CHECK_MEM(a, b, size) test_equal_mem(__FILE__, __LINE__, #a " == " #b, (a), (b), (size))

static inline bool test_fail(const char *file, int line, const char *what) {
    printf("%s:%d: failed: %s\n", file, line, what);
    test_failures++;
    return false;
}

static inline bool test_equal(const char *file, int line, const char *what, uint64_t a, uint64_t b) {
    if (a == b) return true;
    printf("  %" PRIu64 " (0x%" PRIx64 ") against %" PRIu64 " (0x%" PRIx64 ")\n", a, a, b, b);
    return test_fail(file, line, what);
}

static inline bool test_equal_str(const char *file, int line, const char *what, const char *a, const char *b) {
    if (a == b || (a && b && !strcmp(a, b))) return true;
    printf("  \"%s\"\n  against\n  \"%s\"\n", a ? a : "(null)", b ? b : "(null)");
    return test_fail(file, line, what);
}

static inline bool test_equal_mem(const char *file, int line, const char *what, const void *a, const void *b, size_t size) {
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < size; i++) {
        if (x[i] == y[i]) continue;
        printf("  byte %zu of %zu: 0x%02x against 0x%02x\n", i, size, x[i], y[i]);
        return test_fail(file, line, what);
    }
    return true;
}

/* True under an emulator (cross builds set MOTE_EMULATED), which lacks `what`: says so, and the test leaves. */
static inline bool test_is_emulated(const char *what) {
    bool is_emulated = getenv("MOTE_EMULATED") != NULL;
    if (is_emulated) printf("not run: the emulator lacks %s\n", what);
    return is_emulated;
}

static inline bool test_run(const struct test_case *test) {
    test_failures = 0;
    test->run();
    if (test_failures) printf("FAILED %s (%u checks)\n", test->name, test_failures);
    return !test_failures;
}

int main(int argc, char **argv) {
    unsigned passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not swallow what was said before it */
    for (const struct test_case *test = test_first; test; test = test->next) {
        if (argc > 1 && !strstr(test->name, argv[1])) continue;
        if (test_run(test)) passed++;
        else failed++;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}

#endif
