/* wasm_types.c - the standard C API's descriptions of types.
 * Keeps: a functype's vectors have no NULL element, other parts are never NULL; whoever makes a type takes its parts over even when it fails. */
#include "api/wasm_api.h"

/* ---------------------------------------------------------------- value types */

static bool is_func(mote_valtype type) {
    if (type.heap != MOTE_HEAP_TYPE) return type.heap == MOTE_HEAP_FUNC || type.heap == MOTE_HEAP_NOFUNC;
    return mote_type_kind(type.type) == MOTE_TYPE_FUNC;
}

wasm_valkind_t mote__wasm_kind(mote_valtype type) {
    if (type.kind != MOTE_REF) return type.kind <= MOTE_F64 ? type.kind : MOTE_WASM_V128;
    if (is_func(type)) return WASM_FUNCREF;
    if (type.heap == MOTE_HEAP_EXTERN || type.heap == MOTE_HEAP_NOEXTERN) return WASM_EXTERNREF;
    return MOTE_WASM_OTHER_REF;
}

bool mote__wasm_kind_has_values(wasm_valkind_t kind) { return kind <= WASM_F64 || kind == WASM_EXTERNREF || kind == WASM_FUNCREF; }

wasm_valtype_t *mote__wasm_valtype(mote_valtype type) {
    wasm_valtype_t *made = WASM__NEW(wasm_valtype_t);
    if (!made) return NULL;
    made->kind = mote__wasm_kind(type);
    made->exact = type;
    if (type.type) mote_type_retain(type.type);
    return made;
}

wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind) {
    if (kind <= WASM_F64) return mote__wasm_valtype(MOTE_VALTYPE(kind));
    if (kind == WASM_EXTERNREF) return mote__wasm_valtype(MOTE_VALTYPE_REF(MOTE_HEAP_EXTERN));
    if (kind == WASM_FUNCREF) return mote__wasm_valtype(MOTE_VALTYPE_REF(MOTE_HEAP_FUNC));
    return NULL;
}

wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *type) { return type->kind; }
wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *type) { return type ? mote__wasm_valtype(type->exact) : NULL; }

void wasm_valtype_delete(wasm_valtype_t *type) {
    if (!type) return;
    if (type->exact.type) mote_type_delete(type->exact.type);
    WASM__DELETE(type);
}

/* ---------------------------------------------------------------- function types */

static wasm_functype_t *adopt_lists(wasm_valtype_vec_t params, wasm_valtype_vec_t results) {
    wasm_functype_t *type = WASM__NEW(wasm_functype_t);
    if (!type) {
        wasm_valtype_vec_delete(&params);
        wasm_valtype_vec_delete(&results);
        return NULL;
    }
    type->base.kind = WASM_EXTERN_FUNC;
    type->params = params;
    type->results = results;
    return type;
}

static bool is_whole(const wasm_valtype_vec_t *list) {
    for (size_t i = 0; i < list->size; i++)
        if (!list->data[i]) return false;
    return true;
}

/* Empties the caller's vector; NULL is an empty one. */
static wasm_valtype_vec_t take_list(wasm_valtype_vec_t *list) {
    wasm_valtype_vec_t taken = WASM_EMPTY_VEC;
    if (!list) return taken;
    taken = *list;
    wasm_valtype_vec_new_empty(list);
    return taken;
}

wasm_functype_t *wasm_functype_new(wasm_valtype_vec_t *params, wasm_valtype_vec_t *results) {
    wasm_functype_t *type = adopt_lists(take_list(params), take_list(results));
    if (!type || (is_whole(&type->params) && is_whole(&type->results))) return type;
    wasm_functype_delete(type);
    return NULL;
}

/* `count` types that `at` gives; false when out of memory. */
static bool list_types(const mote_type *type, size_t count, mote_valtype (*at)(const mote_type *, size_t), wasm_valtype_vec_t *out) {
    wasm_valtype_vec_new_uninitialized(out, count);
    if (out->size != count) return false;
    for (size_t i = 0; i < count; i++) out->data[i] = mote__wasm_valtype(at(type, i));
    return is_whole(out);
}

