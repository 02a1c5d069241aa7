/* code.c - code memory: one reservation per engine, handed out in granules to modules, which fill them function by function.
 * Layout: constants and thunks, then machine code, then (plain memory) the cells. Nothing is ever moved or written twice. The first module's code begins
 * right behind the thunks, so that a small program touches few pages: each costs some microseconds. */
#include "jit/jit.h"
#include "wasm/limits.h"

enum { GRANULE_LOG2 = 16, GRANULE = 1 << GRANULE_LOG2, PIECE_GRANULES_MAX = 16 };
static const size_t code_bytes = LIMIT_CODE_MEMORY, cell_bytes = (size_t)1 << 30;

/* ---------------------------------------------------------------- granules */

/* Bits: a byte for each would be seven pages to clear at start. */
enum { WORD_BITS = 64 };
static uint64_t bit_of(uint32_t granule) { return UINT64_C(1) << granule % WORD_BITS; }
static bool is_used(const struct jit_engine *jit, uint32_t granule) { return jit->used[granule / WORD_BITS] & bit_of(granule); }
static size_t word_count(const struct jit_engine *jit) { return (jit->all_granules + WORD_BITS - 1) / WORD_BITS; }

static void set_used(struct jit_engine *jit, uint32_t start, uint32_t count, bool used) {
    for (uint32_t i = start; i < start + count; i++) {
        if (used) jit->used[i / WORD_BITS] |= bit_of(i);
        else jit->used[i / WORD_BITS] &= ~bit_of(i);
    }
}

/* A run of free granules within [low, high), searched from *next; 0: none (granule 0 is the thunks'). */
static uint32_t find_run(const struct jit_engine *jit, uint32_t low, uint32_t high, uint32_t from, uint32_t count) {
    uint32_t run = 0;
    for (uint32_t i = from < low ? low : from; i < high; i++) {
        run = is_used(jit, i) ? 0 : run + 1;
        if (run == count) return i + 1 - count;
    }
    return 0;
}

static uint32_t take_granules(struct jit_engine *jit, bool cells, uint32_t count) {
    uint32_t low = cells ? jit->code_granules : 1, high = cells ? jit->all_granules : jit->code_granules;
    uint32_t *next = cells ? &jit->next_cells : &jit->next_code;
    mote__os_mutex_lock(&jit->lock);
    uint32_t start = find_run(jit, low, high, *next, count);
    if (!start) start = find_run(jit, low, high, low, count);
    if (start) {
        set_used(jit, start, count, true);
        *next = start + count;
    }
    mote__os_mutex_unlock(&jit->lock);
    return start;
}

/* What the thunks leave of granule 0, for the first module. */
static code_offset rest_start(const struct jit_engine *jit) { return (jit->thunks_end + JIT_ALIGNMENT - 1) & ~(code_offset)(JIT_ALIGNMENT - 1); }

static bool take_rest(struct jit_engine *jit, uint32_t bytes) {
    mote__os_mutex_lock(&jit->lock);
    bool free = !jit->rest_taken && bytes <= GRANULE - rest_start(jit);
    jit->rest_taken |= free;
    mote__os_mutex_unlock(&jit->lock);
    return free;
}

static void give_granules(struct jit_engine *jit, code_offset start, uint32_t count) {
    mote__os_mutex_lock(&jit->lock);
    set_used(jit, start >> GRANULE_LOG2, count, false);
    mote__os_mutex_unlock(&jit->lock);
}

/* ---------------------------------------------------------------- an engine's */

static void free_engine_part(struct jit_engine *jit) {
    MOTE__DELETE_ARRAY(jit->allocator, jit->used, word_count(jit));
    MOTE__DELETE(jit->allocator, jit);
}

bool mote__jit_is_at_home(const struct jit_engine *jit) { return jit->process == mote__os_process_id(); }

mote_status mote__jit_engine_new(mote_engine *engine, struct jit_engine **out) {
    const mote_allocator *a = &engine->config.allocator;
    struct jit_engine *jit = MOTE__NEW(a, struct jit_engine);
    if (!jit) return MOTE_E_NOMEM;
    jit->allocator = a;
    jit->process = mote__os_process_id();
    jit->code_granules = (uint32_t)(code_bytes >> GRANULE_LOG2);
    jit->all_granules = jit->code_granules + (uint32_t)(cell_bytes >> GRANULE_LOG2);
    jit->used = MOTE__NEW_ARRAY(a, uint64_t, word_count(jit));
    if (!jit->used || !mote__os_code_map(code_bytes, cell_bytes, engine->config.perf_map, &jit->map)) {
        mote_status status = jit->used ? MOTE_E_UNSUPPORTED : MOTE_E_NOMEM;
        free_engine_part(jit);
        return status;
    }
    mote__jit_make_thunks(jit);
    *out = jit;
    return MOTE_OK;
}

void mote__jit_engine_delete(struct jit_engine *jit) {
    mote__jit_scratch_drop(jit);
    mote__os_code_unmap(&jit->map);
    free_engine_part(jit);
}

