/* decode_types.c - types in the binary format (core spec, "Binary Format / Types"): heap and value
 * types wherever they stand, and the type section, whose recursion groups become canonical as they
 * are read. Type indices from the group being read are relative to it until then (HEAP_REC); all
 * others name types that the module holds. */
#include "wasm/decode.h"
#include "wasm/limits.h"
#include "wasm/typecode.h"
#include <assert.h>

/* ---------------------------------------------------------------- heap and value types */

/* Where types are read: in a body only module, r, error and status are there. */
struct scope {
    const mote_module *module;
    struct reader *r;
    mote_error *error;
    mote_status status;
    uint32_t rec_start, rec_end;
};

static void scope_fail(struct scope *s, const uint8_t *at, mote_status status, const char *format,
                       ...) MOTE_PRINTF(4, 5);
static void scope_fail(struct scope *s, const uint8_t *at, mote_status status, const char *format,
                       ...) {
    if (s->status != MOTE_OK || s->r->failed) return;
    va_list args;
    va_start(args, format);
    s->status =
        mote__error_setv(s->error, status, (uint64_t)(at - s->module->bytes.data), format, args);
    va_end(args);
}

static void scope_need(struct scope *s, const uint8_t *at, enum mote__feature feature) {
    if (s->module->features >> feature & 1 || s->status != MOTE_OK || s->r->failed) return;
    s->status =
        mote__error_feature(s->error, (uint64_t)(at - s->module->bytes.data), NULL, feature);
}

/* Types are numbers of 7 bits with a sign: a byte that goes on is none. */
static void scope_fail_code(struct scope *s, const uint8_t *at, const char *what) {
    bool goes_on = at < s->r->end && *at >= 0x80;
    scope_fail(s, at, MOTE_E_MALFORMED, "%s", goes_on ? "integer representation too long" : what);
}

static heaptype resolve_index(struct scope *s, const uint8_t *at, uint64_t index) {
    if (index >= s->rec_start && index < s->rec_end)
        return HEAP_REC + (heaptype)(index - s->rec_start);
    if (index < s->module->type_count) return HEAP_CONCRETE + s->module->types[index]->id;
    scope_fail(s, at, MOTE_E_INVALID, "unknown type %llu", (unsigned long long)index);
    return HEAP_BOTTOM;
}

static heaptype read_heaptype(struct scope *s) {
    const uint8_t *at = s->r->pos;
    int64_t code = mote__read_s33(s->r);
    if (s->r->failed) return HEAP_BOTTOM;
    if (code >= 0) {
        scope_need(s, at, FEATURE_function_references);
        return resolve_index(s, at, (uint64_t)code);
    }
    const struct mote__heap_type *found = s->r->pos == at + 1 ? mote__heap_type_of_code(*at) : NULL;
    if (found) scope_need(s, at, (enum mote__feature)found->feature);
    else scope_fail_code(s, at, "malformed heap type");
    return found ? found->heap : (heaptype)HEAP_BOTTOM;
}

/* Reads a reference type whose first byte has been read; false (and nothing else done) when the
 * byte begins none. */
static bool read_reftype_after(struct scope *s, const uint8_t *at, uint8_t byte, valtype *out) {
    if (byte == TYPE_CODE_REF || byte == TYPE_CODE_REF_NULL) {
        scope_need(s, at, FEATURE_function_references);
        *out = mote__vt_ref(read_heaptype(s), byte == TYPE_CODE_REF_NULL);
        return true;
    }
    const struct mote__heap_type *found = mote__heap_type_of_code(byte);
    if (!found) return false;
    scope_need(s, at, (enum mote__feature)found->feature);
    *out = mote__vt_ref(found->heap, true);
    return true;
}

static valtype read_reftype(struct scope *s) {
    const uint8_t *at = s->r->pos;
    valtype type = VT_FUNCREF;
    if (!read_reftype_after(s, at, mote__read_u8(s->r), &type))
        scope_fail_code(s, at, "malformed reference type");
    return type;
}

static valtype read_type(struct scope *s, bool allow_packed) {
    const uint8_t *at = s->r->pos;
    uint8_t byte = mote__read_u8(s->r);
    const struct mote__plain_type *plain = mote__plain_type_of_code(byte);
    if (plain && (allow_packed || !plain->is_packed)) {
        scope_need(s, at, (enum mote__feature)plain->feature);
        return plain->type;
    }
    valtype type = VT_I32;
    if (read_reftype_after(s, at, byte, &type)) scope_need(s, at, FEATURE_reference_types);
    else scope_fail_code(s, at, "malformed value type");
    return type;
}

heaptype mote__read_heaptype(const mote_module *module, struct reader *r, mote_error *error,
                             mote_status *status) {
    struct scope s = {.module = module, .r = r, .error = error};
    heaptype heap = read_heaptype(&s);
    if (s.status != MOTE_OK) *status = s.status;
    return heap;
}

