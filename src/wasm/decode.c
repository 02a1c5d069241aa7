/* decode.c - the binary format (core spec, "Binary Format / Modules"): sections in order, each into
 * the module's arena, and everything that can be checked outside function bodies: indices, limits,
 * names of exports, features, constant expressions as they are met. The input is hostile: a count
 * is believed only when as many bytes are left (mote__decode_count), so that memory stays in
 * proportion to the bytes, and everything is linear. Messages begin with the words of the
 * specification's test suite. Keeps: what `m` points to is in its arena, except what
 * mote__module_free gives back; counts never include what has not been read. */
#include "wasm/decode.h"
#include "base/utf8.h"
#include "wasm/limits.h"
#include <stdlib.h>

/* ---------------------------------------------------------------- failing, counting */

mote_status mote__decode_fail(struct decoder *d, const uint8_t *at, mote_status status,
                              const char *format, ...) {
    va_list args;
    va_start(args, format);
    mote__error_setv(d->error, status, (uint64_t)(at - d->m->bytes.data), format, args);
    va_end(args);
    return status;
}
#define fail mote__decode_fail

mote_status mote__decode_nomem(struct decoder *d) {
    return mote__error_nomem(d->error, "decoding a module");
}

mote_status mote__decode_check(struct decoder *d) {
    if (!d->r.failed) return MOTE_OK;
    bool at_end = !strcmp(d->r.failed, "unexpected end");
    return fail(d, d->r.failed_at, MOTE_E_MALFORMED, "%s%s", d->r.failed,
                at_end ? " of section or function" : "");
}

static bool has(const struct decoder *d, enum mote__feature feature) {
    return d->m->features >> feature & 1;
}

mote_status mote__decode_need(struct decoder *d, const char *what, enum mote__feature feature) {
    if (has(d, feature)) return MOTE_OK;
    return mote__error_feature(d->error, (uint64_t)(d->r.pos - d->m->bytes.data), what, feature);
}

mote_status mote__decode_count(struct decoder *d, const char *what, uint64_t limit, uint32_t *out) {
    const uint8_t *at = d->r.pos;
    *out = mote__read_u32(&d->r);
    TRY(mote__decode_check(d));
    if (*out > limit)
        return fail(d, at, MOTE_E_LIMIT, "%u %s, more than %llu", *out, what,
                    (unsigned long long)limit);
    if (*out > mote__reader_left(&d->r))
        return fail(d, at, MOTE_E_MALFORMED,
                    "unexpected end of section or function: %u %s in %zu bytes", *out, what,
                    mote__reader_left(&d->r));
    return MOTE_OK;
}

void *mote__decode_append(struct decoder *d, void *array, uint32_t *count, size_t size) {
    uint8_t *data;
    memcpy(&data, array, sizeof data);
    if (!*count || (*count >= 4 && !(*count & (*count - 1)))) {
        uint8_t *grown =
            mote__arena_alloc_array(&d->m->arena, *count ? *count * (size_t)2 : 4, size);
        if (!grown) return NULL;
        if (*count) memcpy(grown, data, *count * size);
        data = grown;
        memcpy(array, &data, sizeof data);
    }
    return data + size * (*count)++;
}
#define append(d, array, count) mote__decode_append((d), &(array), &(count), sizeof *(array))

/* Makes room for exactly `more` elements behind the `count` that an array has; false when out of
 * memory. */
static bool extend(struct decoder *d, void *array, uint32_t count, uint32_t more, size_t size) {
    uint8_t *data, *grown = mote__arena_alloc_array(&d->m->arena, (size_t)count + more, size);
    if (!grown) return false;
    memcpy(&data, array, sizeof data);
    if (count) memcpy(grown, data, count * size);
    memcpy(array, &grown, sizeof grown);
    return true;
}

/* Reads how many definitions a section adds to an index space that may have `limit` in all, and
 * makes room for them. */
static mote_status extend_space(struct decoder *d, void *array, uint32_t have, const char *what,
                                uint32_t limit, size_t size, uint32_t *more) {
    TRY(mote__decode_count(d, what, have < limit ? limit - have : 0, more));
    return extend(d, array, have, *more, size) ? MOTE_OK : mote__decode_nomem(d);
}

/* ---------------------------------------------------------------- pieces */

static mote_status read_byte(struct decoder *d, uint8_t *out) {
    *out = mote__read_u8(&d->r);
    return mote__decode_check(d);
}

static mote_status read_u32(struct decoder *d, uint32_t *out) {
    *out = mote__read_u32(&d->r);
    return mote__decode_check(d);
}

static mote_status read_name(struct decoder *d, struct span *out) {
    const uint8_t *at = d->r.pos;
    uint32_t size = mote__read_u32(&d->r);
    TRY(mote__decode_check(d));
    if (size > mote__reader_left(&d->r))
        return fail(d, at, MOTE_E_MALFORMED, "length out of bounds: a name of %u bytes", size);
    *out = mote__read_span(&d->r, size);
    if (mote__utf8_valid(out->data, out->size)) return MOTE_OK;
    return fail(d, out->data, MOTE_E_MALFORMED, "malformed UTF-8 encoding");
}

