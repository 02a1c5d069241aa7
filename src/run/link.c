/* link.c - the linker. Its map goes from one key, "length of module, module, name", to an entry that owns that key.
 * Keeps: an entry in the map is complete; instantiating only reads the linker. */
#include "run/link.h"
#include "run/exec.h"
#include "run/match.h"

struct mote_linker {
    mote_engine *engine; /* held */
    struct map entries;  /* key -> struct entry * */
    bool unknown_imports_trap;
};

struct entry {
    struct mote__definition is;
    size_t key_bytes;
    uint8_t key[];
};

static const mote_allocator *allocator_of(const mote_linker *linker) { return mote__engine_alloc(linker->engine); }

/* ---------------------------------------------------------------- keys and entries */

static size_t key_bytes(struct span module, struct span name) { return sizeof(uint32_t) + module.size + name.size; }

static void write_key(uint8_t *key, struct span module, struct span name) {
    uint32_t size = (uint32_t)module.size;
    memcpy(key, &size, sizeof size);
    if (module.size) memcpy(key + sizeof size, module.data, module.size);
    if (name.size) memcpy(key + sizeof size + module.size, name.data, name.size);
}

static struct entry *new_entry(const mote_linker *linker, struct span module, struct span name, const struct mote__definition *is) {
    size_t bytes = key_bytes(module, name);
    struct entry *entry = mote__alloc_zeroed(allocator_of(linker), sizeof *entry + bytes);
    if (!entry) return NULL;
    entry->is = *is;
    entry->key_bytes = bytes;
    write_key(entry->key, module, name);
    if (is->type) mote__recgroup_retain(is->type->group);
    return entry;
}

static void free_entry(const mote_linker *linker, struct entry *entry) {
    if (entry->is.type) mote__recgroup_release(entry->is.type->group);
    mote__free(allocator_of(linker), entry, sizeof *entry + entry->key_bytes);
}

static struct entry *entry_at(const uint64_t *value) { return (struct entry *)(uintptr_t)*value; }

/* Finds a definition. Long names need memory for their key: *status is MOTE_E_NOMEM if there is none. */
static const struct mote__definition *find(const mote_linker *linker, struct span module, struct span name, mote_status *status) {
    uint8_t few[256], *key = few;
    size_t bytes = key_bytes(module, name);
    bool is_long = bytes > sizeof few;
    if (is_long && !(key = mote__alloc(allocator_of(linker), bytes))) {
        *status = MOTE_E_NOMEM;
        return NULL;
    }
    write_key(key, module, name);
    const uint64_t *value = mote__map_get(&linker->entries, key, bytes);
    if (is_long) mote__free(allocator_of(linker), key, bytes);
    return value ? &entry_at(value)->is : NULL;
}

/* ---------------------------------------------------------------- defining */

mote_status mote__linker_new(mote_engine *engine, mote_linker **out, mote_error *error) {
    mote_linker *linker = MOTE__NEW(mote__engine_alloc(engine), mote_linker);
    if (!linker) return mote__error_nomem(error, "making a linker");
    linker->engine = mote__engine_retain(engine);
    mote__map_init(&linker->entries, mote__engine_alloc(engine));
    *out = linker;
    return MOTE_OK;
}

void mote__linker_delete(mote_linker *linker) {
    if (!linker) return;
    mote_engine *engine = linker->engine;
    for (size_t i = 0; i < linker->entries.capacity; i++)
        if (linker->entries.entries[i].key) free_entry(linker, entry_at(&linker->entries.entries[i].value));
    mote__map_deinit(&linker->entries);
    MOTE__DELETE(mote__engine_alloc(engine), linker);
    mote__engine_release(engine);
}

mote_engine *mote__linker_engine(const mote_linker *linker) { return linker->engine; }
void mote__linker_unknown_imports_trap(mote_linker *linker, bool on) { linker->unknown_imports_trap = on; }

mote_status mote__linker_define(mote_linker *linker, struct span module, struct span name, const struct mote__definition *definition,
                                mote_error *error) {
    bool added;
    struct entry *entry = new_entry(linker, module, name, definition);
    if (!entry) return mote__error_nomem(error, "defining an import");
    uint64_t *value = mote__map_get(&linker->entries, entry->key, entry->key_bytes);
    if (value) { /* the old entry owns the map's key: both go */
        struct entry *old = entry_at(value);
        mote__map_remove(&linker->entries, old->key, old->key_bytes);
        free_entry(linker, old);
    }
    value = mote__map_put(&linker->entries, entry->key, entry->key_bytes, &added);
    if (!value) {
        free_entry(linker, entry);
        return mote__error_nomem(error, "defining an import");
    }
    *value = (uint64_t)(uintptr_t)entry;
    return MOTE_OK;
}

