/* cmd_dump.c - mote dump: what a module holds, read from its sections and from what the library says about it. */
#include "dump.h"

/* ---- Sections. ---- */

enum { SECTION_CUSTOM = 0, SECTION_IMPORT = 2, SECTION_EXPORT = 7, SECTION_START = 8, SECTION_CODE = 10, SECTION_COUNT = 14 };

static const char *const section_names[SECTION_COUNT] = {
    "custom", "type",    "import", "function", "table",      "memory", "global",
    "export", "start", "elem",   "code",     "data", "data count", "tag",
};

struct section {
    uint8_t id;
    size_t offset; /* of the contents */
    struct span contents;
    struct span name; /* of a custom section */
};

/* Reads the section at the reader; false at the end or when it is cut short. */
static bool next_section(struct reader *in, struct section *out) {
    if (!mote__reader_left(in)) return false;
    out->id = mote__read_u8(in);
    uint32_t size = mote__read_u32(in);
    out->offset = (size_t)(in->pos - in->start);
    out->contents = mote__read_span(in, size);
    if (in->failed) return false;
    struct reader contents;
    mote__reader_init(&contents, out->contents.data, out->contents.size);
    out->name = out->id == SECTION_CUSTOM ? mote__read_name(&contents) : (struct span){0};
    return true;
}

static struct reader sections_of(struct span module) {
    struct reader in;
    mote__reader_init(&in, module.data, module.size);
    mote__read_span(&in, 8); /* magic and version */
    return in;
}

/* The number at the start of a section: how many things it holds, or which function starts. */
static uint32_t first_number(const struct section *section) {
    struct reader in;
    mote__reader_init(&in, section->contents.data, section->contents.size);
    return mote__read_u32(&in);
}

static void print_section(const struct section *s) {
    printf("  %-10s  at 0x%06zx  %9zu bytes", s->id < SECTION_COUNT ? section_names[s->id] : "unknown", s->offset, s->contents.size);
    if (s->id == SECTION_START) printf("  function %u", first_number(s));
    else if (s->id != SECTION_CUSTOM) printf("  %u items", first_number(s));
    else {
        fputs("  ", stdout);
        print_name(stdout, (const char *)s->name.data, s->name.size);
    }
    putchar('\n');
}

static void dump_sections(struct span module) {
    struct reader in = sections_of(module);
    struct section section;
    puts("Sections:");
    while (next_section(&in, &section)) print_section(&section);
    if (in.failed) printf("  (cut short at 0x%zx: %s)\n", (size_t)(in.failed_at - in.start), in.failed);
}

/* ---- Imports and exports. ---- */

static void print_limits(uint64_t min, uint64_t max) {
    printf("%llu", (unsigned long long)min);
    if (max != UINT64_MAX) printf(" %llu", (unsigned long long)max);
}

static void print_valtype(mote_valtype type) {
    char text[256];
    mote_valtype_print(type, text, sizeof text);
    fputs(text, stdout);
}

static void print_memory_type(const mote_memorytype *type) {
    printf("memory %s", type->is_64 ? "i64 " : "");
    print_limits(type->min, type->max);
    if (type->shared) fputs(" shared", stdout);
    if (type->page_log2 != 16) printf(" (pagesize %u)", 1u << type->page_log2);
}

static void print_global_type(const mote_globaltype *type) {
    fputs(type->is_mutable ? "global (mut " : "global ", stdout);
    print_valtype(type->value);
    if (type->is_mutable) putchar(')');
}

static void print_table_type(const mote_tabletype *type) {
    printf("table %s", type->is_64 ? "i64 " : "");
    print_limits(type->min, type->max);
    putchar(' ');
    print_valtype(type->element);
}

/* A type as the text format writes it. */
static void print_extern_type(const mote_externtype *type) {
    char text[1024];
    switch (type->kind) {
    case MOTE_EXTERN_FUNC:
    case MOTE_EXTERN_TAG:
        fputs(type->kind == MOTE_EXTERN_FUNC ? "func" : "tag", stdout);
        if (!mote_type_param_count(type->of.func) && !mote_type_result_count(type->of.func)) break;
        mote_type_print(type->of.func, text, sizeof text);
        printf(" %s", text);
        break;
    case MOTE_EXTERN_TABLE: print_table_type(&type->of.table); break;
    case MOTE_EXTERN_MEMORY: print_memory_type(&type->of.memory); break;
    case MOTE_EXTERN_GLOBAL: print_global_type(&type->of.global); break;
    }
}

