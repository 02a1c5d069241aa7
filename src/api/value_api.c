/* value_api.c - the API of references and of objects on the garbage-collected heap. New objects are made empty and filled afterwards, so
 * that no value has to be a root while the heap may move. */
#include "api/api.h"
#include "run/gc.h"
#include "run/value.h"
#include <assert.h>

/* ---------------------------------------------------------------- references */

void mote_ref_release(mote_store *store, mote_ref ref) { mote__handle_release(store, ref); }
uint32_t mote_refs_mark(const mote_store *store) { return mote__handle_mark(store); }
void mote_refs_release(mote_store *store, uint32_t mark) { mote__handle_release_since(store, mark); }

/* The reference value of a handle; 0 for null and for a handle of something else. */
static uint64_t value_of(const mote_store *store, mote_ref ref) {
    uint64_t value;
    return mote__handle_get(store, ref, &value) ? value : 0;
}

static mote_status refuse_handle(mote_error *error) {
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a reference of another store, or released before");
}

mote_status mote_ref_copy(mote_store *store, mote_ref ref, mote_ref *out, mote_error *error) {
    API_ERROR(error);
    uint64_t value;
    if (!mote__handle_get(store, ref, &value)) return refuse_handle(error);
    return mote__handle_new(store, value, out, error);
}

bool mote_ref_same(const mote_store *store, mote_ref a, mote_ref b) { return value_of(store, a) == value_of(store, b); }

/* The object of a handle; NULL for null, i31 and stale handles. */
static struct mote__object *object_of(const mote_store *store, mote_ref ref) {
    uint64_t value = value_of(store, ref);
    return value && !mote__ref_is_i31(value) ? mote__object_at(store->exec, value) : NULL;
}

const mote_type *mote_ref_type(const mote_store *store, mote_ref ref) {
    const struct mote__object *object = object_of(store, ref);
    if (!object || object->type_id == OBJECT_EXTERN || object->type_id == OBJECT_EXCEPTION) return NULL;
    return mote__type_by_id(&store->engine->types, object->type_id);
}

mote_heapkind mote_ref_heap(const mote_store *store, mote_ref ref) {
    uint64_t value = value_of(store, ref);
    if (!value) return MOTE_HEAP_NONE;
    if (mote__ref_is_i31(value)) return MOTE_HEAP_I31;
    uint32_t id = mote__object_at(store->exec, value)->type_id;
    if (id == OBJECT_EXTERN) return MOTE_HEAP_EXTERN;
    if (id == OBJECT_EXCEPTION) return MOTE_HEAP_EXN;
    return mote__type_by_id(&store->engine->types, id)->kind == MOTE_TYPE_STRUCT ? MOTE_HEAP_STRUCT : MOTE_HEAP_ARRAY;
}

bool mote_value_matches(const mote_store *store, const mote_value *value, mote_valtype type) {
    valtype inner = VT_BOTTOM;
    if (!mote__vt_from_public(&store->engine->types, type, false, &inner)) return false;
    if (value->kind != mote__value_kind(&store->engine->types, inner)) return false;
    if (!mote__vt_is_ref(inner)) return true;
    uint64_t ref = (uint64_t)(uintptr_t)value->of.func.ptr;
    if (value->kind != MOTE_FUNCREF && !mote__handle_get(store, value->of.ref, &ref)) return false;
    return mote__ref_matches(store, ref, inner);
}

/* ---------------------------------------------------------------- wrapped pointers, i31 */

static mote_status refuse_heap(mote_error *error) {
    mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "%s", mote_trap_text(MOTE_TRAP_GC_HEAP_EXHAUSTED));
    return MOTE_E_LIMIT;
}

/* Any i31: what a handle names before its object is there. */
enum { NO_OBJECT_YET = 1 };

mote_status mote_extern_new(mote_store *store, void *data, void (*drop)(void *data), mote_ref *out, mote_error *error) {
    API_ERROR(error);
    mote_ref ref;
    TRY(mote__handle_new(store, NO_OBJECT_YET, &ref, error)); /* first: once there is a wrapper, its drop is owed */
    uint64_t wrapper = mote__gc_new_extern(store->exec, data, drop);
    if (!wrapper) {
        mote__handle_release(store, ref);
        return refuse_heap(error);
    }
    store->handles.data[ref.index].value = wrapper;
    *out = ref;
    return MOTE_OK;
}

