/* memory.c - linear memories (core spec, "Execution / Runtime Structure / Memory Instances"; threads proposal).
 * Three kinds, told by type and configuration alone:
 *   guarded    32-bit, 64 KiB pages, not low_address_space: 4 GiB and a guard are reserved, growing commits, nothing moves
 *   shared     else, if shared: the maximum is reserved, nothing moves
 *   movable    the rest: room to grow is reserved, and when it is used up the memory moves to a larger reservation
 * Keeps: bytes beyond `bytes` were never written, so that growing shows zeros; every committed range begins and ends on an OS page. */
#include "run/store.h"
#include "wasm/sem_atomic.h"
#include <assert.h>

#define GUARD_BYTES   (UINT64_C(32) << 20)
#define GUARDED_BYTES ((UINT64_C(4) << 30) + GUARD_BYTES)
enum { MOVABLE_ROOM_MIN = 1 << 20 };

static uint64_t round_to_os_pages(uint64_t bytes) {
    uint64_t page = mote__os_page_bytes();
    return (bytes + page - 1) & ~(page - 1);
}

uint64_t mote__memtype_pages_max(const struct mote__memtype *type) {
    uint64_t most = type->is_64 ? UINT64_MAX : UINT32_MAX;
    if (type->page_log2) most = type->is_64 ? (UINT64_C(1) << 48) - 1 : UINT64_C(1) << 16;
    return type->max < most ? type->max : most;
}

bool mote__memory_is_guarded(const mote_engine *engine, const struct mote__memtype *type) {
    return sizeof(void *) == 8 && !engine->config.low_address_space && !type->is_64 && type->page_log2 == 16;
}

/* ---------------------------------------------------------------- address space */

/* Pages of the system behind a memory. */
struct mapping {
    uint8_t *base;
    uint64_t reserved;
};

/* Makes bytes [before, after) of a mapping accessible. */
static bool commit(uint8_t *base, uint64_t before, uint64_t after) {
    uint64_t start = round_to_os_pages(before), end = round_to_os_pages(after);
    return start == end || mote__os_commit(base + start, (size_t)(end - start));
}

static void unmap(struct mapping mapping) {
    if (mapping.base) mote__os_release(mapping.base, (size_t)mapping.reserved);
}

/* Reserves address space and commits the first `bytes`. Reserving nothing gives a base that nobody may use. */
static bool map(uint64_t reserved, uint64_t bytes, struct mapping *out) {
    if (reserved > SIZE_MAX / 2) return false;
    struct mapping mapping = {.reserved = round_to_os_pages(reserved)};
    if (mapping.reserved && !(mapping.base = mote__os_reserve((size_t)mapping.reserved, 1))) return false;
    if (!commit(mapping.base, 0, bytes)) {
        unmap(mapping);
        return false;
    }
    *out = mapping;
    return true;
}

#ifdef MOTE_HOSTILE
enum { HOSTILE = 1 };
#else
enum { HOSTILE = 0 };
#endif

/* Address space for a memory that may move: what it needs now and as much again, within its maximum. The hostile build leaves no room, so that it
 * moves each time. */
static uint64_t movable_room(uint64_t bytes, uint64_t bytes_max) {
    uint64_t room;
    if (HOSTILE) return bytes;
    if (__builtin_add_overflow(bytes, bytes < MOVABLE_ROOM_MIN ? MOVABLE_ROOM_MIN : bytes, &room)) return bytes_max;
    return room < bytes_max ? room : bytes_max;
}

static uint64_t reservation(const mote_engine *engine, const struct mote__memtype *type, uint64_t bytes, uint64_t bytes_max) {
    if (mote__memory_is_guarded(engine, type)) return GUARDED_BYTES;
    return type->shared ? bytes_max : movable_room(bytes, bytes_max);
}

/* ---------------------------------------------------------------- making and freeing */

/* A reservation that fails is no reason to change the kind of memory behind the host's back; it can ask for another. */
static mote_status refuse_bytes(mote_error *error, uint64_t bytes, uint64_t reserved) {
    return mote__error_set(error, MOTE_E_NOMEM, MOTE_NO_OFFSET, "the system refuses a linear memory of %llu bytes (%llu bytes of address space%s)",
                           (unsigned long long)bytes, (unsigned long long)reserved,
                           reserved == GUARDED_BYTES ? "; -W low-address-space needs less" : "");
}