/* Reads an index below `count`. */
static mote_status read_index(struct decoder *d, const char *what, uint32_t count, uint32_t *out) {
    const uint8_t *at = d->r.pos;
    TRY(read_u32(d, out));
    return *out < count ? MOTE_OK : fail(d, at, MOTE_E_INVALID, "unknown %s %u", what, *out);
}

static void declare_func(mote_module *m, uint32_t index) {
    m->func_declared[index / 8] |= (uint8_t)(1u << (index % 8));
}

/* Within the section: what comes behind it must not be taken for instructions. */
static mote_status read_constexpr(struct decoder *d, valtype expected,
                                  struct mote__constexpr *out) {
    /* Without GC only imported globals may be read. */
    uint32_t globals = has(d, FEATURE_gc) ? d->m->global_count : d->m->global_import_count;
    if (d->r.pos > d->section_end)
        return fail(d, d->section_end, MOTE_E_MALFORMED, "unexpected end of section or function");
    const uint8_t *end = d->r.end;
    d->r.end = d->section_end;
    mote_status status = mote__constexpr_read(d->m, &d->r, expected, globals, out, d->error);
    d->r.end = end;
    return status;
}

/* ---------------------------------------------------------------- limits, tables, memories,
 * globals, tags */

enum {
    LIMITS_HAS_MAX = 1,
    LIMITS_SHARED = 2,
    LIMITS_64 = 4,
    LIMITS_PAGE_SIZE = 8,
};

struct limits {
    const uint8_t *at;
    uint64_t min, max;
    uint8_t flags, page_log2;
};

static mote_status check_limits_features(struct decoder *d, uint8_t flags) {
    static const struct {
        uint8_t flag, feature;
    } needs[] = {{LIMITS_SHARED, FEATURE_threads},
                 {LIMITS_64, FEATURE_memory64},
                 {LIMITS_PAGE_SIZE, FEATURE_custom_page_sizes}};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (flags & needs[i].flag)
            TRY(mote__decode_need(d, "malformed limits flags",
                                  (enum mote__feature)needs[i].feature));
    return MOTE_OK;
}

/* With memory64 every size is written as a number of 64 bits, also one that must be less. */
static uint64_t read_size(struct decoder *d) {
    return has(d, FEATURE_memory64) ? mote__read_u64(&d->r) : mote__read_u32(&d->r);
}

/* Reads limits of which only the flags in `allowed` make sense. */
static mote_status read_limits(struct decoder *d, uint8_t allowed, struct limits *out) {
    *out = (struct limits){.at = d->r.pos, .max = UINT64_MAX, .page_log2 = 16};
    TRY(read_byte(d, &out->flags));
    if (out->flags & ~allowed)
        return fail(d, out->at, MOTE_E_MALFORMED, "malformed limits flags 0x%02x", out->flags);
    TRY(check_limits_features(d, out->flags));
    out->min = read_size(d);
    if (out->flags & LIMITS_HAS_MAX) out->max = read_size(d);
    TRY(mote__decode_check(d));
    if (out->min > out->max)
        return fail(d, out->at, MOTE_E_INVALID, "size minimum must not be greater than maximum");
    return MOTE_OK;
}

static mote_status read_tabletype(struct decoder *d, struct mote__tabletype *out) {
    struct limits limits;
    TRY(mote__decode_reftype(d, &out->element));
    TRY(read_limits(d, LIMITS_HAS_MAX | LIMITS_64, &limits));
    out->min = limits.min;
    out->max = limits.max;
    out->is_64 = limits.flags & LIMITS_64;
    bool has_max = limits.flags & LIMITS_HAS_MAX;
    if (!out->is_64 && (out->min > UINT32_MAX || (has_max && out->max > UINT32_MAX)))
        return fail(d, limits.at, MOTE_E_INVALID, "table size must be at most 4294967295 elements");
    return MOTE_OK;
}

static mote_status read_page_size(struct decoder *d, uint8_t *out) {
    const uint8_t *at = d->r.pos;
    uint32_t log2 = mote__read_u32(&d->r);
    TRY(mote__decode_check(d));
    if (log2 > 63)
        return fail(d, at, MOTE_E_MALFORMED, "invalid custom page size: 2 to the power of %u",
                    log2);
    if (log2 != 0 && log2 != 16)
        return fail(d, at, MOTE_E_INVALID,
                    "invalid custom page size: 2 to the power of %u, not 1 or 65536", log2);
    *out = (uint8_t)log2;
    return MOTE_OK;
}