wasm_functype_t *mote__wasm_functype(const mote_type *type) {
    wasm_valtype_vec_t params, results;
    bool whole = list_types(type, mote_type_param_count(type), mote_type_param, &params);
    whole = list_types(type, mote_type_result_count(type), mote_type_result, &results) && whole;
    if (whole) return adopt_lists(params, results);
    wasm_valtype_vec_delete(&params);
    wasm_valtype_vec_delete(&results);
    return NULL;
}

const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *type) { return &type->params; }
const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *type) { return &type->results; }

void wasm_functype_delete(wasm_functype_t *type) {
    if (!type) return;
    wasm_valtype_vec_delete(&type->params);
    wasm_valtype_vec_delete(&type->results);
    WASM__DELETE(type);
}

wasm_functype_t *wasm_functype_copy(const wasm_functype_t *type) {
    wasm_valtype_vec_t params, results;
    if (!type) return NULL;
    wasm_valtype_vec_copy(&params, &type->params);
    wasm_valtype_vec_copy(&results, &type->results);
    if (params.size == type->params.size && results.size == type->results.size) return adopt_lists(params, results);
    wasm_valtype_vec_delete(&params);
    wasm_valtype_vec_delete(&results);
    return NULL;
}

static void list_exact(const wasm_valtype_vec_t *list, mote_valtype *out) {
    for (size_t i = 0; i < list->size; i++) out[i] = list->data[i]->exact;
}

mote_status mote__wasm_functype_exact(mote_engine *engine, const wasm_functype_t *type, const mote_type **out, mote_error *error) {
    size_t param_count = type->params.size, count = param_count + type->results.size;
    mote_valtype *types = WASM__NEW_ARRAY(mote_valtype, count + 1);
    if (!types) return mote__error_nomem(error, "making a function type");
    list_exact(&type->params, types);
    list_exact(&type->results, types + param_count);
    mote_status status = mote_type_new_func(engine, types, param_count, types + param_count, count - param_count, out, error);
    WASM__DELETE_ARRAY(types, count + 1);
    return status;
}

/* ---------------------------------------------------------------- global types */

static wasm_globaltype_t *adopt_content(wasm_valtype_t *content, wasm_mutability_t mutability) {
    wasm_globaltype_t *type = content ? WASM__NEW(wasm_globaltype_t) : NULL;
    if (!type) {
        wasm_valtype_delete(content);
        return NULL;
    }
    type->base.kind = WASM_EXTERN_GLOBAL;
    type->content = content;
    type->mutability = mutability;
    return type;
}

wasm_globaltype_t *wasm_globaltype_new(wasm_valtype_t *content, wasm_mutability_t mutability) { return adopt_content(content, mutability); }

wasm_globaltype_t *mote__wasm_globaltype(mote_globaltype type) {
    return adopt_content(mote__wasm_valtype(type.value), type.is_mutable ? WASM_VAR : WASM_CONST);
}

const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *type) { return type->content; }
wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *type) { return type->mutability; }

void wasm_globaltype_delete(wasm_globaltype_t *type) {
    if (!type) return;
    wasm_valtype_delete(type->content);
    WASM__DELETE(type);
}

wasm_globaltype_t *wasm_globaltype_copy(const wasm_globaltype_t *type) {
    return type ? adopt_content(wasm_valtype_copy(type->content), type->mutability) : NULL;
}

/* ---------------------------------------------------------------- limits */

static uint32_t shown(uint64_t size) { return size < wasm_limits_max_default ? (uint32_t)size : wasm_limits_max_default; }
static wasm_limits_t show_limits(uint64_t min, uint64_t max) { return (wasm_limits_t){shown(min), shown(max)}; }
static uint64_t exact_max(const wasm_limits_t *limits) { return limits->max == wasm_limits_max_default ? UINT64_MAX : limits->max; }

/* ---------------------------------------------------------------- table types */

static wasm_tabletype_t *adopt_element(wasm_valtype_t *element, mote_tabletype exact) {
    wasm_tabletype_t *type = element ? WASM__NEW(wasm_tabletype_t) : NULL;
    if (!type) {
        wasm_valtype_delete(element);
        return NULL;
    }
    type->base.kind = WASM_EXTERN_TABLE;
    type->element = element;
    type->limits = show_limits(exact.min, exact.max);
    type->exact = exact;
    type->exact.element = element->exact;
    return type;
}

