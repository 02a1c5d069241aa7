/* args.c - args_get, args_sizes_get, environ_get, environ_sizes_get: what the runtime was told arrives byte by byte.
 * run: -- plain
 * run: --env ONE=1 --env TWO=a=b --env EMPTY= -- few  second  ü€😀
 * run: many */
#include "wasi_test.h"

static char **strings_get(bool env, __wasi_size_t *count, __wasi_size_t *size, char **bytes) {
    __wasi_errno_t e = env ? __wasi_environ_sizes_get(count, size) : __wasi_args_sizes_get(count, size);
    if (e) return NULL;
    char **list = malloc((*count + 1) * sizeof *list);
    *bytes = malloc(*size + 1);
    memset(*bytes, 'x', *size + 1);
    list[*count] = NULL;
    e = env ? __wasi_environ_get((uint8_t **)list, (uint8_t *)*bytes)
            : __wasi_args_get((uint8_t **)list, (uint8_t *)*bytes);
    return e ? NULL : list;
}

/* The strings lie one after the other, each with its NUL, and nothing is written behind them. */
static void strings_check(bool env) {
    __wasi_size_t count, size;
    char *bytes, *at;
    char **list = strings_get(env, &count, &size, &bytes);
    if (!CHECK(list != NULL)) return;
    at = bytes;
    for (__wasi_size_t i = 0; i < count; i++) {
        if (!CHECK(list[i] == at)) return;
        at += strlen(at) + 1;
    }
    CHECK_EQ(at - bytes, size);
    CHECK_EQ(bytes[size], 'x');
    CHECK(list[count] == NULL);
}

TEST(args_layout) { strings_check(false); }
TEST(environ_layout) { strings_check(true); }

TEST(args_values) {
    CHECK(test_argc >= 2);
    CHECK(strlen(test_argv[0]) > 0);
    if (strcmp(arg(), "few")) return;
    CHECK_EQ(test_argc, 4);
    CHECK(!strcmp(test_argv[2], "second"));
    CHECK(!strcmp(test_argv[3], "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"));
}

TEST(environ_values) {
    if (!strcmp(arg(), "plain")) {
        __wasi_size_t count = 9, size = 9;
        MUST(__wasi_environ_sizes_get(&count, &size));
        CHECK_EQ(count, 0); /* nothing of the host's environment leaks in */
        CHECK_EQ(size, 0);
    }
    if (strcmp(arg(), "few")) return;
    CHECK(!strcmp(getenv("ONE"), "1"));
    CHECK(!strcmp(getenv("TWO"), "a=b"));
    CHECK(!strcmp(getenv("EMPTY"), ""));
    CHECK(getenv("THREE") == NULL);
}

/* The runner passes argument i as "i:" and i times 'a', and as many variables. */
TEST(many) {
    if (strcmp(arg(), "many")) return;
    CHECK_EQ(test_argc, 302);
    for (int i = 2; i < test_argc; i++) {
        char head[16];
        int length = snprintf(head, sizeof head, "%d:", i - 2);
        if (!CHECK(!strncmp(test_argv[i], head, (size_t)length))) return;
        if (!CHECK_EQ(strlen(test_argv[i]), length + i - 2)) return;
    }
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "V%d", i);
        if (!CHECK(getenv(name) && strlen(getenv(name)) == (size_t)i)) return;
    }
}
