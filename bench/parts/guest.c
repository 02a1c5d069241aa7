/* guest.c - what a program pays for a component: a get through the imports of mote1, and the same
 * value as a file through a mount (opened, read, closed). A module of WebAssembly does both in a
 * loop. Built by `ninja -C build/release bench-parts-guest`; run with
 * MOTE_DRIVERS=build/release/drivers, under tests/parts/with-servers for Redis too. slices.h says
 * what counts. */
#define _GNU_SOURCE
#include "raw_redis.h"
#include "slices.h"
#include <mote/parts.h>
#include <mote/wasi.h>
#include <string.h>

static const char value[] = "{\"id\": 17, \"name\": \"a thing of middling size\", \"price\": 12.5, "
                            "\"tags\": [\"one\", \"two\"]}";

/* Names at 0, 8 and 16, the header at 32, results from 1024 on; descriptors from 3 on are the
 * mounts. */
static const char program[] =
    "(module"
    " (import \"mote1\" \"call\" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))"
    " (import \"mote1\" \"read\" (func $read (param i32 i32 i32) (result i32)))"
    " (import \"mote1\" \"close\" (func $close (param i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"path_open\""
    "  (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_read\" (func $fd_read (param i32 i32 i32 i32) "
    "(result "
    "i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_close\" (func $fd_close (param i32) (result i32)))"
    " (memory (export \"memory\") 1)"
    " (data (i32.const 0) \"memory\") (data (i32.const 8) \"redis1\")"
    " (data (i32.const 16) \"sqlite\")"
    " (data (i32.const 32) \"\\03\\00\\00\\00\\03\\00\\00\\00keykey\")"
    " (data (i32.const 64) \"\\00\\04\\00\\00\\00\\04\\00\\00\")"
    " (func (export \"get\") (param $name i32) (param $fd i32) (param $times i32) (local $h i32)"
    "  (loop $again"
    "   (local.set $h (call $call (i32.const 1) (local.get $name) (i32.const 6) (i32.const 0)"
    "    (i32.const 0) (i32.const 32) (i32.const 14) (i32.const 0)))"
    "   (if (i32.ne (call $read (local.get $h) (i32.const 1024) (i32.const 1024)) (i32.const 85))"
    "    (then unreachable))"
    "   (if (call $close (local.get $h)) (then unreachable))"
    "   (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))"
    " (func (export \"file\") (param $name i32) (param $fd i32) (param $times i32)"
    "  (loop $again"
    "   (if (call $open (local.get $fd) (i32.const 0) (i32.const 40) (i32.const 3) (i32.const 0)"
    "    (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80)) (then unreachable))"
    "   (if (call $fd_read (i32.load (i32.const 80)) (i32.const 64) (i32.const 1) (i32.const 84))"
    "    (then unreachable))"
    "   (if (i32.ne (i32.load (i32.const 84)) (i32.const 85)) (then unreachable))"
    "   (if (call $fd_close (i32.load (i32.const 80))) (then unreachable))"
    "   (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))";

static mote_error error;

static void must(mote_status status) {
    if (!status) return;
    fprintf(stderr, "bench: %s\n", error.message);
    exit(1);
}

/* ---- What is measured. ---- */

static struct row {
    const char *name, *func; /* func NULL: the raw client */
    uint32_t component, fd;  /* place of the component's name; descriptor of its mount */
    uint32_t times;
} rows[] = {{"memory: get by import", "get", 0, 3, 500},
            {"memory: file opened, read, closed", "file", 0, 3, 500},
            {"SQLite: get by import", "get", 16, 4, 50},
            {"SQLite: file opened, read, closed", "file", 16, 4, 50},
            {"Redis raw: HGETALL", NULL, 8, 5, 5},
            {"Redis: get by import", "get", 8, 5, 5},
            {"Redis: file opened, read, closed", "file", 8, 5, 5}};
enum { ROW_COUNT = sizeof rows / sizeof *rows, LOCAL_ROWS = 4, MOUNTS_MAX = 3 };
static struct slices slices[ROW_COUNT];

static mote_store *store;
static mote_instance instance;

