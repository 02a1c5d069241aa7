/* wasm_objects.c - what all objects of the standard C API have in common: identity, counts, host info, ways between kinds.
 * Keeps: an object is in its store's map from when it is made until it is freed; an object with holds is one hold on its store. The host's code
 * (finalizers) runs only where the object is out of every list. */
#include "api/wasm_api.h"
#include "run/gc.h"
#include "run/value.h"
#include <assert.h>

/* ---------------------------------------------------------------- making and finding */

wasm_ref_t *mote__wasm_object_new(wasm_store_t *store, enum object_kind kind, const void *key) {
    bool added;
    wasm_ref_t *object = WASM__NEW(wasm_ref_t);
    if (object) object->key = key ? key : object;
    uint64_t *place = object ? mote__map_put(&store->objects, &object->key, sizeof object->key, &added) : NULL;
    if (!place) {
        if (object) WASM__DELETE(object);
        mote__error_nomem(&store->error, "making an object");
        return NULL;
    }
    assert(added);
    *place = (uint64_t)(uintptr_t)object;
    object->kind = kind;
    object->store = store;
    return mote__wasm_hold(object);
}

wasm_ref_t *mote__wasm_object_find(const wasm_store_t *store, const void *key) {
    const uint64_t *place = mote__map_get(&store->objects, &key, sizeof key);
    return place ? (wasm_ref_t *)(uintptr_t)*place : NULL;
}

static const void *key_of(mote_extern external) {
    switch (external.kind) {
    case MOTE_EXTERN_FUNC: return external.of.func.ptr;
    case MOTE_EXTERN_TABLE: return external.of.table.ptr;
    case MOTE_EXTERN_MEMORY: return external.of.memory.ptr;
    case MOTE_EXTERN_GLOBAL: return external.of.global.ptr;
    case MOTE_EXTERN_TAG: return external.of.tag.ptr;
    }
    return NULL;
}

wasm_extern_t *mote__wasm_extern(wasm_store_t *store, mote_extern external) {
    static const enum object_kind kinds[] = {[MOTE_EXTERN_FUNC] = OBJECT_FUNC,     [MOTE_EXTERN_TABLE] = OBJECT_TABLE,
                                             [MOTE_EXTERN_MEMORY] = OBJECT_MEMORY, [MOTE_EXTERN_GLOBAL] = OBJECT_GLOBAL,
                                             [MOTE_EXTERN_TAG] = OBJECT_TAG};
    const void *key = key_of(external);
    wasm_ref_t *object = key ? mote__wasm_object_find(store, key) : NULL;
    if (object) return (wasm_extern_t *)mote__wasm_hold(object);
    object = key ? mote__wasm_object_new(store, kinds[external.kind], key) : NULL;
    if (object) object->of.external = external;
    return (wasm_extern_t *)object;
}

wasm_instance_t *mote__wasm_instance(wasm_store_t *store, mote_instance instance) {
    wasm_ref_t *object = mote__wasm_object_find(store, instance.ptr);
    if (object) return (wasm_instance_t *)mote__wasm_hold(object);
    object = mote__wasm_object_new(store, OBJECT_INSTANCE, instance.ptr);
    if (object) object->of.instance = instance;
    return (wasm_instance_t *)object;
}

/* ---------------------------------------------------------------- the end of objects */

/* WebAssembly may bring it back as long as the store lives, and with it the host info. */
static bool outlives_its_holds(const wasm_ref_t *object) { return object->kind <= OBJECT_INSTANCE && (object->host_info || object->finalizer); }
static bool is_in_use(const wasm_ref_t *object) { return object->holds || object->pins; }

static void drop_info(wasm_ref_t *object) {
    void (*finalizer)(void *) = object->finalizer;
    object->finalizer = NULL;
    if (finalizer) finalizer(object->host_info);
}

/* Frees an object that is in no list any more. */
static void free_object(wasm_ref_t *object) {
    drop_info(object);
    if (object->kind == OBJECT_MODULE) mote_module_delete(object->of.module);
    if (object->kind == OBJECT_TRAP) mote__wasm_trap_free(&object->of.trap);
    WASM__DELETE(object);
}