wasm_tabletype_t *wasm_tabletype_new(wasm_valtype_t *element, const wasm_limits_t *limits) {
    return adopt_element(element, (mote_tabletype){.min = limits->min, .max = exact_max(limits)});
}

wasm_tabletype_t *mote__wasm_tabletype(mote_tabletype type) { return adopt_element(mote__wasm_valtype(type.element), type); }
const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *type) { return type->element; }
const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *type) { return &type->limits; }
wasm_tabletype_t *wasm_tabletype_copy(const wasm_tabletype_t *type) { return type ? mote__wasm_tabletype(type->exact) : NULL; }

void wasm_tabletype_delete(wasm_tabletype_t *type) {
    if (!type) return;
    wasm_valtype_delete(type->element);
    WASM__DELETE(type);
}

/* ---------------------------------------------------------------- memory types */

wasm_memorytype_t *mote__wasm_memorytype(mote_memorytype exact) {
    wasm_memorytype_t *type = WASM__NEW(wasm_memorytype_t);
    if (!type) return NULL;
    type->base.kind = WASM_EXTERN_MEMORY;
    type->limits = show_limits(exact.min, exact.max);
    type->exact = exact;
    return type;
}

wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *limits) {
    return mote__wasm_memorytype((mote_memorytype){.min = limits->min, .max = exact_max(limits), .page_log2 = 16});
}

const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *type) { return &type->limits; }
wasm_memorytype_t *wasm_memorytype_copy(const wasm_memorytype_t *type) { return type ? mote__wasm_memorytype(type->exact) : NULL; }

void wasm_memorytype_delete(wasm_memorytype_t *type) {
    if (type) WASM__DELETE(type);
}

/* ---------------------------------------------------------------- tag types, which have no name in the API */

struct tagtype {
    wasm_externtype_t base;
    const mote_type *exact; /* held */
};

static struct tagtype *new_tagtype(const mote_type *exact) {
    struct tagtype *type = WASM__NEW(struct tagtype);
    if (!type) return NULL;
    type->base.kind = MOTE_WASM_EXTERN_TAG;
    type->exact = mote_type_retain(exact);
    return type;
}

static void delete_tagtype(struct tagtype *type) {
    mote_type_delete(type->exact);
    WASM__DELETE(type);
}

/* ---------------------------------------------------------------- extern types */

wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *type) { return type->kind; }

/* Seeing a kind of type as an extern's, and back. */
#define DEFINE_CASTS(name, kind_number)                                                                                                   \
    wasm_externtype_t *wasm_##name##_as_externtype(wasm_##name##_t *type) { return (wasm_externtype_t *)type; }                           \
    const wasm_externtype_t *wasm_##name##_as_externtype_const(const wasm_##name##_t *type) { return (const wasm_externtype_t *)type; }   \
    wasm_##name##_t *wasm_externtype_as_##name(wasm_externtype_t *type) {                                                                 \
        return type && type->kind == (kind_number) ? (wasm_##name##_t *)type : NULL;                                                      \
    }                                                                                                                                     \
    const wasm_##name##_t *wasm_externtype_as_##name##_const(const wasm_externtype_t *type) {                                             \
        return type && type->kind == (kind_number) ? (const wasm_##name##_t *)type : NULL;                                                \
    }
DEFINE_CASTS(functype, WASM_EXTERN_FUNC)
DEFINE_CASTS(globaltype, WASM_EXTERN_GLOBAL)
DEFINE_CASTS(tabletype, WASM_EXTERN_TABLE)
DEFINE_CASTS(memorytype, WASM_EXTERN_MEMORY)

wasm_externtype_t *mote__wasm_externtype(const mote_externtype *type) {
    switch (type->kind) {
    case MOTE_EXTERN_FUNC: return (wasm_externtype_t *)mote__wasm_functype(type->of.func);
    case MOTE_EXTERN_TABLE: return (wasm_externtype_t *)mote__wasm_tabletype(type->of.table);
    case MOTE_EXTERN_MEMORY: return (wasm_externtype_t *)mote__wasm_memorytype(type->of.memory);
    case MOTE_EXTERN_GLOBAL: return (wasm_externtype_t *)mote__wasm_globaltype(type->of.global);
    case MOTE_EXTERN_TAG: return (wasm_externtype_t *)new_tagtype(type->of.func);
    }
    return NULL;
}

