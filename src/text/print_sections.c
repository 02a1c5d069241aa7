/* print_sections.c - imports and definitions, section by section (core spec, "Binary Format /
 * Modules"). */
#include "text/print.h"
#include "wasm/typecode.h"
#include "wasm/limits.h"

/* ---- Types of imports and definitions. ---- */

static void print_limits(struct printer *p, struct reader *in, uint8_t flags) {
    mote__print(p, " %llu", (unsigned long long)mote__read_u64(in));
    if (flags & 1) mote__print(p, " %llu", (unsigned long long)mote__read_u64(in));
    if (flags & 2) mote__print(p, " shared");
}

static uint8_t read_limit_flags(struct printer *p, struct reader *in, uint8_t known) {
    uint8_t flags = mote__read_u8(in);
    if (flags & ~known) mote__reader_fail(in, in->pos, "malformed limits flags");
    if (flags & 4) mote__print(p, " i64");
    return flags;
}

static void print_memtype(struct printer *p, struct reader *in) {
    uint8_t flags = read_limit_flags(p, in, 15);
    print_limits(p, in, flags);
    if (!(flags & 8)) return;
    uint32_t log2 = mote__read_u32(in);
    if (log2 > 63) mote__reader_fail(in, in->pos, "malformed custom page size");
    else mote__print(p, " (pagesize %llu)", (unsigned long long)(UINT64_C(1) << log2));
}

/* The element type comes first in the binary and last in the text. */
static void print_tabletype(struct printer *p, struct reader *in) {
    struct reader type = *in;
    size_t size = p->out.size;
    mote__print_type(p, in);
    p->out.size = size;
    uint8_t flags = read_limit_flags(p, in, 7);
    print_limits(p, in, flags);
    mote__print_type(p, &type);
}

static void print_tagtype(struct printer *p, struct reader *in) {
    if (mote__read_u8(in) != 0) mote__reader_fail(in, in->pos, "malformed tag attribute");
    mote__print_typeuse(p, mote__read_u32(in), NULL);
}

static mote_status add_func(struct printer *p, uint32_t type) {
    uint32_t *slot = mote__vec_push(&p->func_types, p->allocator);
    if (!slot) return mote__error_nomem(p->error, "printing functions");
    *slot = type;
    return MOTE_OK;
}

static uint32_t param_count_of(const struct printer *p, uint32_t type) {
    return type < p->types.count ? p->types.data[type].param_count : 0;
}

/* ---- Imports. ---- */

static const struct {
    const char *word;
    enum names names;
    void (*print)(struct printer *, struct reader *);
} extern_kinds[] = {
    {"func", NAMES_FUNC, NULL},
    {"table", NAMES_TABLE, print_tabletype},
    {"memory", NAMES_MEMORY, print_memtype},
    {"global", NAMES_GLOBAL, mote__print_mutable_type},
    {"tag", NAMES_TAG, print_tagtype},
};
enum { EXTERN_KIND_COUNT = sizeof extern_kinds / sizeof *extern_kinds };

static mote_status print_func_import(struct printer *p, struct reader *in, uint32_t index) {
    uint32_t type = mote__read_u32(in);
    struct name_list names;
    TRY(add_func(p, type));
    TRY(mote__inner_names(p, &p->locals, index, param_count_of(p, type), &names));
    mote__print_typeuse(p, type, &names);
    return MOTE_OK;
}

static mote_status print_import(struct printer *p, struct reader *in) {
    mote__print_line(p);
    mote__print(p, "(import ");
    mote__print_string(p, mote__read_name(in));
    mote__print(p, " ");
    mote__print_string(p, mote__read_name(in));
    uint8_t kind = mote__read_u8(in);
    if (kind >= EXTERN_KIND_COUNT) {
        mote__reader_fail(in, in->pos - 1, "malformed import kind");
        return mote__print_check(p, in);
    }
    uint32_t index = p->counts[extern_kinds[kind].names]++;
    mote__print(p, " (%s", extern_kinds[kind].word);
    mote__print_definition(p, extern_kinds[kind].names, index);
    if (extern_kinds[kind].print) extern_kinds[kind].print(p, in);
    else TRY(print_func_import(p, in, index));
    mote__print(p, "))");
    return mote__print_check(p, in);
}

/* ---- Sections of one element after the other. ---- */

/* Prints every element of a section with `print`, and checks that nothing is behind them. */
static mote_status print_each(struct printer *p, enum section s,
                              mote_status (*print)(struct printer *, struct reader *)) {
    if (!p->has_section[s]) return MOTE_OK;
    struct reader in = p->sections[s];
    uint32_t count = mote__read_u32(&in);
    for (uint32_t i = 0; i < count && !in.failed; i++) TRY(print(p, &in));
    if (mote__reader_left(&in)) mote__reader_fail(&in, in.pos, "section size mismatch");
    return mote__print_check(p, &in);
}

