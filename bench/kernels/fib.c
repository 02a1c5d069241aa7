/* fib.c - Fibonacci numbers by double recursion: the cost of a call. Size: which number. */
#include "kernel.h"

KERNEL(41)

static __attribute__((noinline)) uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static uint64_t kernel(uint32_t n) { return fib(n); }
