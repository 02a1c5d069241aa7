/* gen_module.h - the part of generate.h for sections and bodies. Included by generate.h alone. */

static inline void gen_field(struct gen *g, char field) {
    if (gen_is_packed(field)) emit_byte(g->e, field == 'b' ? 0x78 : 0x77);
    else gen_valtype(g, field);
    emit_byte(g->e, 1);
}

static inline void gen_struct_type(struct gen *g, unsigned field_count) {
    emit_byte(g->e, 0x5F), emit_u(g->e, field_count);
    for (unsigned i = 0; i < field_count; i++) gen_field(g, gen_fields[i]);
}

static inline void gen_func_type(struct gen *g, const char *params, const char *results) { emit_byte(g->e, 0x60), gen_valtypes(g, params), gen_valtypes(g, results); }

static inline void gen_types(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_TYPE);
    emit_u(g->e, TYPE_FUNCS + g->func_count + GEN_SHAPE_MAX + 2 * GEN_WIDE_MAX);
    emit_byte(g->e, 0x50), emit_u(g->e, 0), gen_struct_type(g, GEN_BASE_FIELDS);
    emit_byte(g->e, 0x4F), emit_u(g->e, 1), emit_u(g->e, TYPE_BASE), gen_struct_type(g, GEN_DERIVED_FIELDS);
    for (unsigned i = 0; i < GEN_ARRAY_COUNT; i++) emit_byte(g->e, 0x5E), gen_field(g, gen_elements[i]);
    for (unsigned i = 0; i < GEN_NUMBER_COUNT; i++) gen_func_type(g, (char[]){gen_letters[i], 0}, (char[]){gen_letters[i], 0});
    gen_func_type(g, "", "");
    gen_func_type(g, "i", "");
    gen_func_type(g, "IF", "");
    for (unsigned i = 0; i < 4; i++) gen_func_type(g, "", gen_caught[i]);
    for (unsigned i = 0; i < g->func_count; i++) gen_func_type(g, g->funcs[i].params, g->funcs[i].results);
    for (unsigned i = 0; i < GEN_SHAPE_MAX; i++) gen_func_type(g, g->shapes[i].params, g->shapes[i].results);
    for (unsigned i = 0; i < GEN_WIDE_MAX; i++) gen_func_type(g, "", g->wides[i]), gen_func_type(g, g->wides[i], g->wides[i]);
    emit_close(g->e, section);
}

static inline void gen_imports(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_IMPORT);
    emit_u(g->e, 2);
    emit_name(g->e, "h"), emit_name(g->e, "site"), emit_byte(g->e, 0), emit_u(g->e, TYPE_SITE);
    emit_name(g->e, "h"), emit_name(g->e, "nothing"), emit_byte(g->e, 0), emit_u(g->e, TYPE_NOTHING);
    emit_close(g->e, section);
}

static inline void gen_func_section(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_FUNC);
    emit_u(g->e, 1 + g->func_count), emit_u(g->e, TYPE_NOTHING);
    for (unsigned i = 0; i < g->func_count; i++) emit_u(g->e, TYPE_FUNCS + i);
    emit_close(g->e, section);
}

/* A section that does not depend on the choices. */
#define GEN_FIXED(g, id, ...)                                                                      \
    do {                                                                                           \
        static const uint8_t fixed_[] = {__VA_ARGS__};                                             \
        size_t section_ = emit_section((g)->e, id);                                                \
        emit_bytes((g)->e, fixed_, sizeof fixed_);                                                 \
        emit_close((g)->e, section_);                                                              \
    } while (0)

/* A mutable global of each letter, and the budget. */
static inline void gen_globals(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_GLOBAL);
    emit_u(g->e, GEN_LETTER_COUNT + 1);
    for (unsigned i = 0; i <= GEN_LETTER_COUNT; i++) {
        char letter = i < GEN_LETTER_COUNT ? gen_letters[i] : 'i';
        gen_valtype(g, letter), emit_byte(g->e, 1);
        if (i < GEN_NUMBER_COUNT) gen_const(g, letter);
        else if (i < GEN_LETTER_COUNT) gen_null(g, letter);
        else gen_i32(g, 0);
        gen_op(g, OP_end);
    }
    emit_close(g->e, section);
}