static void bury(wasm_ref_t *object) {
    if (object->is_dead || outlives_its_holds(object)) return; /* its turn comes */
    if (object == &object->store->no_memory.base) return;      /* a part of the store */
    mote__map_remove(&object->store->objects, &object->key, sizeof object->key);
    free_object(object);
}

/* Buries what the collector has let go of, unless the host has found it again. */
static void bury_the_dead(wasm_store_t *store) {
    while (store->dead) {
        wasm_ref_t *object = store->dead;
        store->dead = object->next_dead;
        object->is_dead = false;
        if (!is_in_use(object)) bury(object);
    }
}

static void end_store(wasm_store_t *store) {
    mote_store_delete(store->store); /* the wrappers on its heap let go of their objects, which stay in the map */
    for (size_t i = 0; i < store->objects.capacity; i++)
        if (store->objects.entries[i].key) free_object((wasm_ref_t *)(uintptr_t)store->objects.entries[i].value);
    mote__map_deinit(&store->objects);
    drop_info(&store->no_memory.base);
    WASM__DELETE(store);
}

void mote__wasm_store_enter(wasm_store_t *store) { store->holds++; }

void mote__wasm_store_leave(wasm_store_t *store) {
    assert(store->holds);
    bury_the_dead(store);
    if (!--store->holds) end_store(store);
}

/* ---------------------------------------------------------------- counts */

wasm_ref_t *mote__wasm_hold(const wasm_ref_t *shown) {
    wasm_ref_t *object = (wasm_ref_t *)(uintptr_t)shown; /* counts are no part of what const promises */
    if (object && !object->holds++) mote__wasm_store_enter(object->store);
    return object;
}

void mote__wasm_release(wasm_ref_t *object) {
    if (!object) return;
    wasm_store_t *store = object->store;
    assert(object->holds);
    if (--object->holds) return;
    mote_ref_release(store->store, object->root);
    object->root = MOTE_REF_NULL;
    if (!object->pins) bury(object);
    mote__wasm_store_leave(store);
}

/* ---------------------------------------------------------------- externrefs */

/* The collector lets go of a wrapper: no place to run the host's code or to free roots. */
static void let_go(void *data) {
    wasm_ref_t *object = data;
    assert(object->pins);
    object->pins--;
    if (is_in_use(object) || object->is_dead) return;
    object->is_dead = true;
    object->next_dead = object->store->dead;
    object->store->dead = object;
}

mote_status mote__wasm_root(const wasm_ref_t *shown, mote_ref *out, mote_error *error) {
    wasm_ref_t *object = (wasm_ref_t *)(uintptr_t)shown; /* having a wrapper does not change it */
    mote_store *store = object->store->store;
    if (!object->root.index) {
        TRY(mote_extern_new(store, object, let_go, &object->root, error));
        mote__handle_keep(store, object->root);
        object->pins++;
    }
    *out = object->root;
    return MOTE_OK;
}

/* The object that an externref wraps; NULL for what this API did not make. */
static wasm_ref_t *wrapped_in(const wasm_store_t *store, mote_ref ref) {
    uint64_t value;
    if (!mote_extern_data(store->store, ref) || !mote__handle_get(store->store, ref, &value)) return NULL;
    const struct mote__extern_object *wrapper = (const void *)mote__object_at(store->store->exec, value);
    return wrapper->drop == let_go ? wrapper->data : NULL;
}

wasm_ref_t *mote__wasm_adopt(wasm_store_t *store, mote_ref ref, bool *failed) {
    *failed = false;
    if (!ref.index) return NULL;
    wasm_ref_t *object = wrapped_in(store, ref);
    object = object ? mote__wasm_hold(object) : mote__wasm_object_new(store, OBJECT_OTHER, NULL);
    *failed = !object;
    if (!object || object->root.index) {
        mote_ref_release(store->store, ref);
        return object;
    }
    mote__handle_keep(store->store, ref);
    object->root = ref;
    return object;
}

/* ---------------------------------------------------------------- the API: identity, host info, kinds */

