/* run_test.c - programs written here in the text format, run with WASI: linking of all functions
 * under both names, exit codes, reactors, interruption of waits, threads that share a memory. */
#define _GNU_SOURCE
#include "test.h"
#include "os/os.h"
#include <mote/wasi.h>
#include <stdlib.h>
#include <unistd.h>

/* ---------------------------------------------------------------- a place to run in */

struct machine {
    mote_engine *engine;
    mote_store *store;
    mote_linker *linker;
    mote_module *module;
    mote_wasi *wasi;
    mote_vfs_node *output;
    mote_error error;
    uint32_t exit_code;
};

/* The machine holds the output from then on. */
static bool begin_to(struct machine *m, const char *text, mote_vfs_node *output) {
    mote_wasi_config config;
    mote_wasi_config_init(&config);
    *m = (struct machine){.exit_code = 99, .output = output};
    config.inherit_stdio = false;
    config.standard[1] = m->output;
    mote_status status = mote_engine_new(NULL, &m->engine, &m->error);
    if (!status) status = mote_store_new(m->engine, NULL, &m->store, &m->error);
    if (!status) status = mote_linker_new(m->engine, &m->linker, &m->error);
    if (!status) status = mote_module_new(m->engine, text, strlen(text), 0, &m->module, &m->error);
    if (!status) status = mote_wasi_new(&config, &m->wasi, &m->error);
    if (!status) status = mote_wasi_define(m->wasi, m->linker, &m->error);
    if (status) printf("  %s\n", m->error.message);
    return status == MOTE_OK;
}

static bool begin(struct machine *m, const char *text) {
    mote_vfs_node *output;
    return !mote_vfs_buffer_new(NULL, 1 << 16, &output) && begin_to(m, text, output);
}

static void end(struct machine *m) {
    mote_store_delete(m->store);
    mote_linker_delete(m->linker);
    mote_wasi_delete(m->wasi);
    mote_module_delete(m->module);
    mote_engine_delete(m->engine);
    mote_vfs_release(m->output);
}

static mote_status run(struct machine *m) {
    mote_status status =
        mote_wasi_run(m->wasi, m->linker, m->store, m->module, &m->exit_code, &m->error);
    if (status) printf("  (%s)\n", m->error.message);
    return status;
}

static bool printed(const struct machine *m, const char *text) {
    size_t size;
    const char *bytes = mote_vfs_buffer_bytes(m->output, &size);
    return size == strlen(text) && !memcmp(bytes, text, size);
}

/* ---------------------------------------------------------------- linking */

struct import {
    const char *name, *signature;
    bool old; /* in wasi_unstable too */
};

static const struct import imports[] = {
#define WASI1(name, signature)          {#name, #signature, true},
#define WASI1_OLD(name, signature, old) WASI1(name, signature)
#define WASI1_NEW(name, signature)      {#name, #signature, false},
#include "wasi1/wasi1.def"
#undef WASI1
#undef WASI1_OLD
#undef WASI1_NEW
};

static size_t append_import(char *out, size_t room, const char *module,
                            const struct import *import) {
    size_t size =
        (size_t)snprintf(out, room, "(import \"%s\" \"%s\" (func (param", module, import->name);
    for (const char *letter = import->signature; *letter == 'i' || *letter == 'I'; letter++)
        size += (size_t)snprintf(out + size, room - size, *letter == 'i' ? " i32" : " i64");
    bool returns = !strchr(import->signature, 'v');
    return size +
           (size_t)snprintf(out + size, room - size, ")%s))\n", returns ? " (result i32)" : "");
}

/* A module that imports everything there is. */
static char *import_all(char *out, size_t room) {
    size_t size = (size_t)snprintf(out, room, "(module\n");
    for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
        size += append_import(out + size, room - size, "wasi_snapshot_preview1", &imports[i]);
        if (imports[i].old)
            size += append_import(out + size, room - size, "wasi_unstable", &imports[i]);
    }
    snprintf(out + size, room - size, "(func (export \"_start\")))");
    return out;
}

