/* value.c - values of the API to slots and back, and calls with them in both directions.
 * A function reference is its pointer on both sides (in slots null is 0); other references are handles outside and heap references inside. Between
 * reading a handle and using the slot nothing may allocate on the heap: the slot is no root yet. */
#include "run/value.h"
#include "run/gc.h"
#include <stdio.h>

enum { VALUES_ON_STACK = 16 };

/* ---------------------------------------------------------------- one value */

uint8_t mote__value_kind(const struct mote__types *types, valtype type) {
    if (!mote__vt_is_ref(type)) return (uint8_t)(type <= VT_V128 ? type - VT_I32 : MOTE_I32);
    switch (mote__heap_top(types, mote__vt_heap(type))) {
    case MOTE_HEAP_FUNC: return MOTE_FUNCREF;
    case MOTE_HEAP_EXTERN: return MOTE_EXTERNREF;
    case MOTE_HEAP_EXN: return MOTE_EXNREF;
    default: return MOTE_ANYREF;
    }
}

mote_value mote__value_zero(const struct mote__types *types, valtype type) {
    mote_value zero;
    memset(&zero, 0, sizeof zero);
    zero.kind = mote__value_kind(types, type);
    return zero;
}

static const char *kind_name(uint8_t kind) {
    static const char *const names[] = {"i32", "i64", "f32", "f64", "v128"};
    static const char *const refs[] = {"funcref", "externref", "anyref", "exnref"};
    if (kind < sizeof names / sizeof *names) return names[kind];
    if (kind >= MOTE_FUNCREF && kind <= MOTE_EXNREF) return refs[kind - MOTE_FUNCREF];
    return "no kind of value";
}

static mote_status refuse(const mote_store *store, valtype type, const mote_value *value, const char *why, mote_error *error) {
    char name[120];
    mote__vt_print(&store->engine->types, type, name, sizeof name);
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a value of type %s is needed, given is %s%s", name, kind_name(value->kind), why);
}

/* The reference value of a mote_value; false if it is of another store or was released. */
static bool reference_of(const mote_store *store, const mote_value *value, uint64_t *out) {
    if (value->kind != MOTE_FUNCREF) return mote__handle_get(store, value->of.ref, out);
    *out = (uint64_t)(uintptr_t)value->of.func.ptr;
    return !value->of.func.ptr || value->of.func.ptr->store == store;
}

static mote_status ref_to_slot(mote_store *store, valtype type, const mote_value *value, uint64_t *slot, mote_error *error) {
    uint64_t ref;
    if (!reference_of(store, value, &ref)) return refuse(store, type, value, " of another store, or released before", error);
    if (!mote__ref_matches(store, ref, type)) return refuse(store, type, value, ref ? " of another type" : " and null", error);
    *slot = ref;
    return MOTE_OK;
}

mote_status mote__value_to_slots(mote_store *store, valtype type, const mote_value *value, uint64_t *slots, mote_error *error) {
    if (value->kind != mote__value_kind(&store->engine->types, type)) return refuse(store, type, value, "", error);
    if (mote__vt_is_ref(type)) return ref_to_slot(store, type, value, slots, error);
    slots[0] = 0;
    if (type == VT_V128) memcpy(slots, value->of.v128, 16);
    else memcpy(slots, &value->of, type == VT_I64 || type == VT_F64 ? 8 : 4);
    return MOTE_OK;
}

