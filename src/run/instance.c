/* instance.c - instantiation (core spec 3.0, "Execution / Modules"), in the specification's order: match the imports, allocate, evaluate globals,
 * tables and element segments, then write segments, then run the start function.
 * An instance is one block: the struct, then its index spaces (struct mote__instance_layout). It is in the store from the moment it exists, because what it holds
 * are roots. Until the first segment is written nothing outside can know it, so a failure takes everything back; from then on a failed
 * instance stays in the store, for its functions may have escaped.
 * Keeps: counts and offsets come from the module alone, so that freeing needs no record of them. */
#include "run/code.h"
#include "run/exec.h"
#include "run/match.h"
#include <assert.h>

/* What mem0 is for instances without a memory: nothing is in bounds. */
static struct mote__memory no_memory;

/* ---------------------------------------------------------------- the block */

static size_t place(size_t *total, size_t count, size_t size) {
    size_t at = *total;
    *total = (at + count * size + 15) & ~(size_t)15;
    return at;
}

struct mote__instance_layout mote__instance_layout(const mote_module *m) {
    struct mote__instance_layout l;
    size_t total = 0;
    place(&total, 1, sizeof(struct mote__instance));
    l.globals = place(&total, m->global_count - m->global_import_count, 2 * sizeof(uint64_t));
    l.global_refs = place(&total, m->global_count, sizeof(void *));
    l.funcs = place(&total, m->func_count, sizeof(void *));
    l.memories = place(&total, m->memory_count, sizeof(void *));
    l.tables = place(&total, m->table_count, sizeof(void *));
    l.tags = place(&total, m->tag_count, sizeof(void *));
    l.elem_values = place(&total, m->elem_count, sizeof(void *));
    l.elems_dropped = place(&total, m->elem_count, 1);
    l.datas_dropped = place(&total, m->data_count, 1);
    l.total = total;
    return l;
}

static struct mote__instance *new_instance(mote_store *store, mote_module *module) {
    struct mote__instance_layout l = mote__instance_layout(module);
    uint8_t *block = mote__alloc_zeroed(mote__engine_alloc(store->engine), l.total);
    if (!block) return NULL;
    struct mote__instance *inst = (struct mote__instance *)(void *)block;
    inst->mem0 = &no_memory;
    inst->code = module->code;
    inst->cells = module->cells;
    inst->globals = (uint64_t *)(void *)(block + l.globals);
    inst->global_refs = (struct mote__global **)(void *)(block + l.global_refs);
    inst->funcs = (struct mote__func **)(void *)(block + l.funcs);
    inst->memories = (struct mote__memory **)(void *)(block + l.memories);
    inst->tables = (struct mote__table **)(void *)(block + l.tables);
    inst->tags = (struct mote__tag **)(void *)(block + l.tags);
    inst->elem_values = (uint64_t **)(void *)(block + l.elem_values);
    inst->elems_dropped = block + l.elems_dropped;
    inst->datas_dropped = block + l.datas_dropped;
    inst->module = mote__module_retain(module);
    inst->store = store;
    inst->next = store->instances;
    store->instances = inst;
    store->instance_count++;
    return inst;
}

static void free_elem_values(struct mote__instance *inst, uint32_t i) {
    MOTE__DELETE_ARRAY(mote__engine_alloc(inst->store->engine), inst->elem_values[i], inst->module->elems[i].count);
    inst->elem_values[i] = NULL;
}

void mote__instance_free(struct mote__instance *inst) {
    mote_module *module = inst->module;
    for (uint32_t i = 0; i < module->elem_count; i++) free_elem_values(inst, i);
    inst->store->instance_count--;
    mote__free(mote__engine_alloc(inst->store->engine), inst, mote__instance_layout(module).total);
    mote__module_release(module);
}

/* ---------------------------------------------------------------- what is made when asked for */

struct mote__func *mote__instance_func(struct mote__instance *inst, uint32_t func_index) {
    assert(func_index < inst->module->func_count);
    struct mote__func *func = inst->funcs[func_index];
    if (func) return func;
    func = MOTE__NEW(mote__engine_alloc(inst->store->engine), struct mote__func);
    if (!func) return NULL;
    const mote_type *type = inst->module->func_types[func_index];
    *func = (struct mote__func){.type_id = type->id, .index = func_index, .type = type, .store = inst->store, .instance = inst};
    func->own_index = func_index - inst->module->func_import_count;
    func->cell = inst->cells ? &inst->cells[func->own_index] : NULL;
    func->next = inst->store->funcs;
    inst->store->funcs = func;
    return inst->funcs[func_index] = func;
}

struct mote__global *mote__instance_global(struct mote__instance *inst, uint32_t global_index) {
    assert(global_index < inst->module->global_count);
    struct mote__global *global = inst->global_refs[global_index];
    if (global) return global;
    const struct mote__global_decl *decl = &inst->module->globals[global_index];
    global = mote__global_new(inst->store, decl->type, decl->is_mutable);
    if (!global) return NULL;
    global->value = inst->globals + 2 * (size_t)(global_index - inst->module->global_import_count);
    return inst->global_refs[global_index] = global;
}