mote_status mote__print_imports(struct printer *p) {
    return print_each(p, SECTION_IMPORT, print_import);
}

/* "(WORD $name (;N;)" of the next definition in a space. */
static void begin_definition(struct printer *p, const char *word, enum names names) {
    mote__print_line(p);
    mote__print(p, "(%s", word);
    mote__print_definition(p, names, p->counts[names]++);
}

static mote_status end_definition(struct printer *p, struct reader *in) {
    mote__print(p, ")");
    return mote__print_check(p, in);
}

/* 0x40 0x00 in front of a table type means that an expression follows it. */
static mote_status print_table(struct printer *p, struct reader *in) {
    begin_definition(p, "table", NAMES_TABLE);
    bool has_expr = mote__reader_left(in) && *in->pos == 0x40;
    if (has_expr) {
        in->pos++;
        if (mote__read_u8(in) != 0) mote__reader_fail(in, in->pos, "malformed table");
    }
    print_tabletype(p, in);
    if (has_expr) mote__print_expr(p, in, NULL);
    return end_definition(p, in);
}

static mote_status print_memory(struct printer *p, struct reader *in) {
    begin_definition(p, "memory", NAMES_MEMORY);
    print_memtype(p, in);
    return end_definition(p, in);
}

static mote_status print_tag(struct printer *p, struct reader *in) {
    begin_definition(p, "tag", NAMES_TAG);
    print_tagtype(p, in);
    return end_definition(p, in);
}

static mote_status print_global(struct printer *p, struct reader *in) {
    begin_definition(p, "global", NAMES_GLOBAL);
    mote__print_mutable_type(p, in);
    mote__print_expr(p, in, NULL);
    return end_definition(p, in);
}

static mote_status print_export(struct printer *p, struct reader *in) {
    mote__print_line(p);
    mote__print(p, "(export ");
    mote__print_string(p, mote__read_name(in));
    uint8_t kind = mote__read_u8(in);
    if (kind >= EXTERN_KIND_COUNT) mote__reader_fail(in, in->pos - 1, "malformed export kind");
    else {
        mote__print(p, " (%s", extern_kinds[kind].word);
        mote__print_index(p, extern_kinds[kind].names, mote__read_u32(in));
        mote__print(p, ")");
    }
    return end_definition(p, in);
}

static mote_status print_start(struct printer *p) {
    if (!p->has_section[SECTION_START]) return MOTE_OK;
    struct reader in = p->sections[SECTION_START];
    mote__print_line(p);
    mote__print(p, "(start");
    mote__print_index(p, NAMES_FUNC, mote__read_u32(&in));
    if (mote__reader_left(&in)) mote__reader_fail(&in, in.pos, "section size mismatch");
    return end_definition(p, &in);
}

/* ---- Segments. ---- */

enum { NOT_ACTIVE = 1, HAS_INDEX = 2, HAS_EXPRS = 4 };

/* The type or kind of the elements, as "func" or a reference type; left out for the oldest form. */
static void print_elem_type(struct printer *p, struct reader *in, uint32_t flags) {
    bool is_written = (flags & (NOT_ACTIVE | HAS_INDEX)) != 0;
    if (flags & HAS_EXPRS) {
        if (is_written) mote__print_type(p, in);
        else mote__print(p, " funcref");
        return;
    }
    if (is_written && mote__read_u8(in) != 0)
        mote__reader_fail(in, in->pos - 1, "malformed element kind");
    mote__print(p, " func");
}

static mote_status print_elem(struct printer *p, struct reader *in) {
    begin_definition(p, "elem", NAMES_ELEM);
    uint32_t flags = mote__read_u32(in);
    if (flags > 7) mote__reader_fail(in, in->pos - 1, "malformed elements segment kind");
    if (flags & NOT_ACTIVE) mote__print(p, flags & HAS_INDEX ? " declare" : "");
    else {
        if (flags & HAS_INDEX) {
            mote__print(p, " (table");
            mote__print_index(p, NAMES_TABLE, mote__read_u32(in));
            mote__print(p, ")");
        }
        mote__print_expr(p, in, "offset");
    }
    print_elem_type(p, in, flags);
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        if (flags & HAS_EXPRS) mote__print_expr(p, in, "item");
        else mote__print_index(p, NAMES_FUNC, mote__read_u32(in));
    }
    return end_definition(p, in);
}

