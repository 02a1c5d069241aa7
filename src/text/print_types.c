/* print_types.c - value types and type definitions (core spec, "Binary Format / Types"). */
#include "text/print.h"
#include "wasm/typecode.h"
#include "wasm/limits.h"

/* Whether the byte under the reader is of an abstract heap type; indices are signed numbers that
 * are not negative. */
void mote__print_heaptype(struct printer *p, struct reader *in) {
    const uint8_t *at = in->pos;
    int64_t heap = mote__read_s33(in);
    const struct mote__heap_type *name =
        heap < 0 && heap >= -64 ? mote__heap_type_of_code((uint8_t)(heap + 0x80)) : NULL;
    if (name) mote__print(p, " %s", name->word);
    else if (heap >= 0) mote__print_index(p, NAMES_TYPE, (uint32_t)heap);
    else mote__reader_fail(in, at, "malformed heap type");
}

void mote__print_reftype(struct printer *p, bool nullable, struct reader *in) {
    mote__print(p, nullable ? " (ref null" : " (ref");
    mote__print_heaptype(p, in);
    mote__print(p, ")");
}

void mote__print_type_of_code(struct printer *p, struct reader *in, uint8_t code) {
    const struct mote__plain_type *plain = mote__plain_type_of_code(code);
    const struct mote__heap_type *heap = mote__heap_type_of_code(code);
    if (plain) mote__print(p, " %s", plain->word);
    else if (heap) mote__print(p, " %s", heap->ref_word);
    else if (code == TYPE_CODE_REF || code == TYPE_CODE_REF_NULL)
        mote__print_reftype(p, code == TYPE_CODE_REF_NULL, in);
    else mote__reader_fail(in, in->pos, "malformed value type");
}

void mote__print_type(struct printer *p, struct reader *in) {
    mote__print_type_of_code(p, in, mote__read_u8(in));
}

/* ---- Function types. ---- */

static bool has_name(const struct name_list *names, uint32_t index) {
    return names && mote__find_name(names, index);
}

/* A vector of types as (WORD t*): one for each that has a name, and for each run of those that have
 * none. */
static void print_type_vector(struct printer *p, struct reader *in, const char *word,
                              const struct name_list *names) {
    uint32_t count = mote__read_u32(in);
    bool open = false;
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        bool named = has_name(names, i);
        if (open && named) {
            mote__print(p, ")");
            open = false;
        }
        if (!open) mote__print(p, " (%s", word);
        if (named) mote__print_binding(p, names, i);
        mote__print_type(p, in);
        if (named) mote__print(p, ")");
        open = !named;
    }
    if (open) mote__print(p, ")");
}

void mote__print_signature(struct printer *p, struct reader in, const struct name_list *names) {
    print_type_vector(p, &in, "param", names);
    print_type_vector(p, &in, "result", NULL);
}

void mote__print_typeuse(struct printer *p, uint32_t type, const struct name_list *names) {
    mote__print(p, " (type");
    mote__print_index(p, NAMES_TYPE, type);
    mote__print(p, ")");
    if (type < p->types.count && p->types.data[type].is_func)
        mote__print_signature(p, p->types.data[type].signature, names);
}

/* ---- Definitions. ---- */

/* The mutability comes behind the type, but is printed before it. */
void mote__print_mutable_type(struct printer *p, struct reader *in) {
    size_t from = p->out.size;
    mote__print_type(p, in);
    uint8_t mutability = mote__read_u8(in);
    if (mutability > 1) mote__reader_fail(in, in->pos - 1, "malformed mutability");
    if (mutability != 1) return;
    mote__print_insert(p, from, " (mut");
    mote__put_u8(&p->out, ')');
}

static void print_struct(struct printer *p, struct reader *in, const struct name_list *names) {
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        mote__print(p, " (field");
        mote__print_binding(p, names, i);
        mote__print_mutable_type(p, in);
        mote__print(p, ")");
    }
}

/* Steps over a vector of types without printing. */
static uint32_t skip_types(struct printer *p, struct reader *in) {
    size_t size = p->out.size;
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) mote__print_type(p, in);
    p->out.size = size;
    return count;
}

static void print_functype(struct printer *p, struct reader *in, struct printed_type *type) {
    type->is_func = true;
    type->signature = *in;
    type->param_count = skip_types(p, in);
    skip_types(p, in);
    if (!in->failed) mote__print_signature(p, type->signature, NULL);
}

static mote_status print_comptype(struct printer *p, struct reader *in, uint8_t code,
                                  struct printed_type *type) {
    struct reader peek = *in;
    switch (code) {
    case TYPE_CODE_FUNC:
        mote__print(p, " (func");
        print_functype(p, in, type);
        break;
    case TYPE_CODE_STRUCT:
        TRY(mote__inner_names(p, &p->fields, (uint32_t)p->types.count - 1, mote__read_u32(&peek),
                              &type->fields));
        mote__print(p, " (struct");
        print_struct(p, in, &type->fields);
        break;
    case TYPE_CODE_ARRAY:
        mote__print(p, " (array");
        mote__print_mutable_type(p, in);
        break;
    default: mote__reader_fail(in, in->pos, "malformed type form"); return MOTE_OK;
    }
    mote__print(p, ")");
    return MOTE_OK;
}

static void print_supers(struct printer *p, struct reader *in, bool is_final) {
    mote__print(p, is_final ? " (sub final" : " (sub");
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++)
        mote__print_index(p, NAMES_TYPE, mote__read_u32(in));
}

static mote_status print_subtype(struct printer *p, struct reader *in, uint8_t code) {
    struct printed_type type = {0};
    uint32_t index = (uint32_t)p->types.count;
    if (!mote__vec_push(&p->types, p->allocator))
        return mote__error_nomem(p->error, "printing types");
    mote__print_line(p);
    mote__print(p, "(type");
    mote__print_definition(p, NAMES_TYPE, index);
    bool is_sub = code == TYPE_CODE_SUB || code == TYPE_CODE_SUB_FINAL;
    if (is_sub) {
        print_supers(p, in, code == TYPE_CODE_SUB_FINAL);
        code = mote__read_u8(in);
    }
    TRY(print_comptype(p, in, code, &type));
    mote__print(p, is_sub ? "))" : ")");
    p->types.data[index] = type;
    return mote__print_check(p, in);
}

static mote_status print_rec(struct printer *p, struct reader *in) {
    mote__print_line(p);
    mote__print(p, "(rec");
    p->indent++;
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++)
        TRY(print_subtype(p, in, mote__read_u8(in)));
    p->indent--;
    mote__print(p, ")");
    return mote__print_check(p, in);
}

mote_status mote__print_type_section(struct printer *p) {
    if (!p->has_section[SECTION_TYPE]) return MOTE_OK;
    struct reader in = p->sections[SECTION_TYPE];
    uint32_t count = mote__read_u32(&in);
    for (uint32_t i = 0; i < count && !in.failed; i++) {
        uint8_t code = mote__read_u8(&in);
        TRY(code == TYPE_CODE_REC ? print_rec(p, &in) : print_subtype(p, &in, code));
    }
    if (mote__reader_left(&in)) mote__reader_fail(&in, in.pos, "section size mismatch");
    p->counts[NAMES_TYPE] = (uint32_t)p->types.count;
    return mote__print_check(p, &in);
}
