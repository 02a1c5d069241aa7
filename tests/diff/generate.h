/* generate.h - turns any bytes into a valid module over the whole language that ends: the bytes are the choices, and when they run out the
 * simplest ones are taken. Shortening or zeroing the bytes therefore gives a smaller module of the same kind.
 *
 * Plain instructions come from the rows of ops.def, each operand from a chosen kind of location; values come from edges.h. What ends a
 * function early is rare: addresses, divisors and what is converted to integers come mostly from "safe" values, references are mostly tested
 * before they are used. Loops count down, and a budget (the exported global "budget", set before each call) is charged at function entries and loop
 * heads, so that calls of each other and branches back end too.
 *
 * The module imports "h" "site" (i32) and "h" "nothing" (), and exports f0 f1 ..., g0 g1 ... (a mutable global of each letter), m0 m1 m2, t0 t1 t2.
 * With `is_counting` every plain instruction is preceded by a call of h.site with its number in `sites`; all else is the same.
 * With `canonical` every NaN that arithmetic makes is made canonical by further instructions, so that engines may differ in which one they make. */
#ifndef MOTE_TESTS_DIFF_GENERATE_H
#define MOTE_TESTS_DIFF_GENERATE_H

#include "diff/edges.h"
#include "diff/location.h"
#include "diff/reference.h"

enum {
    GEN_BYTES_MAX = 64 * 1024,
    GEN_FUNC_MAX = 4,
    GEN_SHAPE_MAX = 4,
    GEN_PARAM_MAX = 4,
    GEN_RESULT_MAX = 3,
    GEN_DEPTH_MAX = 5,
    GEN_LABEL_MAX = 24,
    GEN_SITE_MAX = 8192,
    GEN_OPERAND_MAX = 5,
    GEN_WIDE_MAX = 3,   /* types of blocks and loops with many values */
    GEN_WIDE_VALUES = 10,
    GEN_PILE_MAX = 64,
    GEN_BUDGET = 400
};

/* Value types by letter: those of ops.def, then references: funcref, externref, anyref, i31ref, exnref, (ref null $base). */
static const char gen_letters[] = "iIfFvrxa3es";
enum { GEN_LETTER_COUNT = sizeof gen_letters - 1, GEN_NUMBER_COUNT = 5 };

/* Fields of $base and of $derived, which begins with them; elements of the arrays. b and h are packed: i8, i16. */
static const char gen_fields[] = "iIbsafFvh", gen_elements[] = "ibhIfFvsra";
enum { GEN_BASE_FIELDS = 5, GEN_DERIVED_FIELDS = sizeof gen_fields - 1, GEN_ARRAY_COUNT = sizeof gen_elements - 1 };

/* Types by number. */
enum {
    TYPE_BASE,
    TYPE_DERIVED,
    TYPE_ARRAYS,                                      /* one for each element letter */
    TYPE_KEEP = TYPE_ARRAYS + GEN_ARRAY_COUNT,        /* T -> T for each number */
    TYPE_NOTHING = TYPE_KEEP + GEN_NUMBER_COUNT,      /* () -> () */
    TYPE_SITE,                                        /* (i32) -> (), also of tag 0 */
    TYPE_TAG1,                                        /* (i64 f64) -> () */
    TYPE_CAUGHT,                                      /* () -> what each catch of gen_caught carries */
    TYPE_FUNCS = TYPE_CAUGHT + 4
};
/* What a catch clause carries: of tag 0, of tag 1, of tag 0 with the exception, of all with the exception. */
static const char *const gen_caught[] = {"i", "IF", "ie", "e"};

/* Functions by number, before the generated ones. */
enum { FUNC_SITE, FUNC_NOTHING, FUNC_EMPTY, FUNC_FIRST };

/* Locals after the parameters: of each letter some that are written and read, then those with a use of their own. */
enum {
    GEN_PLAIN_LOCALS = 3,
    LOCAL_SAFE = GEN_LETTER_COUNT * GEN_PLAIN_LOCALS, /* iIfF: 1 ... 63, odd where whole */
    LOCAL_ADDRESS = LOCAL_SAFE + 4,                   /* iI: a multiple of 16 below 32768 */
    LOCAL_TEMP = LOCAL_ADDRESS + 2,                   /* fFv */
    LOCAL_COUNTER = LOCAL_TEMP + 3,                   /* i: one for each loop around */
    GEN_COUNTERS = 3,
    GEN_LOCAL_COUNT = LOCAL_COUNTER + GEN_COUNTERS
};

struct gen_signature {
    char params[GEN_PARAM_MAX + 1], results[GEN_RESULT_MAX + 1]; /* letters */
};

/* A plain instruction of the module, and where its operands are; the address, if any, is the first. */
struct gen_site {
    uint16_t op;
    uint8_t operand_count, location[GEN_OPERAND_MAX];
};

#define GEN_NO_LABEL "?" /* carries what no letter says: nothing branches to it */

struct gen_label {
    char carries[GEN_WIDE_VALUES + 1];
};

