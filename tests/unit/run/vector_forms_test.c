/* vector_forms_test.c - every vector operation in every form that lowering has for it: operands from slots, from the register and from the code must
 * give what slots alone give, in a small frame and in one whose slots are out of the reach of 16 bits. */
#include "world.h"

#include "wasm/op.h"

#define A "(local.get $a)"
#define B "(local.get $b)"
#define C "(local.get $c)"
#define N "(local.get $n)"
#define CONST_A "(v128.const f32x4 3.5 -2.25 1e10 -0.5)"
#define CONST_B "(v128.const f32x4 2.5 7.25 -3 4)"
#define CONST_N "(i32.const 11)"
#define IN_REGISTER(x) "(v128.or " x " " x ")"

/* The operands of each form by signature, those from slots alone first. */
static const struct {
    const char *sig, *forms[8];
} shapes[] = {
    {"v_v", {A, IN_REGISTER(A), CONST_A}},
    {"v_i", {A, IN_REGISTER(A), CONST_A}},
    {"vi_v", {A N, IN_REGISTER(A) N, A CONST_N, IN_REGISTER(A) CONST_N, A "(i32.and " N " " N ")", CONST_A CONST_N}},
    {"vv_v", {A B, IN_REGISTER(A) B, A IN_REGISTER(B), A CONST_B, IN_REGISTER(A) CONST_B, CONST_A B, CONST_A CONST_B, IN_REGISTER(A) IN_REGISTER(B)}},
    {"vvv_v", {A B C, A B IN_REGISTER(C), IN_REGISTER(A) B C, A IN_REGISTER(B) C, A CONST_B C, A B "(v128.const i32x4 1 -1 0xff00 0x7fffff)"}},
};

struct text {
    char *start, *at;
};

/* Statements that count in $bad the forms whose result differs; returns how many forms there are. */
static unsigned append_forms(struct text *t, const struct mote__op_info *op) {
    unsigned forms = 0;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        if (strcmp(shapes[s].sig, op->sig) != 0) continue;
        bool to_int = op->sig[strlen(op->sig) - 1] == 'i';
        t->at += sprintf(t->at, "(local.set $%s (%s %s))\n", to_int ? "i" : "want", mote__op_text(op), shapes[s].forms[0]);
        for (forms = 1; forms < 8 && shapes[s].forms[forms]; forms++)
            t->at += sprintf(t->at, "(local.set $bad (i32.add (local.get $bad) %s (local.get $%s) (%s %s))%s))\n",
                             to_int ? "(i32.ne" : "(v128.any_true (v128.xor", to_int ? "i" : "want", mote__op_text(op), shapes[s].forms[forms], to_int ? "" : ")");
    }
    return forms;
}

static bool is_vector_op(const struct mote__op_info *op) {
    return op->kind == KIND_PURE && op->sig[0] == 'v' && (op->feature == FEATURE_simd || op->feature == FEATURE_relaxed_simd);
}

/* How many forms of the operations [from, to) differ, in a frame with `wide_locals` locals more. */
static uint32_t count_bad(struct text *t, unsigned from, unsigned to, unsigned wide_locals) {
    t->at = t->start + sprintf(t->start, "(module (func (export \"run\") (result i32) (local");
    for (unsigned i = 0; i < wide_locals; i++) t->at += sprintf(t->at, " i64");
    t->at += sprintf(t->at, ") (local $a v128) (local $b v128) (local $c v128) (local $want v128) (local $i i32) (local $n i32) (local $bad i32)\n"
                            "(local.set $a " CONST_A ") (local.set $b " CONST_B ") (local.set $c (v128.const i32x4 1 -1 0xff00 0x7fffff))"
                            "(local.set $n " CONST_N ")\n");
    for (unsigned i = from; i < to; i++)
        if (is_vector_op(&mote__op_info[i])) append_forms(t, &mote__op_info[i]);
    sprintf(t->at, "(local.get $bad)))");
    struct world w;
    world_open(&w);
    uint32_t bad = world_call_i32(&w, world_instance(&w, t->start), "run", 0);
    world_close(&w);
    return bad;
}

TEST(every_form_of_a_vector_operation_computes_the_same) {
    struct text t = {.start = malloc(1 << 20)};
    if (!t.start) abort();
    unsigned operations = 0;
    for (unsigned i = 0; i < OP_COUNT; i++) {
        if (!is_vector_op(&mote__op_info[i])) continue;
        t.at = t.start;
        if (!CHECK(append_forms(&t, &mote__op_info[i]) > 2) || !CHECK_EQ(count_bad(&t, i, i + 1, 0), 0)) printf("  %s\n", mote__op_text(&mote__op_info[i]));
        operations++;
    }
    CHECK(operations > 200);
    CHECK_EQ(count_bad(&t, 0, OP_COUNT, 40000), 0);
    free(t.start);
}