TEST(links_all) {
    static char text[32768];
    struct machine m;
    CHECK_EQ(sizeof imports / sizeof *imports, 46);
    REQUIRE(begin(&m, import_all(text, sizeof text)));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 0);
    end(&m);
}

/* ---------------------------------------------------------------- commands and reactors */

#define IMPORT_WRITE                                                                               \
    "(import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) "        \
    "(result i32)))\n"
#define IMPORT_EXIT "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))\n"
#define HELLO                                                                                      \
    "(memory (export \"memory\") 1)\n"                                                             \
    "(data (i32.const 0) \"\\10\\00\\00\\00\\06\\00\\00\\00\")\n"                                  \
    "(data (i32.const 16) \"hello\\n\")\n"
#define CALL_WRITE "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))\n"

TEST(command) {
    struct machine m;
    REQUIRE(begin(&m, "(module " IMPORT_WRITE HELLO "(func (export \"_start\") " CALL_WRITE "))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 0);
    CHECK(printed(&m, "hello\n"));
    end(&m);
}

TEST(exit_codes) {
    struct machine m;
    REQUIRE(begin(&m, "(module " IMPORT_EXIT HELLO
                      "(func (export \"_start\") (call $exit (i32.const 255)) unreachable))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 255);
    end(&m);
}

TEST(trap) {
    struct machine m;
    REQUIRE(begin(&m, "(module " IMPORT_WRITE HELLO "(func (export \"_start\") " CALL_WRITE
                      " unreachable))"));
    CHECK_EQ(run(&m), MOTE_E_TRAP);
    CHECK_EQ(m.error.trap, MOTE_TRAP_UNREACHABLE);
    CHECK(printed(&m, "hello\n"));
    end(&m);
}

TEST(reactor) {
    struct machine m;
    REQUIRE(
        begin(&m, "(module " IMPORT_WRITE HELLO "(func (export \"_initialize\") " CALL_WRITE "))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 0);
    CHECK(printed(&m, "hello\n"));
    end(&m);
}

/* Without a memory every pointer is bad. */
TEST(no_memory) {
    struct machine m;
    REQUIRE(begin(&m, "(module " IMPORT_WRITE IMPORT_EXIT
                      "(func (export \"_start\") (call $exit (call $write (i32.const 1) (i32.const "
                      "0) (i32.const 1) (i32.const 8)))))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, MOTE_VFS_EFAULT);
    end(&m);
}

TEST(bad_pointer) {
    struct machine m;
    REQUIRE(begin(&m, "(module " IMPORT_WRITE IMPORT_EXIT HELLO
                      "(func (export \"_start\") (call $exit (call $write (i32.const 1) (i32.const "
                      "65532) (i32.const 1) (i32.const 8)))))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, MOTE_VFS_EFAULT);
    end(&m);
}

/* ---------------------------------------------------------------- interruption */

static void *interrupt_soon(void *argument) {
    mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + 100000000);
    mote_store_interrupt(((struct machine *)argument)->store);
    return NULL;
}

/* Sleeps for 100 seconds, unless somebody interrupts. */
TEST(interrupted_sleep) {
    struct machine m;
    struct os_thread thread;
    REQUIRE(begin(&m,
                  "(module (import \"wasi_snapshot_preview1\" \"poll_oneoff\" (func $poll (param "
                  "i32 i32 i32 i32) (result i32)))\n"
                  "(memory (export \"memory\") 1)\n"
                  "(func (export \"_start\")\n"
                  "(i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const "
                  "100000000000))\n"
                  "(drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"));
    uint64_t before = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    REQUIRE(!mote__os_thread_create(&thread, interrupt_soon, &m, 0));
    CHECK_EQ(run(&m), MOTE_E_TRAP);
    CHECK_EQ(m.error.trap, MOTE_TRAP_INTERRUPTED);
    CHECK(mote__os_clock_ns(OS_CLOCK_MONOTONIC) - before < 5000000000);
    mote__os_thread_join(thread);
    end(&m);
}

/* Writes 64 KiB to a pipe, again and again. */
#define WRITE_FOR_EVER                                                                             \
    "(module " IMPORT_WRITE "(memory (export \"memory\") 3)\n"                                     \
    "(func (export \"_start\")\n"                                                                  \
    "(i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))\n"    \
    "(loop $again "                                                                                \
    "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $again))))"

/* Nobody reads: the program waits in a write, until it is interrupted. */
TEST(interrupted_write) {
    int ends[2];
    struct machine m;
    struct os_thread thread;
    mote_vfs_node *output;
    REQUIRE(!pipe(ends));
    REQUIRE(!mote_vfs_fd_new(NULL, ends[1], true, &output));
    REQUIRE(begin_to(&m, WRITE_FOR_EVER, output));
    REQUIRE(!mote__os_thread_create(&thread, interrupt_soon, &m, 0));
    CHECK_EQ(run(&m), MOTE_E_TRAP);
    CHECK_EQ(m.error.trap, MOTE_TRAP_INTERRUPTED);
    mote__os_thread_join(thread);
    end(&m);
    close(ends[0]);
}

/* A stream of somebody's own that waits by itself. */
static mote_vfs_error wait_without_end(void *context, const void *data, size_t size, size_t *done) {
    (void)context, (void)data, (void)size, (void)done;
    while (!mote_vfs_is_over())
        mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + 1000000);
    return MOTE_VFS_EIO;
}

TEST(interrupted_node) {
    struct machine m;
    struct os_thread thread;
    mote_vfs_node *output;
    const mote_vfs_stream stream = {.write = wait_without_end};
    REQUIRE(!mote_vfs_stream_new(NULL, &stream, &output));
    REQUIRE(begin_to(&m, WRITE_FOR_EVER, output));
    CHECK(!mote_store_interrupted(m.store));
    REQUIRE(!mote__os_thread_create(&thread, interrupt_soon, &m, 0));
    CHECK_EQ(run(&m), MOTE_E_TRAP);
    CHECK_EQ(m.error.trap, MOTE_TRAP_INTERRUPTED);
    CHECK(!mote_vfs_is_over()); /* that was the call's */
    mote__os_thread_join(thread);
    end(&m);
}

/* A slow reader gets everything, in writes that are as long as the program asked for. */
struct drain {
    int fd;
    size_t bytes;
};

static void *drain(void *argument) {
    struct drain *d = argument;
    static char buffer[3000];
    for (ssize_t got; (got = read(d->fd, buffer, sizeof buffer)) > 0;) d->bytes += (size_t)got;
    return NULL;
}

TEST(long_write) {
    int ends[2];
    struct machine m;
    struct os_thread thread;
    mote_vfs_node *output;
    REQUIRE(!pipe(ends));
    struct drain d = {.fd = ends[0]};
    REQUIRE(!mote_vfs_fd_new(NULL, ends[1], true, &output));
    REQUIRE(
        begin_to(&m,
                 "(module " IMPORT_WRITE IMPORT_EXIT "(memory (export \"memory\") 17)\n"
                 "(func (export \"_start\") (i32.store (i32.const 4) (i32.const 1000000))\n"
                 "(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))\n"
                 "(call $exit (i32.ne (i32.load (i32.const 8)) (i32.const 1000000)))))",
                 output));
    REQUIRE(!mote__os_thread_create(&thread, drain, &d, 0));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 0);
    end(&m);
    mote__os_thread_join(thread);
    CHECK_EQ(d.bytes, 1000000);
    close(ends[0]);
}

/* ---------------------------------------------------------------- threads */

/* At 0 a counter that threads add to, at 4 the number of those that are done. */
#define THREADED                                                                                   \
    "(import \"env\" \"memory\" (memory 1 2 shared))\n"                                            \
    "(import \"wasi\" \"thread-spawn\" (func $spawn (param i32) (result i32)))\n" IMPORT_EXIT      \
    "(export \"memory\" (memory 0))\n"
#define DONE                                                                                       \
    "(drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))\n"                                    \
    "(drop (memory.atomic.notify (i32.const 4) (i32.const 100)))\n"
#define WAIT_FOR_FOUR                                                                              \
    "(loop $again (local.set $done (i32.atomic.load (i32.const 4)))\n"                             \
    "  (if (i32.lt_u (local.get $done) (i32.const 4)) (then\n"                                     \
    "    (drop (memory.atomic.wait32 (i32.const 4) (local.get $done) (i64.const -1)))\n"           \
    "    (br $again))))\n"

static bool begin_threads(struct machine *m, const char *text) {
    if (!begin(m, text)) return false;
    const mote_wasi_threads threads = {.module = m->module};
    return mote_wasi_define_threads(m->wasi, m->linker, m->store, &threads, &m->error) == MOTE_OK;
}

TEST(threads) {
    struct machine m;
    REQUIRE(begin_threads(
        &m, "(module " THREADED
            "(func (export \"wasi_thread_start\") (param $id i32) (param $add i32) (local $i i32)\n"
            "(loop $again (drop (i32.atomic.rmw.add (i32.const 0) (local.get $add)))\n"
            "  (local.set $i (i32.add (local.get $i) (i32.const 1)))\n"
            "  (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))\n" DONE ")\n"
            "(func (export \"_start\") (local $done i32)\n"
            "(if (i32.le_s (call $spawn (i32.const 1)) (i32.const 0)) (then (call $exit (i32.const "
            "1))))\n"
            "(if (i32.le_s (call $spawn (i32.const 2)) (i32.const 0)) (then (call $exit (i32.const "
            "2))))\n"
            "(if (i32.le_s (call $spawn (i32.const 3)) (i32.const 0)) (then (call $exit (i32.const "
            "3))))\n"
            "(if (i32.le_s (call $spawn (i32.const 4)) (i32.const 0)) (then (call $exit (i32.const "
            "4))))\n" WAIT_FOR_FOUR
            "(call $exit (i32.div_u (i32.atomic.load (i32.const 0)) (i32.const 100)))))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 100);
    end(&m);
}

/* The first thread waits for ever; another one ends the program. */
#define WAIT_FOR_EVER "(drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1)))\n"

TEST(thread_exits) {
    struct machine m;
    REQUIRE(begin_threads(
        &m, "(module " THREADED
            "(func (export \"wasi_thread_start\") (param i32 i32) (call $exit (i32.const 42)))\n"
            "(func (export \"_start\") (drop (call $spawn (i32.const 0))) " WAIT_FOR_EVER "))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 42);
    end(&m);
}

TEST(thread_traps) {
    struct machine m;
    REQUIRE(begin_threads(&m, "(module " THREADED
                              "(func (export \"wasi_thread_start\") (param i32 i32) unreachable)\n"
                              "(func (export \"_start\") (drop (call $spawn (i32.const 0))) (loop "
                              "$again (br $again))))"));
    CHECK_EQ(run(&m), MOTE_E_TRAP);
    CHECK_EQ(m.error.trap, MOTE_TRAP_UNREACHABLE);
    end(&m);
}

/* When the first thread returns, the others are over too: waiting, sleeping or running. */
TEST(first_thread_returns) {
    struct machine m;
    REQUIRE(begin_threads(
        &m, "(module " THREADED
            "(func (export \"wasi_thread_start\") (param $id i32) (param $how i32)\n" DONE
            "(if (local.get $how) (then " WAIT_FOR_EVER ") (else (loop $again (br $again)))))\n"
            "(func (export \"_start\") (local $done i32)\n"
            "(drop (call $spawn (i32.const 0))) (drop (call $spawn (i32.const 1)))\n"
            "(drop (call $spawn (i32.const 0))) (drop (call $spawn (i32.const 1)))\n" WAIT_FOR_FOUR
            "))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK_EQ(m.exit_code, 0);
    end(&m);
}

/* A program without threads is left alone. */
TEST(no_threads) {
    struct machine m;
    REQUIRE(begin_threads(&m, "(module " IMPORT_WRITE HELLO "(func (export \"_start\") " CALL_WRITE
                              "))"));
    CHECK_EQ(run(&m), MOTE_OK);
    CHECK(printed(&m, "hello\n"));
    end(&m);
}
