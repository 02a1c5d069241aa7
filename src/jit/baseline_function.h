/* baseline_function.h - the part of baseline.c for a whole function: pins, prologue, code out of line, tables. Included by
 * baseline.c alone. */

/* ---------------------------------------------------------------- before the code */

/* Gives each local its slot, as run/lower.c does; parameters lie below the header. */
static void place_locals(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t params = w->func_type->param_count;
    int32_t slot = -(int32_t)w->func_type->param_slots;
    if (!mote__vec_reserve(&c->local_slots, c->allocator, w->local_count) || !mote__vec_reserve(&c->heads, c->allocator, w->local_count) ||
        !mote__vec_reserve(&c->weights, c->allocator, w->local_count < 256 ? 256 : w->local_count) || !mote__vec_reserve(&c->pin_of, c->allocator, w->local_count)) {
        c->failed = true;
        return;
    }
    c->local_slots.count = c->heads.count = c->weights.count = c->pin_of.count = w->local_count;
    for (uint32_t i = 0; i < w->local_count; i++) {
        if (i == params) slot = FRAME_HEADER;
        c->local_slots.data[i] = slot;
        c->heads.data[i] = c->pin_of.data[i] = 0;
        c->weights.data[i] = 0;
        slot += (int32_t)mote__vt_slots(walk_local_type(w, i));
    }
    c->first_slot = w->local_count > params ? slot : FRAME_HEADER;
    use_slot(c, c->first_slot);
}

/* Whether a local is worth a pin at all. */
static bool is_heavy(const struct compilation *c, uint64_t weight) { return weight >= 2 && 2 * weight > c->call_weight; }

/* Puts a local among the heaviest of its class, in order; of two alike the first stays before the other. */
static void rank_local(const struct compilation *c, uint32_t *ranked, uint32_t *count, uint32_t max, uint32_t local) {
    uint32_t at = *count < max ? (*count)++ : max;
    for (; at && c->weights.data[ranked[at - 1]] < c->weights.data[local]; at--)
        if (at < max) ranked[at] = ranked[at - 1];
    if (at < max) ranked[at] = local;
}

static void choose_pins(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t ranked[2][PINS_MAX], counts[2] = {0};
    for (uint32_t i = 0; i < w->local_count; i++) {
        if (!is_heavy(c, c->weights.data[i])) continue;
        int cls = class_of(walk_local_type(w, i));
        rank_local(c, ranked[cls], &counts[cls], (uint32_t)pin_counts[cls], i);
    }
    for (int cls = GP; cls <= FP; cls++)
        for (uint32_t k = 0; k < counts[cls]; k++) {
            uint32_t local = ranked[cls][k];
            c->pins[c->pin_count] = (struct pin){.local = local, .slot = c->local_slots.data[local], .reg = pin_regs[cls][k],
                                                 .is_float = cls == FP, .type = walk_local_type(w, local)};
            c->pin_of.data[local] = (uint8_t)++c->pin_count;
        }
}

static void emit_prologue(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t params = w->func_type->param_count;
    uint32_t over = 0;
    code_room(c->b);
    x_lea(c->b, true, RCX, at_base(REG_FRAME, INT32_MAX / 2)); /* the frame's size, when it is known */
    c->frame_at = here(c) - 4;
    x_alu(c->b, ALU_CMP, true, RCX, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, stack_limit)));
    add_fixup(c, &over, x_jcc(c->b, CC_BE));
    call_thunk(c, THUNK_OVERFLOW);
    bind(c, &over);
    x_store_slot(c->b, REG_INSTANCE, FRAME_INSTANCE);
    bool zeroed = false;
    for (uint32_t i = params; i < w->local_count; i++) {
        const struct pin *pin = pin_of_local(c, i);
        code_room(c->b);
        if (pin) {
            if (pin->is_float) x_vzero(c->b, pin->reg);
            else x_zero(c->b, pin->reg);
            pin_written(c, pin);
            continue;
        }
        if (!zeroed) x_zero(c->b, RAX);
        zeroed = true;
        for (uint32_t k = 0; k < mote__vt_slots(walk_local_type(w, i)); k++) x_store_slot(c->b, RAX, c->local_slots.data[i] + (int32_t)k);
    }
}

