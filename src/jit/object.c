/* object.c - writes object files: a header, the code, its symbols, a table of frames for debuggers, section headers (System V ABI, "Object Files"; DWARF 4,
 * "Call Frame Information"). The format is the processor's and the same on every system that has it, so nothing of the system's headers is used. */
#include "jit/object.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_bytes, program_header_bytes, program_header_count, section_header_bytes, section_count, names_section;
};
struct elf_section {
    uint32_t name, type;
    uint64_t flags, address, offset, size;
    uint32_t link, info;
    uint64_t alignment, entry_bytes;
};
struct elf_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};
static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_section) == 64 && sizeof(struct elf_symbol) == 24, "as the ABI has them");

enum { ELF_EXECUTABLE = 2, ELF_X86_64 = 62, ELF_GLOBAL_FUNCTION = 0x12 };
enum { SECTION_PROGBITS = 1, SECTION_SYMBOLS = 2, SECTION_STRINGS = 3, SECTION_NOBITS = 8, SECTION_IS_CODE = 6 };
enum { TEXT = 1, SYMBOLS, STRINGS, FRAMES, NAMES, SECTIONS };
static const char section_names[] = "\0.text\0.symtab\0.strtab\0.debug_frame\0.shstrtab";
static const uint8_t name_at[SECTIONS] = {0, 1, 7, 15, 23, 36};

struct writer {
    struct object_file *out;
    const mote_allocator *allocator;
    bool failed;
    struct elf_section sections[SECTIONS];
};

static void put(struct writer *w, const void *data, size_t size) {
    w->failed = w->failed || !mote__vec_reserve(&w->out->bytes, w->allocator, size);
    if (w->failed || !size) return;
    memcpy(w->out->bytes.data + w->out->bytes.count, data, size);
    w->out->bytes.count += size;
}

static void put_byte(struct writer *w, uint8_t byte) { put(w, &byte, 1); }
static void put_32(struct writer *w, uint32_t x) { put(w, &x, sizeof x); }
static void put_64(struct writer *w, uint64_t x) { put(w, &x, sizeof x); }

static void align(struct writer *w) {
    while (!w->failed && w->out->bytes.count % 8) put_byte(w, 0);
}

static void begin_section(struct writer *w, int section, uint32_t type) {
    align(w);
    w->sections[section] = (struct elf_section){.name = name_at[section], .type = type, .offset = w->out->bytes.count, .alignment = 1};
}
static void end_section(struct writer *w, int section) { w->sections[section].size = w->out->bytes.count - w->sections[section].offset; }

/* ---------------------------------------------------------------- symbols */

static void put_symbols(struct writer *w, const struct object_symbol *symbols, size_t count) {
    uint32_t name = 1;
    begin_section(w, SYMBOLS, SECTION_SYMBOLS);
    put(w, &(struct elf_symbol){0}, sizeof(struct elf_symbol));
    for (size_t i = 0; i < count; i++) {
        put(w, &(struct elf_symbol){name, ELF_GLOBAL_FUNCTION, 0, TEXT, symbols[i].address, symbols[i].size}, sizeof(struct elf_symbol));
        name += (uint32_t)symbols[i].name.size + 1;
    }
    end_section(w, SYMBOLS);
    w->sections[SYMBOLS].link = STRINGS;
    w->sections[SYMBOLS].info = 1; /* the first global one */
    w->sections[SYMBOLS].entry_bytes = sizeof(struct elf_symbol);
    begin_section(w, STRINGS, SECTION_STRINGS);
    put_byte(w, 0);
    for (size_t i = 0; i < count; i++) {
        put(w, symbols[i].name.data, symbols[i].name.size);
        put_byte(w, 0);
    }
    end_section(w, STRINGS);
}

/* ---------------------------------------------------------------- frames */

/* DWARF's numbers of registers and operations. */
enum { DW_RBX = 3, DW_RBP = 6, DW_RSP = 7, DW_R12 = 12, DW_RA = 16 };
enum {
    DW_CFA_OFFSET = 0x80, DW_CFA_DEF_CFA = 0x0C, DW_CFA_DEF_CFA_EXPRESSION = 0x0F, DW_OP_DEREF = 0x06, DW_OP_PLUS_UCONST = 0x23, DW_OP_BREG_RSP = 0x77
};

