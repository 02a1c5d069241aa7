/* exit.c - proc_exit: the code comes through, nothing after it runs, and what was written before is there.
 * run: exit: 0 -- 0
 * run: exit: 1 -- 1
 * run: exit: 7 -- 7
 * run: exit: 125 -- 125 */
#include "wasi_test.h"

TEST(proc_exit) {
    printf("ok leaving\n");
    fflush(stdout);
    __wasi_proc_exit((__wasi_exitcode_t)atoi(arg()));
    printf("FAILED proc_exit came back\n");
}
