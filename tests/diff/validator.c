/* validator.c - the validator with its fast lane (walk_fast.h) against the same validator without it: both must take or refuse a body alike, with the same
 * status, at the same byte, in the same words, and find the same about tail calls and tables. The translators check nothing again, so that what the lane
 * takes wrongly, a program gets to run.
 * Usage: validator SEED COUNT [SCRIPT.wast...]. First every opcode of one byte after every short stack, with short and long immediates, in memories of each
 * kind, in the middle of a body and at its end; then every module of the scripts; then COUNT bodies, changed as mutate.h says, of those modules that are
 * valid and of generated ones (generate.h), with all features or some of them off. A case follows from SEED and its number alone. With
 * VALIDATOR_STREAM=FILE in the environment what had all features on is also written there, for other validators: per module its size (four bytes, the
 * lowest first), the status (one byte), and the bytes.
 * The library's calls of mote__module_validate are led here by the linker (--wrap), so that both look at the very same decoded module. */
#define WALK_WITHOUT_LANE
#define mote__module_validate slow_module_validate
#define mote__constexpr_read  slow_constexpr_read
#include "wasm/validate.c"
#undef mote__module_validate
#undef mote__constexpr_read

#include "diff/setup.h"
#include "diff/sources.h"

enum { TABLES_SEEN = 64 };

static mote_engine *engine;
static struct mutant mutant;
static FILE *stream;

static uint64_t case_seed, compared, refused, differences;
static uint64_t status_counts[MOTE_STATUS_COUNT];

/* ---------------------------------------------------------------- comparing */

mote_status mote__module_validate_real(mote_module *module, mote_error *error) __asm__("__real_mote__module_validate");
mote_status mote__module_validate_both(mote_module *module, mote_error *error) __asm__("__wrap_mote__module_validate");

/* What validation found. */
struct verdict {
    mote_status status;
    mote_error error;
    bool tail_calls_far;
    uint64_t closed_tables;
};

static struct verdict verdict_of(mote_status (*validate)(mote_module *, mote_error *), mote_module *module) {
    struct verdict v = {.error.offset = MOTE_NO_OFFSET};
    v.status = validate(module, &v.error);
    v.tail_calls_far = module->tail_calls_far;
    for (uint32_t i = 0; i < module->table_count && v.status == MOTE_OK; i++) v.closed_tables |= (uint64_t)module->tables[i].closed << (i % TABLES_SEEN);
    return v;
}

static bool same_verdict(const struct verdict *a, const struct verdict *b) {
    return a->status == b->status && a->error.offset == b->error.offset && !strcmp(a->error.message, b->error.message) &&
           a->tail_calls_far == b->tail_calls_far && a->closed_tables == b->closed_tables;
}

static void print_verdict(const char *who, const struct verdict *v) {
    printf("  %s: %s at %" PRIu64 ": %s (tail calls %d, closed tables %" PRIx64 ")\n", who, mote_status_name(v->status), v->error.offset, v->error.message,
           v->tail_calls_far, v->closed_tables);
}

static void print_bytes(struct span bytes) {
    printf("  (module binary \"");
    for (size_t i = 0; i < bytes.size; i++) printf("\\%02x", bytes.data[i]);
    printf("\")\n");
}

mote_status mote__module_validate_both(mote_module *module, mote_error *error) {
    struct verdict fast = verdict_of(mote__module_validate_real, module), slow = verdict_of(slow_module_validate, module);
    compared++;
    status_counts[fast.status]++;
    if (!same_verdict(&fast, &slow) && !differences++) {
        printf("case %" PRIu64 ": the lane and the walk differ\n", case_seed);
        print_verdict("with the lane", &fast);
        print_verdict("without it", &slow);
        if (module->bytes.size < 4096) print_bytes(module->bytes);
    }
    if (fast.status != MOTE_OK) *error = fast.error;
    return fast.status;
}

/* ---------------------------------------------------------------- modules */

static void write_to_stream(struct span bytes, mote_status status) {
    uint8_t head[5] = {(uint8_t)bytes.size, (uint8_t)(bytes.size >> 8), (uint8_t)(bytes.size >> 16), (uint8_t)(bytes.size >> 24), (uint8_t)status};
    MUST(fwrite(head, 1, sizeof head, stream) == sizeof head && fwrite(bytes.data, 1, bytes.size, stream) == bytes.size);
}

/* Decodes a module, which validates it in both ways; in a copy of its own, so that sanitizers see what is read beyond it. */
static mote_status check(const uint8_t *data, size_t size, uint64_t features) {
    mote_module *module;
    mote_error error;
    struct span bytes = {data, size};
    mote_status status = mote__module_decode(engine, mote__engine_types(engine), mote__engine_allocator(engine), features, LIMIT_BODY_BYTES, bytes, false,
                                             &module, &error);
    if (status == MOTE_OK) mote__module_free(module);
    else refused++;
    if (stream && features == all_features()) write_to_stream(bytes, status);
    return status;
}

static bool is_valid(const uint8_t *data, size_t size) { return check(data, size, all_features()) == MOTE_OK; }

