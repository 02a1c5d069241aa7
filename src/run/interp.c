/* interp.c - runs lowered code: the two ways to dispatch, around one text of bodies (interp_ops.inc).
 * Threaded: every handler is a function that tail-calls the next one, state in registers (clang's musttail and preserve_none). Loop: one switch in
 * a loop, for every other compiler; MOTE_DISPATCH_LOOP asks for it.
 * One C frame per activation: calls among WebAssembly functions only push frames on the value stack (exec.h).
 * Returns to C with a status: the end of the activation, a trap (mote__trap), an exception nobody caught here, or what a host function said. */
#include <string.h>

#include "base/bytes.h"
#include "run/code.h"
#include "run/exec.h"
#include "run/gc.h"
#include "run/insn.h"
#include "run/tier.h"
#include "wasm/sem.h"
#include "wasm/sem_atomic.h"
#include "wasm/sem_simd.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#if !defined(MOTE_DISPATCH_LOOP) && defined(__has_attribute)
#if __has_attribute(musttail) && __has_attribute(preserve_none)
#define THREADED 1
#endif
#endif
#ifndef THREADED
#define THREADED 0
#endif

typedef float floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(16)));

static inline mote__v128 read_vector(const void *at) {
    mote__v128 x;
    memcpy(&x, at, sizeof x);
    return x;
}

/* Only the low lane counts; leaving the other one as it is saves an instruction. */
static inline floats with_double(floats f, double x) {
    doubles d = (doubles)f;
    d[0] = x;
    return (floats)d;
}

static inline uint64_t low_bits(floats f) {
    uint64_t x;
    memcpy(&x, &f, sizeof x);
    return x;
}

static inline void canonical_f4(uint32_t *lanes) {
    for (int i = 0; i < 4; i++)
        if ((lanes[i] & 0x7FFFFFFF) > 0x7F800000) lanes[i] = 0x7FC00000;
}

static inline void canonical_F2(uint64_t *lanes) {
    for (int i = 0; i < 2; i++)
        if ((lanes[i] & INT64_MAX) > UINT64_C(0x7FF0000000000000)) lanes[i] = UINT64_C(0x7FF8000000000000);
}

/* ---------------------------------------------------------------- slow paths */

#define COLD static __attribute__((noinline, cold))

/* Lowers own function `own_index` of an instance; false with the status in exec->error. */
COLD bool lower_now(struct mote__exec *exec, struct mote__instance *inst, uint32_t own_index) {
    mote_status status = MOTE_OK;
    if (mote__code_get(inst->module, own_index + inst->module->func_import_count, &status, exec->error)) return true;
    exec->error->status = status;
    return false;
}

static struct mote__instance *frame_instance(const uint64_t *fp) { return (struct mote__instance *)(uintptr_t)fp[FRAME_INSTANCE]; }

/* Calls exec->host_func for the code of `from`; `fp` and `site`: where it returns to, for whoever walks the frames meanwhile. */
static mote_status host_call(struct mote__exec *exec, uint64_t *fp, const uint16_t *site, struct mote__instance *from) {
    exec->activation->fp = fp;
    exec->activation->pc = site;
    struct mote__func *func = exec->host_func;
    uint64_t *slots = exec->host_slots;
    mote_status status = mote__host_call(exec, func, from, slots);
    exec->host_func = func; /* calls from the host back into wasm have used both */
    exec->host_slots = slots;
    return status;
}

static mote_status call_host_now(struct mote__exec *exec, uint64_t *fp, const uint16_t *site) {
    return host_call(exec, fp, site, frame_instance(fp));
}

/* A tail call: the frame `fp` is gone as far as the host can see, and catches nothing any more. */
static mote_status tail_host_now(struct mote__exec *exec, const uint64_t *fp) {
    return host_call(exec, (uint64_t *)(uintptr_t)fp[FRAME_CALLER], (const uint16_t *)(uintptr_t)fp[FRAME_SITE], frame_instance(fp));
}

/* Runs the function of the frame `fp` by the engine's tier. */
static mote_status call_compiled_now(struct mote__exec *exec, uint64_t *fp, uint32_t own_index) {
    exec->activation->fp = (uint64_t *)(uintptr_t)fp[FRAME_CALLER];
    exec->activation->pc = (const uint16_t *)(uintptr_t)fp[FRAME_SITE];
    return exec->store->engine->tier->enter(exec, frame_instance(fp), own_index, fp);
}

/* After a tail call of the host: its results go where this frame's caller expects them. */
static void return_host_results(struct mote__exec *exec, uint64_t *first) {
    memmove(first, exec->host_slots, exec->host_func->type->result_slots * sizeof *first);
}

bool mote__exec_charge(struct mote__exec *exec, uint64_t cost) {
    if (exec->fuel < cost && exec->fuel_source) exec->fuel += exec->fuel_source(exec->fuel_context, cost - exec->fuel);
    bool enough = exec->fuel >= cost;
    exec->fuel = enough ? exec->fuel - cost : 0;
    return enough;
}
#define CHARGE(cost)                                                                               \
    if (unlikely(exec->metered) && !mote__exec_charge(exec, (cost))) TRAP(MOTE_TRAP_OUT_OF_FUEL)

