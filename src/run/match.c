/* match.c - matching imports, and saying what did not match. Both sides are turned into the API's mote_externtype, with current sizes, and
 * compared as such; so a message shows what was compared. */
#include "run/match.h"
#include <stdarg.h>
#include <stdio.h>

/* ---------------------------------------------------------------- types of things */

static mote_externtype func_type(const mote_type *type) { return (mote_externtype){.kind = MOTE_EXTERN_FUNC, .of.func = type}; }
static mote_externtype tag_type(const mote_type *type) { return (mote_externtype){.kind = MOTE_EXTERN_TAG, .of.func = type}; }

static mote_externtype global_type(const struct mote__types *types, valtype type, bool is_mutable) {
    return (mote_externtype){.kind = MOTE_EXTERN_GLOBAL, .of.global = {mote__vt_public(types, type), is_mutable}};
}

static mote_externtype table_type(const struct mote__types *types, const struct mote__tabletype *type, uint64_t size) {
    return (mote_externtype){.kind = MOTE_EXTERN_TABLE,
                             .of.table = {mote__vt_public(types, type->element), .min = size, .max = type->max, .is_64 = type->is_64}};
}

static mote_externtype memory_type(const struct mote__memtype *type, uint64_t pages) {
    return (mote_externtype){
        .kind = MOTE_EXTERN_MEMORY,
        .of.memory = {.min = pages, .max = type->max, .is_64 = type->is_64, .shared = type->shared, .page_log2 = type->page_log2}};
}

mote_store *mote__extern_store(mote_extern external) {
    switch (external.kind) {
    case MOTE_EXTERN_FUNC: return external.of.func.ptr ? external.of.func.ptr->store : NULL;
    case MOTE_EXTERN_TABLE: return external.of.table.ptr ? external.of.table.ptr->store : NULL;
    case MOTE_EXTERN_MEMORY: return external.of.memory.ptr ? external.of.memory.ptr->store : NULL;
    case MOTE_EXTERN_GLOBAL: return external.of.global.ptr ? external.of.global.ptr->store : NULL;
    case MOTE_EXTERN_TAG: return external.of.tag.ptr ? external.of.tag.ptr->store : NULL;
    }
    return NULL;
}

mote_externtype mote__extern_type(mote_extern external) {
    const struct mote__types *types = &mote__extern_store(external)->engine->types;
    switch (external.kind) {
    case MOTE_EXTERN_FUNC: break;
    case MOTE_EXTERN_TABLE: return table_type(types, &external.of.table.ptr->type, external.of.table.ptr->size);
    case MOTE_EXTERN_MEMORY: return memory_type(&external.of.memory.ptr->type, mote__memory_pages(external.of.memory.ptr));
    case MOTE_EXTERN_GLOBAL: return global_type(types, external.of.global.ptr->type, external.of.global.ptr->is_mutable);
    case MOTE_EXTERN_TAG: return tag_type(external.of.tag.ptr->type);
    }
    return func_type(external.of.func.ptr->type);
}

/* The type of a module's own or imported thing, as declared. */
static mote_externtype declared_type(const mote_module *m, uint8_t kind, uint32_t index) {
    switch ((mote_externkind)kind) {
    case MOTE_EXTERN_FUNC: break;
    case MOTE_EXTERN_TABLE: return table_type(m->types_registry, &m->tables[index].type, m->tables[index].type.min);
    case MOTE_EXTERN_MEMORY: return memory_type(&m->memories[index], m->memories[index].min);
    case MOTE_EXTERN_GLOBAL: return global_type(m->types_registry, m->globals[index].type, m->globals[index].is_mutable);
    case MOTE_EXTERN_TAG: return tag_type(m->tags[index]);
    }
    return func_type(m->func_types[index]);
}

mote_externtype mote__import_type(const mote_module *m, uint32_t index) { return declared_type(m, m->imports[index].kind, m->imports[index].index); }
mote_externtype mote__export_type(const mote_module *m, uint32_t index) { return declared_type(m, m->exports[index].kind, m->exports[index].index); }

/* ---------------------------------------------------------------- matching */

static bool values_match(const struct mote__types *types, mote_valtype sub, mote_valtype super, bool exactly) {
    valtype a = VT_BOTTOM, b = VT_BOTTOM;
    if (!mote__vt_from_public(types, sub, false, &a) || !mote__vt_from_public(types, super, false, &b)) return false;
    return exactly ? a == b : mote__vt_matches(types, a, b);
}

static bool limits_match(uint64_t size, uint64_t max, uint64_t wanted_min, uint64_t wanted_max) {
    return size >= wanted_min && (wanted_max == UINT64_MAX || max <= wanted_max);
}

static bool memories_match(const mote_memorytype *given, const mote_memorytype *wanted) {
    return given->is_64 == wanted->is_64 && given->shared == wanted->shared && given->page_log2 == wanted->page_log2 &&
           limits_match(given->min, given->max, wanted->min, wanted->max);
}

