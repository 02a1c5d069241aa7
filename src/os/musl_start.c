/* musl_start.c - the first instructions of the static mote: applies relative relocations in their packed form (DT_RELR), then goes on to musl's
 * start-up, which knows that form only from 1.2.4 on. Packed, the addresses in tables take some 500 bytes of the program instead of 80 KB.
 * Linked into the command alone, and only where cmake/musl.cmake found a linker that packs them.
 * Keeps: nothing is relocated yet, so no address is read from memory and nothing outside this file is called. */
#include <elf.h>
#include <stdint.h>

enum { TAG_RELR_BYTES = 35, TAG_RELR = 36 };

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));
void mote__musl_start(void);
void mote__apply_relr(void);

/* Entered by the kernel with the arguments on the stack, which are musl's to read. */
#if defined(__x86_64__)
__asm__(".text\n.global mote__musl_start\nmote__musl_start:\n\txor %ebp, %ebp\n\tcall mote__apply_relr\n\tjmp _start\n");
#elif defined(__aarch64__)
__asm__(".text\n.global mote__musl_start\nmote__musl_start:\n\tbl mote__apply_relr\n\tb _start\n");
#endif

/* An even entry is the place of a word to relocate; an odd one has a bit for each of the 63 words behind the last place. */
static void relocate(uintptr_t base, const uint64_t *entries, uint64_t count) {
    uintptr_t *where = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t entry = entries[i];
        if (!(entry & 1)) {
            where = (uintptr_t *)(base + entry);
            *where++ += base;
            continue;
        }
        for (unsigned k = 0; entry >>= 1; k++)
            if (entry & 1) where[k] += base;
        where += 63;
    }
}

/* Leaves no entries behind: a musl that knows them must not apply them again. */
void mote__apply_relr(void) {
    uintptr_t base = (uintptr_t)__ehdr_start, place = 0;
    uint64_t bytes = 0;
    for (Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == TAG_RELR) place = d->d_un.d_ptr;
        if (d->d_tag != TAG_RELR_BYTES) continue;
        bytes = d->d_un.d_val;
        d->d_un.d_val = 0;
    }
    relocate(base, (const uint64_t *)(base + place), bytes / sizeof(uint64_t));
}