COLD uint32_t stop_reason(struct mote__exec *exec) {
    uint32_t reason = mote__exec_interrupt(exec);
    return reason ? reason : MOTE_TRAP_STACK_OVERFLOW;
}

COLD mote_status trap_at(struct mote__exec *exec, uint64_t *fp, const uint16_t *pc, uint32_t trap) {
    exec->activation->fp = fp;
    exec->activation->pc = pc;
    exec->at_instruction = true;
    return mote__trap(exec, trap);
}

/* A function is not entered. That its first unit is its site means that it has not begun (unwind.c). */
COLD mote_status stop_at_entry(struct mote__exec *exec, uint64_t *fp, const uint16_t *pc) {
    exec->activation->fp = fp;
    exec->activation->pc = pc;
    return mote__trap(exec, stop_reason(exec));
}

/* ---------------------------------------------------------------- threaded dispatch */

#if THREADED
#pragma GCC diagnostic ignored "-Wunused-parameter" /* few handlers look at all of the state that they pass on */
/* The order decides the registers. On x86-64 the first four are r12 to r15, which C functions keep; then come rdi, rsi, rdx and rcx, whose encodings are
 * shorter: they are for what every handler reads. */
#define PARAMS                                                                                     \
    const void *table_of_handlers, struct mote__instance *inst, uint8_t *mem, uint64_t len,        \
        const uint16_t *pc, uint64_t *fp, uint64_t r, struct mote__exec *exec, floats f
#define ARGS     table_of_handlers, inst, mem, len, pc, fp, r, exec, f
#define HANDLER  __attribute__((preserve_none))
typedef HANDLER uint32_t handler(PARAMS);
#define MUSTTAIL __attribute__((musttail))
#define H(name)  static HANDLER uint32_t h_##name(PARAMS)
#define DISPATCH() MUSTTAIL return ((handler *const *)table_of_handlers)[*pc](ARGS)
#define NEXT(n)                                                                                    \
    do {                                                                                           \
        pc += (n);                                                                                 \
        DISPATCH();                                                                                \
    } while (0)
#define LEAVE(status) return (status)
#define TRAP(code)                                                                                 \
    do {                                                                                           \
        r = (code);                                                                                \
        MUSTTAIL return raise_trap(ARGS);                                                          \
    } while (0)
#define STOP()          MUSTTAIL return raise_stop(ARGS)
#define STOP_AT_ENTRY() MUSTTAIL return raise_stop_at_entry(ARGS)
#define OUT_OF_BOUNDS() MUSTTAIL return raise_out_of_bounds(ARGS)
#define FAIL_CALL(status)                                                                          \
    do {                                                                                           \
        r = (status);                                                                              \
        MUSTTAIL return fail_call(ARGS);                                                           \
    } while (0)

#define LOWER_FIRST(own_index_)                                                                    \
    do {                                                                                           \
        r = (own_index_);                                                                          \
        MUSTTAIL return lower_first(ARGS);                                                         \
    } while (0)
#define CALL_HOST(func, callee_fp, site)                                                           \
    do {                                                                                           \
        exec->host_func = (func);                                                                  \
        exec->host_slots = (callee_fp) - (func)->type->param_slots;                                \
        pc = (site);                                                                               \
        MUSTTAIL return call_host(ARGS);                                                           \
    } while (0)
#define TAIL_HOST(func)                                                                            \
    do {                                                                                           \
        exec->host_func = (func);                                                                  \
        exec->host_slots = fp + S32(1);                                                            \
        MUSTTAIL return tail_host(ARGS);                                                           \
    } while (0)

__attribute__((noinline, cold)) static HANDLER uint32_t raise_trap(PARAMS) {
    return trap_at(exec, fp, pc, (uint32_t)r);
}

/* The two commonest reasons to stop: a jump in each handler, and nothing else. */
__attribute__((noinline, cold)) static HANDLER uint32_t raise_stop(PARAMS) {
    return trap_at(exec, fp, pc, stop_reason(exec));
}

__attribute__((noinline, cold)) static HANDLER uint32_t raise_stop_at_entry(PARAMS) {
    return stop_at_entry(exec, fp, pc);
}