/* The most pages that a memory's index type can address. */
static mote_status check_memory_size(struct decoder *d, const struct limits *limits) {
    bool is_64 = limits->flags & LIMITS_64;
    uint64_t most =
        is_64 ? UINT64_MAX >> limits->page_log2 : UINT64_C(0xFFFFFFFF) >> limits->page_log2;
    if (limits->page_log2) most++;
    bool has_max = limits->flags & LIMITS_HAS_MAX;
    if (limits->min <= most && (!has_max || limits->max <= most)) return MOTE_OK;
    return fail(d, limits->at, MOTE_E_INVALID, "memory size must be at most %llu pages%s",
                (unsigned long long)most, is_64 || !limits->page_log2 ? "" : " (4GiB)");
}

static mote_status read_memtype(struct decoder *d, struct mote__memtype *out) {
    struct limits limits;
    TRY(read_limits(d, LIMITS_HAS_MAX | LIMITS_SHARED | LIMITS_64 | LIMITS_PAGE_SIZE, &limits));
    if (limits.flags & LIMITS_PAGE_SIZE) TRY(read_page_size(d, &limits.page_log2));
    TRY(check_memory_size(d, &limits));
    *out = (struct mote__memtype){.min = limits.min,
                                  .max = limits.max,
                                  .is_64 = limits.flags & LIMITS_64,
                                  .shared = limits.flags & LIMITS_SHARED,
                                  .page_log2 = limits.page_log2};
    if (out->shared && !(limits.flags & LIMITS_HAS_MAX))
        return fail(d, limits.at, MOTE_E_INVALID, "shared memory must have maximum");
    return MOTE_OK;
}

static mote_status read_globaltype(struct decoder *d, struct mote__global_decl *out) {
    TRY(mote__decode_valtype(d, &out->type));
    return mote__decode_mutability(d, &out->is_mutable);
}

static mote_status read_tagtype(struct decoder *d, const mote_type **out) {
    const uint8_t *at = d->r.pos;
    uint8_t attribute;
    TRY(mote__decode_need(d, NULL,
                          has(d, FEATURE_legacy_exceptions) ? FEATURE_legacy_exceptions
                                                            : FEATURE_exceptions));
    TRY(read_byte(d, &attribute));
    if (attribute)
        return fail(d, at, MOTE_E_MALFORMED, "malformed attribute of a tag 0x%02x", attribute);
    at = d->r.pos;
    TRY(mote__decode_functype(d, out));
    if ((*out)->result_count) return fail(d, at, MOTE_E_INVALID, "non-empty tag result type");
    return MOTE_OK;
}

/* One memory and one table were all that WebAssembly 1.0 allowed. */
static mote_status check_table_count(struct decoder *d, uint32_t count) {
    return count < 2 ? MOTE_OK : mote__decode_need(d, "multiple tables", FEATURE_reference_types);
}

static mote_status check_memory_count(struct decoder *d, uint32_t count) {
    return count < 2 ? MOTE_OK : mote__decode_need(d, "multiple memories", FEATURE_multi_memory);
}

/* ---------------------------------------------------------------- the import section */

static mote_status import_func(struct decoder *d, struct mote__import *import) {
    mote_module *m = d->m;
    import->index = m->func_count;
    const mote_type **type = append(d, m->func_types, m->func_count);
    if (!type) return mote__decode_nomem(d);
    m->func_import_count++;
    return mote__decode_functype(d, type);
}

static mote_status import_table(struct decoder *d, struct mote__import *import) {
    mote_module *m = d->m;
    import->index = m->table_count;
    struct mote__table_decl *table = append(d, m->tables, m->table_count);
    if (!table) return mote__decode_nomem(d);
    m->table_import_count++;
    TRY(read_tabletype(d, &table->type));
    return check_table_count(d, m->table_count);
}

static mote_status import_memory(struct decoder *d, struct mote__import *import) {
    mote_module *m = d->m;
    import->index = m->memory_count;
    struct mote__memtype *memory = append(d, m->memories, m->memory_count);
    if (!memory) return mote__decode_nomem(d);
    m->memory_import_count++;
    TRY(read_memtype(d, memory));
    return check_memory_count(d, m->memory_count);
}

static mote_status import_global(struct decoder *d, struct mote__import *import) {
    mote_module *m = d->m;
    import->index = m->global_count;
    struct mote__global_decl *global = append(d, m->globals, m->global_count);
    if (!global) return mote__decode_nomem(d);
    m->global_import_count++;
    TRY(read_globaltype(d, global));
    return global->is_mutable ? mote__decode_need(d, NULL, FEATURE_mutable_globals) : MOTE_OK;
}

static mote_status import_tag(struct decoder *d, struct mote__import *import) {
    mote_module *m = d->m;
    import->index = m->tag_count;
    const mote_type **tag = append(d, m->tags, m->tag_count);
    if (!tag) return mote__decode_nomem(d);
    m->tag_import_count++;
    return read_tagtype(d, tag);
}

