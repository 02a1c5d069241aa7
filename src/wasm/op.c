/* op.c - the tables of op.h, each derived from ops.def or features.def.
 * Keeps: no list of instructions or features is written here; what a row says is said in its .def
 * file alone. */
#include "wasm/op.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "wasm/types.h"

/* Sizes of the C types that the column `mem` names. */
enum {
    MEM_BYTES_void = 0,
    MEM_BYTES_int8_t = 1,
    MEM_BYTES_uint8_t = 1,
    MEM_BYTES_int16_t = 2,
    MEM_BYTES_uint16_t = 2,
    MEM_BYTES_int32_t = 4,
    MEM_BYTES_uint32_t = 4,
    MEM_BYTES_uint64_t = 8,
    MEM_BYTES_mote__v128 = 16
};

/* Lookup tables have one row per prefix, in this order. The longest is 0xFD's. */
enum { SET_0x00, SET_0xFB, SET_0xFC, SET_0xFD, SET_0xFE, SET_COUNT };
enum { CODE_COUNT = 0x120 };

/* clang-format off */
/* The keywords, one behind the other. */
struct op_texts {
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) char t_##ident[sizeof text];
#include "wasm/ops.def"
#undef OP
    char invalid[sizeof "(invalid)"];
};
static const struct op_texts op_texts = {
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) text,
#include "wasm/ops.def"
#undef OP
    "(invalid)",
};
static_assert(sizeof op_texts < UINT16_MAX, "their places are kept in 16 bits");

