/* define.c - wasi1.def made into host functions: one raw function for each row, tables of them, and
 * defining them in a linker. */
#include "process.h"

/* ---------------------------------------------------------------- from raw slots to handlers */

static struct call begin(void *env, mote_caller *caller) {
    mote_memory memory = mote_caller_memory(caller);
    struct call c = {.wasi = env, .caller = caller, .status = MOTE_OK};
    if (!memory.ptr) return c;
    c.memory = mote_memory_data(memory);
    c.memory_bytes = mote_memory_bytes(memory);
    return c;
}

static bool is_over(void *caller) { return mote_caller_interrupted(caller); }

/* What nodes that wait by themselves ask. */
static mote_vfs_patience patience_of(mote_caller *caller) {
    return (mote_vfs_patience){is_over, caller};
}

/* clang-format off */
#define U(n)           , (uint32_t)s[n]
#define L(n)           , s[n]
#define ARGS__
#define ARGS_i         U(0)
#define ARGS_iv        U(0)
#define ARGS_ii        U(0) U(1)
#define ARGS_iI        U(0) L(1)
#define ARGS_iii       U(0) U(1) U(2)
#define ARGS_iIi       U(0) L(1) U(2)
#define ARGS_iII       U(0) L(1) L(2)
#define ARGS_iiii      U(0) U(1) U(2) U(3)
#define ARGS_iIii      U(0) L(1) U(2) U(3)
#define ARGS_iIIi      U(0) L(1) L(2) U(3)
#define ARGS_iiiii     U(0) U(1) U(2) U(3) U(4)
#define ARGS_iiiIi     U(0) U(1) U(2) L(3) U(4)
#define ARGS_iiiiii    U(0) U(1) U(2) U(3) U(4) U(5)
#define ARGS_iiiiiii   U(0) U(1) U(2) U(3) U(4) U(5) U(6)
#define ARGS_iiiiIIi   U(0) U(1) U(2) U(3) L(4) L(5) U(6)
#define ARGS_iiiiiIIii U(0) U(1) U(2) U(3) U(4) L(5) L(6) U(7) U(8)
/* clang-format on */

#define WASI1(name, signature)                                                                     \
    static mote_status raw_##name(void *env, mote_caller *caller, uint64_t *s) {                   \
        struct call c = begin(env, caller);                                                        \
        const mote_vfs_patience before = mote_vfs_set_patience(patience_of(caller));               \
        s[0] = (uint32_t)mote__wasi_##name(&c ARGS_##signature);                                   \
        mote_vfs_set_patience(before);                                                             \
        return c.status;                                                                           \
    }
#define WASI1_OLD(name, signature, old) WASI1(name, signature) WASI1(old, signature)
#define WASI1_NEW(name, signature)      WASI1(name, signature)
#include "wasi1.def"
#undef WASI1
#undef WASI1_OLD
#undef WASI1_NEW

struct row {
    const char *name, *signature;
    mote_host_raw_fn fn;
};

static const struct row preview1[] = {
#define WASI1(name, signature)          {#name, #signature, raw_##name},
#define WASI1_OLD(name, signature, old) WASI1(name, signature)
#define WASI1_NEW(name, signature)      WASI1(name, signature)
#include "wasi1.def"
#undef WASI1
#undef WASI1_OLD
#undef WASI1_NEW
};

static const struct row unstable[] = {
#define WASI1(name, signature)          {#name, #signature, raw_##name},
#define WASI1_OLD(name, signature, old) {#name, #signature, raw_##old},
#define WASI1_NEW(name, signature)
#include "wasi1.def"
#undef WASI1
#undef WASI1_OLD
#undef WASI1_NEW
};

/* ---------------------------------------------------------------- defining */

enum { SIGNATURES_MAX = 24, PARAMS_MAX = 9 };

/* One function type for each signature that has come up. */
struct definer {
    mote_wasi *wasi;
    mote_linker *linker;
    mote_engine *engine;
    mote_error *error;
    const char *signatures[SIGNATURES_MAX];
    const mote_type *types[SIGNATURES_MAX];
    size_t count;
};

static mote_status make_type(const struct definer *d, const char *signature,
                             const mote_type **out) {
    mote_valtype params[PARAMS_MAX], result = MOTE_VALTYPE(MOTE_I32);
    size_t count = 0;
    for (; *signature == 'i' || *signature == 'I'; signature++)
        params[count++] = MOTE_VALTYPE(*signature == 'i' ? MOTE_I32 : MOTE_I64);
    return mote_type_new_func(d->engine, params, count, &result, *signature == 'v' ? 0 : 1, out,
                              d->error);
}

static mote_status type_of(struct definer *d, const char *signature, const mote_type **out) {
    for (size_t i = 0; i < d->count; i++)
        if (!strcmp(d->signatures[i], signature)) return *out = d->types[i], MOTE_OK;
    mote_status status = make_type(d, signature, out);
    if (status) return status;
    d->signatures[d->count] = signature;
    d->types[d->count++] = *out;
    return MOTE_OK;
}

static mote_status define_rows(struct definer *d, const char *module, const struct row *rows,
                               size_t count) {
    for (size_t i = 0; i < count; i++) {
        const mote_type *type;
        mote_status status = type_of(d, rows[i].signature, &type);
        if (!status)
            status = mote_linker_define_raw(d->linker, module, rows[i].name, type, rows[i].fn,
                                            d->wasi, d->error);
        if (status) return status;
    }
    return MOTE_OK;
}

mote_status mote_wasi_define(mote_wasi *wasi, mote_linker *linker, mote_error *error) {
    struct definer d = {
        .wasi = wasi, .linker = linker, .engine = mote_linker_engine(linker), .error = error};
    mote_status status =
        define_rows(&d, "wasi_snapshot_preview1", preview1, sizeof preview1 / sizeof *preview1);
    if (!status)
        status = define_rows(&d, "wasi_unstable", unstable, sizeof unstable / sizeof *unstable);
    for (size_t i = 0; i < d.count; i++) mote_type_delete(d.types[i]);
    return status;
}