__attribute__((noinline, cold)) static HANDLER uint32_t raise_out_of_bounds(PARAMS) {
    return trap_at(exec, fp, pc, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* A call or throw failed with the status in r: an exception may have a handler in this activation. */
__attribute__((noinline, cold)) static HANDLER uint32_t fail_call(PARAMS) {
    if (r != MOTE_E_EXCEPTION) return (uint32_t)r;
    mote_status status = mote__unwind(exec);
    if (status != MOTE_OK) return status;
    fp = exec->activation->fp;
    pc = exec->activation->pc;
    inst = frame_instance(fp);
    mem = inst->mem0->base;
    len = inst->mem0->bytes;
    DISPATCH();
}

__attribute__((noinline, cold)) static HANDLER uint32_t lower_first(PARAMS) {
    if (!lower_now(exec, inst, (uint32_t)r)) return exec->error->status;
    inst = frame_instance(fp);
    DISPATCH();
}

__attribute__((noinline)) static HANDLER uint32_t call_host(PARAMS) {
    mote_status status = call_host_now(exec, fp, pc);
    if (unlikely(status != MOTE_OK)) FAIL_CALL(status);
    mem = inst->mem0->base;
    len = inst->mem0->bytes;
    r = exec->host_slots[0];
    DISPATCH();
}

__attribute__((noinline)) static HANDLER uint32_t tail_host(PARAMS) {
    mote_status status = tail_host_now(exec, fp);
    if (unlikely(status != MOTE_OK)) FAIL_CALL(status);
    uint64_t *first = fp - pc[4];
    pc = (const uint16_t *)(uintptr_t)fp[FRAME_SITE];
    fp = (uint64_t *)(uintptr_t)fp[FRAME_CALLER];
    return_host_results(exec, first);
    r = first[0];
    inst = frame_instance(fp);
    mem = inst->mem0->base;
    len = inst->mem0->bytes;
    DISPATCH();
}

#include "run/interp_ops.inc"

static handler *const handlers[I_COUNT] = {
#define INSN(name) h_##name,
#include "run/insn.def"
};

mote_status mote__interp_run(struct mote__exec *exec) {
    return mote__interp_step(exec, exec->activation->fp, exec->activation->pc);
}

mote_status mote__interp_step(struct mote__exec *exec, uint64_t *fp, const uint16_t *pc) {
    struct mote__instance *inst = frame_instance(fp);
    return (mote_status)handlers[*pc](handlers, inst, inst->mem0->base, inst->mem0->bytes, pc, fp, 0, exec, (floats){0});
}

/* ---------------------------------------------------------------- a loop */

#else
#define H(name) case I_##name:
#define NEXT(n)                                                                                    \
    {                                                                                              \
        pc += (n);                                                                                 \
        goto next;                                                                                 \
    }
#define LEAVE(status) return (mote_status)(status)
#define TRAP(code)    return trap_at(exec, fp, pc, (code))
#define STOP()          TRAP(stop_reason(exec))
#define STOP_AT_ENTRY() return stop_at_entry(exec, fp, pc)
#define OUT_OF_BOUNDS() TRAP(MOTE_TRAP_MEMORY_OUT_OF_BOUNDS)
#define FAIL_CALL(status)                                                                          \
    do {                                                                                           \
        failed = (status);                                                                         \
        goto fail;                                                                                 \
    } while (0)
#define LOWER_FIRST(own_index_)                                                                    \
    do {                                                                                           \
        r = (own_index_);                                                                          \
        goto lower_first;                                                                          \
    } while (0)
#define CALL_HOST(func, callee_fp, site)                                                           \
    do {                                                                                           \
        exec->host_func = (func);                                                                  \
        exec->host_slots = (callee_fp) - (func)->type->param_slots;                                \
        pc = (site);                                                                               \
        goto call_host;                                                                            \
    } while (0)
#define TAIL_HOST(func)                                                                            \
    do {                                                                                           \
        exec->host_func = (func);                                                                  \
        exec->host_slots = fp + S32(1);                                                            \
        goto tail_host;                                                                            \
    } while (0)

mote_status mote__interp_run(struct mote__exec *exec) {
    return mote__interp_step(exec, exec->activation->fp, exec->activation->pc);
}

mote_status mote__interp_step(struct mote__exec *exec, uint64_t *fp, const uint16_t *pc) {
    uint64_t r = 0, len;
    struct mote__instance *inst = frame_instance(fp);
    uint8_t *mem;
    floats f = {0};
    uint32_t failed;
again:
    mem = inst->mem0->base;
    len = inst->mem0->bytes;
next:
    switch ((enum mote__insn)*pc) {
#include "run/interp_ops.inc"
    case I_COUNT: break;
    }
    return mote__trap(exec, MOTE_TRAP_UNREACHABLE);
lower_first:
    if (!lower_now(exec, inst, (uint32_t)r)) return exec->error->status;
    inst = frame_instance(fp);
    goto next;
call_host:
    failed = call_host_now(exec, fp, pc);
    if (failed != MOTE_OK) goto fail;
    r = exec->host_slots[0];
    goto again;
tail_host:
    failed = tail_host_now(exec, fp);
    if (failed != MOTE_OK) goto fail;
    uint64_t *first = fp - pc[4];
    pc = (const uint16_t *)(uintptr_t)fp[FRAME_SITE];
    fp = (uint64_t *)(uintptr_t)fp[FRAME_CALLER];
    return_host_results(exec, first);
    r = first[0];
    inst = frame_instance(fp);
    goto again;
fail:
    if (failed != MOTE_E_EXCEPTION) return (mote_status)failed;
    failed = mote__unwind(exec);
    if (failed != MOTE_OK) return (mote_status)failed;
    fp = exec->activation->fp;
    pc = exec->activation->pc;
    inst = frame_instance(fp);
    goto again;
}
#endif
