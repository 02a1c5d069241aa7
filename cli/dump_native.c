/* dump_native.c - mote dump --native: the machine code of a function, instruction by instruction of the module, as words where a disassembler is on PATH
 * and as bytes in any case. */
#include "base/error.h"
#include "disassemble.h"
#include "dump.h"

enum { BYTES_PER_LINE = 12 };
static const mote_allocator *const allocator = &mote__allocator_libc;

static void print_bytes(const uint8_t *bytes, size_t count, bool padded) {
    for (size_t i = 0; i < count; i++) printf(" %02x", bytes[i]);
    for (size_t i = count; i < BYTES_PER_LINE && padded; i++) fputs("   ", stdout);
}

static void print_hex(const mote_native *native, uint32_t at, uint32_t end) {
    for (; at < end; at += BYTES_PER_LINE) {
        printf("  %6x ", at);
        print_bytes(native->bytes + at, end - at < BYTES_PER_LINE ? end - at : BYTES_PER_LINE, false);
        putchar('\n');
    }
}

/* The lines of [at, end), from line number *next on. */
static void print_words(const mote_native *native, const struct disassembly *d, size_t *next, uint32_t end) {
    for (; *next < d->lines.count && d->lines.data[*next].at < end; ++*next) {
        const struct disassembly_line *line = &d->lines.data[*next];
        uint32_t line_end = *next + 1 < d->lines.count && line[1].at < end ? line[1].at : end;
        printf("  %6x ", line->at);
        print_bytes(native->bytes + line->at, line_end - line->at, true);
        printf("  %s\n", d->text.data + line->text_at);
    }
}

static void print_native(const mote_native *native, const struct disassembly *d) {
    size_t next = 0;
    for (size_t i = 0; i < native->place_count; i++) {
        const mote_native_place *place = &native->places[i];
        uint32_t end = i + 1 < native->place_count ? place[1].at : (uint32_t)native->size;
        printf("0x%06llx  %s\n", (unsigned long long)place->offset, place->name);
        if (d->lines.count && place->offset) print_words(native, d, &next, end);
        else print_hex(native, place->at, end);
        while (next < d->lines.count && d->lines.data[next].at < end) next++;
    }
}

static void hint_at_tools(void) {
    static bool said;
    if (!said) fputs("mote: bytes only: objdump (Debian: binutils) or llvm-objdump (llvm) on PATH shows instructions too\n", stderr);
    said = true;
}

int dump_native(const struct input *input, struct span binary, mote_module *module, uint32_t index) {
    (void)binary;
    mote_native *native;
    mote_error error;
    mote_status status = mote_module_native(module, index, &native, &error);
    if (status == MOTE_E_UNSUPPORTED) {
        printf("%s\n", error.message);
        return EXIT_DONE;
    }
    if (status != MOTE_OK) return report_module_error(input, &error);
    struct disassembly d;
    if (!disassemble(&d, allocator, native->object, native->object_size, native->address)) {
        hint_at_tools();
        d.lines.count = 0;
    }
    printf("function %u: %zu bytes at 0x%llx of code memory\n", index, native->size, (unsigned long long)native->address);
    print_native(native, &d);
    disassembly_deinit(&d, allocator);
    mote_native_delete(mote_module_engine(module), native);
    return EXIT_DONE;
}