/* ---------------------------------------------------------------- every opcode after every short stack */

/* The functions of a module for these: (), a deep one, so that the stack has room from then on; the case; (i32) -> i64. */
static const uint8_t corner_types[] = {4, 0x60, 0, 0, 0x60, 1, 0x7F, 1, 0x7E, 0x60, 0, 1, 0x7F, 0x60, 1, 0x7F, 1, 0x7F};
static const uint8_t corner_locals[] = {6, 1, 0x7F, 1, 0x7E, 1, 0x7D, 1, 0x7C, 1, 0x7B, 1, 0x70};
enum { CORNER_LOCALS = 6, CORNER_DEEP = 40, NO_MEMORY = 0, MEMORY_32, MEMORY_64 };

static void corner_begin(struct emit *e, unsigned memory) {
    static const uint8_t functions[] = {3, 0, 0, 1};
    size_t section;
    emit_begin(e);
    section = emit_section(e, SECTION_TYPE), emit_bytes(e, corner_types, sizeof corner_types), emit_close(e, section);
    section = emit_section(e, SECTION_FUNC), emit_bytes(e, functions, sizeof functions), emit_close(e, section);
    section = emit_section(e, SECTION_MEMORY), emit_byte(e, memory != NO_MEMORY);
    if (memory != NO_MEMORY) emit_byte(e, memory == MEMORY_64 ? 4 : 0), emit_byte(e, 1);
    emit_close(e, section);
}

static void corner_deep(struct emit *e) {
    size_t body = emit_open(e);
    emit_byte(e, 0);
    for (unsigned i = 0; i < CORNER_DEEP; i++) emit_op_u(e, OP_i32_const, 0);
    for (unsigned i = 0; i < CORNER_DEEP; i++) emit_op(e, OP_drop);
    emit_op(e, OP_end);
    emit_close(e, body);
}

/* What is around the instruction. */
enum { IN_BODY, IN_BLOCK, IN_LOOP_WITH_PARAM, IN_DEAD_CODE, ON_UNKNOWN, AROUND_COUNT };
/* What is behind it: enough for the lane to look at, the end alone, or nothing; then the next byte, a size, ends an integer that is cut off. */
enum { BEHIND_MUCH, BEHIND_END, BEHIND_NOTHING, BEHIND_COUNT };

static const struct corner_imm {
    uint8_t size, bytes[12];
} corner_imms[] = {
    {1, {0}}, {1, {1}}, {1, {2}}, {1, {3}}, {1, {5}}, {1, {6}}, {1, {0x40}}, {1, {0x42}}, {1, {0x7F}}, {2, {0, 0}}, {2, {1, 0}}, {2, {2, 0}}, {2, {3, 1}},
    {2, {4, 0}}, {2, {0x80, 0}}, {2, {0x82, 0}}, {2, {0x86, 0}}, {3, {0x80, 0x80, 0}}, {3, {0x40, 0, 0}}, {3, {0x42, 1, 0}}, {3, {0x82, 0, 0}},
    {1, {0x80}}, {2, {2, 0x80}}, {3, {0x80, 0x80, 0x80}}, {3, {2, 0x80, 0x80}}, {4, {2, 0x80, 0x80, 0x80}}, /* cut off */
    {4, {0x80, 0x80, 0x80, 0}}, {4, {2, 0x80, 0x80, 0}}, {5, {0, 0x80, 0x80, 0x80, 0}}, {5, {0x80, 0x80, 0x80, 0x80, 0}}, {5, {0xFF, 0xFF, 0xFF, 0xFF, 0x7F}},
    {5, {0xFF, 0xFF, 0xFF, 0xFF, 0x0F}}, {6, {2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}}, {6, {2, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F}},
    {6, {0x80, 0x80, 0x80, 0x80, 0x80, 0}}, {0, {0}},
};
enum { CORNER_IMMS = sizeof corner_imms / sizeof *corner_imms };

/* An instruction and where it is. */
struct corner {
    unsigned opcode, imm, stack, around, behind, memory;
};

/* Values from locals: up to two digits of `stack`, 0 for none. */
enum { CORNER_STACKS = (CORNER_LOCALS + 1) * (CORNER_LOCALS + 1) };
static void corner_stack(struct emit *e, unsigned stack) {
    for (; stack; stack /= CORNER_LOCALS + 1)
        if (stack % (CORNER_LOCALS + 1)) emit_op_u(e, OP_local_get, stack % (CORNER_LOCALS + 1) - 1);
}

static void corner_end(struct emit *e, const struct corner *c) {
    if (c->behind == BEHIND_NOTHING) return;
    for (unsigned i = 0; i < 8 && c->behind == BEHIND_MUCH; i++) emit_op(e, OP_nop);
    if (c->around == IN_BLOCK || c->around == IN_LOOP_WITH_PARAM) emit_op(e, OP_end), emit_op(e, OP_drop), emit_op(e, OP_drop);
    emit_op(e, OP_end);
}

