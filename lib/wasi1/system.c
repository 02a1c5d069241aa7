/* system.c - arguments, environment, clocks, random bytes, the process (WASI preview 1). */
#include "process.h"
#include <sched.h>

/* ---------------------------------------------------------------- arguments and environment */

/* Writes the strings at `buffer` and a pointer to each at `pointers`. */
static mote_vfs_error put_strings(const struct call *c, const struct strings *strings,
                                  uint32_t pointers, uint32_t buffer) {
    uint8_t *at = guest_at(c, pointers, (uint64_t)strings->count * 4);
    if (!at) return MOTE_VFS_EFAULT;
    mote_vfs_error error = guest_put(c, buffer, strings->bytes, strings->size);
    if (error) return error;
    uint32_t offset = 0;
    for (size_t i = 0; i < strings->count; i++) {
        mote__store_u32(at + i * 4, buffer + offset);
        offset += (uint32_t)strlen(strings->bytes + offset) + 1;
    }
    return MOTE_VFS_OK;
}

static mote_vfs_error put_sizes(const struct call *c, const struct strings *strings, uint32_t count,
                                uint32_t size) {
    mote_vfs_error error = guest_put_u32(c, count, (uint32_t)strings->count);
    return error ? error : guest_put_u32(c, size, (uint32_t)strings->size);
}

mote_vfs_error mote__wasi_args_get(struct call *c, uint32_t argv, uint32_t buffer) {
    return put_strings(c, &c->wasi->args, argv, buffer);
}
mote_vfs_error mote__wasi_args_sizes_get(struct call *c, uint32_t count, uint32_t size) {
    return put_sizes(c, &c->wasi->args, count, size);
}
mote_vfs_error mote__wasi_environ_get(struct call *c, uint32_t env, uint32_t buffer) {
    return put_strings(c, &c->wasi->env, env, buffer);
}
mote_vfs_error mote__wasi_environ_sizes_get(struct call *c, uint32_t count, uint32_t size) {
    return put_sizes(c, &c->wasi->env, count, size);
}

/* ---------------------------------------------------------------- clocks */

static const enum os_clock clocks[WASI_CLOCKS] = {OS_CLOCK_REALTIME, OS_CLOCK_MONOTONIC,
                                                  OS_CLOCK_PROCESS_CPU, OS_CLOCK_THREAD_CPU};

uint64_t mote__wasi_now(mote_wasi *wasi, unsigned clock, uint64_t sleep_ns) {
    return wasi->clock ? wasi->clock(wasi->context, clock, sleep_ns)
                       : mote__os_clock_ns(clocks[clock]);
}

mote_vfs_error mote__wasi_clock_res_get(struct call *c, uint32_t clock, uint32_t out) {
    if (clock >= WASI_CLOCKS) return MOTE_VFS_EINVAL;
    uint64_t resolution = c->wasi->clock ? 1 : mote__os_clock_resolution_ns(clocks[clock]);
    return resolution ? guest_put_u64(c, out, resolution) : MOTE_VFS_ENOTSUP;
}

mote_vfs_error mote__wasi_clock_time_get(struct call *c, uint32_t clock, uint64_t precision,
                                         uint32_t out) {
    (void)precision; /* always the best there is */
    if (clock >= WASI_CLOCKS) return MOTE_VFS_EINVAL;
    return guest_put_u64(c, out, mote__wasi_now(c->wasi, clock, 0));
}

/* ---------------------------------------------------------------- random bytes */

enum { RANDOM_SLICE = 1 << 20 }; /* between looks whether the program is to end */

static mote_vfs_error fill_random(mote_wasi *wasi, uint8_t *at, size_t size) {
    if (wasi->random) return wasi->random(wasi->context, at, size);
    return mote__os_random(at, size) ? MOTE_VFS_OK : MOTE_VFS_EIO;
}

mote_vfs_error mote__wasi_random_get(struct call *c, uint32_t buffer, uint32_t size) {
    uint8_t *at = guest_at(c, buffer, size);
    mote_vfs_error error = at ? MOTE_VFS_OK : MOTE_VFS_EFAULT;
    for (uint32_t done = 0; !error && done < size;) {
        uint32_t part = size - done < RANDOM_SLICE ? size - done : RANDOM_SLICE;
        error = fill_random(c->wasi, at + done, part);
        done += part;
        if (mote__wasi_stopped(c)) return MOTE_VFS_EINTR;
    }
    return error;
}

/* ---------------------------------------------------------------- the process */

mote_vfs_error mote__wasi_proc_exit(struct call *c, uint32_t code) {
    c->status = mote_caller_fail(c->caller, MOTE_E_EXIT, code, "exit with code %u", (unsigned)code);
    return MOTE_VFS_OK;
}

mote_vfs_error mote__wasi_proc_raise(struct call *c, uint32_t signal) {
    (void)c, (void)signal; /* there is nobody to send signals to */
    return MOTE_VFS_ENOTSUP;
}

mote_vfs_error mote__wasi_sched_yield(struct call *c) {
    (void)c;
    sched_yield();
    return MOTE_VFS_OK;
}
