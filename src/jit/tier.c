/* tier.c - the baseline tier as an engine sees it: making its parts, entering compiled code, compiling on first calls, faults, and the C side of
 * the thunks. Compiled code has an activation of its own for each entry; its first frame's caller is the activation's base. */
#include "jit/jit.h"
#include "wasm/limits.h"

/* ---------------------------------------------------------------- faults */

enum { ENGINES_MAX = 1 << 16 }; /* more than there is address space for */
/* Code memories in use, for the fault handler: slots are set and cleared, never moved. */
static struct code_range { _Atomic uintptr_t start; _Atomic uintptr_t trap; } ranges[ENGINES_MAX];
static _Atomic uint32_t range_count; /* slots ever used */

/* A memory access that faulted becomes a trap: THUNK_TRAP with the faulting address as its return address. */
static bool on_fault(struct os_fault *fault) {
    if (fault->kind == OS_FAULT_ARITHMETIC) return false;
    uint32_t count = atomic_load(&range_count);
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t start = atomic_load_explicit(&ranges[i].start, memory_order_acquire);
        if (!start || fault->pc - start >= LIMIT_CODE_MEMORY) continue;
        uintptr_t sp = fault->sp - sizeof(uint64_t), site = fault->pc + 1; /* as if the instruction had been a call */
        memcpy((void *)sp, &site, sizeof site);
        mote__os_fault_redirect(fault, atomic_load(&ranges[i].trap), sp, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
        return true;
    }
    return false;
}

static bool add_range(const struct jit_engine *jit) {
    for (uint32_t i = 0; i < ENGINES_MAX; i++) {
        uintptr_t free_slot = 0;
        if (!atomic_compare_exchange_strong(&ranges[i].start, &free_slot, 1)) continue; /* 1: nobody's code, until the trap is set */
        atomic_store(&ranges[i].trap, (uintptr_t)jit_address(jit, jit->thunks[THUNK_TRAP]));
        atomic_store(&ranges[i].start, (uintptr_t)jit->map.execute);
        uint32_t count = atomic_load(&range_count);
        while (count < i + 1 && !atomic_compare_exchange_weak(&range_count, &count, i + 1)) continue;
        return true;
    }
    return false;
}

static void remove_range(const struct jit_engine *jit) {
    uint32_t count = atomic_load(&range_count);
    for (uint32_t i = 0; i < count; i++)
        if (atomic_load(&ranges[i].start) == (uintptr_t)jit->map.execute) atomic_store(&ranges[i].start, 0);
}

/* ---------------------------------------------------------------- engines and modules */

static void engine_end(mote_engine *engine) {
    mote__jit_watch_end(engine->tier_data);
    remove_range(engine->tier_data);
    mote__jit_engine_delete(engine->tier_data);
}

static mote_status engine_begin(mote_engine *engine) {
    struct jit_engine *jit = NULL;
    if (!mote__os_fault_install(on_fault)) return MOTE_E_UNSUPPORTED;
    mote_status status = mote__jit_engine_new(engine, &jit);
    if (status != MOTE_OK) return status;
    if (!add_range(jit)) {
        mote__jit_engine_delete(jit);
        return MOTE_E_UNSUPPORTED;
    }
    engine->tier_data = jit;
    status = mote__jit_watch_begin(engine, jit);
    if (status == MOTE_OK) return MOTE_OK;
    engine_end(engine);
    return status;
}

static void *host_cell(mote_engine *engine) {
    struct jit_engine *jit = engine->tier_data;
    return jit_address(jit, jit->host_cell);
}

static mote_status module_begin(mote_module *module, mote_error *error) {
    struct jit_engine *jit = module->engine->tier_data;
    struct jit_module *jm;
    uint32_t count = module->func_count - module->func_import_count;
    TRY(mote__jit_module_new(jit, count, &jm, error));
    module->tier_data = jm;
    module->cells = (_Atomic(void *) *)(void *)jit_address(jit, jm->cells);
    for (uint32_t i = 0; i < count; i++) atomic_store_explicit(&module->cells[i], jit_address(jit, jit->thunks[THUNK_LAZY]), memory_order_relaxed);
    return MOTE_OK;
}

