/* wasm_modules.c - modules and instances of the standard C API. A shared module is a mote_module by another name. */
#include "api/wasm_api.h"
#include "wasm/module.h"

/* ---------------------------------------------------------------- modules */

static mote_engine *engine_of(const wasm_store_t *store) { return mote_store_engine(store->store); }

/* An object for a module, whose hold it takes over. */
static wasm_module_t *adopt_module(wasm_store_t *store, mote_module *module) {
    wasm_ref_t *object = mote__wasm_object_new(store, OBJECT_MODULE, NULL);
    if (object) object->of.module = module;
    else mote_module_delete(module);
    return (wasm_module_t *)object;
}

wasm_module_t *wasm_module_new(wasm_store_t *store, const wasm_byte_vec_t *binary) {
    mote_module *module;
    if (mote_module_new(engine_of(store), binary->data, binary->size, 0, &module, &store->error) != MOTE_OK) return NULL;
    return adopt_module(store, module);
}

bool wasm_module_validate(wasm_store_t *store, const wasm_byte_vec_t *binary) {
    return mote_module_validate(engine_of(store), binary->data, binary->size, &store->error) == MOTE_OK;
}

void wasm_module_serialize(const wasm_module_t *module, wasm_byte_vec_t *out) {
    struct span bytes = module->base.of.module->bytes;
    wasm_byte_vec_new(out, bytes.size, (const char *)bytes.data);
}

wasm_module_t *wasm_module_deserialize(wasm_store_t *store, const wasm_byte_vec_t *bytes) { return wasm_module_new(store, bytes); }

wasm_shared_module_t *wasm_module_share(const wasm_module_t *module) {
    return (wasm_shared_module_t *)mote_module_retain(module->base.of.module);
}

void wasm_shared_module_delete(wasm_shared_module_t *shared) { mote_module_delete((mote_module *)shared); }

wasm_module_t *wasm_module_obtain(wasm_store_t *store, const wasm_shared_module_t *shared) {
    mote_module *module = (mote_module *)(uintptr_t)shared; /* immutable but for its count */
    if (mote_module_engine(module) == engine_of(store)) return adopt_module(store, mote_module_retain(module));
    mote__error_set(&store->error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the shared module belongs to another engine");
    return NULL;
}

/* ---------------------------------------------------------------- imports and exports of modules */

static bool copy_name(wasm_name_t *out, mote_name name) {
    wasm_name_new(out, name.size, name.data);
    return out->size == name.size;
}

static wasm_importtype_t *describe_import(mote_importtype import) {
    wasm_name_t module, name;
    bool whole = copy_name(&module, import.module);
    whole = copy_name(&name, import.name) && whole;
    return wasm_importtype_new(&module, &name, whole ? mote__wasm_externtype(&import.type) : NULL);
}

static wasm_exporttype_t *describe_export(mote_exporttype export) {
    wasm_name_t name;
    bool whole = copy_name(&name, export.name);
    return wasm_exporttype_new(&name, whole ? mote__wasm_externtype(&export.type) : NULL);
}

static void say_no_memory(const wasm_ref_t *object, const char *what) { mote__error_nomem(&object->store->error, what); }

void wasm_module_imports(const wasm_module_t *module, wasm_importtype_vec_t *out) {
    const mote_module *m = module->base.of.module;
    size_t count = mote_module_import_count(m), made = 0;
    wasm_importtype_vec_new_uninitialized(out, count);
    while (made < out->size && (out->data[made] = describe_import(mote_module_import(m, made)))) made++;
    if (made == count) return;
    wasm_importtype_vec_delete(out);
    say_no_memory(&module->base, "listing imports");
}

void wasm_module_exports(const wasm_module_t *module, wasm_exporttype_vec_t *out) {
    const mote_module *m = module->base.of.module;
    size_t count = mote_module_export_count(m), made = 0;
    wasm_exporttype_vec_new_uninitialized(out, count);
    while (made < out->size && (out->data[made] = describe_export(mote_module_export(m, made)))) made++;
    if (made == count) return;
    wasm_exporttype_vec_delete(out);
    say_no_memory(&module->base, "listing exports");
}

/* ---------------------------------------------------------------- instances */

static mote_status instantiate(wasm_store_t *store, mote_module *module, const wasm_extern_vec_t *given, mote_instance *out,
                               mote_error *error) {
    size_t count = given ? given->size : 0;
    mote_extern *imports = WASM__NEW_ARRAY(mote_extern, count);
    if (count && !imports) return mote__error_nomem(error, "linking");
    for (size_t i = 0; i < count; i++)
        if (given->data[i]) imports[i] = given->data[i]->base.of.external; /* an empty one is missing, which mote says by name */
    mote_status status = mote_instance_new(store->store, module, imports, count, out, error);
    WASM__DELETE_ARRAY(imports, count);
    return status;
}

wasm_instance_t *wasm_instance_new(wasm_store_t *store, const wasm_module_t *module, const wasm_extern_vec_t *imports, wasm_trap_t **trap) {
    mote_instance instance;
    mote_error error;
    wasm_instance_t *made = NULL;
    uint32_t mark = mote__wasm_call_begin(store);
    mote_status status = instantiate(store, module->base.of.module, imports, &instance, &error);
    if (status == MOTE_OK && !(made = mote__wasm_instance(store, instance))) error = store->error;
    wasm_trap_t *failure = mote__wasm_call_end(store, mark, made ? NULL : &error);
    if (trap) *trap = failure;
    else wasm_trap_delete(failure);
    return made;
}

void wasm_instance_exports(const wasm_instance_t *instance, wasm_extern_vec_t *out) {
    mote_instance of = instance->base.of.instance;
    size_t count = mote_module_export_count(mote_instance_module(of)), made = 0;
    wasm_extern_vec_new_uninitialized(out, count);
    while (made < out->size && (out->data[made] = mote__wasm_extern(instance->base.store, mote_instance_export(of, made)))) made++;
    if (made == count) return;
    wasm_extern_vec_delete(out);
    say_no_memory(&instance->base, "listing exports");
}