static inline void gen_export(struct gen *g, char kind, unsigned number, unsigned index) {
    static const char kinds[] = "ftmg";
    char name[16];
    snprintf(name, sizeof name, "%c%u", kind, number);
    emit_name(g->e, name), emit_byte(g->e, (unsigned)(strchr(kinds, kind) - kinds)), emit_u(g->e, index);
}

static inline void gen_exports(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_EXPORT);
    emit_u(g->e, g->func_count + GEN_LETTER_COUNT + 3 + GEN_MEMORY_COUNT + 1);
    for (unsigned i = 0; i < g->func_count; i++) gen_export(g, 'f', i, FUNC_FIRST + i);
    for (unsigned i = 0; i < GEN_LETTER_COUNT; i++) gen_export(g, 'g', i, i);
    for (unsigned i = 0; i < 3; i++) gen_export(g, 't', i, i);
    for (unsigned i = 0; i < GEN_MEMORY_COUNT; i++) gen_export(g, 'm', i, i);
    emit_name(g->e, "budget"), emit_byte(g->e, 3), emit_u(g->e, GEN_LETTER_COUNT);
    emit_close(g->e, section);
}

/* The functions, as an active segment's. */
static inline void gen_functions(struct gen *g) {
    emit_u(g->e, g->func_count);
    for (unsigned i = 0; i < g->func_count; i++) emit_u(g->e, FUNC_FIRST + i);
}

/* 0 and 4: the functions, at their numbers in tables 0 and 3; 1: functions, 2: structures, both for arrays and tables; 3: to be dropped. */
static inline void gen_elements_section(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_ELEM);
    emit_u(g->e, 5);
    emit_u(g->e, 0), gen_i32(g, 0), gen_op(g, OP_end), gen_functions(g);
    for (unsigned segment = 1; segment < 4; segment++) {
        emit_u(g->e, 5), gen_valtype(g, segment == 2 ? 's' : 'r'), emit_u(g->e, 8);
        for (unsigned i = 0; i < 8; i++) {
            if (segment == 2) gen_op_u(g, OP_struct_new_default, i % 2);
            else gen_op_u(g, OP_ref_func, FUNC_FIRST + i % g->func_count);
            gen_op(g, OP_end);
        }
    }
    emit_u(g->e, 2), emit_u(g->e, 3), gen_i32(g, 0), gen_op(g, OP_end), emit_byte(g->e, 0), gen_functions(g);
    emit_close(g->e, section);
}

/* Data segment 0 for arrays, memories and so on; 1 to be dropped. */
static inline void gen_data_section(struct gen *g) {
    size_t section = emit_section(g->e, SECTION_DATA);
    emit_u(g->e, 2);
    for (unsigned segment = 0; segment < 2; segment++) {
        emit_u(g->e, 1), emit_u(g->e, 64);
        for (unsigned i = 0; i < 64; i++) emit_byte(g->e, i * 37 + segment);
    }
    emit_close(g->e, section);
}

/* Safe values and addresses come from parameters and globals, small and odd, or 16-aligned. */
static inline void gen_prologue(struct gen *g) {
    uint32_t safe = gen_own(g, LOCAL_SAFE), address = gen_own(g, LOCAL_ADDRESS);
    gen_i32(g, 5), gen_op_u(g, OP_local_set, safe);
    gen_op(g, OP_i64_const), emit_s(g->e, 9), gen_op_u(g, OP_local_set, safe + 1);
    gen_op_u(g, OP_local_get, safe), gen_op(g, OP_f32_convert_i32_u), gen_op_u(g, OP_local_set, safe + 2);
    gen_op_u(g, OP_local_get, safe), gen_op(g, OP_f64_convert_i32_u), gen_op_u(g, OP_local_set, safe + 3);
    gen_op_u(g, OP_global_get, 0), gen_i32(g, 0x7FF0), gen_op(g, OP_i32_and), gen_op_u(g, OP_local_tee, address);
    gen_op(g, OP_i64_extend_i32_u), gen_op_u(g, OP_local_set, address + 1);
    gen_charge(g, false);
}