static mote_status check_limits(const mote_store *store, const struct mote__memtype *type, mote_error *error) {
    if (type->min > mote__memtype_pages_max(type))
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "memory size must be at most %llu pages, not %llu",
                               (unsigned long long)mote__memtype_pages_max(type), (unsigned long long)type->min);
    if (type->min << type->page_log2 > store->limits.memory_bytes_max - store->memory_bytes)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "a memory of %llu bytes is over the store's limit of %llu bytes, of which %llu are in use",
                               (unsigned long long)(type->min << type->page_log2), (unsigned long long)store->limits.memory_bytes_max,
                               (unsigned long long)store->memory_bytes);
    return MOTE_OK;
}

/* Maps a memory of the type's minimum. */
static mote_status map_memory(mote_engine *engine, const struct mote__memtype *type, struct mapping *out, mote_error *error) {
    uint64_t bytes = type->min << type->page_log2, reserved = reservation(engine, type, bytes, mote__memtype_pages_max(type) << type->page_log2);
    return map(reserved, bytes, out) ? MOTE_OK : refuse_bytes(error, bytes, reserved);
}

/* Puts a memory into its store; from here on the store frees it. */
static void adopt(mote_store *store, struct mote__memory *memory) {
    memory->store = store;
    memory->max_pages = mote__memtype_pages_max(&memory->type);
    memory->guarded = mote__memory_is_guarded(store->engine, &memory->type);
    memory->next = store->memories;
    store->memories = memory;
    store->memory_bytes += memory->bytes;
}

static mote_status new_shared(mote_engine *engine, const struct mote__memtype *type, struct mote_shared_memory **out, mote_error *error) {
    struct mapping mapping;
    struct mote_shared_memory *shared = MOTE__NEW(mote__engine_alloc(engine), struct mote_shared_memory);
    if (!shared) return mote__error_nomem(error, "making a shared memory");
    mote_status status = map_memory(engine, type, &mapping, error);
    if (status != MOTE_OK) {
        MOTE__DELETE(mote__engine_alloc(engine), shared);
        return status;
    }
    shared->holds = 1;
    shared->engine = mote__engine_retain(engine);
    shared->base = mapping.base;
    shared->bytes = type->min << type->page_log2;
    shared->type = *type;
    shared->max_pages = mote__memtype_pages_max(type);
    shared->reserved = mapping.reserved;
    *out = shared;
    return MOTE_OK;
}

void mote__shared_memory_release(struct mote_shared_memory *shared) {
    if (!shared || atomic_fetch_sub_explicit(&shared->holds, 1, memory_order_acq_rel) != 1) return;
    mote_engine *engine = shared->engine;
    unmap((struct mapping){shared->base, shared->reserved});
    MOTE__DELETE(mote__engine_alloc(engine), shared);
    mote__engine_release(engine);
}

mote_status mote__memory_from_shared(mote_store *store, struct mote_shared_memory *shared, struct mote__memory **out, mote_error *error) {
    uint64_t bytes = atomic_load_explicit(&shared->bytes, memory_order_acquire);
    struct mote__memtype now = shared->type;
    now.min = bytes >> now.page_log2;
    TRY(check_limits(store, &now, error));
    struct mote__memory *memory = MOTE__NEW(mote__engine_alloc(store->engine), struct mote__memory);
    if (!memory) return mote__error_nomem(error, "making a memory");
    atomic_fetch_add_explicit(&shared->holds, 1, memory_order_relaxed);
    *memory = (struct mote__memory){
        .base = shared->base, .bytes = bytes, .type = shared->type, .reserved = shared->reserved, .shared = shared};
    adopt(store, memory);
    *out = memory;
    return MOTE_OK;
}

static mote_status new_private(mote_store *store, const struct mote__memtype *type, struct mote__memory **out, mote_error *error) {
    struct mapping mapping;
    struct mote__memory *memory = MOTE__NEW(mote__engine_alloc(store->engine), struct mote__memory);
    if (!memory) return mote__error_nomem(error, "making a memory");
    mote_status status = map_memory(store->engine, type, &mapping, error);
    if (status != MOTE_OK) {
        MOTE__DELETE(mote__engine_alloc(store->engine), memory);
        return status;
    }
    *memory = (struct mote__memory){
        .base = mapping.base, .bytes = type->min << type->page_log2, .type = *type, .reserved = mapping.reserved};
    adopt(store, memory);
    *out = memory;
    return MOTE_OK;
}

mote_status mote__memory_new(mote_store *store, const struct mote__memtype *type, struct mote__memory **out, mote_error *error) {
    struct mote_shared_memory *shared;
    TRY(check_limits(store, type, error));
    if (!type->shared) return new_private(store, type, out, error);
    TRY(new_shared(store->engine, type, &shared, error));
    mote_status status = mote__memory_from_shared(store, shared, out, error);
    mote__shared_memory_release(shared);
    return status;
}