void wasm_externtype_delete(wasm_externtype_t *type) {
    if (!type) return;
    switch (type->kind) {
    case WASM_EXTERN_FUNC: wasm_functype_delete((wasm_functype_t *)type); break;
    case WASM_EXTERN_GLOBAL: wasm_globaltype_delete((wasm_globaltype_t *)type); break;
    case WASM_EXTERN_TABLE: wasm_tabletype_delete((wasm_tabletype_t *)type); break;
    case WASM_EXTERN_MEMORY: wasm_memorytype_delete((wasm_memorytype_t *)type); break;
    default: delete_tagtype((struct tagtype *)type);
    }
}

wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *type) {
    if (!type) return NULL;
    switch (type->kind) {
    case WASM_EXTERN_FUNC: return (wasm_externtype_t *)wasm_functype_copy((const wasm_functype_t *)type);
    case WASM_EXTERN_GLOBAL: return (wasm_externtype_t *)wasm_globaltype_copy((const wasm_globaltype_t *)type);
    case WASM_EXTERN_TABLE: return (wasm_externtype_t *)wasm_tabletype_copy((const wasm_tabletype_t *)type);
    case WASM_EXTERN_MEMORY: return (wasm_externtype_t *)wasm_memorytype_copy((const wasm_memorytype_t *)type);
    default: return (wasm_externtype_t *)new_tagtype(((const struct tagtype *)type)->exact);
    }
}

/* ---------------------------------------------------------------- import and export types */

struct wasm_importtype_t {
    wasm_name_t module, name;
    wasm_externtype_t *type;
};

struct wasm_exporttype_t {
    wasm_name_t name;
    wasm_externtype_t *type;
};

static wasm_name_t take_name(wasm_name_t *name) {
    wasm_name_t taken = *name;
    wasm_name_new_empty(name);
    return taken;
}

wasm_importtype_t *wasm_importtype_new(wasm_name_t *module, wasm_name_t *name, wasm_externtype_t *type) {
    wasm_importtype_t parts = {take_name(module), take_name(name), type};
    wasm_importtype_t *made = type ? WASM__NEW(wasm_importtype_t) : NULL;
    if (made) {
        *made = parts;
        return made;
    }
    wasm_name_delete(&parts.module);
    wasm_name_delete(&parts.name);
    wasm_externtype_delete(type);
    return NULL;
}

const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *type) { return &type->module; }
const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *type) { return &type->name; }
const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *type) { return type->type; }

void wasm_importtype_delete(wasm_importtype_t *type) {
    if (!type) return;
    wasm_name_delete(&type->module);
    wasm_name_delete(&type->name);
    wasm_externtype_delete(type->type);
    WASM__DELETE(type);
}

/* Copies a name; false when out of memory. */
static bool copy_name(wasm_name_t *out, const wasm_name_t *from) {
    wasm_name_copy(out, from);
    return out->size == from->size;
}

wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *type) {
    wasm_name_t module, name;
    if (!type) return NULL;
    bool whole = copy_name(&module, &type->module);
    whole = copy_name(&name, &type->name) && whole;
    return wasm_importtype_new(&module, &name, whole ? wasm_externtype_copy(type->type) : NULL);
}

wasm_exporttype_t *wasm_exporttype_new(wasm_name_t *name, wasm_externtype_t *type) {
    wasm_exporttype_t parts = {take_name(name), type};
    wasm_exporttype_t *made = type ? WASM__NEW(wasm_exporttype_t) : NULL;
    if (made) {
        *made = parts;
        return made;
    }
    wasm_name_delete(&parts.name);
    wasm_externtype_delete(type);
    return NULL;
}

const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *type) { return &type->name; }
const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *type) { return type->type; }

void wasm_exporttype_delete(wasm_exporttype_t *type) {
    if (!type) return;
    wasm_name_delete(&type->name);
    wasm_externtype_delete(type->type);
    WASM__DELETE(type);
}

wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *type) {
    wasm_name_t name;
    if (!type) return NULL;
    bool whole = copy_name(&name, &type->name);
    return wasm_exporttype_new(&name, whole ? wasm_externtype_copy(type->type) : NULL);
}
