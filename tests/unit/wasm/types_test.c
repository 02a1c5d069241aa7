/* types_test.c - canonical types: equality, holds, layout, subtyping, printing, many of them, no
 * memory, several threads. */
#include "test.h"
#include "fail_alloc.h"
#include "wasm/limits.h"
#include "wasm/types.h"

#define REC(i)      (HEAP_REC + (i))
#define REF(h)      (VT_REF | (h))
#define REF_NULL(h) (VT_REF | VT_NULL | (h))
#define FIELDS(...) ((struct mote__fieldtype[]){__VA_ARGS__})
#define CONST(t)    {(t), false}
#define MUT(t)      {(t), true}

/* A registry over an allocator that counts. */
struct world {
    struct fail_alloc memory;
    struct mote__types types;
    mote_error error;
};

static void open_world(struct world *w) {
    fail_alloc_init(&w->memory, 0);
    CHECK_EQ(mote__types_init(&w->types, &w->memory.allocator), MOTE_OK);
}

static void close_world(struct world *w) {
    CHECK_EQ(w->types.group_count, 0);
    mote__types_deinit(&w->types);
    CHECK_EQ(w->memory.live_bytes, 0);
    CHECK_EQ(w->memory.wrong_sizes, 0);
}

static struct mote__typedef func(uint32_t params, uint32_t results,
                                 struct mote__fieldtype *fields) {
    return (struct mote__typedef){.kind = MOTE_TYPE_FUNC,
                                  .is_final = true,
                                  .param_count = params,
                                  .result_count = results,
                                  .fields = fields};
}

static struct mote__typedef structure(uint32_t count, struct mote__fieldtype *fields) {
    return (struct mote__typedef){
        .kind = MOTE_TYPE_STRUCT, .is_final = true, .field_count = count, .fields = fields};
}

static struct mote__typedef array(struct mote__fieldtype *element) {
    return (struct mote__typedef){
        .kind = MOTE_TYPE_ARRAY, .is_final = true, .field_count = 1, .fields = element};
}

static struct mote__typedef open_type(struct mote__typedef def) {
    def.is_final = false;
    return def;
}

static struct mote__typedef below(heaptype super, struct mote__typedef def) {
    def.is_final = false;
    def.has_super = true;
    def.super = super;
    return def;
}

static mote_status intern(struct world *w, const struct mote__typedef *defs, uint32_t count,
                          struct mote__recgroup **out) {
    *out = NULL;
    return mote__types_intern(&w->types, defs, count, out, &w->error);
}

/* The only type of a new group; NULL after failing. */
static const mote_type *one(struct world *w, struct mote__typedef def) {
    struct mote__recgroup *group;
    return intern(w, &def, 1, &group) == MOTE_OK ? group->types : NULL;
}

static heaptype heap(const mote_type *type) { return HEAP_CONCRETE + type->id; }
static void drop(const mote_type *type) { mote__recgroup_release(type->group); }

TEST(equal_definitions_are_one_type) {
    struct world w;
    open_world(&w);
    const mote_type *a = one(&w, func(2, 1, FIELDS(CONST(VT_I32), CONST(VT_I64), CONST(VT_F32))));
    const mote_type *same =
        one(&w, func(2, 1, FIELDS(CONST(VT_I32), CONST(VT_I64), CONST(VT_F32))));
    const mote_type *others[] = {
        one(&w, func(1, 2, FIELDS(CONST(VT_I32), CONST(VT_I64), CONST(VT_F32)))),
        one(&w, func(3, 0, FIELDS(CONST(VT_I32), CONST(VT_I64), CONST(VT_F32)))),
        one(&w, open_type(func(2, 1, FIELDS(CONST(VT_I32), CONST(VT_I64), CONST(VT_F32))))),
        one(&w, structure(3, FIELDS(CONST(VT_I32), CONST(VT_I64), CONST(VT_F32)))),
        one(&w, structure(3, FIELDS(MUT(VT_I32), CONST(VT_I64), CONST(VT_F32)))),
        one(&w, func(0, 0, NULL)),
    };
    REQUIRE(a && a == same);
    CHECK_EQ(a->group->holds, 2);
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        REQUIRE(others[i]);
        CHECK(others[i] != a);
        for (unsigned j = 0; j < i; j++)
            CHECK(others[i] != others[j] && others[i]->id != others[j]->id);
        CHECK(mote__type_by_id(&w.types, others[i]->id) == others[i]);
    }
    CHECK_EQ(w.types.group_count, 7);
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) drop(others[i]);
    drop(a);
    CHECK_EQ(w.types.group_count, 1);
    drop(same);
    close_world(&w);
}