valtype mote__read_valtype(const mote_module *module, struct reader *r, mote_error *error,
                           mote_status *status) {
    struct scope s = {.module = module, .r = r, .error = error};
    valtype type = read_type(&s, false);
    if (s.status != MOTE_OK) *status = s.status;
    return type;
}

static struct scope scope_of(struct decoder *d) {
    return (struct scope){.module = d->m,
                          .r = &d->r,
                          .error = d->error,
                          .rec_start = d->rec_start,
                          .rec_end = d->rec_end};
}

static mote_status scope_status(struct decoder *d, const struct scope *s) {
    TRY(s->status);
    return mote__decode_check(d);
}

mote_status mote__decode_valtype(struct decoder *d, valtype *out) {
    struct scope s = scope_of(d);
    *out = read_type(&s, false);
    return scope_status(d, &s);
}

mote_status mote__decode_reftype(struct decoder *d, valtype *out) {
    struct scope s = scope_of(d);
    *out = read_reftype(&s);
    return scope_status(d, &s);
}

static mote_status decode_storage_type(struct decoder *d, valtype *out) {
    struct scope s = scope_of(d);
    *out = read_type(&s, true);
    return scope_status(d, &s);
}

mote_status mote__decode_mutability(struct decoder *d, bool *out) {
    const uint8_t *at = d->r.pos;
    uint8_t byte = mote__read_u8(&d->r);
    TRY(mote__decode_check(d));
    if (byte > 1) return mote__decode_fail(d, at, MOTE_E_MALFORMED, "malformed mutability");
    *out = byte;
    return MOTE_OK;
}

mote_status mote__decode_functype(struct decoder *d, const mote_type **out) {
    const uint8_t *at = d->r.pos;
    uint32_t index = mote__read_u32(&d->r);
    TRY(mote__decode_check(d));
    if (index >= d->m->type_count)
        return mote__decode_fail(d, at, MOTE_E_INVALID, "unknown type %u", index);
    *out = d->m->types[index];
    if ((*out)->kind == MOTE_TYPE_FUNC) return MOTE_OK;
    return mote__decode_fail(d, at, MOTE_E_INVALID, "type mismatch: type %u is not a function type",
                             index);
}

/* ---------------------------------------------------------------- definitions */

static struct mote__fieldtype *push_field(struct decoder *d) {
    return mote__vec_push(&d->fields, d->m->arena.allocator);
}

/* A vector of parameters or results. */
static mote_status decode_valtypes(struct decoder *d, const char *what, uint32_t limit,
                                   uint32_t *count) {
    TRY(mote__decode_count(d, what, limit, count));
    for (uint32_t i = 0; i < *count; i++) {
        struct mote__fieldtype *field = push_field(d);
        if (!field) return mote__decode_nomem(d);
        TRY(mote__decode_valtype(d, &field->type));
    }
    return MOTE_OK;
}

static mote_status decode_func(struct decoder *d, struct mote__typedef *def) {
    TRY(decode_valtypes(d, "parameters", LIMIT_PARAMS, &def->param_count));
    TRY(decode_valtypes(d, "results", LIMIT_RESULTS, &def->result_count));
    def->field_count = def->param_count + def->result_count;
    return def->result_count > 1 ? mote__decode_need(d, NULL, FEATURE_multi_value) : MOTE_OK;
}

static mote_status decode_field(struct decoder *d) {
    struct mote__fieldtype *field = push_field(d);
    if (!field) return mote__decode_nomem(d);
    TRY(decode_storage_type(d, &field->type));
    return mote__decode_mutability(d, &field->is_mutable);
}

static mote_status decode_struct(struct decoder *d, struct mote__typedef *def) {
    TRY(mote__decode_count(d, "fields", LIMIT_STRUCT_FIELDS, &def->field_count));
    for (uint32_t i = 0; i < def->field_count; i++) TRY(decode_field(d));
    return MOTE_OK;
}

static mote_status decode_array(struct decoder *d, struct mote__typedef *def) {
    def->field_count = 1;
    return decode_field(d);
}

/* The structure of a type, whose form byte has been read. */
static mote_status decode_comptype(struct decoder *d, const uint8_t *at, uint8_t form,
                                   struct mote__typedef *def) {
    static const struct {
        uint8_t form, kind, feature;
        mote_status (*decode)(struct decoder *d, struct mote__typedef *def);
    } forms[] = {
        {TYPE_CODE_FUNC, MOTE_TYPE_FUNC, FEATURE_mvp, decode_func},
        {TYPE_CODE_STRUCT, MOTE_TYPE_STRUCT, FEATURE_gc, decode_struct},
        {TYPE_CODE_ARRAY, MOTE_TYPE_ARRAY, FEATURE_gc, decode_array},
    };
    TRY(mote__decode_check(d));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].form != form) continue;
        TRY(mote__decode_need(d, NULL, (enum mote__feature)forms[i].feature));
        def->kind = forms[i].kind;
        return forms[i].decode(d, def);
    }
    const char *why = form < 0x80 ? "malformed definition type" : "integer representation too long";
    return mote__decode_fail(d, at, MOTE_E_MALFORMED, "%s", why);
}

