/* arena.c - chunks from the allocator, handed out piece by piece.
 * Chunks grow with the arena, so that a small module stays small and a large one takes few chunks.
 * What does not fit and would waste much of a chunk gets one of its own, filed behind the newest,
 * which stays the one being filled.
 * Keeps: chunks == NULL exactly when next == end == NULL; bytes_total is the sum of chunk->bytes. */
#include "base/arena.h"
#include <assert.h>
#include <stdalign.h>

enum {
    ALIGNMENT = 16,
#ifdef MOTE_HOSTILE
    /* Every allocation gets a chunk of its own: the sanitizer sees both its ends. */
    CHUNK_BYTES_MIN = 16,
    CHUNK_BYTES_MAX = 16,
#else
    CHUNK_BYTES_MIN = 4096,
    CHUNK_BYTES_MAX = 1 << 20,
#endif
};

struct arena_chunk {
    alignas(ALIGNMENT) struct arena_chunk *older;
    size_t bytes; /* this header included */
};
static_assert(sizeof(struct arena_chunk) == ALIGNMENT, "what follows the header is aligned");

void mote__arena_init(struct arena *arena, const mote_allocator *allocator) {
    *arena = (struct arena){.allocator = allocator};
}

void mote__arena_deinit(struct arena *arena) {
    for (struct arena_chunk *chunk = arena->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        mote__free(arena->allocator, chunk, chunk->bytes);
    }
    mote__arena_init(arena, arena->allocator);
}

static struct arena_chunk *new_chunk(struct arena *arena, size_t payload_bytes) {
    size_t bytes;
    if (__builtin_add_overflow(payload_bytes, sizeof(struct arena_chunk), &bytes)) return NULL;
    struct arena_chunk *chunk = mote__alloc(arena->allocator, bytes);
    if (!chunk) return NULL;
    chunk->bytes = bytes;
    arena->bytes_total += bytes;
    return chunk;
}

/* A chunk for one allocation; the newest chunk stays where it is. */
static uint8_t *take_alone(struct arena *arena, size_t bytes) {
    struct arena_chunk *chunk = new_chunk(arena, bytes);
    if (!chunk) return NULL;
    struct arena_chunk **place = arena->chunks ? &arena->chunks->older : &arena->chunks;
    chunk->older = *place;
    *place = chunk;
    uint8_t *start = (uint8_t *)(chunk + 1);
    if (arena->chunks == chunk) arena->next = arena->end = start + bytes;
    return start;
}

/* A new newest chunk of `payload_bytes`, the first `bytes` of which are taken. */
static uint8_t *take_from_new(struct arena *arena, size_t bytes, size_t payload_bytes) {
    struct arena_chunk *chunk = new_chunk(arena, payload_bytes);
    if (!chunk) return NULL;
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    uint8_t *start = (uint8_t *)(chunk + 1);
    arena->next = start + bytes;
    arena->end = start + payload_bytes;
    return start;
}

/* A quarter of what the arena holds already: at most that share is ever unused. */
static size_t next_payload_bytes(const struct arena *arena) {
    size_t bytes = arena->bytes_total / 4;
    if (bytes < CHUNK_BYTES_MIN) bytes = CHUNK_BYTES_MIN;
    if (bytes > CHUNK_BYTES_MAX) bytes = CHUNK_BYTES_MAX;
    return bytes & ~(size_t)(ALIGNMENT - 1);
}

/* `bytes` bytes, not cleared, at a multiple of `alignment` (a power of two up to ALIGNMENT). */
static uint8_t *take(struct arena *arena, size_t bytes, size_t alignment) {
    size_t skip = -(uintptr_t)arena->next & (alignment - 1);
    size_t left = (size_t)(arena->end - arena->next);
    if (arena->next && skip <= left && bytes <= left - skip) {
        uint8_t *start = arena->next + skip;
        arena->next = start + bytes;
        return start;
    }
    size_t payload_bytes = next_payload_bytes(arena);
    if (bytes > payload_bytes / 4) return take_alone(arena, bytes);
    return take_from_new(arena, bytes, payload_bytes);
}

void *mote__arena_alloc(struct arena *arena, size_t bytes) {
    uint8_t *start = take(arena, bytes, ALIGNMENT);
    return start ? memset(start, 0, bytes) : NULL;
}

void *mote__arena_alloc_array(struct arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    return mote__arena_alloc(arena, bytes);
}

char *mote__arena_string(struct arena *arena, const void *bytes, size_t size) {
    if (size == SIZE_MAX) return NULL;
    char *text = (char *)take(arena, size + 1, 1);
    if (!text) return NULL;
    if (size) memcpy(text, bytes, size);
    text[size] = 0;
    return text;
}
