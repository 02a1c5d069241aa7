/* wast_match.c - compares what came out with what a script expects: values by their patterns, errors by how their message begins. */
#define _POSIX_C_SOURCE 200809L
#include "wast_run.h"
#include <inttypes.h>

/* ---- Types of references. ---- */

static const struct {
    uint8_t code; /* in the binary format */
    uint8_t heap, kind;
} heaps[] = {
    {0x70, MOTE_HEAP_FUNC, MOTE_FUNCREF},       {0x73, MOTE_HEAP_NOFUNC, MOTE_FUNCREF},
    {0x6f, MOTE_HEAP_EXTERN, MOTE_EXTERNREF},   {0x72, MOTE_HEAP_NOEXTERN, MOTE_EXTERNREF},
    {0x6e, MOTE_HEAP_ANY, MOTE_ANYREF},         {0x6d, MOTE_HEAP_EQ, MOTE_ANYREF},
    {0x6c, MOTE_HEAP_I31, MOTE_ANYREF},         {0x6b, MOTE_HEAP_STRUCT, MOTE_ANYREF},
    {0x6a, MOTE_HEAP_ARRAY, MOTE_ANYREF},       {0x71, MOTE_HEAP_NONE, MOTE_ANYREF},
    {0x69, MOTE_HEAP_EXN, MOTE_EXNREF},         {0x74, MOTE_HEAP_NOEXN, MOTE_EXNREF},
};

static size_t heap_find(uint8_t code) {
    size_t i = 0;
    while (i < sizeof heaps / sizeof *heaps - 1 && heaps[i].code != code) i++;
    return i;
}

static bool is_reference(const mote_value *value) { return value->kind >= MOTE_FUNCREF; }

static bool is_null(const mote_store *store, const mote_value *value) {
    if (value->kind == MOTE_FUNCREF) return !value->of.func.ptr;
    return mote_ref_heap(store, value->of.ref) == MOTE_HEAP_NONE;
}

/* ---- Arguments. ---- */

/* Host object number n is the pointer n + 1, so that number 0 is not NULL. */
static void *host_object(uint64_t number) { return (void *)(uintptr_t)(number + 1); }

static mote_status make_host(mote_store *store, const struct wast_value *in, mote_value *out, mote_error *error) {
    out->kind = in->kind == WAST_REF_HOST ? MOTE_ANYREF : MOTE_EXTERNREF;
    return mote_extern_new(store, host_object(in->number), NULL, &out->of.ref, error);
}

mote_status wast_value_make(mote_store *store, const struct wast_value *in, mote_value *out, mote_error *error) {
    static const uint8_t kinds[] = {MOTE_I32, MOTE_I64, MOTE_F32, MOTE_F64, MOTE_V128};
    *out = (mote_value){0};
    switch (in->kind) {
    case WAST_REF_NULL: out->kind = heaps[heap_find(in->heap)].kind; return MOTE_OK;
    case WAST_REF_HOST:
    case WAST_REF_EXTERN: return make_host(store, in, out, error);
    case WAST_V128: memcpy(out->of.v128, in->v128, 16); break;
    default: out->of.i64 = in->number; break; /* floats and i32 lie in the low bytes */
    }
    out->kind = kinds[in->kind];
    return MOTE_OK;
}

/* ---- Results. ---- */

/* A float's bits against a NaN pattern: canonical is the quiet bit alone, arithmetic is at least the quiet bit; the sign is free. */
static bool nan_matches(enum wast_nan pattern, unsigned bits, uint64_t value) {
    uint64_t quiet = bits == 32 ? 0x7fc00000 : 0x7ff8000000000000;
    uint64_t sign = (uint64_t)1 << (bits - 1);
    return pattern == WAST_NAN_CANONICAL ? (value & ~sign) == quiet : (value & quiet) == quiet;
}

static bool bits_match(const struct wast_value *expected, unsigned bits, unsigned lane, uint64_t want, uint64_t value) {
    enum wast_nan pattern = expected->nan[lane];
    return pattern == WAST_NAN_NONE ? want == value : nan_matches(pattern, bits, value);
}

static uint64_t lane_of(const uint8_t bytes[16], unsigned lane_bytes, unsigned lane) {
    uint64_t value = 0;
    memcpy(&value, bytes + (size_t)lane * lane_bytes, lane_bytes);
    return value;
}