/* ---------------------------------------------------------------- after the code */

static void emit_stub(struct compilation *c, struct stub *s) {
    uint32_t start = here(c);
    code_room(c->b);
    if (s->at) x_patch(c->b, s->at, start);
    if (c->places) note_place(c, s->op_pos);
    switch ((enum stub_kind)s->kind) {
    case STUB_TRAP: trap_now(c, s->trap); break;
    case STUB_STOP: call_thunk(c, THUNK_STOP); break;
    case STUB_TRUNCATE: emit_trunc_stub(c, s); break;
    case STUB_CONVERT: emit_convert_stub(c, s); break;
    case STUB_UNALIGNED: emit_unaligned_stub(c, s); break;
    case STUB_FUEL: emit_fuel_stub(c, s); break;
    case STUB_STEP: emit_step_stub(c, s); break;
    case STUB_HELP: emit_help_stub(c, s); break;
    case STUB_PAD: emit_pad_stub(c, s); break;
    case STUB_CANONICAL: emit_canonical_stub(c, s); break;
    case STUB_RESOLVE:
        bind(c, &s->list);
        x_const(c->b, RSI, s->a);
        x_const(c->b, RDX, s->b);
        call_thunk(c, THUNK_RESOLVE);
        x_patch(c->b, x_jmp(c->b), s->back);
        break;
    }
    if (c->watch >= (int64_t)start && c->watch < (int64_t)here(c)) c->watch_pos = s->op_pos;
}

static void emit_literals(struct compilation *c) {
    while (c->b->count % 16) {
        code_room(c->b);
        x_byte(c->b, 0xCC);
    }
    uint32_t start = here(c);
    if (c->places && c->literals.count) note_place(c, NULL);
    for (size_t i = 0; i < c->literals.count; i++) {
        code_room(c->b);
        x_byte(c->b, c->literals.data[i] & 0xFF);
        x_byte(c->b, c->literals.data[i] >> 8);
    }
    for (size_t i = 0; i < c->literal_uses.count; i++) x_patch(c->b, c->literal_uses.data[i].at, start + 2 * c->literal_uses.data[i].unit);
}

/* The tables of br_table: distances from each table's start. They stand behind the code, since what is decoded behind a jump may as well be code. */
static void emit_tables(struct compilation *c) {
    while (c->b->count % 4) x_byte(c->b, 0xCC);
    if (c->places && c->table_uses.count) note_place(c, NULL);
    for (size_t i = 0; i < c->table_uses.count && !c->failed; i++) {
        const struct table_use *use = &c->table_uses.data[i];
        uint32_t start = here(c);
        x_patch(c->b, use->at, start);
        for (uint32_t k = 0; k < use->count; k++) {
            code_room(c->b);
            x_32(c->b, c->table_entries.data[use->first + k] - start);
        }
    }
}

static struct mote__code *pack_tables(struct walk *w, uint32_t func_index) {
    struct compilation *c = w->c;
    list_local_refs(w);
    struct mote__code *code = c->failed ? NULL : mote__draft_pack(&c->draft, 0, c->allocator);
    if (!code) return NULL;
    code->func_index = func_index;
    code->frame_slots = (uint32_t)c->max_slot;
    return code;
}

/* ---------------------------------------------------------------- a whole function */

/* What compiling needs besides the function: kept by the engine from one function to the next, since asking for it anew costs more than most functions. */
struct jit_scratch {
    struct walk walk;
    struct compilation compilation;
    struct jit_output out;
};
enum { SCRATCH_CODE_MAX = 1 << 18 }; /* after a larger function it is given back */