void mote__memory_free(struct mote__memory *memory) {
    memory->store->memory_bytes -= memory->bytes;
    if (memory->shared) mote__shared_memory_release(memory->shared);
    else unmap((struct mapping){memory->base, memory->reserved});
    MOTE__DELETE(mote__engine_alloc(memory->store->engine), memory);
}

/* ---------------------------------------------------------------- size */

uint64_t mote__memory_bytes(struct mote__memory *memory) {
    if (!memory->shared) return memory->bytes;
    uint64_t bytes = atomic_load_explicit(&memory->shared->bytes, memory_order_acquire);
    if (bytes != memory->bytes) {
        memory->store->memory_bytes += bytes - memory->bytes;
        memory->bytes = bytes;
    }
    return bytes;
}

/* Moves to a reservation that has room for `bytes`. */
static bool move(struct mote__memory *memory, uint64_t bytes) {
    struct mapping to;
    uint64_t bytes_max = memory->max_pages << memory->type.page_log2;
    if (!map(movable_room(bytes, bytes_max), bytes, &to)) return false;
    if (memory->bytes) memcpy(to.base, memory->base, (size_t)memory->bytes);
    unmap((struct mapping){memory->base, memory->reserved});
    memory->base = to.base;
    memory->reserved = to.reserved;
    return true;
}

/* Makes room for `bytes`, more than there are. */
static bool extend(struct mote__memory *memory, uint64_t bytes) {
    if (bytes <= memory->reserved) return commit(memory->base, memory->bytes, bytes);
    assert(!memory->guarded && !memory->shared);
    return move(memory, bytes);
}

static uint64_t grow_locked(struct mote__memory *memory, uint64_t pages) {
    unsigned page_log2 = memory->type.page_log2;
    const mote_store *store = memory->store;
    uint64_t before = mote__memory_pages(memory);
    if (pages > memory->max_pages - before) return UINT64_MAX;
    uint64_t bytes = (before + pages) << page_log2;
    if (pages << page_log2 > store->limits.memory_bytes_max - store->memory_bytes) return UINT64_MAX;
    if (pages && !extend(memory, bytes)) return UINT64_MAX;
    if (memory->shared) atomic_store_explicit(&memory->shared->bytes, bytes, memory_order_release);
    memory->store->memory_bytes += bytes - memory->bytes;
    memory->bytes = bytes;
    return before;
}

uint64_t mote__memory_grow(struct mote__memory *memory, uint64_t pages) {
    if (!memory->shared) return grow_locked(memory, pages);
    mote__os_mutex_lock(&memory->shared->lock);
    uint64_t before = grow_locked(memory, pages);
    mote__os_mutex_unlock(&memory->shared->lock);
    return before;
}

/* ---------------------------------------------------------------- bulk operations */

static bool in_bounds(struct mote__memory *memory, uint64_t at, uint64_t count) {
    uint64_t bytes = mote__memory_bytes(memory);
    return at <= bytes && count <= bytes - at;
}

uint32_t mote__memory_fill(struct mote__memory *memory, uint64_t to, uint8_t value, uint64_t count) {
    if (!in_bounds(memory, to, count)) return MOTE_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (!count) return MOTE_TRAP_NONE;
    if (memory->shared) mote__shared_fill(memory->base + to, value, (size_t)count);
    else memset(memory->base + to, value, (size_t)count);
    return MOTE_TRAP_NONE;
}

uint32_t mote__memory_copy(struct mote__memory *to_memory, uint64_t to, struct mote__memory *from_memory, uint64_t from, uint64_t count) {
    if (!in_bounds(to_memory, to, count) || !in_bounds(from_memory, from, count)) return MOTE_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (!count) return MOTE_TRAP_NONE;
    uint8_t *target = to_memory->base + to;
    const uint8_t *source = from_memory->base + from;
    if (to_memory->shared || from_memory->shared) mote__shared_copy(target, source, (size_t)count);
    else memmove(target, source, (size_t)count);
    return MOTE_TRAP_NONE;
}

uint32_t mote__memory_init(struct mote__instance *instance, uint32_t memory_index, uint32_t data_index, uint64_t to, uint32_t from,
                           uint32_t count) {
    struct mote__memory *memory = instance->memories[memory_index];
    struct span data = instance->module->datas[data_index].bytes;
    if (instance->datas_dropped[data_index]) data.size = 0;
    if (from > data.size || count > data.size - from || !in_bounds(memory, to, count)) return MOTE_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (!count) return MOTE_TRAP_NONE;
    if (memory->shared) mote__shared_copy(memory->base + to, data.data + from, count);
    else memcpy(memory->base + to, data.data + from, count);
    return MOTE_TRAP_NONE;
}
