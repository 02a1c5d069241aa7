/* types_api.c - the types of mote.h: made, held, asked, compared and printed.
 * Keeps: each hold on a type that the API gave out holds its group and its engine. */
#include "base/alloc.h"
#include "base/error.h"
#include "wasm/engine.h"
#include "wasm/limits.h"
#include <assert.h>

/* ---------------------------------------------------------------- making */

static mote_status bad_valtype(mote_error *error, const char *what, size_t index) {
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                           "%s %zu has no type that may stand there, or one of another engine",
                           what, index);
}

/* Turns `count` public types into fields. */
static mote_status read_fields(struct mote__types *types, const mote_valtype *in, size_t count,
                               bool storage, const char *what, struct mote__fieldtype *out,
                               mote_error *error) {
    for (size_t i = 0; i < count; i++) {
        if (!mote__vt_from_public(types, in[i], storage, &out[i].type))
            return bad_valtype(error, what, i);
        out[i].is_mutable = storage && in[i].mutable_;
    }
    return MOTE_OK;
}

/* Interns one definition and holds it for the caller. */
static mote_status make(mote_engine *engine, const struct mote__typedef *def, const mote_type **out,
                        mote_error *error) {
    struct mote__recgroup *group;
    TRY(mote__types_intern(mote__engine_types(engine), def, 1, &group, error));
    mote__engine_retain(engine);
    *out = &group->types[0];
    return MOTE_OK;
}

static mote_status check_count(mote_error *error, const char *what, size_t count, size_t limit) {
    if (count <= limit) return MOTE_OK;
    return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "%zu %s, more than %zu", count,
                           what, limit);
}

mote_status mote_type_new_func(mote_engine *engine, const mote_valtype *params, size_t param_count,
                               const mote_valtype *results, size_t result_count,
                               const mote_type **out, mote_error *error) {
    struct mote__fieldtype fields[LIMIT_PARAMS + LIMIT_RESULTS];
    struct mote__types *types = mote__engine_types(engine);
    mote_error unwanted;
    if (!error) error = &unwanted;
    TRY(check_count(error, "parameters", param_count, LIMIT_PARAMS));
    TRY(check_count(error, "results", result_count, LIMIT_RESULTS));
    TRY(read_fields(types, params, param_count, false, "parameter", fields, error));
    TRY(read_fields(types, results, result_count, false, "result", fields + param_count, error));
    const struct mote__typedef def = {.kind = MOTE_TYPE_FUNC,
                                      .is_final = true,
                                      .param_count = (uint32_t)param_count,
                                      .result_count = (uint32_t)result_count,
                                      .field_count = (uint32_t)(param_count + result_count),
                                      .fields = fields};
    return make(engine, &def, out, error);
}

mote_status mote_type_new_struct(mote_engine *engine, const mote_valtype *fields,
                                 size_t field_count, const mote_type **out, mote_error *error) {
    const mote_allocator *a = mote__engine_allocator(engine);
    mote_error unwanted;
    if (!error) error = &unwanted;
    TRY(check_count(error, "fields", field_count, LIMIT_STRUCT_FIELDS));
    struct mote__fieldtype *own = MOTE__NEW_ARRAY(a, struct mote__fieldtype, field_count);
    if (field_count && !own) return mote__error_nomem(error, "making a struct type");
    const struct mote__typedef def = {.kind = MOTE_TYPE_STRUCT,
                                      .is_final = true,
                                      .field_count = (uint32_t)field_count,
                                      .fields = own};
    mote_status status =
        read_fields(mote__engine_types(engine), fields, field_count, true, "field", own, error);
    if (status == MOTE_OK) status = make(engine, &def, out, error);
    MOTE__DELETE_ARRAY(a, own, field_count);
    return status;
}

mote_status mote_type_new_array(mote_engine *engine, mote_valtype element, const mote_type **out,
                                mote_error *error) {
    struct mote__fieldtype field;
    mote_error unwanted;
    if (!error) error = &unwanted;
    TRY(read_fields(mote__engine_types(engine), &element, 1, true, "element", &field, error));
    const struct mote__typedef def = {
        .kind = MOTE_TYPE_ARRAY, .is_final = true, .field_count = 1, .fields = &field};
    return make(engine, &def, out, error);
}

/* ---------------------------------------------------------------- holding */

const mote_type *mote_type_retain(const mote_type *type) {
    mote__recgroup_retain(type->group);
    mote__engine_retain(mote__engine_of_types(type->group->registry));
    return type;
}

void mote_type_delete(const mote_type *type) {
    if (!type) return;
    mote_engine *engine = mote__engine_of_types(type->group->registry);
    mote__recgroup_release(type->group);
    mote__engine_release(engine);
}

/* ---------------------------------------------------------------- asking */

mote_typekind mote_type_kind(const mote_type *type) { return (mote_typekind)type->kind; }
size_t mote_type_param_count(const mote_type *type) { return type->param_count; }
size_t mote_type_result_count(const mote_type *type) { return type->result_count; }
size_t mote_type_field_count(const mote_type *type) {
    return type->kind == MOTE_TYPE_FUNC ? 0 : type->field_count;
}

mote_valtype mote_type_param(const mote_type *type, size_t index) {
    assert(index < type->param_count);
    return mote__vt_public(type->group->registry, mote__type_param(type, index));
}

mote_valtype mote_type_result(const mote_type *type, size_t index) {
    assert(index < type->result_count);
    return mote__vt_public(type->group->registry, mote__type_result(type, index));
}

mote_valtype mote_type_field(const mote_type *type, size_t index) {
    assert(index < mote_type_field_count(type));
    mote_valtype field = mote__vt_public(type->group->registry, type->fields[index].type);
    field.mutable_ = type->fields[index].is_mutable;
    return field;
}

bool mote_type_matches(const mote_type *sub, const mote_type *super) {
    return sub->group->registry == super->group->registry && mote__type_is_sub(sub, super);
}

/* ---------------------------------------------------------------- printing */

size_t mote_type_print(const mote_type *type, char *out, size_t size) {
    return mote__type_print(type, out, size);
}

/* What is no type prints as "any type", as the type of unreachable code does. */
size_t mote_valtype_print(mote_valtype type, char *out, size_t size) {
    valtype internal = VT_BOTTOM;
    bool is_concrete = type.kind == MOTE_REF && type.heap == MOTE_HEAP_TYPE && type.type;
    const struct mote__types *types = is_concrete ? type.type->group->registry : NULL;
    if (!mote__vt_from_public(types, type, true, &internal)) internal = VT_BOTTOM;
    return mote__vt_print(types, internal, out, size);
}