#define COMPILATION_VECS(X)                                                                        \
    X(fixups) X(stubs) X(literals) X(literal_uses) X(table_entries) X(table_uses) X(float_literals) X(pad_places) \
    X(local_slots) X(heads) X(weights) X(pin_of) X(loops) X(count_frames)

static struct jit_scratch *take_scratch(struct jit_engine *jit) {
    for (int i = 0; i < JIT_SCRATCHES; i++) {
        struct jit_scratch *scratch = atomic_exchange(&jit->scratches[i], NULL);
        if (scratch) return scratch;
    }
    return MOTE__NEW(jit->allocator, struct jit_scratch);
}

static void free_scratch(struct jit_scratch *scratch, const mote_allocator *allocator) {
    struct compilation *c = &scratch->compilation;
#define X(vec) mote__vec_deinit(&c->vec, allocator);
    COMPILATION_VECS(X)
#undef X
    mote__draft_deinit(&c->draft, allocator);
    scratch->walk.allocator = allocator;
    mote__translate_deinit(&scratch->walk);
    mote__jit_output_deinit(&scratch->out, allocator);
    MOTE__DELETE(allocator, scratch);
}

static void give_scratch(struct jit_engine *jit, struct jit_scratch *scratch) {
    bool kept = scratch->out.code.capacity <= SCRATCH_CODE_MAX && scratch->walk.capacity <= SCRATCH_CODE_MAX;
    for (int i = 0; i < JIT_SCRATCHES && kept; i++) {
        struct jit_scratch *none = NULL;
        if (atomic_compare_exchange_strong(&jit->scratches[i], &none, scratch)) return;
    }
    free_scratch(scratch, jit->allocator);
}

void mote__jit_scratch_drop(struct jit_engine *jit) {
    for (int i = 0; i < JIT_SCRATCHES; i++) {
        struct jit_scratch *scratch = atomic_exchange(&jit->scratches[i], NULL);
        if (scratch) free_scratch(scratch, jit->allocator);
    }
}

static void begin_compilation(struct jit_scratch *scratch, mote_module *module, mote_error *error) {
    struct compilation *c = &scratch->compilation;
    memset(c, 0, offsetof(struct compilation, fixups));
#define X(vec) c->vec.count = 0;
    COMPILATION_VECS(X)
#undef X
    c->allocator = module->arena.allocator;
    c->jm = module->tier_data;
    c->jit = c->jm->engine;
    c->out = &scratch->out;
    c->out->relocations.count = 0;
    c->b = &c->out->code;
    c->b->allocator = c->allocator;
    c->b->count = 0;
    c->b->failed = false;
    c->watch = -1;
    c->flags_at = c->load_at = -1;
    mote__draft_reset(&c->draft);
    c->layout = mote__instance_layout(module);
    c->fixed = module->memory_count && mote__memory_is_guarded(module->engine, &module->memories[0]);
    c->cpu_floor = module->engine->config.cpu_baseline;
    c->fuel = module->engine->config.fuel;
    c->canonical_nans = module->engine->config.canonical_nans;
    mote__translate_again(&scratch->walk, &translator, module, c->allocator, error);
    scratch->walk.c = c;
}

static void emit_body(struct walk *w, uint32_t func_index) {
    struct compilation *c = w->c;
    if (!mote__translate_begin(w, func_index)) return;
    place_locals(w);
    if (c->failed) return;
    count_uses(w);
    choose_pins(w);
    if (c->places) note_place(c, w->op_pos);
    c->watch_pos = w->r.pos; /* who is not let in is at the first instruction */
    emit_prologue(w);
    w->frames[0].base = c->first_slot;
    w->frames[0].handler = w->frames[0].inner = -1;
    mote__translate_run(w);
    for (size_t i = 0; i < c->stubs.count && !c->failed; i++) emit_stub(c, &c->stubs.data[i]);
    emit_literals(c);
    emit_tables(c);
    if (c->max_slot > (int32_t)FAR_SLOT) c->left = true;
    int32_t frame = (c->max_slot + FRAME_HEADER + 4) * 8;
    if (!c->b->failed) memcpy(c->b->data + c->frame_at, &frame, sizeof frame);
}

