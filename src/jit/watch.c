/* watch.c - tells perf and debuggers which function lies where in code memory. perf reads a file of lines "START SIZE NAME" when it makes its report; debuggers
 * stop at a function of a known name and read objects from a list of a known name (GDB's manual, "JIT Compilation Interface"). */
#include "jit/jit.h"
#include "jit/object.h"

#include <inttypes.h>
#include <stdio.h>

enum { LABEL_BYTES = 160, NAME_BYTES = 100 };

/* ---------------------------------------------------------------- what debuggers look for */

struct jit_debug_entry {
    struct jit_debug_entry *next, *prev;
    const uint8_t *object;
    uint64_t object_size;
    /* behind what debuggers know */
    struct jit_debug_entry *of_module; /* the module's next one */
    struct object_file file;
};
enum { DEBUG_NOTHING, DEBUG_REGISTER, DEBUG_UNREGISTER };
struct jit_debug_descriptor {
    uint32_t version, action;
    struct jit_debug_entry *relevant, *first;
};

/* Weak: another compiler in the same program may have them too, and then both use one list. */
#define DEBUGGERS_KNOW __attribute__((weak, visibility("default")))
DEBUGGERS_KNOW struct jit_debug_descriptor __jit_debug_descriptor = {.version = 1};
DEBUGGERS_KNOW __attribute__((noinline)) void __jit_debug_register_code(void);
void __jit_debug_register_code(void) { __asm__ volatile("nop" ::: "memory"); }

static struct os_mutex debug_lock;

static void tell_debuggers(struct jit_debug_entry *entry, uint32_t action) {
    __jit_debug_descriptor.relevant = entry;
    __jit_debug_descriptor.action = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.action = DEBUG_NOTHING;
}

static void link_entry(struct jit_debug_entry *entry) {
    mote__os_mutex_lock(&debug_lock);
    entry->next = __jit_debug_descriptor.first;
    if (entry->next) entry->next->prev = entry;
    __jit_debug_descriptor.first = entry;
    tell_debuggers(entry, DEBUG_REGISTER);
    mote__os_mutex_unlock(&debug_lock);
}

static void unlink_entry(struct jit_debug_entry *entry) {
    mote__os_mutex_lock(&debug_lock);
    if (entry->prev) entry->prev->next = entry->next;
    else __jit_debug_descriptor.first = entry->next;
    if (entry->next) entry->next->prev = entry->prev;
    tell_debuggers(entry, DEBUG_UNREGISTER);
    mote__os_mutex_unlock(&debug_lock);
}

static void delete_entry(struct jit_debug_entry *entry, const mote_allocator *allocator) {
    unlink_entry(entry);
    mote__object_deinit(&entry->file, allocator);
    MOTE__DELETE(allocator, entry);
}

/* An entry for symbols that follow each other in memory; NULL when out of memory. */
static struct jit_debug_entry *new_entry(const mote_allocator *allocator, const struct object_symbol *symbols, size_t count) {
    struct jit_debug_entry *entry = MOTE__NEW(allocator, struct jit_debug_entry);
    uint64_t end = symbols[count - 1].address + symbols[count - 1].size;
    struct object_code code = {.address = symbols[0].address, .size = end - symbols[0].address};
    if (!entry) return NULL;
    if (!mote__object_make(&entry->file, allocator, code, symbols, count)) {
        mote__object_deinit(&entry->file, allocator);
        MOTE__DELETE(allocator, entry);
        return NULL;
    }
    entry->object = entry->file.bytes.data;
    entry->object_size = entry->file.bytes.count;
    link_entry(entry);
    return entry;
}

/* ---------------------------------------------------------------- perf's file */

/* Names may hold anything; a line is a line. */
static void print_line(int file, uint64_t start, uint64_t size, struct span name) {
    char line[LABEL_BYTES + 64];
    int at = snprintf(line, sizeof line, "%" PRIx64 " %" PRIx64 " ", start, size);
    for (size_t i = 0; i < name.size && at < (int)sizeof line - 1; i++) line[at++] = name.data[i] < 0x20 ? '?' : (char)name.data[i];
    line[at++] = '\n';
    mote__os_write(file, line, (size_t)at);
}

/* ---------------------------------------------------------------- the engine's thunks */