TEST(recursion_groups_are_equal_as_wholes) {
    struct world w;
    open_world(&w);
    /* A list of itself, twice; a group of two; the same two the other way round; the second alone.
     */
    struct mote__typedef list = structure(1, FIELDS(MUT(REF_NULL(REC(0)))));
    struct mote__typedef pair[] = {structure(1, FIELDS(CONST(REF(REC(1))))),
                                   structure(1, FIELDS(CONST(REF(REC(0))))),
                                   func(1, 0, FIELDS(CONST(REF(REC(0)))))};
    struct mote__recgroup *two, *three, *again;
    const mote_type *a = one(&w, list), *b = one(&w, list);
    CHECK(a == b);
    CHECK_EQ(intern(&w, pair, 2, &two), MOTE_OK);
    CHECK_EQ(intern(&w, pair, 3, &three), MOTE_OK);
    CHECK_EQ(intern(&w, pair, 2, &again), MOTE_OK);
    CHECK(two == again && two != three);
    CHECK_EQ(two->types[0].fields[0].type, REF(heap(&two->types[1])));
    CHECK_EQ(three->types[2].fields[0].type, REF(heap(&three->types[0])));
    /* The two are alike but for their places in the group: different types. */
    CHECK(two->types[0].id != two->types[1].id);
    CHECK(!mote__type_is_sub(&two->types[0], &two->types[1]));
    drop(a), drop(b);
    mote__recgroup_release(two);
    mote__recgroup_release(three);
    mote__recgroup_release(again);
    close_world(&w);
}

TEST(groups_hold_what_they_refer_to) {
    struct world w;
    open_world(&w);
    const mote_type *base = one(&w, open_type(structure(0, NULL)));
    uint32_t base_id = base->id;
    const mote_type *user =
        one(&w, below(heap(base), structure(1, FIELDS(CONST(REF(heap(base)))))));
    CHECK_EQ(base->group->holds, 2);
    drop(base);
    CHECK_EQ(w.types.group_count, 2);
    CHECK(mote__type_by_id(&w.types, base_id) == base);
    CHECK(user->super == base);
    drop(user);
    close_world(&w);
    mote__recgroup_release(NULL);
}

TEST(ids_are_not_used_again) {
    struct world w;
    open_world(&w);
    uint32_t last = 0;
    for (unsigned i = 0; i < 1000; i++) {
        const mote_type *type = one(&w, func(1, 0, FIELDS(CONST(VT_I32))));
        REQUIRE(type);
        CHECK(!i || type->id == last + 1);
        last = type->id;
        drop(type);
    }
    close_world(&w);
}

/* A chain of groups, each of which uses the one before: released from its end, not by recursion. */
TEST(a_hundred_thousand_types) {
    enum { COUNT = 100000 };
    struct world w;
    open_world(&w);
    const mote_type *type = one(&w, structure(0, NULL));
    for (unsigned i = 1; i < COUNT; i++) {
        const mote_type *next =
            one(&w, structure(2, FIELDS(MUT(REF_NULL(heap(type))), CONST(REF(heap(type))))));
        REQUIRE(next);
        CHECK_EQ(next->group->use_count, 1);
        drop(type);
        type = next;
    }
    CHECK_EQ(w.types.group_count, COUNT);
    drop(type);
    close_world(&w);
}