/* The declared supertypes of type `index`: none or one, declared before. */
static mote_status decode_super(struct decoder *d, uint32_t index, struct mote__typedef *def) {
    const uint8_t *at = d->r.pos;
    uint32_t count = mote__read_u32(&d->r);
    TRY(mote__decode_need(d, NULL, FEATURE_gc));
    if (count > 1)
        return mote__decode_fail(d, at, MOTE_E_INVALID, "sub type %u has %u super types", index,
                                 count);
    if (!count) return MOTE_OK;
    uint32_t super = mote__read_u32(&d->r);
    TRY(mote__decode_check(d));
    if (super >= index)
        return mote__decode_fail(d, at, MOTE_E_INVALID, "unknown type %u: super types come first",
                                 super);
    struct scope s = scope_of(d);
    def->has_super = true;
    def->super = resolve_index(&s, at, super);
    return s.status;
}

/* One type of the group; its fields stay in d->fields. */
static mote_status decode_subtype(struct decoder *d, uint32_t index) {
    struct mote__typedef *def = mote__vec_push(&d->defs, d->m->arena.allocator);
    if (!def) return mote__decode_nomem(d);
    def->is_final = true;
    const uint8_t *at = d->r.pos;
    uint8_t form = mote__read_u8(&d->r);
    if (form == TYPE_CODE_SUB || form == TYPE_CODE_SUB_FINAL) {
        def->is_final = form == TYPE_CODE_SUB_FINAL;
        TRY(decode_super(d, index, def));
        at = d->r.pos;
        form = mote__read_u8(&d->r);
    }
    return decode_comptype(d, at, form, def);
}

/* ---------------------------------------------------------------- groups */

static void set_field_pointers(struct decoder *d) {
    struct mote__fieldtype *next = d->fields.data;
    for (size_t i = 0; i < d->defs.count; i++) {
        d->defs.data[i].fields = next;
        next += d->defs.data[i].field_count;
    }
}

/* Makes the group that has been read canonical and the module hold it. */
static mote_status intern_group(struct decoder *d, const uint8_t *at) {
    mote_module *m = d->m;
    struct mote__recgroup **group =
        mote__decode_append(d, &m->groups, &m->group_count, sizeof *group);
    if (!group) return mote__decode_nomem(d);
    set_field_pointers(d);
    mote_status status = mote__types_intern(m->types_registry, d->defs.data,
                                            (uint32_t)d->defs.count, group, d->error);
    if (status != MOTE_OK) {
        m->group_count--;
        if (status == MOTE_E_NOMEM) return status;
        d->error->offset = (uint64_t)(at - m->bytes.data);
        mote__error_append(d->error, " (the group begins with type %u)", m->type_count);
        return status;
    }
    for (uint32_t i = 0; i < (*group)->count; i++) {
        const mote_type **type = mote__decode_append(d, &m->types, &m->type_count, sizeof *type);
        if (!type) return mote__decode_nomem(d);
        *type = &(*group)->types[i];
    }
    return MOTE_OK;
}

static mote_status decode_group_count(struct decoder *d, uint32_t *count) {
    *count = 1;
    if (d->r.pos == d->r.end || *d->r.pos != TYPE_CODE_REC) return MOTE_OK;
    d->r.pos++;
    TRY(mote__decode_need(d, NULL, FEATURE_gc));
    return mote__decode_count(d, "types in a recursion group", LIMIT_REC_GROUP_TYPES, count);
}

static mote_status decode_group(struct decoder *d) {
    const uint8_t *at = d->r.pos;
    uint32_t count;
    TRY(decode_group_count(d, &count));
    if (count > LIMIT_TYPES - d->m->type_count)
        return mote__decode_fail(d, at, MOTE_E_LIMIT, "more than %d types", (int)LIMIT_TYPES);
    d->defs.count = d->fields.count = 0;
    d->rec_start = d->m->type_count;
    d->rec_end = d->rec_start + count;
    for (uint32_t i = 0; i < count; i++) TRY(decode_subtype(d, d->rec_start + i));
    d->rec_start = d->rec_end = 0;
    return count ? intern_group(d, at) : MOTE_OK;
}

mote_status mote__decode_types(struct decoder *d) {
    uint32_t count;
    TRY(mote__decode_count(d, "types", LIMIT_TYPES, &count));
    for (uint32_t i = 0; i < count; i++) TRY(decode_group(d));
    return MOTE_OK;
}