static void module_end(mote_module *module) {
    mote__jit_watch_module_end(module);
    mote__jit_module_delete(module->tier_data);
}

/* ---------------------------------------------------------------- execs */

/* A frame has 3 slots or more and one return address: a third of the value stack's size, and room for what a thunk needs. */
static mote_status exec_begin(struct mote__exec *exec, mote_error *error) {
    size_t page = mote__os_page_bytes(), bytes = (exec->stack_bytes / FRAME_HEADER + 2 * page - 1) / page * page;
    uint64_t *stack = mote__stack_take(exec->store->engine, bytes);
    if (!stack) return mote__error_set(error, MOTE_E_NOMEM, MOTE_NO_OFFSET, "cannot reserve %zu bytes for the native stack", bytes);
    exec->native_stack = stack;
    exec->native_bytes = bytes;
    exec->native_sp = stack + bytes / sizeof *stack;
    return MOTE_OK;
}

static void exec_end(struct mote__exec *exec) { mote__stack_give(exec->store->engine, exec->native_stack, exec->native_bytes, true); }

/* A function's single result, from the register that it is in to its slot. */
static void store_result(const struct mote__exec *exec, const mote_type *type, uint64_t *first) {
    if (type->result_count != 1) return;
    valtype result = mote__type_result(type, 0);
    bool in_vector = result == VT_F32 || result == VT_F64 || result == VT_V128;
    memcpy(first, in_vector ? &exec->returned[1] : &exec->returned[0], mote__vt_slots(result) * sizeof *first);
}

static mote_status enter(struct mote__exec *exec, struct mote__instance *inst, uint32_t own_index, uint64_t *fp) {
    struct jit_engine *jit = exec->store->engine->tier_data;
    const mote_type *type = inst->module->func_types[own_index + inst->module->func_import_count];
    uint64_t *base = (uint64_t *)(uintptr_t)fp[FRAME_CALLER], *native_sp = exec->native_sp;
    uintptr_t thread_sp = exec->thread_sp;
    struct mote__activation act = {.outer = exec->activation, .base = base, .fp = base, .compiled = true};
    if (!mote__os_fault_thread_init()) return mote__error_nomem(exec->error, "making a signal stack");
    mote__jit_enter_fn *enter_code;
    void *address = jit_address(jit, jit->thunks[THUNK_ENTER]);
    memcpy(&enter_code, &address, sizeof address);
    exec->activation = &act;
    mote_status status = (mote_status)enter_code(exec, fp, inst, atomic_load_explicit(&inst->cells[own_index], memory_order_acquire), own_index);
    exec->activation = act.outer;
    exec->native_sp = native_sp;
    exec->thread_sp = thread_sp;
    if (status == MOTE_OK) store_result(exec, type, fp - type->param_slots);
    return status;
}

/* ---------------------------------------------------------------- compiling on a first call */

void mote__jit_relocate(const struct jit_output *out, uint8_t *to, code_offset at) {
    memcpy(to, out->code.data, out->code.count);
    for (size_t i = 0; i < out->relocations.count; i++) {
        struct jit_relocation r = out->relocations.data[i];
        uint32_t distance = r.target - (at + r.at + 4);
        memcpy(to + r.at, &distance, sizeof distance);
    }
}

mote_status mote__jit_announce(mote_module *module, uint32_t own_index, struct jit_function function) {
    struct jit_module *jm = module->tier_data;
    if (jm->engine->is_watched && !mote__jit_watch_function(module, own_index, function)) return MOTE_E_NOMEM;
    return mote__jit_list(jm, function) ? MOTE_OK : MOTE_E_NOMEM;
}