TEST(one_group_of_many) {
    enum { COUNT = 50000 };
    static struct mote__fieldtype fields[COUNT];
    static struct mote__typedef defs[COUNT];
    struct world w;
    open_world(&w);
    for (uint32_t i = 0; i < COUNT; i++) {
        fields[i] = (struct mote__fieldtype){REF(REC((i + 1) % COUNT)), false};
        if (i % 3 == 0) defs[i] = array(&fields[i]);
        else if (i % 3 == 1) defs[i] = open_type(structure(1, &fields[i]));
        else defs[i] = below(REC(i - 1), structure(1, &fields[i - 1]));
    }
    struct mote__recgroup *group;
    CHECK_EQ(intern(&w, defs, COUNT, &group), MOTE_OK);
    REQUIRE(group);
    CHECK(group->types[2].super == &group->types[1]);
    CHECK(mote__type_is_sub(&group->types[2], &group->types[1]));
    mote__recgroup_release(group);
    close_world(&w);
}

TEST(layout_of_structs) {
    struct world w;
    open_world(&w);
    const mote_type *f = one(&w, func(0, 0, NULL));
    const mote_type *s =
        one(&w, structure(10, FIELDS(CONST(VT_I8), CONST(VT_I16), CONST(VT_I8), CONST(VT_I32),
                                     CONST(VT_V128), CONST(VT_EXTERNREF), CONST(VT_FUNCREF),
                                     CONST(REF(heap(f))), CONST(REF(MOTE_HEAP_I31)), MUT(VT_F64))));
    static const uint32_t offsets[] = {8, 10, 12, 16, 24, 40, 48, 56, 64, 72};
    for (unsigned i = 0; i < 10; i++) CHECK_EQ(s->places[i].offset, offsets[i]);
    CHECK_EQ(s->object_bytes, 80);
    CHECK_EQ(s->ref_count, 2);
    CHECK_EQ(s->ref_offsets[0], 40);
    CHECK_EQ(s->ref_offsets[1], 64);
    const mote_type *empty = one(&w, structure(0, NULL)),
                    *bytes = one(&w, array(FIELDS(MUT(VT_I8))));
    CHECK_EQ(empty->object_bytes, 8);
    CHECK_EQ(bytes->object_bytes, 16);
    CHECK_EQ(bytes->places[0].offset, 16);
    drop(s), drop(f), drop(empty), drop(bytes);
    close_world(&w);
}

TEST(layout_knows_types_later_in_the_group) {
    struct world w;
    open_world(&w);
    struct mote__typedef defs[] = {structure(2, FIELDS(CONST(REF(REC(1))), CONST(REF(REC(2))))),
                                   func(0, 0, NULL), array(FIELDS(CONST(VT_I8)))};
    struct mote__recgroup *group;
    REQUIRE(intern(&w, defs, 3, &group) == MOTE_OK);
    CHECK_EQ(group->types[0].places[1].offset, 16);
    CHECK_EQ(group->types[0].ref_count, 1);
    CHECK_EQ(group->types[0].ref_offsets[0], 16);
    mote__recgroup_release(group);
    close_world(&w);
}

TEST(slots_of_functions) {
    struct world w;
    open_world(&w);
    const mote_type *f = one(&w, func(3, 2,
                                      FIELDS(CONST(VT_I32), CONST(VT_V128), CONST(VT_FUNCREF),
                                             CONST(VT_V128), CONST(VT_V128))));
    CHECK_EQ(f->param_slots, 4);
    CHECK_EQ(f->result_slots, 4);
    CHECK_EQ(mote__type_result(f, 1), VT_V128);
    drop(f);
    close_world(&w);
}

/* ---- declared supertypes */

static void check_sub(struct world *w, struct mote__typedef super, struct mote__typedef sub,
                      bool holds) {
    const mote_type *a = one(w, super);
    const mote_type *b = one(w, below(heap(a), sub));
    CHECK_EQ(b != NULL, holds);
    if (!holds)
        CHECK(w->error.status == MOTE_E_INVALID &&
              strstr(w->error.message, "sub type ") == w->error.message);
    if (b) {
        CHECK(mote__type_is_sub(b, a) && !mote__type_is_sub(a, b));
        CHECK(mote__vt_matches(&w->types, REF(heap(b)), REF_NULL(heap(a))));
        CHECK(!mote__vt_matches(&w->types, REF_NULL(heap(b)), REF(heap(a))));
        drop(b);
    }
    drop(a);
}