static bool v128_matches(const struct wast_value *expected, const uint8_t value[16]) {
    unsigned lane_bytes = expected->lane_bits / 8;
    for (unsigned i = 0; i < expected->lane_count; i++) {
        uint64_t want = lane_of(expected->v128, lane_bytes, i), got = lane_of(value, lane_bytes, i);
        if (!bits_match(expected, expected->lane_bits, i, want, got)) return false;
    }
    return true;
}

static uint64_t number_of(const mote_value *value) {
    return value->kind == MOTE_I32 || value->kind == MOTE_F32 ? value->of.i32 : value->of.i64;
}

static bool number_matches(const struct wast_value *expected, const mote_value *value) {
    static const uint8_t kinds[] = {MOTE_I32, MOTE_I64, MOTE_F32, MOTE_F64};
    unsigned bits = expected->kind == WAST_F32 ? 32 : 64;
    return value->kind == kinds[expected->kind] && bits_match(expected, bits, 0, expected->number, number_of(value));
}

static bool null_matches(const mote_store *store, const struct wast_value *expected, const mote_value *value) {
    bool fits = !expected->heap || value->kind == heaps[heap_find(expected->heap)].kind;
    return fits && is_null(store, value);
}

static bool kind_matches(const mote_store *store, const struct wast_value *expected, const mote_value *value) {
    size_t heap = heap_find(expected->heap);
    mote_valtype type = {.kind = MOTE_REF, .heap = heaps[heap].heap};
    return value->kind == heaps[heap].kind && !is_null(store, value) && mote_value_matches(store, value, type);
}

static bool host_matches(const mote_store *store, const struct wast_value *expected, const mote_value *value) {
    uint8_t kind = expected->kind == WAST_REF_HOST ? MOTE_ANYREF : MOTE_EXTERNREF;
    return value->kind == kind && mote_extern_data(store, value->of.ref) == host_object(expected->number);
}

static bool value_matches(const mote_store *store, const struct wast_value *expected, const mote_value *value);

static bool any_matches(const mote_store *store, const struct wast_value *expected, const mote_value *value) {
    for (uint32_t i = 0; i < expected->choice_count; i++)
        if (value_matches(store, &expected->choices[i], value)) return true;
    return false;
}

static bool value_matches(const mote_store *store, const struct wast_value *expected, const mote_value *value) {
    switch (expected->kind) {
    case WAST_I32:
    case WAST_I64:
    case WAST_F32:
    case WAST_F64: return number_matches(expected, value);
    case WAST_V128: return value->kind == MOTE_V128 && v128_matches(expected, value->of.v128);
    case WAST_REF_NULL: return is_reference(value) && null_matches(store, expected, value);
    case WAST_REF_HOST:
    case WAST_REF_EXTERN: return is_reference(value) && host_matches(store, expected, value);
    case WAST_REF_ANY: return is_reference(value) && !is_null(store, value);
    case WAST_REF_KIND: return is_reference(value) && kind_matches(store, expected, value);
    case WAST_EITHER: return any_matches(store, expected, value);
    }
    return false;
}

/* ---- Saying what was expected. ---- */

static void print_expected(FILE *out, const struct wast_value *v);

static void print_choices(FILE *out, const struct wast_value *v) {
    fputs("either", out);
    for (uint32_t i = 0; i < v->choice_count; i++) {
        fputs(i ? " or " : " ", out);
        print_expected(out, &v->choices[i]);
    }
}

static void print_lanes(FILE *out, const struct wast_value *v) {
    fprintf(out, "v128 %c%ux%u", v->lanes_are_floats ? 'f' : 'i', v->lane_bits, v->lane_count);
    for (unsigned i = 0; i < v->lane_count; i++) {
        if (v->nan[i]) fputs(v->nan[i] == WAST_NAN_CANONICAL ? " nan:canonical" : " nan:arithmetic", out);
        else fprintf(out, " 0x%" PRIx64, lane_of(v->v128, v->lane_bits / 8, i));
    }
}

static void print_number(FILE *out, const struct wast_value *v) {
    static const char *const names[] = {"i32", "i64", "f32", "f64"};
    if (v->nan[0]) fprintf(out, "%s nan:%s", names[v->kind], v->nan[0] == WAST_NAN_CANONICAL ? "canonical" : "arithmetic");
    else fprintf(out, "%s 0x%" PRIx64, names[v->kind], v->number);
}

