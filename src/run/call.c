/* call.c - between C and WebAssembly: execs, calls from the host, calls to the host, traps.
 * A call from C pushes a dummy frame with the callee's instance (so that returning to it needs no special case), then the arguments, then the callee's
 * header, and runs until the exit instruction. The value stack is reserved once per exec; frames of nested calls go on above exec->top.
 * Keeps: exec->activation, top and error are as before when mote__call returns, whatever happened. */
#include <string.h>

#include "run/code.h"
#include "run/exec.h"
#include "run/insn.h"
#include "run/tier.h"

static const uint16_t exit_units[] = {I_exit};

/* ---------------------------------------------------------------- execs */

mote_status mote__exec_new(mote_store *store, size_t stack_bytes, struct mote__exec **out, mote_error *error) {
    const mote_allocator *a = &store->engine->config.allocator;
    size_t page = mote__os_page_bytes(), bytes = (stack_bytes + page - 1) / page * page;
    struct mote__exec *exec = MOTE__NEW(a, struct mote__exec);
    if (!exec) return mote__error_nomem(error, "making a store's stack");
    exec->stack = mote__stack_take(store->engine, bytes);
    if (!exec->stack) {
        MOTE__DELETE(a, exec);
        return mote__error_set(error, MOTE_E_NOMEM, MOTE_NO_OFFSET, "cannot reserve %zu bytes for the value stack", bytes);
    }
    exec->store = store;
    exec->stack_bytes = bytes;
    exec->stack_end = exec->stack + bytes / sizeof *exec->stack;
    exec->top = exec->stack;
    exec->metered = store->engine->config.fuel;
    mote__exec_rearm(exec);
    const struct mote__tier *tier = store->engine->tier;
    mote_status status = tier ? tier->exec_begin(exec, error) : MOTE_OK;
    if (status != MOTE_OK) mote__exec_delete(exec);
    else *out = exec;
    return status;
}

void mote__exec_delete(struct mote__exec *exec) {
    if (!exec) return;
    if (exec->native_stack) exec->store->engine->tier->exec_end(exec);
    mote__stack_give(exec->store->engine, exec->stack, exec->stack_bytes, false);
    MOTE__DELETE(&exec->store->engine->config.allocator, exec);
}

void mote__exec_stop(struct mote__exec *exec, uint32_t trap) {
    uint32_t none = MOTE_TRAP_NONE;
    if (atomic_compare_exchange_strong(&exec->interrupt, &none, trap | INTERRUPT_RAISING)) {
        atomic_store(&exec->stack_limit, NULL);
        atomic_store(&exec->interrupt, trap);
    }
    atomic_fetch_add(&exec->park, 1);
    mote__os_wake(&exec->park, UINT32_MAX);
}

/* Lowering the limit after this would look like a full stack: whoever is about to do it is waited for, which takes as long as two stores. */
void mote__exec_rearm(struct mote__exec *exec) {
    enum { RAISING_NS = 20000 };
    uint32_t seen;
    while ((seen = atomic_load(&exec->interrupt)) & INTERRUPT_RAISING)
        mote__os_wait(&exec->interrupt, seen, mote__os_clock_ns(OS_CLOCK_MONOTONIC) + RAISING_NS);
    atomic_store(&exec->stack_limit, exec->stack_end);
    atomic_store(&exec->interrupt, MOTE_TRAP_NONE);
}

/* ---------------------------------------------------------------- traps */

mote_status mote__trap(struct mote__exec *exec, uint32_t trap) {
    if (trap == MOTE_TRAP_INTERRUPTED || trap == MOTE_TRAP_DEADLINE) mote__exec_rearm(exec);
    mote__error_set(exec->error, MOTE_E_TRAP, MOTE_NO_OFFSET, "%s", mote_trap_text(trap));
    exec->error->trap = trap;
    mote__record_backtrace(exec);
    return MOTE_E_TRAP;
}

/* ---------------------------------------------------------------- to the host */

mote_status mote__host_call(struct mote__exec *exec, struct mote__func *func, struct mote__instance *from, uint64_t *slots) {
    const mote_type *type = func->type;
    uint64_t *top = exec->top;
    struct mote_caller caller = {.exec = exec, .instance = from};
    exec->top = slots + (type->param_slots > type->result_slots ? type->param_slots : type->result_slots);
    exec->error->status = MOTE_OK;
    mote_status status = func->raw ? func->raw(func->env, &caller, slots) : mote__host_call_typed(&caller, func, slots);
    exec->top = top;
    if (status == MOTE_OK) {
        uint32_t reason = mote__exec_interrupt(exec);
        return reason == MOTE_TRAP_NONE ? MOTE_OK : mote__trap(exec, reason);
    }
    if (status == MOTE_E_EXCEPTION) {
        if (!exec->pending) exec->pending = exec->store->exception; /* it left a nested call, and the host lets it go on */
        exec->store->exception = 0;
        if (exec->pending) return MOTE_E_EXCEPTION;
        status = MOTE_E_TRAP;
    }
    if (exec->error->status != status) {
        mote__error_set(exec->error, status, MOTE_NO_OFFSET, "%s: %s", mote_trap_text(MOTE_TRAP_HOST), mote_status_name(status));
        exec->error->trap = status == MOTE_E_TRAP ? MOTE_TRAP_HOST : 0;
    }
    if (status == MOTE_E_TRAP) mote__record_backtrace(exec);
    return status;
}

/* ---------------------------------------------------------------- from the host */

/* What a call from C runs: a function's code, code that belongs to none, or a host function. */
struct entry {
    struct mote__instance *instance; /* NULL: a host function */
    struct mote__func *func;
    const struct mote__code *code;
    uint32_t param_slots, result_slots;
};