static mote_status decode_import(struct decoder *d) {
    static mote_status (*const readers[])(struct decoder *d, struct mote__import *import) = {
        [MOTE_EXTERN_FUNC] = import_func,     [MOTE_EXTERN_TABLE] = import_table,
        [MOTE_EXTERN_MEMORY] = import_memory, [MOTE_EXTERN_GLOBAL] = import_global,
        [MOTE_EXTERN_TAG] = import_tag,
    };
    mote_module *m = d->m;
    struct mote__import *import = &m->imports[m->import_count++];
    TRY(read_name(d, &import->module));
    TRY(read_name(d, &import->name));
    const uint8_t *at = d->r.pos;
    TRY(read_byte(d, &import->kind));
    if (import->kind >= sizeof readers / sizeof *readers)
        return fail(d, at, MOTE_E_MALFORMED, "malformed import kind 0x%02x", import->kind);
    return readers[import->kind](d, import);
}

/* Imports are bounded as a section; these index spaces have tighter limits of their own. */
static mote_status check_import_limits(struct decoder *d) {
    const mote_module *m = d->m;
    if (m->table_count > LIMIT_TABLES)
        return fail(d, d->r.pos, MOTE_E_LIMIT, "%u tables, more than %d", m->table_count,
                    (int)LIMIT_TABLES);
    if (m->memory_count > LIMIT_MEMORIES)
        return fail(d, d->r.pos, MOTE_E_LIMIT, "%u memories, more than %d", m->memory_count,
                    (int)LIMIT_MEMORIES);
    return MOTE_OK;
}

static mote_status decode_imports(struct decoder *d) {
    uint32_t count;
    TRY(extend_space(d, &d->m->imports, 0, "imports", LIMIT_IMPORTS, sizeof *d->m->imports,
                     &count));
    for (uint32_t i = 0; i < count; i++) TRY(decode_import(d));
    return check_import_limits(d);
}

/* ---------------------------------------------------------------- sections of definitions */

static mote_status decode_functions(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->func_types, m->func_count, "functions", LIMIT_FUNCTIONS,
                     sizeof *m->func_types, &count));
    for (uint32_t i = 0; i < count; i++)
        TRY(mote__decode_functype(d, &m->func_types[m->func_count + i]));
    m->func_count += count;
    d->func_section_count = count;
    return MOTE_OK;
}

/* A table may begin with 0x40 0x00 and then ends with an expression for its elements. */
static mote_status decode_table(struct decoder *d, struct mote__table_decl *table) {
    const uint8_t *at = d->r.pos;
    uint8_t zero;
    if (at < d->r.end && *at == 0x40) {
        d->r.pos++;
        table->has_init = true;
        TRY(mote__decode_need(d, NULL, FEATURE_function_references));
        TRY(read_byte(d, &zero));
        if (zero)
            return fail(d, at + 1, MOTE_E_MALFORMED,
                        "zero byte expected in a table with initial value");
    }
    TRY(read_tabletype(d, &table->type));
    if (table->has_init) return read_constexpr(d, table->type.element, &table->init);
    if (mote__vt_has_default(table->type.element)) return MOTE_OK;
    return fail(d, at, MOTE_E_INVALID,
                "type mismatch: a table of references that cannot be null needs an initial value");
}

static mote_status decode_tables(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->tables, m->table_count, "tables", LIMIT_TABLES, sizeof *m->tables,
                     &count));
    TRY(check_table_count(d, m->table_count + count));
    for (uint32_t i = 0; i < count; i++, m->table_count++)
        TRY(decode_table(d, &m->tables[m->table_count]));
    return MOTE_OK;
}

static mote_status decode_memories(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->memories, m->memory_count, "memories", LIMIT_MEMORIES,
                     sizeof *m->memories, &count));
    TRY(check_memory_count(d, m->memory_count + count));
    for (uint32_t i = 0; i < count; i++, m->memory_count++)
        TRY(read_memtype(d, &m->memories[m->memory_count]));
    return MOTE_OK;
}

static mote_status decode_tags(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->tags, m->tag_count, "tags", LIMIT_TAGS, sizeof *m->tags, &count));
    for (uint32_t i = 0; i < count; i++, m->tag_count++)
        TRY(read_tagtype(d, &m->tags[m->tag_count]));
    return MOTE_OK;
}