static void print_expected(FILE *out, const struct wast_value *v) {
    switch (v->kind) {
    case WAST_I32:
    case WAST_I64:
    case WAST_F32:
    case WAST_F64: print_number(out, v); break;
    case WAST_V128: print_lanes(out, v); break;
    case WAST_REF_NULL: fputs("null", out); break;
    case WAST_REF_HOST: fprintf(out, "host %" PRIu64, v->number); break;
    case WAST_REF_EXTERN: fprintf(out, "extern %" PRIu64, v->number); break;
    case WAST_REF_ANY: fputs("a reference", out); break;
    case WAST_REF_KIND: fprintf(out, "a reference of heap type 0x%x", v->heap); break;
    case WAST_EITHER: print_choices(out, v); break;
    }
}

/* A value with its bits, so that NaNs and zeros can be told apart. */
static void print_got(FILE *out, const mote_store *store, const mote_value *value) {
    static const char *const names[] = {"i32", "i64", "f32", "f64", "v128"};
    static const char *const references[] = {"funcref", "externref", "anyref", "exnref"};
    bool reference = is_reference(value);
    fprintf(out, "%s ", reference ? references[value->kind - MOTE_FUNCREF] : names[value->kind]);
    if (value->kind <= MOTE_F64) fprintf(out, "0x%" PRIx64, number_of(value));
    else value_print(out, store, value);
}

static bool fail_results(mote_store *store, const struct wast_value *expected, uint32_t expected_count, const mote_value *got,
                         size_t got_count, struct verdict *v) {
    v->passed = false;
    memset(v->text, 0, sizeof v->text);
    FILE *out = fmemopen(v->text, sizeof v->text - 1, "w");
    if (!out) return verdict_fail(v, "expected other results, got no memory to print them");
    fputs("expected", out);
    for (uint32_t i = 0; i < expected_count; i++) {
        fputs(i ? ", " : " ", out);
        print_expected(out, &expected[i]);
    }
    fputs(expected_count ? ", got" : " nothing, got", out);
    for (size_t i = 0; i < got_count; i++) {
        fputs(i ? ", " : " ", out);
        print_got(out, store, &got[i]);
    }
    fputs(got_count ? "" : " nothing", out);
    fclose(out);
    return false;
}

bool wast_results_match(mote_store *store, const struct wast_value *expected, uint32_t expected_count, const mote_value *got,
                        size_t got_count, struct verdict *v) {
    bool same = expected_count == got_count;
    for (uint32_t i = 0; same && i < expected_count; i++) same = value_matches(store, &expected[i], &got[i]);
    return same || fail_results(store, expected, expected_count, got, got_count, v);
}

/* ---- Messages. ---- */

/* Where the words of older scripts are not today's, or say less than is known: what mote's message may begin with instead, and why. */
static const struct {
    const char *expected, *accepted;
} equivalents[] = {
    {"unknown operator current_memory", "unknown operator"}, /* the word that is unknown is shown below the message */
    {"uninitialized element 2", "uninitialized element"},    /* a trap's words are fixed: they have no index */
    /* words of before, which wasm-latest has replaced by those at the right */
    {"zero flag expected", "zero byte expected"},
    {"invalid mutability", "malformed mutability"},
    {"global is immutable", "immutable global"},
    {"junk after last section", "unexpected content after last section"},
    {"result before parameter", "unexpected token"},
    {"malformed lane index", "i8 constant out of range"},
    {"malformed lane index", "unexpected token"},
    {"wrong number of lane indices", "invalid lane length"},
    {"unexpected end", "length out of bounds"},
    {"unexpected end of section or function", "length out of bounds"},
    {"unexpected end", "section size mismatch"},
    {"type mismatch: instruction requires [i32] but stack has []", "type mismatch: expected i32, but the stack is empty"},
    {"type mismatch: instruction requires [i32] but stack has [i64]", "type mismatch: expected i32, found i64"},
};

static bool begins(const char *text, const char *prefix, size_t size) { return !size || !strncmp(text, prefix, size); }

bool wast_message_matches(struct span expected, const char *message) {
    if (begins(message, (const char *)expected.data, expected.size)) return true;
    for (size_t i = 0; i < sizeof equivalents / sizeof *equivalents; i++) {
        bool is_row = strlen(equivalents[i].expected) == expected.size && begins(equivalents[i].expected, (const char *)expected.data, expected.size);
        if (is_row && begins(message, equivalents[i].accepted, strlen(equivalents[i].accepted))) return true;
    }
    return false;
}