const struct mote__op_info mote__op_info[OP_COUNT + 1] = {
#define OP(prefix_, code_, ident, text_, imm_, kind_, sig_, mem, feature_)                         \
    [OP_##ident] = {.text_at = offsetof(struct op_texts, t_##ident), .sig = #sig_,    \
                    .prefix = prefix_, .imm = IMM_##imm_,                                          \
                    .kind = KIND_##kind_, .mem_bytes = MEM_BYTES_##mem,                            \
                    .feature = FEATURE_##feature_, .code = code_},
#include "wasm/ops.def"
#undef OP
    [OP_INVALID] = {.text_at = offsetof(struct op_texts, invalid), .sig = "_"},
};
/* clang-format on */

#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature)                                \
    static_assert((code) < CODE_COUNT, "raise CODE_COUNT for " text);
#include "wasm/ops.def"
#undef OP
static_assert(OP_COUNT < UINT16_MAX, "ops are kept in 16 bits");
static_assert(FEATURE_COUNT < 31, "FEATURES_x are enumerators, which C17 keeps in an int");

/* Both tables say "nothing" everywhere first (a range of elements is a GNU extension); a row then
 * takes its place. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wpedantic"

#define BYTE_ROW_0x00(code, ident) [code] = OP_##ident,
#define BYTE_ROW_0xFB(code, ident)
#define BYTE_ROW_0xFC(code, ident)
#define BYTE_ROW_0xFD(code, ident)
#define BYTE_ROW_0xFE(code, ident)

const uint16_t mote__op_of_byte[256] = {
    [0 ... 255] = OP_INVALID,
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) BYTE_ROW_##prefix(code, ident)
#include "wasm/ops.def"
#undef OP
};

#define QUICK_VT(c)      ((c) == 'i' ? VT_I32 : (c) == 'I' ? VT_I64 : (c) == 'f' ? VT_F32 : (c) == 'F' ? VT_F64 : VT_BOTTOM)
#define QUICK_IN(sig)    (#sig[1] == '_' ? 1 : 2)
#define QUICK_TOP(sig)   QUICK_VT(#sig[QUICK_IN(sig) - 1])
#define QUICK_UNDER(sig) QUICK_VT(#sig[0])
#define QUICK_OUT(sig)   QUICK_VT(#sig[QUICK_IN(sig) + 1])
#define QUICK_ALIGN(mem) ((sizeof(mem) > 1) + (sizeof(mem) > 2) + (sizeof(mem) > 4))
#define QUICK_PURE(code, sig, mem)  [code] = {QUICK_IN(sig), QUICK_TOP(sig), QUICK_UNDER(sig), QUICK_OUT(sig), 0},
#define QUICK_TRAPS(code, sig, mem) QUICK_PURE(code, sig, mem)
#define QUICK_LOAD(code, sig, mem)  [code] = {1, VT_I32, VT_I32, QUICK_VT(#sig[1]), QUICK_ALIGN(mem)},
#define QUICK_STORE(code, sig, mem) [code] = {2, QUICK_VT(#sig[0]), VT_I32, VT_BOTTOM, QUICK_ALIGN(mem)},
#define QUICK_CONTROL(code, sig, mem)
#define QUICK_0x00(kind, code, sig, mem) QUICK_##kind(code, sig, mem)
#define QUICK_0xFB(kind, code, sig, mem)
#define QUICK_0xFC(kind, code, sig, mem)
#define QUICK_0xFD(kind, code, sig, mem)
#define QUICK_0xFE(kind, code, sig, mem)
const struct mote__op_quick mote__op_quick[256] = {
#define OP(prefix, code, id, text, imm, kind, sig, mem, feature) QUICK_##prefix(kind, code, sig, mem)
#include "wasm/ops.def"
#undef OP
};

static const uint16_t op_of_code[SET_COUNT][CODE_COUNT] = {
    [0 ... SET_COUNT - 1] = {[0 ... CODE_COUNT - 1] = OP_INVALID},
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature)                                \
    [SET_##prefix][code] = OP_##ident,
#include "wasm/ops.def"
#undef OP
};

#pragma GCC diagnostic pop

/* Row of op_of_code for a prefix byte, SET_COUNT if it is none. */
static unsigned set_of_prefix(uint8_t prefix) {
    if (prefix == 0) return SET_0x00;
    if (prefix < 0xFB || prefix > 0xFE) return SET_COUNT;
    return SET_0xFB + (prefix - 0xFBu);
}

const char *mote__op_text(const struct mote__op_info *info) { return (const char *)&op_texts + info->text_at; }

enum mote__op mote__op_lookup(uint8_t prefix, uint32_t code) {
    unsigned set = set_of_prefix(prefix);
    if (set == SET_COUNT || code >= CODE_COUNT) return OP_INVALID;
    return (enum mote__op)op_of_code[set][code];
}

static const struct {
    const char *name;
    uint64_t implied;
    bool on;
} features[FEATURE_COUNT] = {
#define FEATURE(ident, name, def, implied, text) [FEATURE_##ident] = {name, implied, def},
#include "wasm/features.def"
#undef FEATURE
};

char mote__op_nan_lanes(enum mote__op op) {
    static const char *const arithmetic[] = {".add", ".sub", ".mul", ".div", ".sqrt", ".ceil", ".floor", ".trunc", ".nearest", ".min", ".max",
                                             ".demote", ".promote", ".relaxed_m", ".relaxed_n"};
    const char *text = mote__op_text(&mote__op_info[op]), *rest = strchr(text, '.');
    if (text[0] != 'f' || !rest) return 0;
    for (size_t i = 0; i < sizeof arithmetic / sizeof *arithmetic; i++)
        if (!strncmp(rest, arithmetic[i], strlen(arithmetic[i]))) return text[1] == '3' ? 'f' : 'F';
    return 0;
}

int mote__feature_find(const char *name, size_t size) {
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (strlen(features[i].name) == size && memcmp(features[i].name, name, size) == 0) return i;
    }
    return -1;
}

const char *mote__feature_name(enum mote__feature feature) {
    assert(feature < FEATURE_COUNT);
    return features[feature].name;
}

mote_status mote__error_feature(mote_error *error, uint64_t offset, const char *what, enum mote__feature feature) {
    const char *name = mote__feature_name(feature);
    return mote__error_set(error, MOTE_E_UNSUPPORTED, offset, "%s%sneeds the feature `%s`, which is off: switch it on with -W %s",
                           what ? what : "", what ? ": " : "", name, name);
}

uint64_t mote__features_default(void) {
    uint64_t bits = 0;
    for (int i = 0; i < FEATURE_COUNT; i++) bits |= (uint64_t)features[i].on << i;
    return bits;
}

/* One round of "implied"; what an implied feature implies is for the next round. */
static uint64_t with_implied(uint64_t bits) {
    uint64_t more = bits;
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (bits >> i & 1) more |= features[i].implied;
    }
    return more;
}

uint64_t mote__features_close(uint64_t bits) {
    uint64_t more = with_implied(bits);
    while (more != bits) {
        bits = more;
        more = with_implied(bits);
    }
    return bits;
}

uint64_t mote__features_without(uint64_t bits, uint64_t off) {
    uint64_t rest = 0;
    for (int i = 0; i < FEATURE_COUNT; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (bits & bit && !(mote__features_close(bit) & off)) rest |= bit;
    }
    return rest;
}
