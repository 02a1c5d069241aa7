/* quicksort.c - quicksort with the median of three, insertion sort for short ranges: branches that depend on data. Size: thousands of numbers. */
#include "kernel.h"

KERNEL(5000)

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t t = *a;
    *a = *b;
    *b = t;
}

static void insertion(uint32_t *a, int32_t count) {
    for (int32_t i = 1; i < count; i++) {
        uint32_t moving = a[i];
        int32_t at = i;
        for (; at > 0 && a[at - 1] > moving; at--) a[at] = a[at - 1];
        a[at] = moving;
    }
}

static uint32_t middle_of(uint32_t *a, int32_t count) {
    uint32_t *low = a, *middle = a + count / 2, *high = a + count - 1;
    if (*middle < *low) swap(middle, low);
    if (*high < *low) swap(high, low);
    if (*high < *middle) swap(high, middle);
    return *middle;
}

static void sort(uint32_t *a, int32_t count) {
    while (count > 16) {
        uint32_t pivot = middle_of(a, count);
        int32_t left = 0, right = count - 1;
        while (left <= right) {
            while (a[left] < pivot) left++;
            while (a[right] > pivot) right--;
            if (left <= right) swap(&a[left++], &a[right--]);
        }
        sort(a, right + 1);
        a += left;
        count -= left;
    }
    insertion(a, count);
}

static uint64_t kernel(uint32_t thousands) {
    uint32_t count = thousands * 1000, *a = need(count * sizeof *a);
    uint64_t random = 5, sum = 1;
    for (uint32_t i = 0; i < count; i++) a[i] = (uint32_t)random_next(&random);
    sort(a, (int32_t)count);
    for (uint32_t i = 1; i < count; i++) sum = (a[i - 1] > a[i]) ? 0 : sum + a[i] * (uint64_t)i;
    return sum;
}