static mote_status print_data(struct printer *p, struct reader *in) {
    begin_definition(p, "data", NAMES_DATA);
    uint32_t flags = mote__read_u32(in);
    if (flags > 2) mote__reader_fail(in, in->pos - 1, "malformed data segment kind");
    if (flags == 2) {
        mote__print(p, " (memory");
        mote__print_index(p, NAMES_MEMORY, mote__read_u32(in));
        mote__print(p, ")");
    }
    if (flags != 1) mote__print_expr(p, in, "offset");
    mote__print(p, " ");
    mote__print_string(p, mote__read_span(in, mote__read_u32(in)));
    return end_definition(p, in);
}

/* ---- Functions. ---- */

static mote_status read_func(struct printer *p, struct reader *in) {
    return add_func(p, mote__read_u32(in));
}

/* One run of locals of one type: (local t t t), or one clause for each that has a name. */
static void print_local_run(struct printer *p, struct reader *in, uint32_t first, uint32_t count) {
    struct reader type = *in;
    bool open = false;
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        bool named = mote__find_name(&p->local_names, first + i) != NULL;
        if (open && named) mote__print(p, ")");
        if (named || !open) mote__print(p, " (local");
        if (named) mote__print_binding(p, &p->local_names, first + i);
        *in = type;
        mote__print_type(p, in);
        if (named) mote__print(p, ")");
        open = !named;
    }
    if (open) mote__print(p, ")");
}

/* The number of all locals; the reader is left where it was. */
static uint64_t count_locals(struct printer *p, struct reader in) {
    size_t size = p->out.size;
    uint64_t total = 0;
    uint32_t runs = mote__read_u32(&in);
    for (uint32_t i = 0; i < runs && !in.failed; i++) {
        total += mote__read_u32(&in);
        mote__print_type(p, &in);
    }
    p->out.size = size;
    return total;
}

static void print_locals(struct printer *p, struct reader *in, uint32_t first) {
    uint32_t runs = mote__read_u32(in);
    if (!runs) return;
    size_t size = p->out.size;
    mote__print_line(p);
    size_t line = p->out.size;
    for (uint32_t i = 0; i < runs && !in->failed; i++) {
        uint32_t count = mote__read_u32(in);
        struct reader type = *in;
        print_local_run(p, in, first, count);
        if (!count) { /* a run of none has a type all the same */
            size_t before = p->out.size;
            mote__print_type(p, &type);
            p->out.size = before;
            *in = type;
        }
        first += count;
    }
    if (p->out.size == line) p->out.size = size;
    else mote__print_remove(p, line, 1); /* the space before the first clause */
}

static mote_status load_body_names(struct printer *p, uint32_t func, uint32_t params,
                                   struct reader in) {
    uint64_t locals = count_locals(p, in);
    if (locals > LIMIT_LOCALS)
        return mote__error_set(p->error, MOTE_E_LIMIT, (uint64_t)(in.pos - p->binary.data),
                               "too many locals: function %u has %llu", (unsigned)func,
                               (unsigned long long)locals);
    TRY(mote__inner_names(p, &p->locals, func, params + (uint32_t)locals, &p->local_names));
    return mote__inner_names(p, &p->labels, func, UINT32_MAX, &p->label_names);
}

static mote_status print_code(struct printer *p, struct reader *in) {
    uint32_t func = p->counts[NAMES_FUNC];
    struct span bytes = mote__read_span(in, mote__read_u32(in));
    if (func >= p->func_types.count)
        return mote__print_fail(p, bytes.data,
                                "function and code section have inconsistent lengths");
    uint32_t type = p->func_types.data[func], params = param_count_of(p, type);
    struct reader body;
    mote__reader_init(&body, bytes.data, bytes.size);
    TRY(load_body_names(p, func, params, body));
    begin_definition(p, "func", NAMES_FUNC);
    mote__print_typeuse(p, type, &p->local_names);
    p->indent++;
    print_locals(p, &body, params);
    mote__print_body(p, &body, bytes.data);
    p->indent--;
    TRY(mote__print_check(p, &body));
    mote__print_line(p);
    return end_definition(p, in);
}

static mote_status print_functions(struct printer *p) {
    TRY(print_each(p, SECTION_CODE, print_code));
    if (p->counts[NAMES_FUNC] == p->func_types.count) return MOTE_OK;
    return mote__print_fail(p, p->binary.data + p->binary.size,
                            "function and code section have inconsistent lengths");
}

mote_status mote__print_definitions(struct printer *p) {
    TRY(print_each(p, SECTION_FUNC, read_func));
    TRY(print_each(p, SECTION_TABLE, print_table));
    TRY(print_each(p, SECTION_MEMORY, print_memory));
    TRY(print_each(p, SECTION_TAG, print_tag));
    TRY(print_each(p, SECTION_GLOBAL, print_global));
    TRY(print_each(p, SECTION_EXPORT, print_export));
    TRY(print_start(p));
    TRY(print_each(p, SECTION_ELEM, print_elem));
    TRY(print_functions(p));
    return print_each(p, SECTION_DATA, print_data);
}