/* ---------------------------------------------------------------- a module's */

mote_status mote__jit_module_new(struct jit_engine *jit, uint32_t func_count, struct jit_module **out, mote_error *error) {
    struct jit_module *jm = MOTE__NEW(jit->allocator, struct jit_module);
    if (!jm) return mote__error_nomem(error, "making a module");
    jm->engine = jit;
    jm->cell_granules = (uint32_t)((func_count * sizeof(void *) + GRANULE - 1) >> GRANULE_LOG2);
    jm->cells = take_granules(jit, true, jm->cell_granules) << GRANULE_LOG2;
    if (jm->cell_granules && !jm->cells) {
        MOTE__DELETE(jit->allocator, jm);
        return mote__error_set(error, MOTE_E_NOMEM, MOTE_NO_OFFSET, "too many functions are loaded: an engine has room for %zu", cell_bytes / sizeof(void *));
    }
    *out = jm;
    return MOTE_OK;
}

/* The rest of granule 0 is nobody's any more: emulators would not see that other code was written there. */
static void give_piece(struct jit_engine *jit, const struct jit_piece *piece) {
    if (piece->start < GRANULE || !mote__jit_is_at_home(jit)) return;
    mote__os_code_discard(&jit->map, piece->start, (size_t)piece->granules << GRANULE_LOG2);
    give_granules(jit, piece->start, piece->granules);
}

void mote__jit_module_delete(struct jit_module *jm) {
    struct jit_engine *jit = jm->engine;
    for (size_t i = 0; i < jm->functions.count; i++) mote__code_free(jit->allocator, jm->functions.data[i].tables);
    for (size_t i = 0; i < jm->pieces.count; i++) give_piece(jit, &jm->pieces.data[i]);
    mote__os_clear(jit_address(jit, jm->cells), (size_t)jm->cell_granules << GRANULE_LOG2); /* its pages go back to the system */
    give_granules(jit, jm->cells, jm->cell_granules);
    mote__vec_deinit(&jm->pieces, jit->allocator);
    mote__vec_deinit(&jm->functions, jit->allocator);
    MOTE__DELETE(jit->allocator, jm);
}

/* A piece for at least `bytes`: behind the thunks if that is free, then each one is twice the last, up to a megabyte. */
static mote_status new_piece(struct jit_module *jm, uint32_t bytes) {
    uint32_t granules = jm->pieces.count ? 2 * mote__vec_last(&jm->pieces)->granules : 1, need = (bytes + GRANULE - 1) >> GRANULE_LOG2;
    if (granules > PIECE_GRANULES_MAX) granules = PIECE_GRANULES_MAX;
    if (granules < need) granules = need;
    struct jit_piece *piece = mote__vec_push(&jm->pieces, jm->engine->allocator);
    if (!piece) return MOTE_E_NOMEM;
    bool rest = jm->pieces.count == 1 && take_rest(jm->engine, bytes);
    code_offset start = rest ? rest_start(jm->engine) : take_granules(jm->engine, false, granules) << GRANULE_LOG2;
    if (!start) {
        jm->pieces.count--;
        return MOTE_E_LIMIT;
    }
    *piece = (struct jit_piece){.start = start, .granules = granules};
    jm->room = start;
    jm->room_end = rest ? GRANULE : start + (granules << GRANULE_LOG2);
    return MOTE_OK;
}

mote_status mote__jit_room(struct jit_module *jm, uint32_t bytes, code_offset *out) {
    if (bytes > code_bytes / 4) return MOTE_E_LIMIT;
    mote_status status = jm->room_end - jm->room < bytes ? new_piece(jm, bytes) : MOTE_OK;
    if (status != MOTE_OK) return status;
    *out = jm->room;
    jm->room += (bytes + JIT_ALIGNMENT - 1) & ~(uint32_t)(JIT_ALIGNMENT - 1);
    if (jm->room > jm->room_end) jm->room = jm->room_end;
    return MOTE_OK;
}

/* The first listed function that ends beyond an offset. */
static size_t place_of(const struct jit_module *jm, code_offset at) {
    size_t low = 0, high = jm->functions.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (jm->functions.data[middle].end <= at) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool mote__jit_list(struct jit_module *jm, struct jit_function function) {
    if (!mote__vec_push(&jm->functions, jm->engine->allocator)) return false;
    jm->functions.count--;
    size_t at = place_of(jm, function.start);
    memmove(&jm->functions.data[at + 1], &jm->functions.data[at], (jm->functions.count - at) * sizeof function);
    jm->functions.data[at] = function;
    jm->functions.count++;
    return true;
}

bool mote__jit_find(struct jit_module *jm, code_offset at, struct jit_function *out) {
    mote__os_mutex_lock(&jm->lock);
    size_t i = place_of(jm, at);
    bool found = i < jm->functions.count && jm->functions.data[i].start <= at;
    if (found) *out = jm->functions.data[i];
    mote__os_mutex_unlock(&jm->lock);
    return found;
}
