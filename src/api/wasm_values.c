/* wasm_values.c - values of the standard C API to mote's and back. A reference to a function is the function's object; every other object is wrapped in an
 * externref (wasm_objects.c). */
#include "api/wasm_api.h"

/* ---------------------------------------------------------------- of the API alone */

static bool holds_ref(const wasm_val_t *value) { return wasm_valkind_is_ref(value->kind); }

void wasm_val_delete(wasm_val_t *value) {
    if (!value || !holds_ref(value)) return;
    wasm_ref_delete(value->of.ref);
    value->of.ref = NULL;
}

void wasm_val_copy(wasm_val_t *out, const wasm_val_t *value) {
    *out = *value;
    if (holds_ref(value)) out->of.ref = wasm_ref_copy(value->of.ref);
}

/* ---------------------------------------------------------------- what cannot be said */

static mote_status refuse_kind(mote_valtype type, mote_error *error) {
    char name[80];
    mote_valtype_print(type, name, sizeof name);
    return mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET, "the standard C API has no values of type %s; mote.h has", name);
}

mote_status mote__wasm_check_type(mote_valtype type, mote_error *error) {
    return mote__wasm_kind_has_values(mote__wasm_kind(type)) ? MOTE_OK : refuse_kind(type, error);
}

mote_status mote__wasm_check_signature(const mote_type *type, mote_error *error) {
    for (size_t i = 0; i < mote_type_param_count(type); i++) TRY(mote__wasm_check_type(mote_type_param(type, i), error));
    for (size_t i = 0; i < mote_type_result_count(type); i++) TRY(mote__wasm_check_type(mote_type_result(type, i), error));
    return MOTE_OK;
}

/* ---------------------------------------------------------------- to mote */

static mote_status refuse(const char *what, mote_error *error) {
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "%s", what);
}

static mote_status func_in(const wasm_ref_t *ref, mote_value *out, mote_error *error) {
    if (ref && ref->kind != OBJECT_FUNC) return refuse("a function reference is needed, given is another object", error);
    out->kind = MOTE_FUNCREF;
    out->of.func = ref ? ref->of.external.of.func : (mote_func){NULL};
    return MOTE_OK;
}

static mote_status extern_in(const wasm_ref_t *ref, mote_value *out, mote_error *error) {
    out->kind = MOTE_EXTERNREF;
    out->of.ref = MOTE_REF_NULL;
    return ref ? mote__wasm_root(ref, &out->of.ref, error) : MOTE_OK;
}

mote_status mote__wasm_ref_in(wasm_store_t *store, mote_valtype want, const wasm_ref_t *ref, mote_value *out, mote_error *error) {
    TRY(mote__wasm_check_type(want, error));
    if (ref && ref->store != store) return refuse("the reference belongs to another store", error);
    if (mote__wasm_kind(want) == WASM_FUNCREF) return func_in(ref, out, error);
    return extern_in(ref, out, error);
}

/* WASM_REF_VAL calls every reference an externref, so that one is taken for a funcref too. */
static bool kind_fits(wasm_valkind_t wanted, wasm_valkind_t given) {
    return wanted == given || (wanted == WASM_FUNCREF && given == WASM_EXTERNREF);
}

mote_status mote__wasm_value_in(wasm_store_t *store, mote_valtype want, const wasm_val_t *value, mote_value *out, mote_error *error) {
    wasm_valkind_t kind = mote__wasm_kind(want);
    char name[80];
    TRY(mote__wasm_check_type(want, error));
    if (!kind_fits(kind, value->kind)) {
        mote_valtype_print(want, name, sizeof name);
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a value of type %s is needed, given is one of kind %u", name, value->kind);
    }
    if (wasm_valkind_is_ref(kind)) return mote__wasm_ref_in(store, want, value->of.ref, out, error);
    out->kind = kind; /* of numbers both have the same */
    out->of.i64 = 0;
    switch (kind) {
    case WASM_I32: out->of.i32 = (uint32_t)value->of.i32; break;
    case WASM_I64: out->of.i64 = (uint64_t)value->of.i64; break;
    case WASM_F32: out->of.f32 = value->of.f32; break;
    default: out->of.f64 = value->of.f64;
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- from mote */

mote_status mote__wasm_ref_out(wasm_store_t *store, const mote_value *value, wasm_ref_t **out, mote_error *error) {
    bool failed = false;
    *out = NULL;
    if (value->kind == MOTE_FUNCREF) {
        mote_extern external = {.kind = MOTE_EXTERN_FUNC, .of.func = value->of.func};
        *out = (wasm_ref_t *)mote__wasm_extern(store, external);
        failed = !*out && value->of.func.ptr;
    } else if (value->kind == MOTE_EXTERNREF) {
        *out = mote__wasm_adopt(store, value->of.ref, &failed);
    } else {
        mote_ref_release(store->store, value->of.ref);
        return refuse("the standard C API has no values of this reference's type; mote.h has", error);
    }
    return failed ? mote__error_nomem(error, "making a reference") : MOTE_OK;
}

mote_status mote__wasm_value_out(wasm_store_t *store, const mote_value *value, wasm_val_t *out, mote_error *error) {
    memset(out, 0, sizeof *out);
    switch (value->kind) {
    case MOTE_I32: *out = (wasm_val_t)WASM_I32_VAL((int32_t)value->of.i32); return MOTE_OK;
    case MOTE_I64: *out = (wasm_val_t)WASM_I64_VAL((int64_t)value->of.i64); return MOTE_OK;
    case MOTE_F32: *out = (wasm_val_t)WASM_F32_VAL(value->of.f32); return MOTE_OK;
    case MOTE_F64: *out = (wasm_val_t)WASM_F64_VAL(value->of.f64); return MOTE_OK;
    case MOTE_V128: return refuse_kind(MOTE_VALTYPE(MOTE_V128), error);
    default: out->kind = value->kind == MOTE_FUNCREF ? WASM_FUNCREF : WASM_EXTERNREF;
    }
    return mote__wasm_ref_out(store, value, &out->of.ref, error);
}

mote_status mote__wasm_values_out(wasm_store_t *store, const mote_value *values, wasm_val_t *out, size_t count, mote_error *error) {
    for (size_t i = 0; i < count; i++) {
        mote_status status = mote__wasm_value_out(store, &values[i], &out[i], error);
        if (status == MOTE_OK) continue;
        while (i-- > 0) wasm_val_delete(&out[i]);
        return status;
    }
    return MOTE_OK;
}