mote_status mote__slots_to_value(mote_store *store, valtype type, const uint64_t *slots, mote_value *out, mote_error *error) {
    mote_value value = mote__value_zero(&store->engine->types, type);
    if (value.kind == MOTE_FUNCREF) value.of.func.ptr = (struct mote__func *)(uintptr_t)slots[0];
    else if (mote__vt_is_ref(type)) TRY(mote__handle_new(store, slots[0], &value.of.ref, error));
    else if (type == VT_V128) memcpy(value.of.v128, slots, 16);
    else memcpy(&value.of, slots, type == VT_I64 || type == VT_F64 ? 8 : 4);
    *out = value;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- lists */

mote_status mote__values_to_slots(mote_store *store, const struct mote__fieldtype *types, size_t count, const mote_value *values,
                                  uint64_t *slots, mote_error *error) {
    for (size_t i = 0; i < count; i++) {
        TRY(mote__value_to_slots(store, types[i].type, &values[i], slots, error));
        slots += mote__vt_slots(types[i].type);
    }
    return MOTE_OK;
}

mote_status mote__slots_to_values(mote_store *store, const struct mote__fieldtype *types, size_t count, const uint64_t *slots,
                                  mote_value *values, mote_error *error) {
    for (size_t i = 0; i < count; i++) {
        TRY(mote__slots_to_value(store, types[i].type, slots, &values[i], error));
        slots += mote__vt_slots(types[i].type);
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- calls from the host */

static size_t call_slots(const mote_type *type) {
    size_t slots = type->param_slots > type->result_slots ? type->param_slots : type->result_slots;
    return slots ? slots : 1;
}

static mote_status call_on(mote_store *store, struct mote__func *func, const mote_value *args, mote_value *results, uint64_t *slots,
                           mote_error *error) {
    const mote_type *type = func->type;
    TRY(mote__values_to_slots(store, type->fields, type->param_count, args, slots, error));
    TRY(mote__call(store, func, slots, error));
    return mote__slots_to_values(store, type->fields + type->param_count, type->result_count, slots, results, error);
}

mote_status mote__call_values(mote_store *store, struct mote__func *func, const mote_value *args, mote_value *results, mote_error *error) {
    uint64_t few[2 * VALUES_ON_STACK], *slots = few;
    const mote_allocator *a = mote__engine_alloc(store->engine);
    size_t count = call_slots(func->type);
    bool many = count > sizeof few / sizeof *few;
    if (many && !(slots = MOTE__NEW_ARRAY(a, uint64_t, count))) return mote__error_nomem(error, "calling a function");
    mote_status status = call_on(store, func, args, results, slots, error);
    if (many) MOTE__DELETE_ARRAY(a, slots, count);
    return status;
}

/* ---------------------------------------------------------------- calls to the host */

/* A host function that gives a result of the wrong type ends the call, whatever WebAssembly it came from. */
static mote_status fail_result(mote_error *error) {
    char why[MOTE_ERROR_TEXT_MAX + 8];
    memcpy(why, error->message, sizeof why);
    mote__error_set(error, MOTE_E_TRAP, MOTE_NO_OFFSET, "%s: the result of a host function: %s", mote_trap_text(MOTE_TRAP_HOST), why);
    error->trap = MOTE_TRAP_HOST;
    return MOTE_E_TRAP;
}

static mote_status host_call_on(struct mote_caller *caller, struct mote__func *func, uint64_t *slots, mote_value *args, mote_value *results) {
    const mote_type *type = func->type;
    mote_store *store = caller->exec->store;
    const struct mote__fieldtype *result_types = type->fields + type->param_count;
    TRY(mote__slots_to_values(store, type->fields, type->param_count, slots, args, caller->exec->error));
    for (uint32_t i = 0; i < type->result_count; i++) results[i] = mote__value_zero(&store->engine->types, result_types[i].type);
    TRY(func->fn(func->env, caller, args, results));
    mote_status status = mote__values_to_slots(store, result_types, type->result_count, results, slots, caller->exec->error);
    return status == MOTE_OK ? MOTE_OK : fail_result(caller->exec->error);
}

mote_status mote__host_call_typed(struct mote_caller *caller, struct mote__func *func, uint64_t *slots) {
    mote_value few[VALUES_ON_STACK], *values = few;
    mote_store *store = caller->exec->store;
    const mote_allocator *a = mote__engine_alloc(store->engine);
    size_t count = (size_t)func->type->param_count + func->type->result_count;
    bool many = count > VALUES_ON_STACK;
    if (many && !(values = MOTE__NEW_ARRAY(a, mote_value, count))) return mote__error_nomem(caller->exec->error, "calling a host function");
    uint32_t mark = mote__handle_mark(store);
    mote_status status = host_call_on(caller, func, slots, values, values + func->type->param_count);
    mote__handle_release_since(store, mark);
    if (many) MOTE__DELETE_ARRAY(a, values, count);
    return status;
}