static inline void gen_locals(struct gen *g) {
    static const char more[] = "iIfFiIfFv"; /* safe, address, temp */
    emit_u(g->e, GEN_LETTER_COUNT + sizeof more);
    for (unsigned i = 0; i < GEN_LETTER_COUNT; i++) emit_u(g->e, GEN_PLAIN_LOCALS), gen_valtype(g, gen_letters[i]);
    for (unsigned i = 0; i + 1 < sizeof more; i++) emit_u(g->e, 1), gen_valtype(g, more[i]);
    emit_u(g->e, GEN_COUNTERS), gen_valtype(g, 'i');
}

static inline void gen_body(struct gen *g, const struct gen_signature *func) {
    size_t body = emit_open(g->e);
    g->func = func;
    g->label_count = 0;
    for (unsigned i = 0; i < GEN_LETTER_COUNT; i++) g->recent[i] = gen_own(g, i * GEN_PLAIN_LOCALS);
    gen_locals(g);
    gen_prologue(g);
    gen_push_label(g, func->results);
    for (unsigned i = 4 + gen_choose(g, 16); i; i--) gen_statement(g, GEN_DEPTH_MAX);
    gen_values(g, func->results, GEN_DEPTH_MAX);
    gen_end(g);
    emit_close(g->e, body);
}

static inline void gen_code_section(struct gen *g) {
    static const uint8_t nothing[] = {6, 0, 0x0F, 0xFC, 9, 1, 0x0B}; /* return; data.drop 1: so that the text format keeps the count of segments too */
    size_t section = emit_section(g->e, SECTION_CODE);
    emit_u(g->e, 1 + g->func_count);
    emit_bytes(g->e, nothing, sizeof nothing);
    for (unsigned i = 0; i < g->func_count; i++) gen_body(g, &g->funcs[i]);
    emit_close(g->e, section);
}

static inline void gen_signature(struct gen *g, struct gen_signature *signature) {
    unsigned param_count = gen_choose(g, GEN_PARAM_MAX + 1), result_count = gen_choose(g, GEN_RESULT_MAX + 1);
    *signature = (struct gen_signature){.params = "", .results = ""};
    for (unsigned i = 0; i < param_count; i++) signature->params[i] = gen_letters[gen_choose(g, GEN_LETTER_COUNT)];
    for (unsigned i = 0; i < result_count; i++) signature->results[i] = gen_letters[gen_choose(g, GEN_LETTER_COUNT)];
}

static inline void gen_wide_values(struct gen *g, char values[GEN_WIDE_VALUES + 1]) {
    unsigned count = 2 + gen_choose(g, GEN_WIDE_VALUES - 1);
    for (unsigned i = 0; i < count; i++) values[i] = gen_pressing_letter(g);
    values[count] = 0;
}

/* Makes the module in g->e; the caller sets it, `is_counting` and `canonical` before. */
static inline void gen_module(struct gen *g, const uint8_t *choices, size_t size) {
    g->in = choices, g->in_end = choices + size;
    g->site_count = g->loop_count = g->try_count = g->call_count = 0;
    g->counting_bytes = 0;
    emit_begin(g->e);
    g->func_count = 1 + gen_choose(g, GEN_FUNC_MAX);
    for (unsigned i = 0; i < g->func_count; i++) gen_signature(g, &g->funcs[i]);
    for (unsigned i = 0; i < GEN_SHAPE_MAX; i++) gen_signature(g, &g->shapes[i]);
    for (unsigned i = 0; i < GEN_WIDE_MAX; i++) gen_wide_values(g, g->wides[i]);
    gen_types(g);
    gen_imports(g);
    gen_func_section(g);
    /* Functions, functions, any references with 64-bit indices, functions that nobody else sees. */
    GEN_FIXED(g, SECTION_TABLE, 4, 0x70, 0, 8, 0x70, 1, 8, 12, 0x6E, 5, 8, 12, 0x70, 0, 8);
    GEN_FIXED(g, SECTION_MEMORY, 3, 1, 1, 2, 5, 1, 1, 3, 1, 1);               /* 32-bit, 64-bit, shared */
    GEN_FIXED(g, SECTION_TAG, 2, 0, TYPE_SITE, 0, TYPE_TAG1);
    gen_globals(g);
    gen_exports(g);
    gen_elements_section(g);
    GEN_FIXED(g, SECTION_DATA_COUNT, 2);
    gen_code_section(g);
    gen_data_section(g);
}