void *mote_extern_data(const mote_store *store, mote_ref ref) {
    const struct mote__object *object = object_of(store, ref);
    if (!object || object->type_id != OBJECT_EXTERN) return NULL;
    return ((const struct mote__extern_object *)(const void *)object)->data;
}

mote_ref mote_i31_new(mote_store *store, int32_t value, mote_error *error) {
    API_ERROR(error);
    mote_ref ref = MOTE_REF_NULL;
    mote_status status = mote__handle_new(store, (uint32_t)value << 1 | 1, &ref, error);
    return status == MOTE_OK ? ref : MOTE_REF_NULL;
}

int32_t mote_i31_value(const mote_store *store, mote_ref ref) {
    uint64_t value = value_of(store, ref);
    return mote__ref_is_i31(value) ? (int32_t)(uint32_t)value >> 1 : 0;
}

/* ---------------------------------------------------------------- structs and arrays */

static mote_status check_type(mote_store *store, const mote_type *type, mote_typekind kind, mote_error *error) {
    if (type->group->registry != &store->engine->types || type->kind != kind)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a type of another engine, or not a%s type",
                               kind == MOTE_TYPE_STRUCT ? " struct" : "n array");
    return mote__store_hold_type(store, type, error);
}

/* A place inside an object. */
struct field {
    uint64_t object;
    uint32_t offset;
    valtype type; /* storage type */
    bool is_mutable;
};

static mote_status store_field(mote_store *store, const struct field *field, const mote_value *value, mote_error *error) {
    uint64_t slots[2];
    TRY(mote__value_to_slots(store, field->type, value, slots, error));
    mote__gc_store(store->exec, field->object, field->offset, field->type, slots);
    return MOTE_OK;
}

static mote_status load_field(mote_store *store, const struct field *field, mote_value *out, mote_error *error) {
    uint64_t slots[2] = {0};
    mote__gc_load(store->exec, field->object, field->offset, field->type, false, slots);
    return mote__slots_to_value(store, field->type, slots, out, error);
}

static mote_status refuse_immutable(mote_error *error) {
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the field is immutable");
}

static struct field field_of_struct(uint64_t object, const mote_type *type, size_t index) {
    return (struct field){object, type->places[index].offset, type->fields[index].type, type->fields[index].is_mutable};
}

mote_status mote_struct_new(mote_store *store, const mote_type *type, const mote_value *fields, size_t field_count, mote_ref *out,
                            mote_error *error) {
    API_ERROR(error);
    TRY(check_type(store, type, MOTE_TYPE_STRUCT, error));
    if (field_count != type->field_count)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the struct has %u fields, given are %zu", (unsigned)type->field_count,
                               field_count);
    uint64_t object = mote__gc_new_struct(store->exec, type, NULL);
    if (!object) return refuse_heap(error);
    for (size_t i = 0; i < field_count; i++) {
        struct field field = field_of_struct(object, type, i);
        TRY(store_field(store, &field, &fields[i], error));
    }
    return mote__handle_new(store, object, out, error);
}

/* Finds field `index` of a struct. */
static mote_status find_field(mote_store *store, mote_ref ref, size_t index, struct field *out, mote_error *error) {
    const mote_type *type = mote_ref_type(store, ref);
    if (!type || type->kind != MOTE_TYPE_STRUCT || index >= type->field_count)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the reference is no struct with a field %zu", index);
    *out = field_of_struct(value_of(store, ref), type, index);
    return MOTE_OK;
}

mote_status mote_struct_get(mote_store *store, mote_ref ref, size_t index, mote_value *out, mote_error *error) {
    API_ERROR(error);
    struct field field;
    TRY(find_field(store, ref, index, &field, error));
    return load_field(store, &field, out, error);
}

mote_status mote_struct_set(mote_store *store, mote_ref ref, size_t index, const mote_value *value, mote_error *error) {
    API_ERROR(error);
    struct field field;
    TRY(find_field(store, ref, index, &field, error));
    return field.is_mutable ? store_field(store, &field, value, error) : refuse_immutable(error);
}

static struct mote__array *array_of(const mote_store *store, mote_ref ref) {
    const mote_type *type = mote_ref_type(store, ref);
    return type && type->kind == MOTE_TYPE_ARRAY ? (struct mote__array *)(void *)object_of(store, ref) : NULL;
}

