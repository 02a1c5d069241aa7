/* wasi.h - WASI preview 1 for programs that run in mote: all 46 functions of `wasi_snapshot_preview1`, and `wasi_unstable` with its older shapes.
 * This header is the manual.
 *
 * A mote_wasi is what a program sees of a system: arguments, environment, open descriptors, clocks. It corresponds to one process: make one for each
 * run, define it in a linker, instantiate, call `_start` - mote_wasi_run does the last two. Files are nodes of <mote/vfs.h>: directories of
 * the host, trees in memory, or what you write yourself.
 *
 *   mote_wasi_config config;
 *   mote_wasi_config_init(&config);
 *   config.args = (mote_name[]){{"hello", 5}}, config.arg_count = 1;
 *   mote_wasi *wasi;
 *   if (mote_wasi_new(&config, &wasi, &error)) ...
 *   if (mote_wasi_define(wasi, linker, &error)) ...
 *   uint32_t code;
 *   if (mote_wasi_run(wasi, linker, store, module, &code, &error)) ...
 *
 * Descriptors: 0, 1 and 2 are the standard streams, then come the sockets, then the directories, each in the order given.
 * Sandbox: a program reaches what it was given and nothing else; paths that lead out of a directory fail with EPERM.
 * Rights: descriptors carry rights as the specification says; a call that needs one that is missing fails with ENOTCAPABLE, reading and writing
 * what was not opened for it with EBADF. fd_fdstat_set_rights can only take rights away.
 * Threads: with mote_wasi_define_threads a program may start threads (wasi-threads); all of them share this mote_wasi.
 * Blocking calls wait in slices, so that mote_store_interrupt and deadlines end them within MOTE_WASI_SLICE_MS.
 */
#ifndef MOTE_WASI_H
#define MOTE_WASI_H

#include <mote/mote.h>
#include <mote/vfs.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MOTE_WASI_SLICE_MS = 50,           /* longest wait without a look whether the store is interrupted */
    MOTE_WASI_DESCRIPTORS_MAX = 65536, /* open at once; EMFILE beyond */
    MOTE_WASI_THREADS_MAX = 1024       /* running at once; thread-spawn fails beyond */
};

typedef struct mote_wasi mote_wasi;

/* A directory that the program finds open, under a name of its own choosing. */
typedef struct mote_wasi_dir {
    const char *guest_path; /* what the program calls it: "/", "data"; slashes behind it do not count */
    const char *host_path;  /* a directory of the host, or NULL: then */
    mote_vfs_node *node;    /* any directory node; retained */
    bool read_only;         /* everything that would change something fails with EROFS */
} mote_wasi_dir;

/* Fill with mote_wasi_config_init, then change what you need. Everything is borrowed for mote_wasi_new only, except where it says retained. */
typedef struct mote_wasi_config {
    const mote_allocator *allocator; /* NULL: malloc and free; must outlive the mote_wasi */
    const mote_name *args;           /* any bytes but NUL; the first is the program's name */
    size_t arg_count;
    const mote_name *env; /* "KEY=value", any bytes but NUL */
    size_t env_count;
    const mote_wasi_dir *dirs;
    size_t dir_count;
    mote_vfs_node *const *sockets; /* listening or connected; retained. They say NONBLOCK, and wait for programs that never ask */
    size_t socket_count;
    mote_vfs_node *standard[3]; /* input, output, error; retained. NULL: see below */
    bool inherit_stdio;         /* a NULL above is the stream of this process, or fails with EBADF when written if that is closed; else it is
                                   empty input, or output that goes nowhere */

    /* For runs that are the same every time: each NULL means the system's. */
    void *context; /* passed to the two */
    /* Fills `size` bytes. */
    mote_vfs_error (*random)(void *context, void *bytes, size_t size);
    /* The time of clock 0 realtime, 1 monotonic, 2 of the process, 3 of the thread, in nanoseconds. Sleeping then takes no time by itself: a
     * wait is over when this clock says so, and it is asked with how long the program would sleep. */
    uint64_t (*clock)(void *context, unsigned clock, uint64_t sleep_ns);
} mote_wasi_config;