TEST(subtypes_by_structure) {
    struct world w;
    open_world(&w);
    const valtype any = REF_NULL(MOTE_HEAP_ANY), eq = REF_NULL(MOTE_HEAP_EQ);
    struct mote__typedef one_eq = open_type(structure(1, FIELDS(CONST(eq))));
    check_sub(&w, one_eq, structure(1, FIELDS(CONST(eq))), true);
    check_sub(&w, one_eq, structure(2, FIELDS(CONST(REF(MOTE_HEAP_I31)), CONST(VT_I8))), true);
    check_sub(&w, one_eq, structure(1, FIELDS(CONST(any))), false);
    check_sub(&w, one_eq, structure(0, NULL), false);
    check_sub(&w, one_eq, structure(1, FIELDS(MUT(eq))), false);
    check_sub(&w, one_eq, array(FIELDS(CONST(eq))), false);
    struct mote__typedef mut_eq = open_type(structure(1, FIELDS(MUT(eq))));
    check_sub(&w, mut_eq, structure(1, FIELDS(MUT(eq))), true);
    check_sub(&w, mut_eq, structure(1, FIELDS(MUT(REF(MOTE_HEAP_EQ)))), false);
    check_sub(&w, mut_eq, structure(1, FIELDS(CONST(eq))), false);
    struct mote__typedef bytes = open_type(array(FIELDS(CONST(VT_I8))));
    check_sub(&w, bytes, array(FIELDS(CONST(VT_I8))), true);
    check_sub(&w, bytes, array(FIELDS(CONST(VT_I16))), false);
    struct mote__typedef eq_to_eq = open_type(func(1, 1, FIELDS(CONST(eq), CONST(eq))));
    check_sub(&w, eq_to_eq, func(1, 1, FIELDS(CONST(any), CONST(REF(MOTE_HEAP_I31)))), true);
    check_sub(&w, eq_to_eq, func(1, 1, FIELDS(CONST(REF(MOTE_HEAP_I31)), CONST(eq))), false);
    check_sub(&w, eq_to_eq, func(1, 1, FIELDS(CONST(eq), CONST(any))), false);
    check_sub(&w, eq_to_eq, func(2, 0, FIELDS(CONST(eq), CONST(eq))), false);
    check_sub(&w, structure(0, NULL), structure(0, NULL), false); /* final */
    CHECK(strstr(w.error.message, "final"));
    close_world(&w);
}

TEST(subtypes_inside_a_group) {
    struct world w;
    open_world(&w);
    /* The field's type is a subtype only by a declaration later in the group. */
    struct mote__typedef defs[] = {
        open_type(structure(0, NULL)), open_type(structure(1, FIELDS(CONST(REF(REC(0)))))),
        below(REC(1), structure(1, FIELDS(CONST(REF(REC(3)))))), below(REC(0), structure(0, NULL))};
    struct mote__recgroup *group;
    CHECK_EQ(intern(&w, defs, 4, &group), MOTE_OK);
    mote__recgroup_release(group);
    defs[3].has_super = false;
    CHECK_EQ(intern(&w, defs, 4, &group), MOTE_E_INVALID);
    defs[0] = below(REC(0), structure(0, NULL));
    CHECK_EQ(intern(&w, defs, 1, &group), MOTE_E_INVALID);
    CHECK(strstr(w.error.message, "unknown type") == w.error.message);
    close_world(&w);
}