static void corner_body(struct emit *e, const struct corner *c) {
    size_t body = emit_open(e);
    emit_bytes(e, corner_locals, sizeof corner_locals);
    if (c->around == IN_BLOCK) emit_op_u(e, OP_local_get, 0), emit_op(e, OP_block), emit_byte(e, 0x7F);
    if (c->around == IN_LOOP_WITH_PARAM) emit_op_u(e, OP_local_get, 0), emit_op(e, OP_loop), emit_byte(e, 3);
    if (c->around == IN_DEAD_CODE || c->around == ON_UNKNOWN) emit_op(e, OP_unreachable);
    if (c->around == ON_UNKNOWN) emit_op(e, OP_select); /* leaves a value of a type that nobody knows */
    corner_stack(e, c->stack);
    emit_byte(e, c->opcode);
    emit_bytes(e, corner_imms[c->imm].bytes, corner_imms[c->imm].size);
    corner_end(e, c);
    emit_close(e, body);
}

/* The case is the second of three functions; the last is there so that there is something to call. */
static void corner_check(const struct corner *c) {
    static const uint8_t last[] = {4, 0, 0x42, 0, 0x0B};
    static struct emit e;
    corner_begin(&e, c->memory);
    size_t section = emit_section(&e, SECTION_CODE);
    emit_u(&e, 3);
    corner_deep(&e);
    corner_body(&e, c);
    emit_bytes(&e, last, sizeof last);
    emit_close(&e, section);
    case_seed++;
    check(e.data, e.size, all_features());
}

static void check_corner(struct corner *c) {
    bool is_access = c->opcode >= 0x28 && c->opcode <= 0x40, one_value = c->stack <= CORNER_LOCALS;
    for (c->around = 0; c->around < AROUND_COUNT; c->around++)
        for (c->memory = is_access ? 0 : MEMORY_32; c->memory <= (is_access ? MEMORY_64 : MEMORY_32); c->memory++)
            for (c->behind = 0; c->behind < BEHIND_COUNT; c->behind++)
                if (one_value || c->behind == (c->imm + c->stack) / 3 % BEHIND_COUNT) corner_check(c);
}

/* Immediates count for what has some: everything else is tried without. A third of them behind two values. */
static void check_corners(void) {
    struct corner c;
    for (c.opcode = 0; c.opcode < 0xC8; c.opcode++)
        for (c.imm = c.opcode < 0x45 ? 0 : CORNER_IMMS - 1; c.imm < CORNER_IMMS; c.imm++)
            for (c.stack = 0; c.stack < CORNER_STACKS; c.stack++)
                if (c.stack <= CORNER_LOCALS || c.opcode >= 0x45 || (c.imm + c.stack) % 3 == 0) check_corner(&c);
}

/* ---------------------------------------------------------------- changed bodies */

/* Mostly all; else without one or two and what needs them. */
static uint64_t choose_features(void) {
    uint64_t features = all_features();
    if (mutant_choose(&mutant, 4)) return features;
    for (size_t count = 1 + mutant_choose(&mutant, 2); count; count--)
        features = mote__features_without(features, UINT64_C(1) << (1 + mutant_choose(&mutant, FEATURE_COUNT - 1)));
    return features;
}

static void check_mutant(uint64_t seed) {
    static struct emit module;
    mutant.random = seed;
    uint64_t features = choose_features();
    sources_mutant(&mutant, &module);
    check(module.data, module.size, features);
}

static void print_counts(const char *what) {
    printf("%s: %" PRIu64 " modules compared", what, compared);
    for (unsigned i = 0; i < MOTE_STATUS_COUNT; i++)
        if (status_counts[i]) printf(", %" PRIu64 " %s", status_counts[i], mote_status_name((mote_status)i));
    printf("\n");
    compared = 0;
    memset(status_counts, 0, sizeof status_counts);
}

int main(int argc, char **argv) {
    mote_config config;
    if (argc < 3) return fprintf(stderr, "usage: validator SEED COUNT [SCRIPT.wast...]\n"), 2;
    uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    if (getenv("VALIDATOR_STREAM")) MUST(stream = fopen(getenv("VALIDATOR_STREAM"), "wb"));
    engine = way_engine(way_find("interp"), &config);
    case_seed = 0;
    check_corners();
    print_counts("every opcode");
    if (!differences) sources_generate(is_valid);
    for (int i = 3; i < argc && !differences; i++) sources_read(engine, argv[i], is_valid);
    print_counts("scripts");
    for (case_seed = first; case_seed < first + count && !differences; case_seed++) check_mutant(case_seed);
    bool enough = status_counts[MOTE_OK] >= count / 20 && status_counts[MOTE_E_INVALID] >= count / 20 && status_counts[MOTE_E_MALFORMED] >= count / 50;
    if (!enough) printf("too few of a kind: the changes are not what they should be\n");
    print_counts("changed bodies");
    sources_free();
    free(mutant.body.data);
    mote_engine_delete(engine);
    if (stream) MUST(!fclose(stream));
    printf("%d passed, %d failed\n", enough && !differences, !enough || differences);
    return !enough || differences;
}
