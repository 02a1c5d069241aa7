/* slices.h - how the programs of this folder measure beside other programs on the same machine.
 * What is measured runs in short slices, one of each row after the other, again and again. The
 * fastest tenth of a row's slices are those that nobody disturbed: the slowest of them counts as
 * the row's time. The median says how much the machine was disturbed; processor time what this
 * process itself has done. */
#ifndef MOTE_BENCH_PARTS_SLICES_H
#define MOTE_BENCH_PARTS_SLICES_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLICES = 1001 };

/* Microseconds for one operation, of each slice. */
struct slices {
    int count;
    double clock[SLICES], cpu[SLICES];
};

struct slice_times {
    double quiet, median, cpu;
};

static double slice_now_us(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The row that is measured next. */
static int slice_row(int slice, int step, int row_count) {
    return slice % 2 ? row_count - 1 - step : step;
}

/* Runs `times` times `run`, which does `each` operations, as one slice. */
static void slice_measure(struct slices *slices, void (*run)(void *), void *context, int times,
                          int each) {
    run(context);
    double began = slice_now_us(CLOCK_MONOTONIC), cpu = slice_now_us(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < times; i++) run(context);
    slices->cpu[slices->count] = (slice_now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / times / each;
    slices->clock[slices->count++] = (slice_now_us(CLOCK_MONOTONIC) - began) / times / each;
}

static int slice_order(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* Sorts the slices. */
static struct slice_times slice_sum_up(struct slices *slices) {
    int count = slices->count;
    qsort(slices->clock, (size_t)count, sizeof(double), slice_order);
    qsort(slices->cpu, (size_t)count, sizeof(double), slice_order);
    return (struct slice_times){slices->clock[count / 10], slices->clock[count / 2],
                                slices->cpu[count / 10]};
}

static void slice_print(const char *name, struct slice_times t) {
    printf("%-38s %9.2f us each; median %9.2f, processor %8.2f\n", name, t.quiet, t.median, t.cpu);
}

#endif