static mote_status decode_globals(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->globals, m->global_count, "globals", LIMIT_GLOBALS, sizeof *m->globals,
                     &count));
    for (uint32_t i = 0; i < count; i++, m->global_count++) {
        struct mote__global_decl *global = &m->globals[m->global_count];
        TRY(read_globaltype(d, global));
        TRY(read_constexpr(d, global->type, &global->init));
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- exports, start */

static mote_status check_export(struct decoder *d, const uint8_t *at, struct mote__export *export) {
    const mote_module *m = d->m;
    const struct {
        const char *name;
        uint32_t count;
    } spaces[] = {
        [MOTE_EXTERN_FUNC] = {"function", m->func_count},
        [MOTE_EXTERN_TABLE] = {"table", m->table_count},
        [MOTE_EXTERN_MEMORY] = {"memory", m->memory_count},
        [MOTE_EXTERN_GLOBAL] = {"global", m->global_count},
        [MOTE_EXTERN_TAG] = {"tag", m->tag_count},
    };
    if (export->kind >= sizeof spaces / sizeof *spaces)
        return fail(d, at, MOTE_E_MALFORMED, "malformed export kind 0x%02x", export->kind);
    TRY(read_index(d, spaces[export->kind].name, spaces[export->kind].count, &export->index));
    if (export->kind == MOTE_EXTERN_FUNC) declare_func(d->m, export->index);
    if (export->kind == MOTE_EXTERN_GLOBAL && m->globals[export->index].is_mutable)
        return mote__decode_need(d, NULL, FEATURE_mutable_globals);
    return MOTE_OK;
}

static mote_status decode_export(struct decoder *d) {
    mote_module *m = d->m;
    struct mote__export *export = &m->exports[m->export_count];
    const uint8_t *start = d->r.pos;
    TRY(read_name(d, &export->name));
    const uint8_t *at = d->r.pos;
    TRY(read_byte(d, &export->kind));
    TRY(check_export(d, at, export));
    bool added;
    uint64_t *index = mote__map_put(&m->export_map, export->name.data, export->name.size, &added);
    if (!index) return mote__decode_nomem(d);
    if (!added)
        return fail(d, start, MOTE_E_INVALID, "duplicate export name \"%.*s\"",
                    (int)(export->name.size < 100 ? export->name.size : 100),
                    (const char *)export->name.data);
    *index = m->export_count++;
    if (export->kind == MOTE_EXTERN_MEMORY && export->name.size == 6 &&
        !memcmp(export->name.data, "memory", 6))
        m->callers_memory = export->index;
    return MOTE_OK;
}

static mote_status decode_exports(struct decoder *d) {
    uint32_t count;
    TRY(extend_space(d, &d->m->exports, 0, "exports", LIMIT_EXPORTS, sizeof *d->m->exports,
                     &count));
    for (uint32_t i = 0; i < count; i++) TRY(decode_export(d));
    return MOTE_OK;
}

static mote_status decode_start(struct decoder *d) {
    mote_module *m = d->m;
    const uint8_t *at = d->r.pos;
    TRY(read_index(d, "function", m->func_count, &m->start));
    const mote_type *type = m->func_types[m->start];
    if (!type->param_count && !type->result_count) return MOTE_OK;
    return fail(d, at, MOTE_E_INVALID, "start function %u takes or returns values", m->start);
}

/* ---------------------------------------------------------------- element segments */

/* Bits of the kind of a segment. A segment that is not active says with the explicit bit that it is
 * declared; an active one that it names its table. Without it an active segment has neither table
 * nor type. */
enum {
    ELEM_NOT_ACTIVE = 1,
    ELEM_EXPLICIT = 2,
    ELEM_EXPRS = 4,
    ELEM_KIND_MAX = 7,
};

static mote_status read_elem_placement(struct decoder *d, uint32_t kind, struct mote__elem *elem) {
    const mote_module *m = d->m;
    if (kind & ELEM_NOT_ACTIVE) {
        elem->mode = kind & ELEM_EXPLICIT ? SEGMENT_DECLARED : SEGMENT_PASSIVE;
        return MOTE_OK;
    }
    elem->mode = SEGMENT_ACTIVE;
    const uint8_t *at = d->r.pos;
    if (kind & ELEM_EXPLICIT) TRY(read_index(d, "table", m->table_count, &elem->table));
    else if (!m->table_count) return fail(d, at, MOTE_E_INVALID, "unknown table 0");
    return read_constexpr(d, m->tables[elem->table].type.is_64 ? VT_I64 : VT_I32, &elem->offset);
}

/* The type of the elements: written as a kind before function indices and as a type before
 * expressions. */
static mote_status read_elem_type(struct decoder *d, uint32_t kind, struct mote__elem *elem) {
    const uint8_t *at = d->r.pos;
    uint8_t element_kind = 0;
    bool is_written = kind & (ELEM_NOT_ACTIVE | ELEM_EXPLICIT);
    if (kind & ELEM_EXPRS) {
        elem->type = VT_FUNCREF;
        return is_written ? mote__decode_reftype(d, &elem->type) : MOTE_OK;
    }
    elem->type = mote__vt_ref(MOTE_HEAP_FUNC, false);
    if (is_written) TRY(read_byte(d, &element_kind));
    if (element_kind)
        return fail(d, at, MOTE_E_MALFORMED, "malformed element kind 0x%02x", element_kind);
    return MOTE_OK;
}

static mote_status check_elem_type(struct decoder *d, const uint8_t *at,
                                   const struct mote__elem *elem) {
    if (elem->mode != SEGMENT_ACTIVE) return MOTE_OK;
    valtype expected = d->m->tables[elem->table].type.element;
    if (mote__vt_matches(d->m->types_registry, elem->type, expected)) return MOTE_OK;
    char found_text[64], expected_text[64];
    mote__vt_print(d->m->types_registry, elem->type, found_text, sizeof found_text);
    mote__vt_print(d->m->types_registry, expected, expected_text, sizeof expected_text);
    return fail(d, at, MOTE_E_INVALID, "type mismatch: elements of type %s for a table of %s",
                found_text, expected_text);
}

static mote_status read_elem_funcs(struct decoder *d, struct mote__elem *elem) {
    uint32_t *funcs = MOTE__ARENA_ARRAY(&d->m->arena, uint32_t, elem->count);
    if (!funcs) return mote__decode_nomem(d);
    elem->funcs = funcs;
    for (uint32_t i = 0; i < elem->count; i++) {
        TRY(read_index(d, "function", d->m->func_count, &funcs[i]));
        declare_func(d->m, funcs[i]);
    }
    return MOTE_OK;
}

static mote_status read_elem_exprs(struct decoder *d, struct mote__elem *elem) {
    struct mote__constexpr *exprs =
        MOTE__ARENA_ARRAY(&d->m->arena, struct mote__constexpr, elem->count);
    if (!exprs) return mote__decode_nomem(d);
    elem->exprs = exprs;
    for (uint32_t i = 0; i < elem->count; i++) TRY(read_constexpr(d, elem->type, &exprs[i]));
    return MOTE_OK;
}

static mote_status decode_elem(struct decoder *d, struct mote__elem *elem) {
    const uint8_t *at = d->r.pos;
    uint32_t kind;
    TRY(read_u32(d, &kind));
    if (kind > ELEM_KIND_MAX)
        return fail(d, at, MOTE_E_MALFORMED, "malformed elements segment kind %u", kind);
    if (kind) TRY(mote__decode_need(d, NULL, FEATURE_bulk_memory));
    TRY(read_elem_placement(d, kind, elem));
    TRY(read_elem_type(d, kind, elem));
    TRY(check_elem_type(d, at, elem));
    TRY(mote__decode_count(d, "elements in a segment", LIMIT_TABLE_ELEMENTS, &elem->count));
    return kind & ELEM_EXPRS ? read_elem_exprs(d, elem) : read_elem_funcs(d, elem);
}

static mote_status decode_elems(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->elems, 0, "element segments", LIMIT_ELEM_SEGMENTS, sizeof *m->elems,
                     &count));
    for (uint32_t i = 0; i < count; i++, m->elem_count++) TRY(decode_elem(d, &m->elems[i]));
    return MOTE_OK;
}