/* Fills *config with the defaults: no arguments, no environment, no directories, the process's streams. */
MOTE_API void mote_wasi_config_init(mote_wasi_config *config);
/* Makes the system for one run. Returns MOTE_OK, MOTE_E_ARGUMENT (a NUL in an argument, a missing path), MOTE_E_IO (a directory that cannot be opened;
 * the message names it) or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_wasi_new(const mote_wasi_config *config, mote_own mote_wasi **out, mote_error *error);
/* Closes what is open and forgets the rest. Nothing may run in it any more, and stores whose functions refer to it must be deleted first. */
MOTE_API void mote_wasi_delete(mote_own mote_wasi *wasi);

/* Defines all functions in the linker, under `wasi_snapshot_preview1` and `wasi_unstable`. The linker and its instances borrow `wasi`. */
MOTE_API MOTE_CHECKED mote_status mote_wasi_define(mote_wasi *wasi, mote_linker *linker, mote_error *error);

/* What a program that starts threads needs besides. */
typedef struct mote_wasi_threads {
    mote_module *module;       /* the program; retained */
    const mote_limits *limits; /* of each thread's store; NULL: defaults */
    /* Called on each new thread with its store and a linker that has everything of WASI and the shared memory: the place to define what else
     * the program imports. NULL: nothing. */
    mote_status (*prepare)(void *context, mote_store *store, mote_linker *linker, mote_error *error);
    void *context;
} mote_wasi_threads;

/* Defines `wasi.thread-spawn` for a program that imports it and a shared memory (wasi-threads): makes that memory, defines it in the linker under the
 * name by which the program imports it, and lets thread-spawn start a thread that instantiates the program in a store of its own over the
 * same memory and calls its `wasi_thread_start`. proc_exit or a trap of any thread ends all of them, and mote_wasi_run returns that;
 * the message of a trap that was not the first thread's ends with " in thread N at FUNCTION (OFFSET)", for its store and its backtrace are gone.
 * The fuel that `store` has now is the whole program's: its threads take from it and give back what they leave. A deadline of `store` ends all threads.
 * Call it once, after mote_wasi_define. A program that imports no shared memory is left alone.
 * store  the one in which the program's first thread will run
 * Returns MOTE_OK, MOTE_E_LIMIT or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_wasi_define_threads(mote_wasi *wasi, mote_linker *linker, mote_store *store, const mote_wasi_threads *threads,
                                                           mote_error *error);

/* Instantiates `module` and runs it: a command's `_start`, or a reactor's `_initialize` (nothing if it has neither). Waits for its threads.
 * exit_code  what proc_exit was called with, 0 when the program returned
 * Returns MOTE_OK (the program has ended by itself, with any code), or the statuses of mote_linker_instantiate and mote_call. */
MOTE_API MOTE_CHECKED mote_status mote_wasi_run(mote_wasi *wasi, mote_linker *linker, mote_store *store, mote_module *module, uint32_t *exit_code,
                                                mote_error *error);
/* Calls a reactor's `_initialize` if it has one: once, before any other of its functions. Returns MOTE_OK or the statuses of mote_call. */
MOTE_API MOTE_CHECKED mote_status mote_wasi_initialize(mote_store *store, mote_instance instance, mote_error *error);
/* For those who do not use mote_wasi_run: the first thread is done with `status` and *error. Ends the other threads (by interruption), waits for them, and
 * returns what the program as a whole ended with: as mote_wasi_run does. */
MOTE_API MOTE_CHECKED mote_status mote_wasi_finish(mote_wasi *wasi, mote_status status, uint32_t *exit_code, mote_error *error);
/* Closes all descriptors now, so that file systems commit what they hold back. keep false: they are told to forget it. Returns the first error. */
MOTE_API mote_vfs_error mote_wasi_close(mote_wasi *wasi, bool keep);

#ifdef __cplusplus
}
#endif
#endif