static bool is_same(const wasm_ref_t *a, const wasm_ref_t *b) {
    if (a == b) return true;
    if (!a || !b || a->store != b->store || a->kind != b->kind) return false;
    if (a->kind == OBJECT_MODULE) return a->of.module == b->of.module;
    return a->kind == OBJECT_OTHER && mote_ref_same(a->store->store, a->root, b->root);
}

static void set_info(wasm_ref_t *object, void *info, void (*finalizer)(void *)) {
    drop_info(object);
    object->host_info = info;
    object->finalizer = finalizer;
}

static bool is_extern(const wasm_ref_t *object) { return object->kind <= OBJECT_TAG; }

#define DEFINE_OBJECT(name)                                                                                                               \
    void wasm_##name##_delete(wasm_##name##_t *object) { mote__wasm_release((wasm_ref_t *)object); }                                      \
    wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *object) {                                                                  \
        return (wasm_##name##_t *)mote__wasm_hold((const wasm_ref_t *)object);                                                            \
    }                                                                                                                                     \
    bool wasm_##name##_same(const wasm_##name##_t *a, const wasm_##name##_t *b) {                                                         \
        return is_same((const wasm_ref_t *)a, (const wasm_ref_t *)b);                                                                     \
    }                                                                                                                                     \
    void *wasm_##name##_get_host_info(const wasm_##name##_t *object) { return ((const wasm_ref_t *)object)->host_info; }                  \
    void wasm_##name##_set_host_info(wasm_##name##_t *object, void *info) { set_info((wasm_ref_t *)object, info, NULL); }                 \
    void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *object, void *info, void (*finalizer)(void *)) {                     \
        set_info((wasm_ref_t *)object, info, finalizer);                                                                                  \
    }

/* Seeing one kind of object as another, where `is` says that `object` is one. */
#define DEFINE_CASTS(name, wide, is)                                                                                                      \
    wasm_##wide##_t *wasm_##name##_as_##wide(wasm_##name##_t *object) { return (wasm_##wide##_t *)object; }                               \
    const wasm_##wide##_t *wasm_##name##_as_##wide##_const(const wasm_##name##_t *object) { return (const wasm_##wide##_t *)object; }     \
    wasm_##name##_t *wasm_##wide##_as_##name(wasm_##wide##_t *seen) {                                                                     \
        const wasm_ref_t *object = (const wasm_ref_t *)seen;                                                                              \
        return object && (is) ? (wasm_##name##_t *)seen : NULL;                                                                           \
    }                                                                                                                                     \
    const wasm_##name##_t *wasm_##wide##_as_##name##_const(const wasm_##wide##_t *seen) {                                                 \
        const wasm_ref_t *object = (const wasm_ref_t *)seen;                                                                              \
        return object && (is) ? (const wasm_##name##_t *)seen : NULL;                                                                     \
    }

#define DEFINE_REF(name, is) DEFINE_OBJECT(name) DEFINE_CASTS(name, ref, is)

DEFINE_OBJECT(ref)
DEFINE_REF(trap, object->kind == OBJECT_TRAP)
DEFINE_REF(foreign, object->kind == OBJECT_FOREIGN)
DEFINE_REF(module, object->kind == OBJECT_MODULE)
DEFINE_REF(func, object->kind == OBJECT_FUNC)
DEFINE_REF(global, object->kind == OBJECT_GLOBAL)
DEFINE_REF(table, object->kind == OBJECT_TABLE)
DEFINE_REF(memory, object->kind == OBJECT_MEMORY)
DEFINE_REF(extern, is_extern(object))
DEFINE_REF(instance, object->kind == OBJECT_INSTANCE)
DEFINE_CASTS(func, extern, object->kind == OBJECT_FUNC)
DEFINE_CASTS(global, extern, object->kind == OBJECT_GLOBAL)
DEFINE_CASTS(table, extern, object->kind == OBJECT_TABLE)
DEFINE_CASTS(memory, extern, object->kind == OBJECT_MEMORY)

wasm_foreign_t *wasm_foreign_new(wasm_store_t *store) { return (wasm_foreign_t *)mote__wasm_object_new(store, OBJECT_FOREIGN, NULL); }