/* ---------------------------------------------------------------- code and data */

static mote_status decode_data_count(struct decoder *d) {
    TRY(mote__decode_need(d, NULL, FEATURE_bulk_memory));
    d->m->has_data_count = true;
    const uint8_t *at = d->r.pos;
    TRY(read_u32(d, &d->data_count_declared));
    if (d->data_count_declared > LIMIT_DATA_SEGMENTS)
        return fail(d, at, MOTE_E_LIMIT, "%u data segments, more than %d", d->data_count_declared,
                    (int)LIMIT_DATA_SEGMENTS);
    d->m->data_count = d->data_count_declared; /* bodies refer to them before they are read */
    return MOTE_OK;
}

static mote_status decode_body(struct decoder *d, struct mote__body *body) {
    const uint8_t *at = d->r.pos;
    uint32_t bytes;
    TRY(read_u32(d, &bytes));
    if (bytes > mote__reader_left(&d->r))
        return fail(d, at, MOTE_E_MALFORMED,
                    "unexpected end of section or function: a function body of %u bytes", bytes);
    if (bytes > d->body_bytes_max)
        return fail(d, at, MOTE_E_LIMIT, "a function body of %u bytes, more than %u", bytes,
                    d->body_bytes_max);
    *body = (struct mote__body){.offset = (uint32_t)(d->r.pos - d->m->bytes.data), .bytes = bytes};
    mote__read_span(&d->r, bytes);
    return MOTE_OK;
}

static mote_status decode_code(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(mote__decode_count(d, "function bodies", LIMIT_FUNCTIONS, &count));
    d->body_count = count;
    m->bodies = MOTE__ARENA_ARRAY(&m->arena, struct mote__body, count);
    if (!m->bodies) return mote__decode_nomem(d);
    m->code_offset = (uint64_t)(d->r.pos - m->bytes.data);
    for (uint32_t i = 0; i < count; i++) TRY(decode_body(d, &m->bodies[i]));
    return MOTE_OK;
}

enum { DATA_ACTIVE = 0, DATA_PASSIVE = 1, DATA_ACTIVE_IN = 2 };

static mote_status read_data_placement(struct decoder *d, struct mote__data *data) {
    const mote_module *m = d->m;
    const uint8_t *at = d->r.pos;
    uint32_t kind;
    TRY(read_u32(d, &kind));
    if (kind > DATA_ACTIVE_IN)
        return fail(d, at, MOTE_E_MALFORMED, "malformed data segment kind %u", kind);
    if (kind) TRY(mote__decode_need(d, NULL, FEATURE_bulk_memory));
    data->mode = kind == DATA_PASSIVE ? SEGMENT_PASSIVE : SEGMENT_ACTIVE;
    if (kind == DATA_PASSIVE) return MOTE_OK;
    if (kind == DATA_ACTIVE_IN) TRY(read_index(d, "memory", m->memory_count, &data->memory));
    else if (!m->memory_count) return fail(d, at, MOTE_E_INVALID, "unknown memory 0");
    return read_constexpr(d, m->memories[data->memory].is_64 ? VT_I64 : VT_I32, &data->offset);
}