static mote_status overflow(struct mote__exec *exec) {
    uint32_t reason = mote__exec_interrupt(exec);
    return mote__trap(exec, reason ? reason : MOTE_TRAP_STACK_OVERFLOW);
}

static mote_status run_compiled(struct mote__exec *exec, uint32_t own_index, uint64_t *fp) {
    struct mote__instance *instance = (struct mote__instance *)(uintptr_t)fp[FRAME_INSTANCE];
    exec->activation->fp = exec->activation->base;
    return exec->store->engine->tier->enter(exec, instance, own_index, fp);
}

/* Pushes the callee's frame, whose header has room, and runs it. `args` are in place above the dummy frame. */
static mote_status run_frame(struct mote__exec *exec, const struct entry *e, uint64_t *args) {
    struct mote__activation *act = exec->activation;
    const struct mote__code *code = e->code;
    uint64_t *fp = args + e->param_slots;
    fp[FRAME_SITE] = (uint64_t)(uintptr_t)exit_units;
    fp[FRAME_CALLER] = (uint64_t)(uintptr_t)act->base;
    fp[FRAME_INSTANCE] = (uint64_t)(uintptr_t)e->instance;
    act->fp = fp;
    act->pc = code->units;
    if (fp + code->frame_slots > atomic_load_explicit(&exec->stack_limit, memory_order_relaxed)) return overflow(exec);
    memset(fp + FRAME_HEADER, 0, code->zero_slots * sizeof *fp);
    mote_status status = mote__interp_run(exec);
    return (int)status == MOTE__TAIL_COMPILED ? run_compiled(exec, exec->tail_index, act->fp) : status;
}

/* Pushes the frame of a function that the engine's tier runs. */
static mote_status run_tier_frame(struct mote__exec *exec, const struct entry *e, uint64_t *args) {
    struct mote__activation *act = exec->activation;
    uint64_t *fp = args + e->param_slots;
    fp[FRAME_CALLER] = (uint64_t)(uintptr_t)act->base;
    fp[FRAME_INSTANCE] = (uint64_t)(uintptr_t)e->instance;
    return run_compiled(exec, e->func->own_index, fp);
}

/* The thread's own stack is finite: calls that go through the host and back may use so much of it. */
static bool enough_native_stack(struct mote__exec *exec, bool outermost) {
    uintptr_t at = (uintptr_t)__builtin_frame_address(0);
    if (outermost) exec->native_limit = at > exec->store->limits.native_stack_bytes ? at - exec->store->limits.native_stack_bytes : 0;
    return at >= exec->native_limit;
}

static mote_status run_entry(struct mote__exec *exec, const struct entry *e, uint64_t *slots) {
    struct mote__activation *act = exec->activation;
    uint32_t room = e->param_slots > e->result_slots ? e->param_slots : e->result_slots;
    uint64_t *args = act->base + FRAME_HEADER;
    /* an interrupt lowers the limit only: a function of WebAssembly notices that itself, and is on top of the backtrace then */
    const uint64_t *limit = e->instance ? exec->stack_end : atomic_load_explicit(&exec->stack_limit, memory_order_relaxed);
    if (!enough_native_stack(exec, !act->outer) || args + room + FRAME_HEADER > limit) return overflow(exec);
    act->base[FRAME_SITE] = act->base[FRAME_CALLER] = 0;
    act->base[FRAME_INSTANCE] = (uint64_t)(uintptr_t)e->instance;
    memcpy(args, slots, e->param_slots * sizeof *args);
    mote_status status = !e->instance ? mote__host_call(exec, e->func, NULL, args)
                         : e->code   ? run_frame(exec, e, args)
                                     : run_tier_frame(exec, e, args);
    if (status == MOTE_OK) memcpy(slots, args, e->result_slots * sizeof *args);
    return status;
}

/* An exception that leaves this call waits in the store for the host. */
static void leave_exception(struct mote__exec *exec) {
    exec->store->exception = exec->pending;
    exec->pending = 0;
    mote__error_set(exec->error, MOTE_E_EXCEPTION, MOTE_NO_OFFSET, "%s", mote_trap_text(MOTE_TRAP_UNCAUGHT_EXCEPTION));
}

static mote_status enter(mote_store *store, const struct entry *e, uint64_t *slots, mote_error *error) {
    struct mote__exec *exec = store->exec;
    mote_error *outer_error = exec->error;
    struct mote__activation act = {.outer = exec->activation, .base = exec->top};
    act.fp = act.base;
    exec->activation = &act;
    exec->error = error;
    error->status = MOTE_OK;
    mote_status status = run_entry(exec, e, slots);
    if (status == MOTE_E_EXCEPTION) leave_exception(exec);
    exec->activation = act.outer;
    exec->error = outer_error;
    if (status != MOTE_OK && outer_error) *outer_error = *error; /* the host may just pass the status on */
    return status;
}

mote_status mote__call(mote_store *store, struct mote__func *func, uint64_t *slots, mote_error *error) {
    struct entry e = {.instance = func->instance, .func = func, .param_slots = func->type->param_slots, .result_slots = func->type->result_slots};
    mote_status status = MOTE_OK;
    if (func->instance && !func->instance->cells) {
        e.code = mote__code_get(func->instance->module, func->index, &status, error);
        if (!e.code) return status;
    }
    return enter(store, &e, slots, error);
}

mote_status mote__run_code(struct mote__instance *instance, const struct mote__code *code, uint64_t *slots, mote_error *error) {
    struct entry e = {.instance = instance, .code = code, .result_slots = code->result_slots};
    return enter(instance->store, &e, slots, error);
}