static bool tables_match(const struct mote__types *types, const mote_tabletype *given, const mote_tabletype *wanted) {
    return given->is_64 == wanted->is_64 && values_match(types, given->element, wanted->element, true) &&
           limits_match(given->min, given->max, wanted->min, wanted->max);
}

static bool matches(const struct mote__types *types, const mote_externtype *given, const mote_externtype *wanted) {
    if (given->kind != wanted->kind) return false;
    switch (wanted->kind) {
    case MOTE_EXTERN_FUNC: return mote__type_is_sub(given->of.func, wanted->of.func);
    case MOTE_EXTERN_TABLE: return tables_match(types, &given->of.table, &wanted->of.table);
    case MOTE_EXTERN_MEMORY: return memories_match(&given->of.memory, &wanted->of.memory);
    case MOTE_EXTERN_GLOBAL:
        return given->of.global.is_mutable == wanted->of.global.is_mutable &&
               values_match(types, given->of.global.value, wanted->of.global.value, wanted->of.global.is_mutable);
    case MOTE_EXTERN_TAG: return given->of.func == wanted->of.func;
    }
    return false;
}

/* ---------------------------------------------------------------- saying what did not match */

struct text {
    char bytes[160];
    size_t used;
};

static void MOTE_PRINTF(2, 3) put(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(t->bytes + t->used, sizeof t->bytes - t->used, format, args);
    va_end(args);
    if (wanted > 0) t->used += (size_t)wanted;
    if (t->used >= sizeof t->bytes) t->used = sizeof t->bytes - 1;
}

static void put_valtype(struct text *t, const struct mote__types *types, mote_valtype type) {
    valtype inner = VT_BOTTOM;
    char name[80];
    mote__vt_from_public(types, type, false, &inner);
    mote__vt_print(types, inner, name, sizeof name);
    put(t, "%s", name);
}

static void put_signature(struct text *t, const char *head, const mote_type *type) {
    char signature[120];
    mote__type_print(type, signature, sizeof signature);
    put(t, type->field_count ? "(%s %s)" : "(%s)", head, signature);
}

static void put_limits(struct text *t, uint64_t min, uint64_t max) {
    put(t, "%llu", (unsigned long long)min);
    if (max != UINT64_MAX) put(t, " %llu", (unsigned long long)max);
}

static void put_memory(struct text *t, const mote_memorytype *type) {
    put(t, type->is_64 ? "(memory i64 " : "(memory ");
    put_limits(t, type->min, type->max);
    put(t, "%s%s)", type->shared ? " shared" : "", type->page_log2 ? "" : " (pagesize 1)");
}

static void put_table(struct text *t, const struct mote__types *types, const mote_tabletype *type) {
    put(t, type->is_64 ? "(table i64 " : "(table ");
    put_limits(t, type->min, type->max);
    put(t, " ");
    put_valtype(t, types, type->element);
    put(t, ")");
}

static void put_global(struct text *t, const struct mote__types *types, const mote_globaltype *type) {
    put(t, type->is_mutable ? "(global (mut " : "(global ");
    put_valtype(t, types, type->value);
    put(t, type->is_mutable ? "))" : ")");
}

static struct text describe(const struct mote__types *types, const mote_externtype *type) {
    struct text t = {.used = 0};
    switch (type->kind) {
    case MOTE_EXTERN_FUNC: put_signature(&t, "func", type->of.func); break;
    case MOTE_EXTERN_TABLE: put_table(&t, types, &type->of.table); break;
    case MOTE_EXTERN_MEMORY: put_memory(&t, &type->of.memory); break;
    case MOTE_EXTERN_GLOBAL: put_global(&t, types, &type->of.global); break;
    case MOTE_EXTERN_TAG: put_signature(&t, "tag", type->of.func); break;
    }
    return t;
}

static int shown(struct span name) {
    enum { NAME_BYTES_SHOWN = 60 };
    return (int)(name.size < NAME_BYTES_SHOWN ? name.size : NAME_BYTES_SHOWN);
}

mote_status mote__import_match(const mote_module *m, uint32_t index, const mote_extern *given, mote_error *error) {
    const struct mote__import *import = &m->imports[index];
    mote_externtype wanted = mote__import_type(m, index);
    bool missing = !given || !mote__extern_store(*given);
    mote_externtype found = missing ? wanted : mote__extern_type(*given);
    if (!missing && matches(m->types_registry, &found, &wanted)) return MOTE_OK;
    struct text expected_text = describe(m->types_registry, &wanted), found_text = describe(m->types_registry, &found);
    mote__error_set(error, MOTE_E_LINK, MOTE_NO_OFFSET, "%s \"%.*s\".\"%.*s\": expected %s, found %s",
                    missing ? "unknown import" : "incompatible import type", shown(import->module), (const char *)import->module.data,
                    shown(import->name), (const char *)import->name.data, expected_text.bytes, missing ? "nothing" : found_text.bytes);
    return MOTE_E_LINK;
}