TEST(depth_has_a_limit) {
    struct world w;
    open_world(&w);
    struct mote__typedef defs[LIMIT_SUBTYPE_DEPTH + 2];
    for (uint32_t i = 0; i < LIMIT_SUBTYPE_DEPTH + 2; i++)
        defs[i] = i ? below(REC(i - 1), structure(0, NULL)) : open_type(structure(0, NULL));
    struct mote__recgroup *group;
    CHECK_EQ(intern(&w, defs, LIMIT_SUBTYPE_DEPTH + 2, &group), MOTE_E_LIMIT);
    REQUIRE(intern(&w, defs, LIMIT_SUBTYPE_DEPTH + 1, &group) == MOTE_OK);
    const mote_type *deepest = &group->types[LIMIT_SUBTYPE_DEPTH];
    for (uint32_t i = 0; i < LIMIT_SUBTYPE_DEPTH; i++)
        CHECK(mote__type_is_sub(deepest, &group->types[i]));
    CHECK(!one(&w, below(heap(deepest), structure(0, NULL))));
    CHECK_EQ(w.error.status, MOTE_E_LIMIT);
    mote__recgroup_release(group);
    close_world(&w);
}

/* ---- matching */

/* Each abstract heap type's direct parent; tops are their own. */
static const uint8_t parents[] = {MOTE_HEAP_FUNC,   MOTE_HEAP_FUNC, MOTE_HEAP_EXTERN,
                                  MOTE_HEAP_EXTERN, MOTE_HEAP_ANY,  MOTE_HEAP_ANY,
                                  MOTE_HEAP_EQ,     MOTE_HEAP_EQ,   MOTE_HEAP_EQ,
                                  MOTE_HEAP_NONE,   MOTE_HEAP_EXN,  MOTE_HEAP_EXN};

static bool expect_match(unsigned sub, unsigned super) {
    if (sub == MOTE_HEAP_NONE) return super >= MOTE_HEAP_ANY && super <= MOTE_HEAP_NONE;
    while (sub != super && parents[sub] != sub) sub = parents[sub];
    return sub == super;
}

TEST(abstract_heap_types) {
    struct world w;
    open_world(&w);
    for (unsigned a = 0; a < MOTE_HEAP_TYPE; a++) {
        for (unsigned b = 0; b < MOTE_HEAP_TYPE; b++)
            CHECK_EQ(mote__heap_matches(&w.types, a, b), expect_match(a, b));
        CHECK(mote__heap_matches(&w.types, HEAP_BOTTOM, a) &&
              !mote__heap_matches(&w.types, a, HEAP_BOTTOM));
    }
    CHECK_EQ(mote__heap_top(&w.types, MOTE_HEAP_NONE), MOTE_HEAP_ANY);
    CHECK_EQ(mote__heap_top(&w.types, MOTE_HEAP_NOFUNC), MOTE_HEAP_FUNC);
    CHECK_EQ(mote__heap_top(&w.types, MOTE_HEAP_NOEXTERN), MOTE_HEAP_EXTERN);
    CHECK_EQ(mote__heap_top(&w.types, MOTE_HEAP_NOEXN), MOTE_HEAP_EXN);
    CHECK_EQ(mote__heap_top(&w.types, HEAP_BOTTOM), HEAP_BOTTOM);
    close_world(&w);
}

TEST(concrete_heap_types) {
    struct world w;
    open_world(&w);
    const mote_type *types[] = {one(&w, func(0, 0, NULL)), one(&w, structure(0, NULL)),
                                one(&w, array(FIELDS(CONST(VT_I8))))};
    static const struct {
        uint16_t above; /* abstract types above the concrete one */
        uint8_t bottom, top;
    } expected[] = {{1 << MOTE_HEAP_FUNC, MOTE_HEAP_NOFUNC, MOTE_HEAP_FUNC},
                    {1 << MOTE_HEAP_STRUCT | 1 << MOTE_HEAP_EQ | 1 << MOTE_HEAP_ANY, MOTE_HEAP_NONE,
                     MOTE_HEAP_ANY},
                    {1 << MOTE_HEAP_ARRAY | 1 << MOTE_HEAP_EQ | 1 << MOTE_HEAP_ANY, MOTE_HEAP_NONE,
                     MOTE_HEAP_ANY}};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned abstract = 0; abstract < MOTE_HEAP_TYPE; abstract++) {
            CHECK_EQ(mote__heap_matches(&w.types, heap(types[i]), abstract),
                     expected[i].above >> abstract & 1);
            CHECK_EQ(mote__heap_matches(&w.types, abstract, heap(types[i])),
                     abstract == expected[i].bottom);
        }
        CHECK_EQ(mote__heap_top(&w.types, heap(types[i])), expected[i].top);
        for (unsigned j = 0; j < 3; j++)
            CHECK_EQ(mote__heap_matches(&w.types, heap(types[i]), heap(types[j])), i == j);
        CHECK(mote__heap_matches(&w.types, HEAP_BOTTOM, heap(types[i])));
    }
    for (unsigned i = 0; i < 3; i++) drop(types[i]);
    close_world(&w);
}

