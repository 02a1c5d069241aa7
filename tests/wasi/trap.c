/* trap.c - a trap ends the program with code 134.
 * run: exit: 134 -- unreachable
 * run: exit: 134 -- divide
 * run: exit: 134 -- memory */
#include "wasi_test.h"

TEST(trap) {
    volatile int zero = 0;
    if (!strcmp(arg(), "divide")) zero = 1 / zero;
    if (!strcmp(arg(), "memory")) zero = *(volatile int *)0xfffffff0;
    __builtin_trap();
}