struct gen {
    const uint8_t *in, *in_end;
    struct emit *e;
    bool is_counting, canonical;
    struct gen_signature funcs[GEN_FUNC_MAX], shapes[GEN_SHAPE_MAX]; /* shapes: of blocks */
    char wides[GEN_WIDE_MAX][GEN_WIDE_VALUES + 1];
    uint32_t recent[GEN_LETTER_COUNT]; /* the local of each letter that was chosen last */
    unsigned func_count;
    const struct gen_signature *func; /* whose body is made */
    struct gen_label labels[GEN_LABEL_MAX]; /* the last is the innermost */
    unsigned label_count, loop_count, try_count;
    uint32_t call_count; /* calls emitted so far: what was on the stack before is held over them */
    uint32_t site_count;
    size_t counting_bytes; /* of the size, what counts */
    struct gen_site sites[GEN_SITE_MAX];
    uint64_t emitted[OP_COUNT];
};

static inline unsigned gen_letter_index(char letter) { return (unsigned)(strchr(gen_letters, letter) - gen_letters); }

/* ---------------------------------------------------------------- choosing and writing */

static inline unsigned gen_choose(struct gen *g, unsigned count) { return g->in < g->in_end ? *g->in++ % count : 0; }
/* Any row of ops.def. One choice a statement: the order in which operands of | are evaluated is the compiler's. */
static inline unsigned gen_choose_row(struct gen *g) {
    unsigned low = gen_choose(g, 256), high = gen_choose(g, 256);
    return (low | high << 8) % OP_COUNT;
}
static inline bool gen_rarely(struct gen *g) { return gen_choose(g, 256) == 255; }
static inline bool gen_is_full(const struct gen *g) { return g->in >= g->in_end || g->e->size - g->counting_bytes > GEN_BYTES_MAX / 2; }

static inline void gen_op(struct gen *g, enum mote__op op) {
    g->emitted[op]++;
    emit_op(g->e, op);
}
static inline void gen_op_u(struct gen *g, enum mote__op op, uint64_t index) { gen_op(g, op), emit_u(g->e, index); }
static inline void gen_op_uu(struct gen *g, enum mote__op op, uint64_t a, uint64_t b) { gen_op(g, op), emit_u(g->e, a), emit_u(g->e, b); }
static inline void gen_i32(struct gen *g, int32_t value) { gen_op(g, OP_i32_const), emit_s(g->e, value); }

static inline void gen_valtype(struct gen *g, char letter) {
    static const uint8_t bytes[] = {0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F, 0x6E, 0x6C, 0x69, 0x63};
    emit_byte(g->e, bytes[gen_letter_index(letter)]);
    if (letter == 's') emit_byte(g->e, TYPE_BASE);
}

static inline void gen_valtypes(struct gen *g, const char *letters) {
    emit_u(g->e, strlen(letters));
    for (; *letters; letters++) gen_valtype(g, *letters);
}

static inline uint32_t gen_own(const struct gen *g, unsigned local) { return (uint32_t)strlen(g->func->params) + local; }

/* Any local that holds this type: a parameter where there is one, one of the plain ones, or the same as the last time. */
static inline uint32_t gen_local(struct gen *g, char letter) {
    unsigned start = gen_choose(g, GEN_PARAM_MAX * 3), letter_index = gen_letter_index(letter);
    if (start >= GEN_PARAM_MAX * 2) return g->recent[letter_index];
    g->recent[letter_index] = gen_own(g, letter_index * GEN_PLAIN_LOCALS + start % GEN_PLAIN_LOCALS);
    for (unsigned i = start; i < strlen(g->func->params); i++) {
        if (g->func->params[i] != letter) continue;
        g->recent[letter_index] = i;
        break;
    }
    return g->recent[letter_index];
}

static inline void gen_set_locals(struct gen *g, const char *letters) {
    for (size_t i = strlen(letters); i-- > 0;) gen_op_u(g, OP_local_set, gen_local(g, letters[i]));
}

static inline void gen_block_type(struct gen *g, char letter) {
    if (letter) gen_valtype(g, letter);
    else emit_byte(g->e, 0x40);
}

static inline void gen_push_label(struct gen *g, const char *carries) {
    size_t size = strlen(carries) + 1;
    MUST(g->label_count < GEN_LABEL_MAX && size <= sizeof g->labels->carries);
    memcpy(g->labels[g->label_count++].carries, carries, size);
}

static inline void gen_end(struct gen *g) {
    g->label_count--;
    gen_op(g, OP_end);
}

/* One off the budget; where nothing is left, a trap, or a branch to label 1. */
static inline void gen_charge(struct gen *g, bool is_branching) {
    gen_op_u(g, OP_global_get, GEN_LETTER_COUNT), gen_op(g, OP_i32_eqz);
    if (is_branching) gen_op_u(g, OP_br_if, 1);
    else gen_op(g, OP_if), emit_byte(g->e, 0x40), gen_op(g, OP_unreachable), gen_op(g, OP_end);
    gen_op_u(g, OP_global_get, GEN_LETTER_COUNT), gen_i32(g, 1), gen_op(g, OP_i32_sub), gen_op_u(g, OP_global_set, GEN_LETTER_COUNT);
}

/* A call of nothing: own, empty, or the host's. */
static inline void gen_call_nothing(struct gen *g) {
    gen_op_u(g, OP_call, gen_choose(g, 2) ? FUNC_NOTHING : FUNC_EMPTY);
    g->call_count++;
}

#include "diff/gen_values.h"
#include "diff/gen_objects.h"
#include "diff/gen_statements.h"
#include "diff/gen_pressure.h"
#include "diff/gen_module.h"

#endif
