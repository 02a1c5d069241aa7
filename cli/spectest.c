/* spectest.c - the host module "spectest", as tables of what it exports. */
#include "spectest.h"
#include "base/error.h"

static const char module_name[] = "spectest";

struct spectest {
    mote_linker *linker;
    mote_store *store;
    mote_error *error;
};

static mote_status define(const struct spectest *s, const char *name, mote_extern external) {
    return mote_linker_define(s->linker, module_name, name, external, s->error);
}

/* ---- Functions. ---- */

static const struct {
    const char *name;
    uint8_t param_count;
    uint8_t params[2]; /* mote_valkind */
} functions[] = {
    {"print", 0, {0}},
    {"print_i32", 1, {MOTE_I32}},
    {"print_i64", 1, {MOTE_I64}},
    {"print_f32", 1, {MOTE_F32}},
    {"print_f64", 1, {MOTE_F64}},
    {"print_i32_f32", 2, {MOTE_I32, MOTE_F32}},
    {"print_f64_f64", 2, {MOTE_F64, MOTE_F64}},
};

static mote_status print_nothing(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return MOTE_OK;
}

static mote_status define_function(const struct spectest *s, size_t index) {
    mote_valtype params[2] = {MOTE_VALTYPE(functions[index].params[0]), MOTE_VALTYPE(functions[index].params[1])};
    const mote_type *type;
    mote_func func;
    TRY(mote_type_new_func(mote_store_engine(s->store), params, functions[index].param_count, NULL, 0, &type, s->error));
    mote_status status = mote_func_new(s->store, type, print_nothing, NULL, NULL, &func, s->error);
    mote_type_delete(type);
    TRY(status);
    return define(s, functions[index].name, (mote_extern){.kind = MOTE_EXTERN_FUNC, .of.func = func});
}

/* ---- Globals, tables, memories. ---- */

static const struct {
    const char *name;
    mote_value value;
} globals[] = {
    {"global_i32", {.kind = MOTE_I32, .of.i32 = 666}},
    {"global_i64", {.kind = MOTE_I64, .of.i64 = 666}},
    {"global_f32", {.kind = MOTE_F32, .of.f32 = 666.6f}},
    {"global_f64", {.kind = MOTE_F64, .of.f64 = 666.6}},
};

static mote_status define_global(const struct spectest *s, size_t index) {
    mote_globaltype type = {.value = MOTE_VALTYPE(globals[index].value.kind)};
    mote_extern out = {.kind = MOTE_EXTERN_GLOBAL};
    TRY(mote_global_new(s->store, &type, &globals[index].value, &out.of.global, s->error));
    return define(s, globals[index].name, out);
}

static mote_status define_table(const struct spectest *s, const char *name, bool is_64) {
    mote_tabletype type = {.element = MOTE_VALTYPE_REF(MOTE_HEAP_FUNC), .min = 10, .max = 20, .is_64 = is_64};
    mote_extern out = {.kind = MOTE_EXTERN_TABLE};
    TRY(mote_table_new(s->store, &type, &(mote_value){.kind = MOTE_FUNCREF}, &out.of.table, s->error));
    return define(s, name, out);
}

static mote_status define_memory(const struct spectest *s, const char *name, bool shared) {
    mote_memorytype type = {.min = 1, .max = 2, .shared = shared, .page_log2 = 16};
    mote_extern out = {.kind = MOTE_EXTERN_MEMORY};
    TRY(mote_memory_new(s->store, &type, &out.of.memory, s->error));
    return define(s, name, out);
}

mote_status spectest_define(mote_linker *linker, mote_store *store, mote_features features, mote_error *error) {
    struct spectest s = {.linker = linker, .store = store, .error = error};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) TRY(define_function(&s, i));
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) TRY(define_global(&s, i));
    TRY(define_table(&s, "table", false));
    if (features & mote_feature_find("memory64")) TRY(define_table(&s, "table64", true));
    TRY(define_memory(&s, "memory", false));
    if (!(features & mote_feature_find("threads"))) return MOTE_OK;
    return define_memory(&s, "shared_memory", true);
}