static void dump_imports(const mote_module *module) {
    size_t count = mote_module_import_count(module);
    if (count) puts("Imports:");
    for (size_t i = 0; i < count; i++) {
        mote_importtype import = mote_module_import(module, i);
        fputs("  ", stdout);
        print_name(stdout, import.module.data, import.module.size);
        putchar('.');
        print_name(stdout, import.name.data, import.name.size);
        fputs(": ", stdout);
        print_extern_type(&import.type);
        putchar('\n');
    }
}

static void dump_exports(const mote_module *module) {
    size_t count = mote_module_export_count(module);
    if (count) puts("Exports:");
    for (size_t i = 0; i < count; i++) {
        mote_exporttype export = mote_module_export(module, i);
        fputs("  ", stdout);
        print_name(stdout, export.name.data, export.name.size);
        fputs(": ", stdout);
        print_extern_type(&export.type);
        putchar('\n');
    }
}

/* ---- Functions. ---- */

/* Walks the names of functions in a name section, in step with growing indices. */
struct func_names {
    struct reader in;
    uint32_t left, index; /* entries left; the index of the one in `name` */
    struct span name;
};

static void next_func_name(struct func_names *names) {
    names->index = UINT32_MAX;
    if (!names->left) return;
    names->left--;
    names->index = mote__read_u32(&names->in);
    names->name = mote__read_name(&names->in);
    if (names->in.failed) names->index = UINT32_MAX, names->left = 0;
}

static struct func_names func_names_of(const mote_module *module) {
    struct func_names names = {.index = UINT32_MAX};
    const uint8_t *bytes;
    size_t size;
    if (!mote_module_custom(module, "name", 0, &bytes, &size)) return names;
    struct reader in;
    for (mote__reader_init(&in, bytes, size); mote__reader_left(&in);) {
        uint8_t id = mote__read_u8(&in);
        struct span part = mote__read_span(&in, mote__read_u32(&in));
        if (id != 1) continue;
        mote__reader_init(&names.in, part.data, part.size);
        names.left = mote__read_u32(&names.in);
    }
    next_func_name(&names);
    return names;
}

static uint32_t imported_func_count(const mote_module *module) {
    uint32_t count = 0;
    for (size_t i = 0; i < mote_module_import_count(module); i++)
        count += mote_module_import(module, i).type.kind == MOTE_EXTERN_FUNC;
    return count;
}

static void print_function(uint32_t index, size_t offset, size_t size, struct func_names *names) {
    while (names->index < index) next_func_name(names);
    printf("  %6u  at 0x%06zx  %7zu bytes  ", index, offset, size);
    if (names->index == index) print_name(stdout, (const char *)names->name.data, names->name.size);
    putchar('\n');
}

static void dump_functions(struct span bytes, const mote_module *module) {
    struct func_names names = func_names_of(module);
    uint32_t index = imported_func_count(module);
    struct reader in = sections_of(bytes), code;
    struct section section;
    puts("Functions:");
    while (next_section(&in, &section)) {
        if (section.id != SECTION_CODE) continue;
        mote__reader_init(&code, section.contents.data, section.contents.size);
        for (uint32_t left = mote__read_u32(&code); left; left--) {
            uint32_t size = mote__read_u32(&code);
            size_t offset = section.offset + (size_t)(code.pos - code.start);
            mote__read_span(&code, size);
            print_function(index++, offset, size, &names);
        }
    }
}

/* ---- Code. ---- */

static uint32_t own_func_count(struct span bytes) {
    struct reader in = sections_of(bytes);
    struct section section;
    while (next_section(&in, &section))
        if (section.id == SECTION_CODE) return first_number(&section);
    return 0;
}

static int print_code(const struct input *input, struct span binary, mote_module *module, uint32_t index) {
    (void)binary;
    char *text;
    size_t size;
    mote_error error;
    if (mote_module_code_text(module, index, &text, &size, &error) != MOTE_OK) return report_module_error(input, &error);
    fwrite(text, 1, size, stdout);
    mote_bytes_delete(mote_module_engine(module), text, size);
    return EXIT_DONE;
}

static bool is_named(const struct func_names *names, const char *wanted) {
    return names->name.size == strlen(wanted) && !memcmp(names->name.data, wanted, names->name.size);
}

/* The function that is exported by a name; UINT32_MAX when there is none. */
static uint32_t find_exported_func(struct span bytes, const char *wanted) {
    struct reader in = sections_of(bytes), exports;
    struct section section;
    while (next_section(&in, &section)) {
        if (section.id != SECTION_EXPORT) continue;
        mote__reader_init(&exports, section.contents.data, section.contents.size);
        for (uint32_t left = mote__read_u32(&exports); left; left--) {
            struct span name = mote__read_name(&exports);
            bool is_func = mote__read_u8(&exports) == MOTE_EXTERN_FUNC;
            uint32_t index = mote__read_u32(&exports);
            if (is_func && name.size == strlen(wanted) && !memcmp(name.data, wanted, name.size)) return index;
        }
    }
    return UINT32_MAX;
}