bool mote__instance_extern(struct mote__instance *inst, uint8_t kind, uint32_t index, mote_extern *out) {
    mote_extern external = {.kind = (mote_externkind)kind};
    bool made = true;
    switch (external.kind) {
    case MOTE_EXTERN_FUNC: made = (external.of.func.ptr = mote__instance_func(inst, index)) != NULL; break;
    case MOTE_EXTERN_TABLE: external.of.table.ptr = inst->tables[index]; break;
    case MOTE_EXTERN_MEMORY: external.of.memory.ptr = inst->memories[index]; break;
    case MOTE_EXTERN_GLOBAL: made = (external.of.global.ptr = mote__instance_global(inst, index)) != NULL; break;
    case MOTE_EXTERN_TAG: external.of.tag.ptr = inst->tags[index]; break;
    }
    if (made) *out = external;
    return made;
}

/* ---------------------------------------------------------------- constant expressions */

static mote_status run_constexpr(struct mote__instance *inst, const struct mote__constexpr *expr, uint64_t out[2], mote_error *error) {
    mote_status status = MOTE_OK;
    struct mote__code *code = mote__code_of_constexpr(inst->module, expr, &status, error);
    if (!code) return status == MOTE_OK ? MOTE_E_NOMEM : status;
    status = mote__run_code(inst, code, out, error);
    mote__code_free(inst->module->arena.allocator, code);
    return status;
}

static const uint64_t *global_value(const struct mote__instance *inst, uint32_t index) {
    uint32_t imported = inst->module->global_import_count;
    return index < imported ? inst->global_refs[index]->value : inst->globals + 2 * (size_t)(index - imported);
}

mote_status mote__constexpr_eval(struct mote__instance *inst, const struct mote__constexpr *expr, uint64_t out[2], mote_error *error) {
    out[0] = expr->value;
    out[1] = 0;
    if (expr->kind == CONST_VALUE) return MOTE_OK;
    if (expr->kind == CONST_CODE) return run_constexpr(inst, expr, out, error);
    if (expr->kind == CONST_GLOBAL) {
        memcpy(out, global_value(inst, expr->index), mote__vt_slots(expr->type) * sizeof *out);
        return MOTE_OK;
    }
    struct mote__func *func = mote__instance_func(inst, expr->index);
    out[0] = (uint64_t)(uintptr_t)func;
    return func ? MOTE_OK : mote__error_nomem(error, "making a function reference");
}

/* ---------------------------------------------------------------- imports */

static void bind(struct mote__instance *inst, uint32_t index, mote_extern import) {
    switch (import.kind) {
    case MOTE_EXTERN_FUNC: inst->funcs[index] = import.of.func.ptr; break;
    case MOTE_EXTERN_TABLE: inst->tables[index] = import.of.table.ptr; break;
    case MOTE_EXTERN_MEMORY: inst->memories[index] = import.of.memory.ptr; break;
    case MOTE_EXTERN_GLOBAL: inst->global_refs[index] = import.of.global.ptr; break;
    case MOTE_EXTERN_TAG: inst->tags[index] = import.of.tag.ptr; break;
    }
}