void mote__jit_thunk_symbols(const struct jit_engine *jit, uint64_t base, struct object_symbol *out) {
    static const char *const names[THUNK_COUNT] = {
#define X(ident, name) name,
        JIT_THUNKS(X)
#undef X
    };
    for (int i = 0; i < THUNK_COUNT; i++) {
        code_offset end = i + 1 < THUNK_COUNT ? jit->thunks[i + 1] : jit->thunks_end;
        out[i] = (struct object_symbol){base + jit->thunks[i], end - jit->thunks[i], {(const uint8_t *)names[i], strlen(names[i])}, OBJECT_FRAME_THUNK};
    }
    out[THUNK_ENTER].frame = OBJECT_FRAME_ENTER;
}

static bool name_thunks(struct jit_engine *jit, bool debug_info) {
    /* GDB takes a frame that lies on another stack for a mistake, except that of a function with this name. */
    static const char elsewhere[] = "__morestack";
    struct object_symbol symbols[THUNK_COUNT];
    mote__jit_thunk_symbols(jit, (uintptr_t)jit->map.execute, symbols);
    for (int i = 0; i < THUNK_COUNT; i++) {
        if (jit->perf_map >= 0) print_line(jit->perf_map, symbols[i].address, symbols[i].size, symbols[i].name);
        symbols[i].name = (struct span){(const uint8_t *)elsewhere, sizeof elsewhere - 1};
    }
    if (debug_info) jit->thunk_entry = new_entry(jit->allocator, symbols, THUNK_COUNT);
    return !debug_info || jit->thunk_entry;
}

mote_status mote__jit_watch_begin(mote_engine *engine, struct jit_engine *jit) {
    const mote_config *config = &engine->config;
    jit->is_watched = config->perf_map || config->debug_info;
    jit->perf_map = config->perf_map ? mote__os_perf_map_open() : -1;
    if (config->perf_map && jit->perf_map < 0) return MOTE_E_IO;
    return !jit->is_watched || name_thunks(jit, config->debug_info) ? MOTE_OK : MOTE_E_NOMEM;
}

void mote__jit_watch_end(struct jit_engine *jit) {
    if (jit->thunk_entry) delete_entry(jit->thunk_entry, jit->allocator);
    if (jit->is_watched && jit->perf_map >= 0) mote__os_close(jit->perf_map);
}

/* ---------------------------------------------------------------- a module's functions */

static bool read_names(const mote_module *module, struct jit_module *jm) {
    if (!jm->names) jm->names = MOTE__NEW_ARRAY(jm->engine->allocator, struct span, module->func_count);
    else return true;
    if (jm->names) mote__module_func_names(module, jm->names);
    return jm->names;
}

/* As the name section has it, without what C's strings end at; else "wasm-function[12]", as browsers say. */
static struct span label_of(const struct jit_module *jm, uint32_t func_index, char label[LABEL_BYTES]) {
    struct span name = jm->names[func_index];
    const uint8_t *end = name.size ? memchr(name.data, 0, name.size) : NULL;
    if (end) name.size = (size_t)(end - name.data);
    if (!name.size) snprintf(label, LABEL_BYTES, "wasm-function[%u]", func_index);
    else snprintf(label, LABEL_BYTES, "%.*s", name.size < NAME_BYTES ? (int)name.size : NAME_BYTES, (const char *)name.data);
    return (struct span){(const uint8_t *)label, strlen(label)};
}

bool mote__jit_watch_function(mote_module *module, uint32_t own_index, struct jit_function function) {
    struct jit_module *jm = module->tier_data;
    const struct jit_engine *jit = jm->engine;
    char label[LABEL_BYTES];
    if (!read_names(module, jm)) return false;
    struct object_symbol symbol = {
        .address = (uintptr_t)jit_address(jit, function.start), .size = function.end - function.start,
        .name = label_of(jm, own_index + module->func_import_count, label), .frame = OBJECT_FRAME_FUNCTION,
    };
    if (jit->perf_map >= 0) print_line(jit->perf_map, symbol.address, symbol.size, symbol.name);
    if (!module->engine->config.debug_info) return true;
    struct jit_debug_entry *entry = new_entry(jit->allocator, &symbol, 1);
    if (!entry) return false;
    entry->of_module = jm->debug;
    jm->debug = entry;
    return true;
}

void mote__jit_watch_module_end(mote_module *module) {
    struct jit_module *jm = module->tier_data;
    for (struct jit_debug_entry *entry = jm->debug, *next; entry; entry = next) {
        next = entry->of_module;
        delete_entry(entry, jm->engine->allocator);
    }
    if (jm->names) MOTE__DELETE_ARRAY(jm->engine->allocator, jm->names, module->func_count);
    jm->names = NULL;
}