/* By number, by a name of the name section, or by that of an export; UINT32_MAX when there is none. */
static uint32_t find_func(struct span bytes, const mote_module *module, const char *wanted) {
    uint64_t number;
    if (parse_count(wanted, &number) && number < UINT32_MAX) return (uint32_t)number;
    struct func_names names = func_names_of(module);
    while (names.index != UINT32_MAX && !is_named(&names, wanted)) next_func_name(&names);
    return names.index != UINT32_MAX ? names.index : find_exported_func(bytes, wanted);
}

/* Prints the function that is wanted, or all of them. */
typedef int print_func(const struct input *input, struct span binary, mote_module *module, uint32_t index);
static int dump_code(struct span bytes, mote_module *module, const struct input *input, const char *wanted, print_func *print) {
    if (strcmp(wanted, "all") != 0) {
        uint32_t index = find_func(bytes, module, wanted);
        if (index != UINT32_MAX) return print(input, bytes, module, index);
        return report_failure("%s: no function is called `%s`; `mote dump --functions` lists them", input->name, wanted);
    }
    uint32_t first = imported_func_count(module), end = first + own_func_count(bytes);
    int code = EXIT_DONE;
    for (uint32_t i = first; i < end && !code; i++) code = print(input, bytes, module, i);
    return code;
}

/* ---- Timing. ---- */

static uint64_t code_section_bytes(struct span bytes) {
    struct reader in = sections_of(bytes);
    struct section section;
    while (next_section(&in, &section))
        if (section.id == SECTION_CODE) return section.contents.size;
    return 0;
}

/* ---- The command. ---- */

static int dump_text(mote_engine *engine, const struct input *input, struct span binary) {
    char *text;
    size_t size;
    mote_error error;
    if (mote_binary_to_text(engine, binary.data, binary.size, &text, &size, &error) != MOTE_OK)
        return report_module_error(input, &error);
    fwrite(text, 1, size, stdout);
    mote_bytes_delete(engine, text, size);
    return EXIT_DONE;
}

/* What a module that decodes and validates tells about itself. */
static int dump_module(const struct args *args, mote_engine *engine, const struct input *input, struct span binary) {
    mote_module *module;
    mote_error error;
    if (mote_module_new(engine, binary.data, binary.size, MOTE_MODULE_BORROW, &module, &error) != MOTE_OK)
        return report_module_error(input, &error);
    const char *func = args_text(args, OPT_code, NULL), *native = args_text(args, OPT_native, NULL);
    int code = func ? dump_code(binary, module, input, func, print_code) : EXIT_DONE;
    if (native && !code) code = dump_code(binary, module, input, native, dump_native);
    if (args_flag(args, OPT_functions)) {
        dump_functions(binary, module);
    } else if (!func && !native) {
        dump_imports(module);
        dump_exports(module);
    }
    mote_module_delete(module);
    return code;
}

static int dump(const struct args *args, mote_engine *engine, const struct input *input, struct span binary) {
    if (args_flag(args, OPT_text)) return dump_text(engine, input, binary);
    if (args_flag(args, OPT_timing)) return dump_timing(args, input, binary, code_section_bytes(binary));
    if (!args_flag(args, OPT_functions) && !args_find(args, OPT_code) && !args_find(args, OPT_native)) dump_sections(binary);
    return dump_module(args, engine, input, binary);
}

/* Text is turned into the binary format first. */
static int dump_input(const struct args *args, mote_engine *engine, const struct input *input) {
    struct span span = {input->bytes, input->size};
    if (mote_is_binary(span.data, span.size)) return dump(args, engine, input, span);
    uint8_t *binary;
    size_t size;
    mote_error error;
    if (mote_text_to_binary(engine, span.data, span.size, &binary, &size, &error) != MOTE_OK)
        return report_module_error(input, &error);
    int code = dump(args, engine, input, (struct span){binary, size});
    mote_bytes_delete(engine, binary, size);
    return code;
}

int cmd_dump(const struct args *args) {
    struct input input;
    bool parts = args_flag(args, OPT_functions) || args_find(args, OPT_code) || args_find(args, OPT_native);
    if (args_flag(args, OPT_text) && parts)
        return report_usage("--text shows the whole module; --functions, --code and --native are for runs without it");
    if (!input_open_module(&input, args->operands[0])) return EXIT_BAD_MODULE;
    mote_engine *engine = NULL;
    int code = engine_open(args, &engine);
    if (!code) code = dump_input(args, engine, &input);
    mote_engine_delete(engine);
    input_close(&input);
    return code;
}
