/* exec.h - an execution context: a value stack with frames of WebAssembly, and everything that running code needs at hand.
 *
 * Frame layout, in 8-byte slots, growing upwards. fp points at the header, parameters lie below it (they are the top of the caller's
 * operands, so that a call moves nothing), locals and operands above it:
 *
 *     fp[-P .. -1]   parameters            results are left at the same place: fp[-P ..]
 *     fp[0]          call site: where the caller goes on (interpreter: the next instruction)
 *     fp[1]          caller's fp
 *     fp[2]          this frame's instance
 *     fp[3 ..]       locals, then operands
 *
 * A v128 takes two slots. Every live value is in its slot at each observable call (calls, allocations, throws, traps); there `mote__code_site` finds
 * the function, its reference map and its handlers from the call site. Frames of other tiers keep the same header. */
#ifndef MOTE_RUN_EXEC_H
#define MOTE_RUN_EXEC_H

#include "run/store.h"

enum { FRAME_SITE = 0, FRAME_CALLER = 1, FRAME_INSTANCE = 2, FRAME_HEADER = 3 };

/* A stretch of WebAssembly frames between two C frames: where the host went in, and from where wasm last went out to the host. */
struct mote__activation {
    struct mote__activation *outer;
    uint64_t *base;     /* the dummy frame below its first frame */
    uint64_t *fp;       /* innermost frame and its site, set whenever C is entered */
    const uint16_t *pc;
    const uint64_t *sp; /* compiled frames: where the innermost one's return address is */
    bool compiled;      /* its frames run machine code (tier.h) */
};

struct mote__exec {
    _Atomic(uint64_t *) stack_limit; /* frames must end below it; an interrupt lowers it to NULL */
    _Atomic uint32_t interrupt;      /* 0, or the mote_trap to raise at the next check; see mote__exec_interrupt */
    _Atomic uint32_t park;           /* counts what may end a wait: wakes and interrupts (park.c) */
    uint8_t *heap;                   /* base of the store's garbage-collected heap */
    uint64_t heap_top, heap_limit;   /* in it: the next object, and what objects may not go beyond without asking gc.c */
    uint64_t fuel;                   /* left; only with mote_config.fuel */
    mote_fuel_source *fuel_source;   /* asked when it runs out; may be NULL */
    void *fuel_context;
    bool metered;                    /* fuel is counted */
    bool at_instruction;             /* a trap is being raised: the activation's pc is the instruction's, not a site */
    mote_store *store;
    uint64_t *stack, *stack_end;
    uint64_t *top;                   /* first free slot when C is entered */
    struct mote__activation *activation; /* innermost; NULL when idle */
    mote_error *error;               /* of the call under way */
    struct mote__func *host_func;    /* the host function that an instruction is about to call ... */
    uint64_t *host_slots;            /* ... and its arguments' place */
    uint64_t pending;                /* exception being thrown (exnref), a root ... */
    uint64_t traced;                 /* ... and the same when its backtrace has been recorded, or was found not to be wanted */
    uint64_t scratch[4];             /* roots while an object is being made */
    uintptr_t native_limit;          /* lowest address the thread's stack may reach; 0: not entered yet */
    size_t stack_bytes;              /* reserved */
    /* compiled code (tier.h) */
    uintptr_t thread_sp;             /* of the C code that entered it */
    uint64_t *native_sp;             /* of compiled code that entered C; where the next one begins */
    uint64_t *native_stack;          /* lowest address; NULL without a tier */
    size_t native_bytes;
    uint64_t *results;               /* of an interpreted or host function that compiled code called */
    uint64_t returned[3];            /* what a compiled function left in its result registers: an integer, a vector */
    const void *resume;              /* where compiled code goes on after an exception was delivered */
    uint32_t tail_index;             /* with MOTE__TAIL_COMPILED: own index of the function */
};

/* An exception is thrown, which is not one that is on its way already. */
static inline void mote__exec_throw(struct mote__exec *exec, uint64_t exception) {
    exec->pending = exception;
    exec->traced = 0;
}

/* In `interrupt` while somebody is between setting it and lowering the stack limit: taking both back waits for that. */
#define INTERRUPT_RAISING UINT32_C(0x80000000)
/* The trap that somebody asked for, or MOTE_TRAP_NONE. */
static inline uint32_t mote__exec_interrupt(const struct mote__exec *exec) {
    return atomic_load_explicit(&exec->interrupt, memory_order_acquire) & ~INTERRUPT_RAISING;
}
/* Asks for a trap unless one is asked for already. From any thread, lock-free. */
void mote__exec_stop(struct mote__exec *exec, uint32_t trap);

/* Takes fuel, more of it from the source if need be. False when there is not enough: then none is left. */
bool mote__exec_charge(struct mote__exec *exec, uint64_t cost);

mote_status mote__exec_new(mote_store *store, size_t stack_bytes, struct mote__exec **out, mote_error *error);
void mote__exec_delete(struct mote__exec *exec);
/* The effective stack limit again after an interrupt was dealt with. */
void mote__exec_rearm(struct mote__exec *exec);

/* What the host's side of a call sees; `mote_caller` of the API. */
struct mote_caller {
    struct mote__exec *exec;
    struct mote__instance *instance; /* whose code called; NULL: the host */
};

/* Calls a function from C: `slots` holds arguments and takes results. Sets exec->error's text on failure; statuses of mote_call. Re-entrant. */
mote_status mote__call(mote_store *store, struct mote__func *func, uint64_t *slots, mote_error *error);

/* Runs code that belongs to no function (a constant expression) in an instance; results as in mote__call. */
struct mote__code;
mote_status mote__run_code(struct mote__instance *instance, const struct mote__code *code, uint64_t *slots, mote_error *error);
/* Runs the frame that the activation's fp and pc name until it returns to the activation's base (interp.c): statuses of mote_call. */
mote_status mote__interp_run(struct mote__exec *exec);

/* Looks for a handler of exec->pending among the frames of the current activation: MOTE_OK with the activation's fp and pc at the handler, what it
 * catches delivered; or MOTE_E_EXCEPTION (unwind.c). */
mote_status mote__unwind(struct mote__exec *exec);

/* Fills the store's backtrace from the frames of all activations, the current one's fp and pc first (unwind.c). */
void mote__record_backtrace(struct mote__exec *exec);
/* Sets exec->error to a trap with its text, records the backtrace, rearms after an interrupt; returns MOTE_E_TRAP. */
mote_status mote__trap(struct mote__exec *exec, uint32_t trap);

/* Calls a host function on slots (call.c): statuses of mote_host_fn. An exception is left in exec->pending; every other failure has its text in
 * exec->error. Typed ones go through mote__host_call_typed (value.c). */
mote_status mote__host_call_typed(struct mote_caller *caller, struct mote__func *func, uint64_t *slots);
mote_status mote__host_call(struct mote__exec *exec, struct mote__func *func, struct mote__instance *from, uint64_t *slots);
/* The same for a typed one: slots become values and back, references handles for the time of the call (value.c). */
mote_status mote__host_call_typed(struct mote_caller *caller, struct mote__func *func, uint64_t *slots);

#endif