/* Gives compiled code its place; the tables become the module's. MOTE_E_LIMIT: code memory is full, so the function is left to the interpreter. */
static mote_status place(mote_module *module, uint32_t own_index, struct jit_output *out, void **entry) {
    struct jit_module *jm = module->tier_data;
    code_offset at;
    TRY(mote__jit_room(jm, (uint32_t)out->code.count, &at));
    mote__jit_relocate(out, jm->engine->map.write + at, at);
    struct jit_function function = {at, at + (code_offset)out->code.count, out->tables};
    TRY(mote__jit_announce(module, own_index, function));
    out->tables = NULL;
    *entry = jit_address(jm->engine, at);
    return MOTE_OK;
}

bool mote__jit_is_excluded(const mote_module *module, uint32_t own_index) {
    const mote_config *config = &module->engine->config;
    uint32_t index = own_index + module->func_import_count;
    if (!mote__jit_is_at_home(((struct jit_module *)module->tier_data)->engine)) return true;
    return index < config->compile_first || (config->compile_end && index >= config->compile_end);
}

void *mote__jit_entry(mote_module *module, uint32_t own_index, enum jit_result result, struct jit_scratch *scratch, mote_status *status, mote_error *error) {
    struct jit_module *jm = module->tier_data;
    struct jit_engine *jit = jm->engine;
    void *lazy = jit_address(jit, jit->thunks[THUNK_LAZY]), *entry = NULL;
    mote__os_mutex_lock(&jm->lock);
    void *now = atomic_load(&module->cells[own_index]);
    if (now != lazy) entry = now;
    else if (result == JIT_DONE) *status = place(module, own_index, mote__jit_output(scratch), &entry);
    if (*status == MOTE_E_NOMEM && result == JIT_DONE) mote__error_nomem(error, "compiling a function");
    if (!entry && (result == JIT_LEFT || *status == MOTE_E_LIMIT)) entry = jit_address(jit, jit->thunks[THUNK_INTERPRET]);
    if (entry) atomic_store_explicit(&module->cells[own_index], entry, memory_order_release);
    mote__os_mutex_unlock(&jm->lock);
    mote__jit_done(module, scratch);
    return entry;
}

void *mote__jit_function_entry(mote_module *module, uint32_t own_index, mote_status *status, mote_error *error) {
    struct jit_scratch *scratch = NULL;
    enum jit_result result = mote__jit_is_excluded(module, own_index) ? JIT_LEFT : mote__jit_compile(module, own_index, &scratch, status, error);
    return mote__jit_entry(module, own_index, result, scratch, status, error);
}

/* Decides now, so that the interpreter and the tier never leave a function to each other. */
static bool compiles(mote_module *module, uint32_t own_index) {
    const struct jit_engine *jit = ((struct jit_module *)module->tier_data)->engine;
    void *entry = atomic_load(&module->cells[own_index]);
    mote_status status = MOTE_OK;
    mote_error error;
    if (entry == (void *)jit_address(jit, jit->thunks[THUNK_LAZY])) entry = mote__jit_function_entry(module, own_index, &status, &error);
    return entry && entry != (void *)jit_address(jit, jit->thunks[THUNK_INTERPRET]);
}

struct jit_two mote__jit_lazy(struct mote__exec *exec, struct mote__instance *inst, uint32_t own_index) {
    mote_status status = MOTE_OK;
    void *entry = mote__jit_function_entry(inst->module, own_index, &status, exec->error);
    if (entry) return (struct jit_two){(uintptr_t)entry, own_index};
    return (struct jit_two){0, status};
}

/* ---------------------------------------------------------------- the C side of the thunks */

/* Statuses as helpers return them. */
static uint32_t failed(mote_status status) { return status == MOTE_OK ? 0 : JIT_STATUS + (uint32_t)status; }

uint32_t mote__jit_stop_reason(struct mote__exec *exec) {
    uint32_t reason = mote__exec_interrupt(exec);
    return reason ? reason : MOTE_TRAP_STACK_OVERFLOW;
}

/* A segment's cost has been taken from less fuel than that. */
uint32_t mote__jit_charge(struct mote__exec *exec) {
    uint64_t cost = exec->returned[0];
    exec->fuel += cost;
    return mote__exec_charge(exec, cost) ? 0 : MOTE_TRAP_OUT_OF_FUEL;
}

