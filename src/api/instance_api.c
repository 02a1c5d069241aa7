/* instance_api.c - the API of imports and exports, instances and linkers. */
#include "api/api.h"
#include "run/link.h"
#include "run/match.h"
#include <assert.h>

/* ---------------------------------------------------------------- imports and exports of modules */

mote_importtype mote_module_import(const mote_module *module, size_t index) {
    assert(index < module->import_count);
    const struct mote__import *import = &module->imports[index];
    return (mote_importtype){mote__name_of(import->module), mote__name_of(import->name), mote__import_type(module, (uint32_t)index)};
}

mote_exporttype mote_module_export(const mote_module *module, size_t index) {
    assert(index < module->export_count);
    return (mote_exporttype){mote__name_of(module->exports[index].name), mote__export_type(module, (uint32_t)index)};
}

/* ---------------------------------------------------------------- instances */

static mote_status check_engine(const mote_store *store, const mote_engine *engine, mote_error *error) {
    if (store->engine == engine) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "module, linker and store are not of one engine");
}

static mote_status check_imports(mote_store *store, const mote_module *module, const mote_extern *imports, size_t count, mote_error *error) {
    if (count > module->import_count)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the module has %u imports, given are %zu",
                               (unsigned)module->import_count, count);
    for (size_t i = 0; i < count; i++) {
        mote_store *owner = mote__extern_store(imports[i]);
        if (owner && owner != store) return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "import %zu belongs to another store", i);
    }
    return MOTE_OK;
}

mote_status mote_instance_new(mote_store *store, mote_module *module, const mote_extern *imports, size_t import_count, mote_instance *out,
                              mote_error *error) {
    API_ERROR(error);
    TRY(check_engine(store, module->engine, error));
    TRY(check_imports(store, module, imports, import_count, error));
    return mote__instantiate(store, module, imports, import_count, &out->ptr, error);
}

mote_module *mote_instance_module(mote_instance instance) { return instance.ptr->module; }

mote_extern mote_instance_export(mote_instance instance, size_t index) {
    assert(index < instance.ptr->module->export_count);
    const struct mote__export *export = &instance.ptr->module->exports[index];
    mote_extern external = {.kind = (mote_externkind)export->kind};
    mote__instance_extern(instance.ptr, export->kind, export->index, &external);
    return external;
}

bool mote_instance_find(mote_instance instance, const char *name, size_t size, mote_extern *out) {
    const uint64_t *index = mote__map_get(&instance.ptr->module->export_map, name, size);
    if (!index) return false;
    *out = mote_instance_export(instance, (size_t)*index);
    return true;
}

/* Appends the names of a module's exported functions as far as they fit. */
static void list_functions(const mote_module *module, mote_error *error) {
    const char *before = "; it exports the functions ";
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct mote__export *export = &module->exports[i];
        if (export->kind != MOTE_EXTERN_FUNC) continue;
        mote__error_append(error, "%s\"%.*s\"", before, (int)export->name.size, (const char *)export->name.data);
        before = ", ";
    }
    if (*before == ';') mote__error_append(error, "; it exports no functions");
}

mote_status mote_instance_func(mote_instance instance, const char *name, mote_func *out, mote_error *error) {
    API_ERROR(error);
    mote_extern external;
    bool found = mote_instance_find(instance, name, strlen(name), &external);
    if (!found || external.kind != MOTE_EXTERN_FUNC) {
        mote__error_set(error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, found ? "the export \"%s\" is no function" : "no such export \"%s\"", name);
        list_functions(instance.ptr->module, error);
        return MOTE_E_NOT_FOUND;
    }
    if (!external.of.func.ptr) return mote__error_nomem(error, "making a function reference");
    *out = external.of.func;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- linkers */

mote_status mote_linker_new(mote_engine *engine, mote_own mote_linker **out, mote_error *error) {
    API_ERROR(error);
    return mote__linker_new(engine, out, error);
}

void mote_linker_delete(mote_own mote_linker *linker) { mote__linker_delete(linker); }

mote_engine *mote_linker_engine(const mote_linker *linker) { return mote__linker_engine(linker); }

mote_status mote_linker_define(mote_linker *linker, const char *module, const char *name, mote_extern external, mote_error *error) {
    API_ERROR(error);
    mote_store *store = mote__extern_store(external);
    if (!store) return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "nothing to define \"%s\".\"%s\" as", module, name);
    TRY(check_engine(store, mote__linker_engine(linker), error));
    struct mote__definition definition = {.external = external};
    return mote__linker_define(linker, mote__span_of(module), mote__span_of(name), &definition, error);
}

static mote_status define_host(mote_linker *linker, const char *module, const char *name, const struct mote__definition *definition,
                               mote_error *error) {
    if (definition->type->group->registry != &mote__linker_engine(linker)->types || definition->type->kind != MOTE_TYPE_FUNC)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a type of another engine, or not a function type");
    return mote__linker_define(linker, mote__span_of(module), mote__span_of(name), definition, error);
}

mote_status mote_linker_define_func(mote_linker *linker, const char *module, const char *name, const mote_type *type, mote_host_fn fn,
                                    void *env, mote_error *error) {
    API_ERROR(error);
    assert(fn);
    return define_host(linker, module, name, &(struct mote__definition){.type = type, .fn = fn, .env = env}, error);
}

mote_status mote_linker_define_raw(mote_linker *linker, const char *module, const char *name, const mote_type *type, mote_host_raw_fn fn,
                                   void *env, mote_error *error) {
    API_ERROR(error);
    assert(fn);
    return define_host(linker, module, name, &(struct mote__definition){.type = type, .raw = fn, .env = env}, error);
}

mote_status mote_linker_define_instance(mote_linker *linker, const char *module, mote_instance instance, mote_error *error) {
    API_ERROR(error);
    TRY(check_engine(instance.ptr->store, mote__linker_engine(linker), error));
    return mote__linker_define_instance(linker, mote__span_of(module), instance.ptr, error);
}

void mote_linker_unknown_imports_trap(mote_linker *linker, bool on) { mote__linker_unknown_imports_trap(linker, on); }

mote_status mote_linker_instantiate(mote_linker *linker, mote_store *store, mote_module *module, mote_instance *out, mote_error *error) {
    API_ERROR(error);
    TRY(check_engine(store, mote__linker_engine(linker), error));
    TRY(check_engine(store, module->engine, error));
    return mote__linker_instantiate(linker, store, module, &out->ptr, error);
}
