/* imports.c - the functions of the module `mote1` (mote/guest.h): raw slots to handles.c. Here is
 * what stands between a program and the host: every pointer is looked at before it is used. */
#include "handles.h"

/* A call from a program. */
struct call {
    mote_parts_guest *guest;
    mote_caller *caller;
    uint8_t *memory;
    uint64_t memory_bytes;
    bool is_bad;
    mote_vfs_patience patience;
};

static bool is_over(void *context) { return mote_caller_interrupted(context); }

static struct call begin(void *env, mote_caller *caller) {
    struct call c = {.guest = env, .caller = caller, .patience = {is_over, caller}};
    mote_memory memory = mote_caller_memory(caller);
    if (!memory.ptr) return c;
    c.memory = mote_memory_data(memory);
    c.memory_bytes = mote_memory_bytes(memory);
    return c;
}

/* The program's bytes; nothing is at no place, whatever the pointer. */
static void *at(struct call *c, uint64_t pointer, uint64_t size) {
    if (!size) return NULL;
    if (pointer <= c->memory_bytes && size <= c->memory_bytes - pointer) return c->memory + pointer;
    c->is_bad = true;
    return NULL;
}

static mote_parts_bytes bytes_at(struct call *c, uint64_t pointer, uint64_t size) {
    return (mote_parts_bytes){at(c, pointer, size), (size_t)size};
}

static mote_status bad(const struct call *c, const char *name) {
    return mote_caller_fail(c->caller, MOTE_E_TRAP, MOTE_TRAP_HOST,
                            "mote1.%s: a pointer outside memory", name);
}

/* Slots as 32-bit numbers, from the caller's 64-bit ones. */
#define U(n)         ((uint32_t)slots[n])
#define RAW(name)    static mote_status raw_##name(void *env, mote_caller *caller, uint64_t *slots)
#define GIVE(result) (slots[0] = (uint32_t)(result), MOTE_OK)

RAW(call) {
    struct call c = begin(env, caller);
    const struct request request = {.op = U(0),
                                    .flags = U(7),
                                    .name = bytes_at(&c, U(1), U(2)),
                                    .in = bytes_at(&c, U(3), U(4)),
                                    .hdr = bytes_at(&c, U(5), U(6))};
    return c.is_bad ? bad(&c, "call") : GIVE(mote__handle_call(c.guest, &request));
}

RAW(wait) {
    struct call c = begin(env, caller);
    const void *handles = at(&c, U(0), 4 * (uint64_t)U(1));
    if (c.is_bad) return bad(&c, "wait");
    return GIVE(mote__handle_wait(c.guest, handles, U(1), (int64_t)slots[2], &c.patience));
}

RAW(read) {
    struct call c = begin(env, caller);
    void *buffer = at(&c, U(1), U(2));
    if (c.is_bad) return bad(&c, "read");
    return GIVE(mote__handle_read(c.guest, U(0), buffer, U(2), &c.patience));
}

RAW(write) {
    struct call c = begin(env, caller);
    const void *bytes = at(&c, U(1), U(2));
    return c.is_bad ? bad(&c, "write") : GIVE(mote__handle_write(c.guest, U(0), bytes, U(2)));
}

RAW(finish) {
    (void)caller;
    return GIVE(mote__handle_finish(env, U(0)));
}

RAW(close) {
    (void)caller;
    return GIVE(mote__handle_close(env, U(0)));
}

RAW(meta) {
    struct call c = begin(env, caller);
    const mote_parts_bytes key = bytes_at(&c, U(1), U(2));
    void *buffer = at(&c, U(3), U(4));
    if (c.is_bad) return bad(&c, "meta");
    return GIVE(mote__handle_meta(c.guest, U(0), &key, buffer, U(4), &c.patience));
}

/* ---------------------------------------------------------------- defining */

/* i: i32, I: i64; every result is i32. */
static const struct {
    const char *name, *params;
    mote_host_raw_fn fn;
} functions[] = {{"call", "iiiiiiii", raw_call}, {"wait", "iiI", raw_wait},
                 {"read", "iii", raw_read},      {"write", "iii", raw_write},
                 {"finish", "i", raw_finish},    {"close", "i", raw_close},
                 {"meta", "iiiii", raw_meta}};

static mote_status make_type(mote_engine *engine, const char *params, const mote_type **out,
                             mote_error *error) {
    mote_valtype types[8];
    const mote_valtype result = MOTE_VALTYPE(MOTE_I32);
    size_t count = 0;
    for (; *params; params++) types[count++] = MOTE_VALTYPE(*params == 'i' ? MOTE_I32 : MOTE_I64);
    return mote_type_new_func(engine, types, count, &result, 1, out, error);
}

mote_status mote_parts_guest_define(mote_parts_guest *guest, mote_linker *linker,
                                    mote_error *error) {
    mote_status status = MOTE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && !status; i++) {
        const mote_type *type;
        status = make_type(mote_linker_engine(linker), functions[i].params, &type, error);
        if (status) break;
        status = mote_linker_define_raw(linker, "mote1", functions[i].name, type, functions[i].fn,
                                        guest, error);
        mote_type_delete(type);
    }
    return status;
}