/* Begins an entry of the table: its length is filled in by end_entry. */
static size_t begin_entry(struct writer *w) {
    put_32(w, 0);
    return w->out->bytes.count;
}
static void end_entry(struct writer *w, size_t start) {
    align(w);
    uint32_t size = (uint32_t)(w->out->bytes.count - start);
    if (!w->failed) memcpy(w->out->bytes.data + start - sizeof size, &size, sizeof size);
}

/* The caller's stack pointer is rsp + 8, below it lies the return address. */
static void put_common(struct writer *w) {
    static const uint8_t rules[] = {4, 0, 8, 0, 1, 0x78, DW_RA, DW_CFA_DEF_CFA, DW_RSP, 8, DW_CFA_OFFSET | DW_RA, 1};
    size_t start = begin_entry(w);
    put_32(w, UINT32_MAX); /* a common entry; version, no augmentation, bytes of an address, no segments, factors 1 and -8, where the return address is */
    put(w, rules, sizeof rules);
    end_entry(w, start);
}

/* The caller's stack pointer is what lies at rsp, plus a few bytes. */
static void put_indirect(struct writer *w, uint8_t distance) {
    const uint8_t rules[] = {DW_CFA_DEF_CFA_EXPRESSION, 5, DW_OP_BREG_RSP, 0, DW_OP_DEREF, DW_OP_PLUS_UCONST, distance};
    put(w, rules, sizeof rules);
}

static void put_rules(struct writer *w, enum object_frame frame) {
    static const uint8_t saved[] = {DW_RBX, DW_RBP, DW_R12, DW_R12 + 1, DW_R12 + 2, DW_R12 + 3}; /* as thunks.c pushes them */
    if (frame == OBJECT_FRAME_THUNK) put_indirect(w, 8);
    if (frame != OBJECT_FRAME_ENTER) return;
    put_indirect(w, (sizeof saved + 2) * 8);
    for (uint8_t i = 0; i < sizeof saved; i++) {
        put_byte(w, DW_CFA_OFFSET | saved[i]);
        put_byte(w, i + 2);
    }
}

static void put_frames(struct writer *w, const struct object_symbol *symbols, size_t count) {
    begin_section(w, FRAMES, SECTION_PROGBITS);
    put_common(w);
    for (size_t i = 0; i < count; i++) {
        size_t start = begin_entry(w);
        put_32(w, 0); /* the common entry */
        put_64(w, symbols[i].address);
        put_64(w, symbols[i].size);
        put_rules(w, symbols[i].frame);
        end_entry(w, start);
    }
    end_section(w, FRAMES);
}

/* ---------------------------------------------------------------- the file */

static void put_code(struct writer *w, struct object_code code) {
    begin_section(w, TEXT, code.contents ? SECTION_PROGBITS : SECTION_NOBITS);
    w->sections[TEXT].flags = SECTION_IS_CODE;
    w->sections[TEXT].address = code.address;
    if (code.contents) put(w, code.contents, code.size);
    w->sections[TEXT].size = code.size;
}

static void put_header(struct writer *w, uint64_t section_headers) {
    struct elf_header header = {
        .ident = {0x7F, 'E', 'L', 'F', 2, 1, 1}, .type = ELF_EXECUTABLE, .machine = ELF_X86_64, .version = 1, .section_headers = section_headers,
        .header_bytes = sizeof header, .section_header_bytes = sizeof(struct elf_section), .section_count = SECTIONS, .names_section = NAMES,
    };
    if (!w->failed) memcpy(w->out->bytes.data, &header, sizeof header);
}

bool mote__object_make(struct object_file *out, const mote_allocator *allocator, struct object_code code, const struct object_symbol *symbols, size_t count) {
    struct writer w = {.out = out, .allocator = allocator};
    put(&w, &(struct elf_header){0}, sizeof(struct elf_header));
    put_code(&w, code);
    put_symbols(&w, symbols, count);
    put_frames(&w, symbols, count);
    begin_section(&w, NAMES, SECTION_STRINGS);
    put(&w, section_names, sizeof section_names);
    end_section(&w, NAMES);
    align(&w);
    uint64_t section_headers = out->bytes.count;
    put(&w, w.sections, sizeof w.sections);
    put_header(&w, section_headers);
    return !w.failed;
}

void mote__object_deinit(struct object_file *object, const mote_allocator *allocator) { mote__vec_deinit(&object->bytes, allocator); }