static mote_status decode_data(struct decoder *d, struct mote__data *data) {
    TRY(read_data_placement(d, data));
    const uint8_t *at = d->r.pos;
    uint32_t bytes;
    TRY(read_u32(d, &bytes));
    if (bytes > mote__reader_left(&d->r))
        return fail(d, at, MOTE_E_MALFORMED,
                    "unexpected end of section or function: a data segment of %u bytes", bytes);
    data->bytes = mote__read_span(&d->r, bytes);
    return MOTE_OK;
}

static mote_status decode_datas(struct decoder *d) {
    mote_module *m = d->m;
    uint32_t count;
    TRY(extend_space(d, &m->datas, 0, "data segments", LIMIT_DATA_SEGMENTS, sizeof *m->datas,
                     &count));
    for (uint32_t i = 0; i < count; i++) TRY(decode_data(d, &m->datas[i]));
    m->data_count = d->data_seg_count = count;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- sections */

static mote_status decode_custom(struct decoder *d) {
    mote_module *m = d->m;
    struct span name;
    TRY(read_name(d, &name));
    if (d->r.pos > d->section_end)
        return fail(d, d->section_end, MOTE_E_MALFORMED,
                    "unexpected end of section or function: the name of a custom section");
    struct mote__custom *custom = append(d, m->customs, m->custom_count);
    if (!custom) return mote__decode_nomem(d);
    custom->name = name;
    custom->offset = (uint64_t)(d->r.pos - m->bytes.data);
    custom->bytes = mote__read_span(&d->r, (size_t)(d->section_end - d->r.pos));
    return MOTE_OK;
}

/* By section id: its place in the order, who reads it, and its name. */
static const struct section {
    uint8_t order;
    const char *name;
    mote_status (*decode)(struct decoder *d);
} sections[] = {
    [0] = {0, "custom", decode_custom},  [1] = {1, "type", mote__decode_types},
    [2] = {2, "import", decode_imports}, [3] = {3, "function", decode_functions},
    [4] = {4, "table", decode_tables},   [5] = {5, "memory", decode_memories},
    [13] = {6, "tag", decode_tags},      [6] = {7, "global", decode_globals},
    [7] = {8, "export", decode_exports}, [8] = {9, "start", decode_start},
    [9] = {10, "element", decode_elems}, [12] = {11, "data count", decode_data_count},
    [10] = {12, "code", decode_code},    [11] = {13, "data", decode_datas},
};
enum { ORDER_FUNCTION = 3 };

/* Once all functions are known, before anything refers to them. */
static mote_status make_func_sets(struct decoder *d) {
    mote_module *m = d->m;
    if (m->func_declared) return MOTE_OK;
    m->func_declared = MOTE__ARENA_ARRAY(&m->arena, uint8_t, m->func_count / 8 + (size_t)1);
    return m->func_declared ? MOTE_OK : mote__decode_nomem(d);
}

/* Reads the frame of a section and leaves the reader on its contents. */
static mote_status read_section_frame(struct decoder *d, uint8_t *id) {
    const uint8_t *at = d->r.pos;
    uint32_t bytes;
    TRY(read_byte(d, id));
    if (*id >= sizeof sections / sizeof *sections)
        return fail(d, at, MOTE_E_MALFORMED, "malformed section id %u", *id);
    at = d->r.pos;
    TRY(read_u32(d, &bytes));
    if (bytes > mote__reader_left(&d->r))
        return fail(d, at, MOTE_E_MALFORMED,
                    "length out of bounds: a %s section of %u bytes, with %zu left",
                    sections[*id].name, bytes, mote__reader_left(&d->r));
    d->section_end = d->r.pos + bytes;
    return MOTE_OK;
}

/* Reads one section; *order is that of the last one in order, and then of this. */
static mote_status decode_section(struct decoder *d, uint8_t *order) {
    const uint8_t *at = d->r.pos;
    uint8_t id;
    TRY(read_section_frame(d, &id));
    const struct section *section = &sections[id];
    if (id && section->order <= *order)
        return fail(
            d, at, MOTE_E_MALFORMED,
            "unexpected content after last section: the %s section is repeated or out of order",
            section->name);
    if (section->order > ORDER_FUNCTION) TRY(make_func_sets(d));
    TRY(section->decode(d));
    if (d->r.pos != d->section_end)
        return fail(d, d->r.pos, MOTE_E_MALFORMED,
                    "section size mismatch: the %s section is %lld bytes too %s", section->name,
                    llabs((long long)(d->section_end - d->r.pos)),
                    d->r.pos < d->section_end ? "long" : "short");
    if (id) *order = section->order;
    return MOTE_OK;
}

/* A text that begins with a byte order mark is not taken for one: says so. */
static const char *byte_order_mark(const uint8_t *bytes) {
    if (!memcmp(bytes, "\xef\xbb\xbf", 3)) return ": a text begins without a byte order mark";
    bool is_utf16 = !memcmp(bytes, "\xff\xfe", 2) || !memcmp(bytes, "\xfe\xff", 2);
    return is_utf16 ? ": a text is in UTF-8, this may be UTF-16" : "";
}

static mote_status decode_header(struct decoder *d) {
    struct span magic = mote__read_span(&d->r, 4), version;
    if (d->r.failed)
        return fail(d, d->r.failed_at, MOTE_E_MALFORMED,
                    "unexpected end: a module begins with \\00asm");
    if (memcmp(magic.data, "\0asm", 4))
        return fail(d, magic.data, MOTE_E_MALFORMED, "magic header not detected%s", byte_order_mark(magic.data));
    version = mote__read_span(&d->r, 4);
    if (d->r.failed)
        return fail(d, d->r.failed_at, MOTE_E_MALFORMED, "unexpected end in the version");
    if (!memcmp(version.data, "\1\0\0", 4)) return MOTE_OK;
    bool is_component = !memcmp(version.data, "\xd\0\1", 4);
    return fail(d, version.data, MOTE_E_MALFORMED, "unknown binary version%s",
                is_component ? ": this is a component, not a module" : "");
}

/* What only shows when everything has been read. */
static mote_status check_whole(struct decoder *d) {
    if (d->func_section_count != d->body_count)
        return fail(d, d->r.pos, MOTE_E_MALFORMED,
                    "function and code section have inconsistent lengths: %u functions, %u bodies",
                    d->func_section_count, d->body_count);
    if (d->m->has_data_count && d->data_count_declared != d->data_seg_count)
        return fail(d, d->r.pos, MOTE_E_MALFORMED,
                    "data count and data section have inconsistent lengths: %u declared, %u there",
                    d->data_count_declared, d->data_seg_count);
    return make_func_sets(d);
}

/* A section that is malformed behind the code may be so because a body's size is wrong: then the body is what to name. */
static mote_status blame_body(struct decoder *d, mote_status status) {
    if (status != MOTE_E_MALFORMED || !d->body_count || d->body_count != d->func_section_count) return status;
    mote_error error;
    mote_status blamed = mote__module_validate(d->m, &error);
    if (blamed != MOTE_E_MALFORMED && blamed != MOTE_E_UNSUPPORTED) return status;
    *d->error = error;
    return blamed;
}

static mote_status decode_sections(struct decoder *d) {
    uint8_t order = 0;
    mote_status status = MOTE_OK;
    while (d->r.pos < d->r.end && status == MOTE_OK) status = decode_section(d, &order);
    return blame_body(d, status);
}

static mote_status decode_all(struct decoder *d) {
    mote__reader_init(&d->r, d->m->bytes.data, d->m->bytes.size);
    TRY(decode_header(d));
    TRY(decode_sections(d));
    TRY(check_whole(d));
    return mote__module_validate(d->m, d->error);
}

/* ---------------------------------------------------------------- modules */

/* Makes the module's own copy of the bytes, unless they are borrowed. */
static bool take_bytes(mote_module *m, struct span bytes, bool borrow) {
    m->bytes = bytes;
    if (borrow || !bytes.size) return true;
    uint8_t *copy = mote__alloc(m->arena.allocator, bytes.size);
    if (!copy) return false;
    memcpy(copy, bytes.data, bytes.size);
    m->bytes.data = copy;
    m->owns_bytes = true;
    return true;
}

static mote_module *new_module(const mote_allocator *allocator) {
    mote_module *m = MOTE__NEW(allocator, mote_module);
    if (!m) return NULL;
    m->holds = 1;
    m->start = UINT32_MAX;
    mote__arena_init(&m->arena, allocator);
    mote__map_init(&m->export_map, allocator);
    return m;
}

mote_status mote__module_decode(mote_engine *engine, struct mote__types *types,
                                const mote_allocator *allocator, uint64_t features,
                                uint32_t body_bytes_max, struct span bytes, bool borrow,
                                mote_module **out, mote_error *error) {
    if (bytes.size > UINT32_MAX)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "a module of %zu bytes, more than 4 GiB", bytes.size);
    mote_module *m = new_module(allocator);
    if (!m) return mote__error_nomem(error, "decoding a module");
    m->engine = engine;
    m->types_registry = types;
    m->features = features;
    struct decoder d = {.m = m, .error = error, .body_bytes_max = body_bytes_max};
    mote_status status = take_bytes(m, bytes, borrow) ? decode_all(&d) : mote__decode_nomem(&d);
    mote__vec_deinit(&d.defs, allocator);
    mote__vec_deinit(&d.fields, allocator);
    if (status == MOTE_OK) *out = m;
    else mote__module_free(m);
    return status;
}