mote_status mote_array_new(mote_store *store, const mote_type *type, const mote_value *fill, uint32_t count, mote_ref *out,
                           mote_error *error) {
    API_ERROR(error);
    uint64_t slots[2];
    TRY(check_type(store, type, MOTE_TYPE_ARRAY, error));
    mote_value zero = mote__value_zero(&store->engine->types, type->fields[0].type);
    TRY(mote__value_to_slots(store, type->fields[0].type, fill ? fill : &zero, slots, error)); /* only to see that it fits */
    uint64_t object = mote__gc_new_array(store->exec, type, count, NULL);
    if (!object) return refuse_heap(error);
    if (fill) {
        TRY(mote__value_to_slots(store, type->fields[0].type, fill, slots, error));
        mote__gc_array_fill(store->exec, object, 0, slots, count);
    }
    return mote__handle_new(store, object, out, error);
}

uint32_t mote_array_count(const mote_store *store, mote_ref ref) {
    const struct mote__array *array = array_of(store, ref);
    return array ? array->count : 0;
}

static mote_status find_element(mote_store *store, mote_ref ref, uint32_t index, struct field *out, mote_error *error) {
    if (index >= mote_array_count(store, ref))
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the reference is no array with an element %u", (unsigned)index);
    const mote_type *type = mote_ref_type(store, ref);
    uint64_t offset = offsetof(struct mote__array, elements) +
                      (uint64_t)index * mote__storage_bytes(type->fields[0].type, &store->engine->types);
    *out = (struct field){value_of(store, ref), (uint32_t)offset, type->fields[0].type, type->fields[0].is_mutable};
    return MOTE_OK;
}

mote_status mote_array_get(mote_store *store, mote_ref ref, uint32_t index, mote_value *out, mote_error *error) {
    API_ERROR(error);
    struct field field;
    TRY(find_element(store, ref, index, &field, error));
    return load_field(store, &field, out, error);
}

mote_status mote_array_set(mote_store *store, mote_ref ref, uint32_t index, const mote_value *value, mote_error *error) {
    API_ERROR(error);
    struct field field;
    TRY(find_element(store, ref, index, &field, error));
    return field.is_mutable ? store_field(store, &field, value, error) : refuse_immutable(error);
}

/* ---------------------------------------------------------------- exceptions */

static struct mote__exception *exception_of(const mote_store *store, mote_ref ref) {
    struct mote__object *object = object_of(store, ref);
    return object && object->type_id == OBJECT_EXCEPTION ? (struct mote__exception *)(void *)object : NULL;
}

static uint32_t slots_before(const mote_type *type, size_t param) {
    uint32_t slots = 0;
    for (size_t i = 0; i < param; i++) slots += mote__vt_slots(type->fields[i].type);
    return slots;
}

mote_status mote_exception_new(mote_store *store, mote_tag tag, const mote_value *values, size_t count, mote_ref *out, mote_error *error) {
    API_ERROR(error);
    const mote_type *type = tag.ptr->type;
    if (tag.ptr->store != store || count != type->param_count)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the tag is another store's, or has %u parameters and not %zu",
                               (unsigned)type->param_count, count);
    uint64_t object = mote__gc_new_exception(store->exec, tag.ptr, NULL);
    if (!object) return refuse_heap(error);
    struct mote__exception *exception = (struct mote__exception *)(void *)mote__object_at(store->exec, object);
    TRY(mote__values_to_slots(store, type->fields, count, values, exception->slots, error));
    return mote__handle_new(store, object, out, error);
}

mote_tag mote_exception_tag(const mote_store *store, mote_ref ref) {
    const struct mote__exception *exception = exception_of(store, ref);
    return (mote_tag){exception ? exception->tag : NULL};
}

mote_status mote_exception_value(mote_store *store, mote_ref ref, size_t index, mote_value *out, mote_error *error) {
    API_ERROR(error);
    const struct mote__exception *exception = exception_of(store, ref);
    const mote_type *type = exception ? exception->tag->type : NULL;
    if (!type || index >= type->param_count)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the reference is no exception with a value %zu", index);
    return mote__slots_to_value(store, type->fields[index].type, exception->slots + slots_before(type, index), out, error);
}