TEST(value_types) {
    struct world w;
    open_world(&w);
    CHECK(mote__vt_matches(&w.types, VT_BOTTOM, VT_I32));
    CHECK(!mote__vt_matches(&w.types, VT_I32, VT_I64));
    CHECK(!mote__vt_matches(&w.types, VT_I32, VT_FUNCREF));
    CHECK(!mote__vt_matches(&w.types, VT_FUNCREF, VT_I32));
    CHECK_EQ(mote__vt_difference(VT_FUNCREF, VT_FUNCREF), REF(MOTE_HEAP_FUNC));
    CHECK_EQ(mote__vt_difference(VT_FUNCREF, REF(MOTE_HEAP_NOFUNC)), VT_FUNCREF);
    CHECK_EQ(mote__vt_difference(REF(MOTE_HEAP_ANY), REF_NULL(MOTE_HEAP_EQ)), REF(MOTE_HEAP_ANY));
    close_world(&w);
}

/* ---- the API's form, printing */

TEST(there_and_back) {
    struct world w, other;
    open_world(&w);
    open_world(&other);
    const mote_type *type = one(&w, structure(0, NULL));
    const valtype all[] = {VT_I32,
                           VT_I64,
                           VT_F32,
                           VT_F64,
                           VT_V128,
                           VT_I8,
                           VT_I16,
                           VT_FUNCREF,
                           REF(MOTE_HEAP_NOEXN),
                           REF_NULL(heap(type)),
                           REF(heap(type))};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        valtype back = 99;
        mote_valtype public = mote__vt_public(&w.types, all[i]);
        CHECK(mote__vt_from_public(&w.types, public, true, &back));
        CHECK_EQ(back, all[i]);
        CHECK_EQ(mote__vt_from_public(&w.types, public, false, &back),
                 all[i] != VT_I8 && all[i] != VT_I16);
        CHECK_EQ(mote__vt_from_public(&other.types, public, true, &back),
                 public.heap != MOTE_HEAP_TYPE);
    }
    valtype none;
    CHECK_EQ(mote__vt_public(&w.types, VT_V128).kind, MOTE_V128);
    CHECK(!mote__vt_from_public(&w.types, MOTE_VALTYPE(8), true, &none));
    CHECK(!mote__vt_from_public(&w.types, MOTE_VALTYPE_REF(MOTE_HEAP_TYPE), true, &none));
    CHECK(!mote__vt_from_public(&w.types, MOTE_VALTYPE_REF(13), true, &none));
    drop(type);
    close_world(&w);
    close_world(&other);
}

static void check_print(struct world *w, const mote_type *type, const char *expected) {
    char text[128];
    CHECK_EQ(mote__type_print(type, text, sizeof text), strlen(expected));
    CHECK_STR(text, expected);
    drop(type);
    (void)w;
}