static enum jit_result compile_walk(struct walk *w, uint32_t func_index, mote_status *status) {
    struct compilation *c = w->c;
    code_room(c->b);
    c->failed |= c->b->failed;
    if (!c->failed) emit_body(w, func_index);
    c->failed |= c->b->failed;
    *status = c->failed || c->left ? MOTE_OK : mote__translate_finish(w); /* a walk that was stopped has nothing to say */
    if (*status != MOTE_OK) return JIT_FAILED;
    if (!c->failed && c->left) return JIT_LEFT;
    if (!c->failed) c->out->tables = pack_tables(w, func_index);
    if (!c->failed && c->out->tables) return JIT_DONE;
    *status = mote__error_nomem(w->error, "compiling a function");
    return JIT_FAILED;
}

void mote__jit_output_deinit(struct jit_output *out, const mote_allocator *allocator) {
    mote__free(allocator, out->code.data, out->code.capacity);
    mote__vec_deinit(&out->relocations, allocator);
    mote__code_free(allocator, out->tables);
    *out = (struct jit_output){0};
}

enum jit_result mote__jit_compile(mote_module *module, uint32_t own_index, struct jit_scratch **out, mote_status *status, mote_error *error) {
    struct jit_engine *jit = ((struct jit_module *)module->tier_data)->engine;
    struct jit_scratch *scratch = *out = take_scratch(jit);
    if (!scratch) {
        *status = mote__error_nomem(error, "compiling a function");
        return JIT_FAILED;
    }
    begin_compilation(scratch, module, error);
    return compile_walk(&scratch->walk, own_index + module->func_import_count, status);
}

struct jit_output *mote__jit_output(struct jit_scratch *scratch) { return &scratch->out; }

void mote__jit_done(mote_module *module, struct jit_scratch *scratch) {
    if (!scratch) return;
    mote__code_free(module->arena.allocator, scratch->out.tables);
    scratch->out.tables = NULL;
    give_scratch(((struct jit_module *)module->tier_data)->engine, scratch);
}

uint64_t mote__jit_wasm_offset(mote_module *module, uint32_t own_index, uint32_t offset) {
    struct jit_engine *jit = ((struct jit_module *)module->tier_data)->engine;
    struct jit_scratch *scratch = take_scratch(jit);
    mote_error error;
    mote_status status;
    uint64_t watched = 0;
    if (!scratch) return 0;
    begin_compilation(scratch, module, &error);
    struct compilation *c = &scratch->compilation;
    c->watch = offset;
    enum jit_result result = compile_walk(&scratch->walk, own_index + module->func_import_count, &status);
    if (result == JIT_DONE && c->watch_pos) watched = (uint64_t)(c->watch_pos - module->bytes.data);
    mote__jit_done(module, scratch);
    return watched;
}

enum jit_result mote__jit_places(mote_module *module, uint32_t own_index, struct jit_places *out, mote_status *status, mote_error *error) {
    struct jit_scratch *scratch = take_scratch(((struct jit_module *)module->tier_data)->engine);
    *status = MOTE_OK;
    if (!scratch) {
        *status = mote__error_nomem(error, "listing a function");
        return JIT_FAILED;
    }
    begin_compilation(scratch, module, error);
    struct compilation *c = &scratch->compilation;
    c->watch = INT64_MAX;
    c->places = out;
    c->module_bytes = module->bytes.data;
    enum jit_result result = compile_walk(&scratch->walk, own_index + module->func_import_count, status);
    mote__jit_done(module, scratch);
    return result;
}
