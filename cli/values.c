/* values.c - values as people write and read them. */
#include "cli.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- Reading. ---- */

/* An integer of `bits` bits, signed or unsigned. */
static bool parse_integer(const char *text, unsigned bits, uint64_t *out) {
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits < '0' || *digits > '9') return false;
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    char *end;
    errno = 0;
    uint64_t size = strtoull(digits, &end, base), half = (uint64_t)1 << (bits - 1);
    bool fits = negative ? size <= half : size <= half - 1 + half;
    *out = negative ? -size : size;
    return !*end && !errno && fits;
}

/* The sign of a NaN is kept; not every C library does. */
static bool parse_f64(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    if (isnan(*out)) *out = copysign(*out, *text == '-' ? -1.0 : 1.0);
    return *text && !*end;
}

static bool parse_f32(const char *text, float *out) {
    char *end;
    *out = strtof(text, &end);
    if (isnan(*out)) *out = copysignf(*out, *text == '-' ? -1.0f : 1.0f);
    return *text && !*end;
}

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* 0x and up to 32 digits, most significant first. */
static bool parse_v128(const char *text, uint8_t out[16]) {
    memset(out, 0, 16);
    size_t size = strlen(text);
    if (size < 3 || size > 34 || memcmp(text, "0x", 2) != 0) return false;
    for (size_t i = 0; i < size - 2; i++) {
        int digit = hex_digit(text[size - 1 - i]);
        if (digit < 0) return false;
        out[i / 2] |= (uint8_t)(digit << (i % 2 * 4));
    }
    return true;
}

/* The kind of mote_value that references of a heap type travel in. */
static uint8_t kind_of_heap(mote_valtype type) {
    switch (type.heap) {
    case MOTE_HEAP_FUNC:
    case MOTE_HEAP_NOFUNC: return MOTE_FUNCREF;
    case MOTE_HEAP_EXTERN:
    case MOTE_HEAP_NOEXTERN: return MOTE_EXTERNREF;
    case MOTE_HEAP_EXN:
    case MOTE_HEAP_NOEXN: return MOTE_EXNREF;
    case MOTE_HEAP_TYPE: return mote_type_kind(type.type) == MOTE_TYPE_FUNC ? MOTE_FUNCREF : MOTE_ANYREF;
    default: return MOTE_ANYREF;
    }
}

static bool parse_reference(const char *text, mote_valtype type, mote_value *out) {
    if (!type.nullable || strcmp(text, "null") != 0) return false;
    *out = (mote_value){.kind = kind_of_heap(type)};
    return true;
}

bool value_parse(const char *text, mote_valtype type, mote_value *out) {
    uint64_t number = 0;
    bool good = false;
    *out = (mote_value){.kind = type.kind};
    switch (type.kind) {
    case MOTE_I32:
        good = parse_integer(text, 32, &number);
        out->of.i32 = (uint32_t)number;
        return good;
    case MOTE_I64: return parse_integer(text, 64, &out->of.i64);
    case MOTE_F32: return parse_f32(text, &out->of.f32);
    case MOTE_F64: return parse_f64(text, &out->of.f64);
    case MOTE_V128: return parse_v128(text, out->of.v128);
    default: return parse_reference(text, type, out);
    }
}

/* ---- Printing. ---- */

/* A NaN with its sign and, unless it is the canonical one, its payload. */
static void print_nan(FILE *out, bool negative, uint64_t payload, uint64_t canonical) {
    fputs(negative ? "-nan" : "nan", out);
    if (payload != canonical) fprintf(out, ":0x%" PRIx64, payload);
}

/* Whole numbers plainly, all others with the fewest digits that read back as the same double or, `is_f32`, float. */
static void print_finite(FILE *out, double value, bool is_f32) {
    char text[40];
    bool same = value == floor(value) && fabs(value) < 1e15;
    snprintf(text, sizeof text, "%.0f", value);
    for (int digits = 1; !same && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        same = is_f32 ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
    }
    fputs(text, out);
}

static void print_f64(FILE *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) {
        print_nan(out, bits >> 63, bits & 0xfffffffffffff, 0x8000000000000);
        return;
    }
    print_finite(out, value, false);
}

static void print_f32(FILE *out, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) {
        print_nan(out, bits >> 31, bits & 0x7fffff, 0x400000);
        return;
    }
    print_finite(out, (double)value, true);
}

static void print_v128(FILE *out, const uint8_t bytes[16]) {
    fputs("0x", out);
    for (int i = 15; i >= 0; i--) fprintf(out, "%02x", bytes[i]);
}

/* What kind of object a reference names; no object has a text of its own, except i31. */
static void print_reference(FILE *out, const mote_store *store, mote_ref ref) {
    switch (mote_ref_heap(store, ref)) {
    case MOTE_HEAP_NONE: fputs("null", out); break;
    case MOTE_HEAP_I31: fprintf(out, "(i31 %" PRId32 ")", mote_i31_value(store, ref)); break;
    case MOTE_HEAP_STRUCT: fputs("(struct)", out); break;
    case MOTE_HEAP_ARRAY: fprintf(out, "(array %" PRIu32 ")", mote_array_count(store, ref)); break;
    case MOTE_HEAP_EXN: fputs("(exn)", out); break;
    default: fputs("(extern)", out); break;
    }
}

void value_print(FILE *out, const mote_store *store, const mote_value *value) {
    switch (value->kind) {
    case MOTE_I32: fprintf(out, "%" PRId32, (int32_t)value->of.i32); break;
    case MOTE_I64: fprintf(out, "%" PRId64, (int64_t)value->of.i64); break;
    case MOTE_F32: print_f32(out, value->of.f32); break;
    case MOTE_F64: print_f64(out, value->of.f64); break;
    case MOTE_V128: print_v128(out, value->of.v128); break;
    case MOTE_FUNCREF: fputs(value->of.func.ptr ? "(func)" : "null", out); break;
    default: print_reference(out, store, value->of.ref); break;
    }
}