mote_status mote__linker_define_instance(mote_linker *linker, struct span module, struct mote__instance *instance, mote_error *error) {
    const mote_module *m = instance->module;
    for (uint32_t i = 0; i < m->export_count; i++) {
        struct mote__definition definition = {0};
        if (!mote__instance_extern(instance, m->exports[i].kind, m->exports[i].index, &definition.external))
            return mote__error_nomem(error, "defining an instance's exports");
        TRY(mote__linker_define(linker, module, m->exports[i].name, &definition, error));
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- instantiating */

static int shown(struct span name) {
    enum { NAME_BYTES_SHOWN = 60 };
    return (int)(name.size < NAME_BYTES_SHOWN ? name.size : NAME_BYTES_SHOWN);
}

/* What stands for a function that nobody defined; `env` is the import, which lives as long as the module and so as the instance that calls. */
static mote_status call_unknown(void *env, mote_caller *caller, uint64_t *slots) {
    const struct mote__import *import = env;
    mote_error *error = caller->exec->error;
    (void)slots;
    mote__error_set(error, MOTE_E_TRAP, MOTE_NO_OFFSET, "%s: \"%.*s\".\"%.*s\"", mote_trap_text(MOTE_TRAP_UNKNOWN_IMPORT),
                    shown(import->module), (const char *)import->module.data, shown(import->name), (const char *)import->name.data);
    error->trap = MOTE_TRAP_UNKNOWN_IMPORT;
    return MOTE_E_TRAP;
}

static mote_status make_func(mote_store *store, const struct mote__definition *is, mote_extern *out, mote_error *error) {
    struct mote__func *func = mote__func_new_host(store, is->type, is->fn, is->raw, is->env, NULL);
    if (!func) return mote__error_nomem(error, "making a host function");
    *out = (mote_extern){.kind = MOTE_EXTERN_FUNC, .of.func.ptr = func};
    return MOTE_OK;
}

static mote_status refuse_store(const struct mote__import *import, mote_error *error) {
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the definition of \"%.*s\".\"%.*s\" belongs to another store",
                           shown(import->module), (const char *)import->module.data, shown(import->name), (const char *)import->name.data);
}

/* What import `index` gets; left empty where nobody defined it: matching says so then. */
static mote_status resolve(const mote_linker *linker, mote_store *store, mote_module *module, uint32_t index, mote_extern *out,
                           mote_error *error) {
    struct mote__import *import = &module->imports[index];
    mote_status status = MOTE_OK;
    const struct mote__definition *is = find(linker, import->module, import->name, &status);
    if (status != MOTE_OK) return mote__error_nomem(error, "linking");
    if (is && is->type) return make_func(store, is, out, error);
    if (is && mote__extern_store(is->external) != store) return refuse_store(import, error);
    if (is) *out = is->external;
    else if (linker->unknown_imports_trap && import->kind == MOTE_EXTERN_FUNC) {
        struct mote__definition unknown = {.type = module->func_types[import->index], .raw = call_unknown, .env = import};
        return make_func(store, &unknown, out, error);
    }
    return MOTE_OK;
}

static mote_status link_all(const mote_linker *linker, mote_store *store, mote_module *module, mote_extern *imports,
                            struct mote__instance **out, mote_error *error) {
    for (uint32_t i = 0; i < module->import_count; i++) TRY(resolve(linker, store, module, i, &imports[i], error));
    return mote__instantiate(store, module, imports, module->import_count, out, error);
}

mote_status mote__linker_instantiate(mote_linker *linker, mote_store *store, mote_module *module, struct mote__instance **out,
                                     mote_error *error) {
    const mote_allocator *a = allocator_of(linker);
    mote_extern *imports = MOTE__NEW_ARRAY(a, mote_extern, module->import_count);
    if (module->import_count && !imports) return mote__error_nomem(error, "linking");
    struct mote__store_mark mark = mote__store_mark(store);
    mote_status status = link_all(linker, store, module, imports, out, error);
    if (status != MOTE_OK && store->instances == mark.instances) mote__store_roll_back(store, &mark); /* nobody has seen the functions */
    MOTE__DELETE_ARRAY(a, imports, module->import_count);
    return status;
}