static void run_row(void *context) {
    const struct row *row = context;
    mote_func func;
    for (uint32_t i = 0; !row->func && i < row->times; i++) raw_redis_get();
    if (!row->func) return;
    const mote_value args[] = {{.kind = MOTE_I32, .of.i32 = row->component},
                               {.kind = MOTE_I32, .of.i32 = row->fd},
                               {.kind = MOTE_I32, .of.i32 = row->times}};
    must(mote_instance_func(instance, row->func, &func, &error));
    must(mote_call(store, func, args, 3, NULL, 0, &error));
}

/* ---- The world. ---- */

static const char *redis_port; /* NULL: there is no server */

static mote_parts *load(const char *folder) {
    char text[1000];
    mote_parts *parts;
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    snprintf(text, sizeof text,
             "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: memory}, spec: "
             "{type: state.in-memory}}\n---\n"
             "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: sqlite}, spec: "
             "{type: state.sqlite, metadata: [{name: url, value: '%s/b.db'}]}}\n---\n"
             "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: redis1}, spec: "
             "{type: state.redis, metadata: [{name: redisHost, value: '127.0.0.1:%s'}]}}\n",
             folder, redis_port ? redis_port : "1");
    must(mote_parts_new(&config, &parts, &error));
    must(mote_parts_load_text(parts, "bench", text, strlen(text), &error));
    return parts;
}

static void put(mote_parts *parts, const char *component) {
    mote_parts_item item = {.key = {"key", 3}, .value = {value, sizeof value - 1}};
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    if (mote_parts_call(parts, component, &op)) {
        fprintf(stderr, "bench: %s: %s\n", component, op.text);
        exit(1);
    }
    mote_parts_op_deinit(&op);
}

int main(void) {
    char folder[] = "/tmp/mote-bench-XXXXXX", command[64];
    mote_engine *engine;
    mote_linker *linker;
    mote_module *module;
    mote_parts_guest *guest;
    mote_wasi *wasi;
    mote_wasi_config wasi_config;
    mote_wasi_dir dirs[MOUNTS_MAX] = {
        {.guest_path = "/memory"}, {.guest_path = "/sqlite"}, {.guest_path = "/redis1"}};
    redis_port = getenv("MOTE_REDIS_PORT");
    int dir_count = redis_port ? MOUNTS_MAX : MOUNTS_MAX - 1,
        row_count = redis_port ? ROW_COUNT : LOCAL_ROWS;
    if (!mkdtemp(folder)) return 1;
    mote_parts *parts = load(folder);
    put(parts, "memory"), put(parts, "sqlite");
    if (redis_port) put(parts, "redis1"), raw_redis_open(atoi(redis_port));
    for (int i = 0; i < dir_count; i++)
        must(mote_parts_mount(parts, dirs[i].guest_path + 1, NULL, &dirs[i].node, &error));
    must(mote_parts_guest_new(parts, &(mote_parts_guest_config){.all_components = true}, &guest,
                              &error));
    mote_wasi_config_init(&wasi_config);
    wasi_config.dirs = dirs, wasi_config.dir_count = (size_t)dir_count;
    must(mote_wasi_new(&wasi_config, &wasi, &error));
    must(mote_engine_new(NULL, &engine, &error));
    must(mote_store_new(engine, NULL, &store, &error));
    must(mote_linker_new(engine, &linker, &error));
    must(mote_wasi_define(wasi, linker, &error));
    must(mote_parts_guest_define(guest, linker, &error));
    must(mote_module_new(engine, program, sizeof program - 1, 0, &module, &error));
    must(mote_linker_instantiate(linker, store, module, &instance, &error));
    for (int slice = 0; slice < SLICES; slice++)
        for (int step = 0; step < row_count; step++) {
            int i = slice_row(slice, step, row_count);
            slice_measure(&slices[i], run_row, &rows[i], 1, (int)rows[i].times);
        }
    for (int i = 0; i < row_count; i++) slice_print(rows[i].name, slice_sum_up(&slices[i]));
    mote_store_delete(store);
    mote_linker_delete(linker);
    mote_module_delete(module);
    mote_engine_delete(engine);
    if (mote_wasi_close(wasi, true)) return 1;
    mote_wasi_delete(wasi);
    mote_parts_guest_delete(guest);
    for (int i = 0; i < dir_count; i++) mote_vfs_release(dirs[i].node);
    mote_parts_delete(parts);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}