uint32_t mote__jit_fail(struct mote__exec *exec, uint32_t code) {
    if (code < JIT_STATUS) return mote__trap(exec, code);
    if (code - JIT_STATUS != MOTE_E_EXCEPTION) return code - JIT_STATUS;
    return mote__unwind(exec);
}

/* The thread's stack is finite: calls back and forth between the interpreter and compiled code use it. */
static bool enough_thread_stack(const struct mote__exec *exec) { return (uintptr_t)__builtin_frame_address(0) >= exec->native_limit; }

/* Runs lowered code in the frame that compiled code made. */
static mote_status interpret(struct mote__exec *exec, uint64_t *fp, struct mote__instance *inst, const struct mote__code *code) {
    static const uint16_t exit_units[] = {I_exit};
    struct mote__activation act = {.outer = exec->activation, .base = (uint64_t *)(uintptr_t)fp[FRAME_CALLER], .fp = fp, .pc = code->units};
    bool enough = enough_thread_stack(exec) && fp + code->frame_slots <= atomic_load_explicit(&exec->stack_limit, memory_order_relaxed);
    fp[FRAME_SITE] = (uint64_t)(uintptr_t)exit_units;
    fp[FRAME_INSTANCE] = (uint64_t)(uintptr_t)inst;
    exec->activation = &act;
    if (enough) memset(fp + FRAME_HEADER, 0, code->zero_slots * sizeof *fp);
    mote_status status = enough ? mote__interp_run(exec) : mote__trap(exec, mote__jit_stop_reason(exec));
    exec->activation = act.outer;
    exec->results = act.fp; /* of a tail call */
    return status;
}

struct jit_two mote__jit_interpret(struct mote__exec *exec, uint64_t *fp, struct mote__instance *inst, uint32_t own_index) {
    mote_status status = MOTE_OK;
    mote_module *module = inst->module;
    const struct mote__code *code = mote__code_get(module, own_index + module->func_import_count, &status, exec->error);
    if (code) status = interpret(exec, fp, inst, code);
    if ((int)status == MOTE__TAIL_COMPILED) {
        const struct mote__instance *other = (const struct mote__instance *)(uintptr_t)exec->results[FRAME_INSTANCE];
        return (struct jit_two){0, (uintptr_t)atomic_load(&other->cells[exec->tail_index])};
    }
    if (code) exec->results = fp - code->param_slots;
    return (struct jit_two){failed(status), 0};
}

uint32_t mote__jit_host(struct mote__exec *exec, uint64_t *fp, struct mote__func *func, struct mote__instance *from) {
    uint64_t *slots = fp - func->type->param_slots;
    mote_status status = mote__host_call(exec, func, from, slots);
    exec->results = slots;
    return failed(status);
}

static uint32_t help_step(struct mote__exec *exec, uint64_t units, uint64_t b, uint64_t c, uint64_t d) {
    (void)b, (void)c, (void)d;
    return failed(mote__interp_step(exec, exec->activation->fp, (const uint16_t *)(uintptr_t)units));
}

static struct mote__memory *memory_0(const struct mote__exec *exec) {
    return ((const struct mote__instance *)(uintptr_t)exec->activation->fp[FRAME_INSTANCE])->mem0;
}

/* What a bulk operation costs beyond the instruction. */
static bool pays(struct mote__exec *exec, uint64_t bytes) { return !exec->metered || mote__exec_charge(exec, bytes / 64); }

static uint32_t help_memory_fill(struct mote__exec *exec, uint64_t to, uint64_t value, uint64_t count, uint64_t d) {
    (void)d;
    if (!pays(exec, count)) return MOTE_TRAP_OUT_OF_FUEL;
    return mote__memory_fill(memory_0(exec), to, (uint8_t)value, count);
}

static uint32_t help_memory_copy(struct mote__exec *exec, uint64_t to, uint64_t from, uint64_t count, uint64_t d) {
    (void)d;
    struct mote__memory *memory = memory_0(exec);
    if (!pays(exec, count)) return MOTE_TRAP_OUT_OF_FUEL;
    return mote__memory_copy(memory, to, memory, from, count);
}