TEST(printing) {
    struct world w;
    open_world(&w);
    char text[64], cut[8];
    mote__vt_print(&w.types, VT_F64, text, sizeof text);
    CHECK_STR(text, "f64");
    mote__vt_print(&w.types, REF_NULL(MOTE_HEAP_NOEXTERN), text, sizeof text);
    CHECK_STR(text, "nullexternref");
    CHECK_EQ(mote__vt_print(&w.types, REF(MOTE_HEAP_NONE), cut, sizeof cut), 10);
    CHECK_STR(cut, "(ref no");
    CHECK_EQ(mote__vt_print(&w.types, VT_I32, NULL, 0), 3);
    mote__vt_print(&w.types, REF(HEAP_BOTTOM), text, sizeof text);
    CHECK_STR(text, "(ref bottom)");
    const mote_type *self = one(&w, structure(2, FIELDS(MUT(REF_NULL(REC(0))), CONST(VT_I8))));
    CHECK_EQ(self->id, 0);
    mote__vt_print(&w.types, REF_NULL(heap(self)), text, sizeof text);
    CHECK_STR(text, "(ref null (struct (field (mut (ref null $t0))) (field i8)))");
    check_print(&w, self, "(struct (field (mut (ref null $t0))) (field i8))");
    check_print(&w, one(&w, func(2, 1, FIELDS(CONST(VT_I32), CONST(VT_FUNCREF), CONST(VT_V128)))),
                "(param i32 funcref) (result v128)");
    check_print(&w, one(&w, func(0, 1, FIELDS(CONST(VT_I32)))), "(result i32)");
    check_print(&w, one(&w, func(0, 0, NULL)), "(func)");
    check_print(&w, one(&w, structure(0, NULL)), "(struct)");
    check_print(&w, one(&w, array(FIELDS(MUT(VT_I16)))), "(array (mut i16))");
    close_world(&w);
}

/* ---- no memory, several threads */

static bool make_some(const mote_allocator *a, void *ctx) {
    (void)ctx;
    struct mote__types types;
    mote_error error;
    struct mote__recgroup *groups[200];
    uint32_t count = 0;
    bool ok = mote__types_init(&types, a) == MOTE_OK;
    struct mote__typedef defs[20];
    struct mote__fieldtype field = {VT_I32, true};
    while (ok && count < 200) {
        for (unsigned i = 0; i < 20; i++) defs[i] = i ? array(&field) : structure(1, &field);
        ok =
            mote__types_intern(&types, defs, count % 3 ? 20 : 1, &groups[count], &error) == MOTE_OK;
        if (!ok) CHECK_EQ(error.status, MOTE_E_NOMEM);
        else field.type = REF(HEAP_CONCRETE + groups[count++]->types[0].id);
    }
    while (count) mote__recgroup_release(groups[--count]);
    mote__types_deinit(&types);
    return ok;
}

TEST(no_memory) { CHECK(fail_alloc_sweep(make_some, NULL) > 100); }

static void *intern_and_release(void *argument) {
    struct mote__types *types = argument;
    mote_error error;
    uintptr_t failures = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        struct mote__fieldtype field = {(i % 5) + VT_I32, true};
        struct mote__typedef first = array(&field), second;
        struct mote__recgroup *a, *b;
        if (mote__types_intern(types, &first, 1, &a, &error) != MOTE_OK)
            return (void *)(failures + 1);
        struct mote__fieldtype link = {REF(HEAP_CONCRETE + a->types[0].id), false};
        second = structure(1, &link);
        if (mote__types_intern(types, &second, 1, &b, &error) != MOTE_OK)
            return (void *)(failures + 1);
        mote__recgroup_release(a);
        const mote_type *seen =
            mote__type_by_id(types, mote__vt_heap(b->types[0].fields[0].type) - HEAP_CONCRETE);
        if (seen->fields[0].type != field.type) failures++;
        mote__recgroup_release(b);
    }
    CHECK_EQ(failures, 0);
    return NULL;
}

TEST(threads) {
    struct world w;
    open_world(&w);
    struct os_thread threads[3];
    for (unsigned i = 0; i < 3; i++)
        REQUIRE(mote__os_thread_create(&threads[i], intern_and_release, &w.types, 0) == 0);
    for (unsigned i = 0; i < 3; i++) mote__os_thread_join(threads[i]);
    close_world(&w);
}