static mote_status match_imports(const mote_module *m, const mote_extern *imports, size_t import_count, mote_error *error) {
    for (uint32_t i = 0; i < m->import_count; i++) {
        const mote_extern *import = i < import_count ? &imports[i] : NULL;
        TRY(mote__import_match(m, i, import, error));
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- allocation and evaluation */

static mote_status make_memories(struct mote__instance *inst, mote_error *error) {
    const mote_module *m = inst->module;
    for (uint32_t i = m->memory_import_count; i < m->memory_count; i++)
        TRY(mote__memory_new(inst->store, &m->memories[i], &inst->memories[i], error));
    if (m->memory_count) inst->mem0 = inst->memories[0];
    inst->fixed_base = inst->mem0->guarded ? inst->mem0->base : NULL;
    return MOTE_OK;
}

static mote_status make_tags(struct mote__instance *inst, mote_error *error) {
    const mote_module *m = inst->module;
    for (uint32_t i = m->tag_import_count; i < m->tag_count; i++)
        if (!(inst->tags[i] = mote__tag_new(inst->store, m->tags[i]))) return mote__error_nomem(error, "making a tag");
    return MOTE_OK;
}

static mote_status make_globals(struct mote__instance *inst, mote_error *error) {
    const mote_module *m = inst->module;
    for (uint32_t i = m->global_import_count; i < m->global_count; i++)
        TRY(mote__constexpr_eval(inst, &m->globals[i].init, inst->globals + 2 * (size_t)(i - m->global_import_count), error));
    return MOTE_OK;
}

static mote_status make_tables(struct mote__instance *inst, mote_error *error) {
    const mote_module *m = inst->module;
    for (uint32_t i = m->table_import_count; i < m->table_count; i++) {
        uint64_t fill[2] = {0};
        if (m->tables[i].has_init) TRY(mote__constexpr_eval(inst, &m->tables[i].init, fill, error));
        TRY(mote__table_new(inst->store, &m->tables[i].type, fill[0], &inst->tables[i], error));
    }
    return MOTE_OK;
}

/* The values of a segment of expressions; they are roots from the start, hence one after the other into their place. */
static mote_status evaluate_elem(struct mote__instance *inst, uint32_t index, mote_error *error) {
    const struct mote__elem *elem = &inst->module->elems[index];
    if (!elem->exprs || !elem->count || elem->mode == SEGMENT_DECLARED) return MOTE_OK;
    uint64_t *values = MOTE__NEW_ARRAY(mote__engine_alloc(inst->store->engine), uint64_t, elem->count);
    if (!values) return mote__error_nomem(error, "evaluating an element segment");
    inst->elem_values[index] = values;
    for (uint32_t i = 0; i < elem->count; i++) {
        uint64_t value[2];
        TRY(mote__constexpr_eval(inst, &elem->exprs[i], value, error));
        values[i] = value[0];
    }
    return MOTE_OK;
}

static mote_status build(struct mote__instance *inst, mote_error *error) {
    TRY(make_memories(inst, error));
    TRY(make_tags(inst, error));
    TRY(make_globals(inst, error));
    TRY(make_tables(inst, error));
    for (uint32_t i = 0; i < inst->module->elem_count; i++) TRY(evaluate_elem(inst, i, error));
    return MOTE_OK;
}

/* ---------------------------------------------------------------- segments and start */

static mote_status trap(mote_store *store, uint32_t code, const char *what, uint32_t index, mote_error *error) {
    store->frame_total = 0;
    mote__error_set(error, MOTE_E_TRAP, MOTE_NO_OFFSET, "%s (%s segment %u)", mote_trap_text(code), what, (unsigned)index);
    error->trap = code;
    return MOTE_E_TRAP;
}

/* Plain function indices become an image of the table where it has none yet: the functions are made when first read. */
static bool place_lazily(struct mote__instance *inst, const struct mote__elem *elem, uint64_t offset) {
    return elem->funcs && mote__table_set_lazily(inst->tables[elem->table], offset, inst, elem->funcs, elem->count);
}

static mote_status write_elem(struct mote__instance *inst, uint32_t index, mote_error *error) {
    const struct mote__elem *elem = &inst->module->elems[index];
    uint64_t offset[2];
    if (elem->mode == SEGMENT_PASSIVE) return MOTE_OK;
    if (elem->mode == SEGMENT_ACTIVE) {
        TRY(mote__constexpr_eval(inst, &elem->offset, offset, error));
        uint32_t failed = MOTE_TRAP_NONE;
        if (!place_lazily(inst, elem, offset[0])) failed = mote__table_init(inst, elem->table, index, offset[0], 0, elem->count);
        if (failed) return trap(inst->store, failed, "element", index, error);
    }
    inst->elems_dropped[index] = 1;
    free_elem_values(inst, index);
    return MOTE_OK;
}

static mote_status write_data(struct mote__instance *inst, uint32_t index, mote_error *error) {
    const struct mote__data *data = &inst->module->datas[index];
    uint64_t offset[2];
    if (data->mode != SEGMENT_ACTIVE) return MOTE_OK;
    TRY(mote__constexpr_eval(inst, &data->offset, offset, error));
    uint32_t failed = mote__memory_init(inst, data->memory, index, offset[0], 0, (uint32_t)data->bytes.size);
    if (failed) return trap(inst->store, failed, "data", index, error);
    inst->datas_dropped[index] = 1;
    return MOTE_OK;
}

static mote_status start(struct mote__instance *inst, mote_error *error) {
    uint64_t slots[2] = {0};
    if (inst->module->start == UINT32_MAX) return MOTE_OK;
    struct mote__func *func = mote__instance_func(inst, inst->module->start);
    if (!func) return mote__error_nomem(error, "calling the start function");
    return mote__call(inst->store, func, slots, error);
}

static mote_status initialise(struct mote__instance *inst, mote_error *error) {
    for (uint32_t i = 0; i < inst->module->elem_count; i++) TRY(write_elem(inst, i, error));
    for (uint32_t i = 0; i < inst->module->data_count; i++) TRY(write_data(inst, i, error));
    return start(inst, error);
}

/* ---------------------------------------------------------------- the whole */

mote_status mote__instantiate(mote_store *store, mote_module *module, const mote_extern *imports, size_t import_count,
                              struct mote__instance **out, mote_error *error) {
    TRY(match_imports(module, imports, import_count, error));
    if (store->instance_count >= store->limits.instances_max)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "the store has %u instances, its limit", (unsigned)store->instance_count);
    struct mote__store_mark mark = mote__store_mark(store);
    struct mote__instance *inst = new_instance(store, module);
    if (!inst) return mote__error_nomem(error, "making an instance");
    for (uint32_t i = 0; i < module->import_count; i++) bind(inst, module->imports[i].index, imports[i]);
    mote_status status = build(inst, error);
    if (status != MOTE_OK) {
        store->frame_total = 0; /* of a module that may go now */
        mote__store_roll_back(store, &mark);
        return status;
    }
    TRY(initialise(inst, error));
    *out = inst;
    return MOTE_OK;
}