static uint32_t help_throw_(struct mote__exec *exec, uint64_t values, uint64_t tag, uint64_t c, uint64_t d) {
    (void)c, (void)d;
    struct mote__instance *inst = (struct mote__instance *)(uintptr_t)exec->activation->fp[FRAME_INSTANCE];
    uint64_t ref = mote__gc_new_exception(exec, inst->tags[tag], (const uint64_t *)(uintptr_t)values);
    if (!ref) return MOTE_TRAP_GC_HEAP_EXHAUSTED;
    mote__exec_throw(exec, ref);
    return JIT_STATUS + MOTE_E_EXCEPTION;
}

static uint32_t help_throw_ref(struct mote__exec *exec, uint64_t exception, uint64_t b, uint64_t c, uint64_t d) {
    (void)b, (void)c, (void)d;
    if (!exception) return MOTE_TRAP_NULL_EXCEPTION;
    mote__exec_throw(exec, exception);
    return JIT_STATUS + MOTE_E_EXCEPTION;
}

static struct mote__instance *instance_of(const struct mote__exec *exec) {
    return (struct mote__instance *)(uintptr_t)exec->activation->fp[FRAME_INSTANCE];
}

static uint32_t help_table_get(struct mote__exec *exec, uint64_t table_index, uint64_t element, uint64_t c, uint64_t d) {
    (void)c, (void)d;
    return mote__table_get(instance_of(exec)->tables[table_index], element, &exec->returned[0]) ? 0 : MOTE_TRAP_ALLOCATION_FAILED;
}

static uint32_t help_ref_func(struct mote__exec *exec, uint64_t func_index, uint64_t b, uint64_t c, uint64_t d) {
    (void)b, (void)c, (void)d;
    struct mote__func *func = mote__instance_func(instance_of(exec), (uint32_t)func_index);
    exec->returned[0] = (uintptr_t)func;
    return func ? 0 : MOTE_TRAP_ALLOCATION_FAILED;
}

/* A table element that is not simply of the expected type: its function is made, or its type is a subtype, or it traps. */
static uint32_t help_resolve(struct mote__exec *exec, uint64_t table_index, uint64_t type_id, uint64_t element, uint64_t d) {
    (void)d;
    struct mote__table *table = instance_of(exec)->tables[table_index];
    struct mote__func *func = NULL;
    if (element >= table->size) return MOTE_TRAP_UNDEFINED_ELEMENT;
    uint32_t trap = mote__table_resolve(table, element, (uint32_t)type_id, &func);
    exec->returned[0] = (uintptr_t)func;
    return trap;
}

jit_helper_fn *const mote__jit_helpers[HELPER_COUNT] = {
#define X(name) help_##name,
    JIT_HELPERS(X)
#undef X
};

/* ---------------------------------------------------------------- for whoever walks frames */

static const struct mote__code *code_of_site(mote_module *module, const void *site, uint32_t *offset) {
    struct jit_module *jm = module->tier_data;
    struct jit_function f;
    code_offset at = jit_offset(jm->engine, site);
    if (!mote__jit_find(jm, at - 1, &f)) return NULL;
    *offset = at - f.start;
    return f.tables;
}

static uint64_t wasm_offset(mote_module *module, uint32_t func_index, uint32_t offset) {
    return mote__jit_wasm_offset(module, func_index - module->func_import_count, offset);
}

const struct mote__tier *mote__jit_tier(void) {
    static const struct mote__tier tier = {
        .name = "baseline", .engine_begin = engine_begin, .module_begin = module_begin, .module_end = module_end, .engine_end = engine_end, .enter = enter,
        .exec_begin = exec_begin, .exec_end = exec_end, .host_cell = host_cell, .compiles = compiles,
        .native = mote__jit_native, .compile_all = mote__jit_compile_all, .code_stats = mote__jit_code_stats, .code_of_site = code_of_site,
        .wasm_offset = wasm_offset,
    };
    return &tier;
}
