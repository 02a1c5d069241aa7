/* args.c - parses the command line by the tables of commands.def.
 * Options stand before the operands of `run` (what follows FILE is the program's own) and anywhere for other commands; "--" ends them.
 * `-W a=1,b` and `-S ...` hold several keys; `--wasm` and `--wasi` are their long forms. A bare `mote FILE` is `mote run FILE`. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "base/error.h"
#include <stdio.h>
#include <unistd.h>

static const mote_allocator *const allocator = &command_allocator;

struct parse {
    struct args *args;
    mote_error *error;
    char **argv;
    int argc, at; /* at: the next argument */
};

static MOTE_PRINTF(2, 3) mote_status wrong(struct parse *p, const char *format, ...) {
    va_list list;
    va_start(list, format);
    mote_status status = mote__error_setv(p->error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, format, list);
    va_end(list);
    return status;
}

/* ---- Names. ---- */

/* Returns the next word of a list and its size; NULL after the last. Words are separated by ", "; "-W key" is one word. */
static const char *next_word(const char *list, const char *separator, size_t *size) {
    list += strspn(list, separator);
    *size = strcspn(list, separator);
    return *size ? list : NULL;
}

static bool is_word(const char *word, const char *text, size_t size) {
    return strlen(word) == size && !memcmp(word, text, size);
}

bool word_in_list(const char *list, const char *word) {
    size_t size;
    for (const char *w = list; (w = next_word(w, ", ", &size)); w += size)
        if (is_word(word, w, size)) return true;
    return false;
}

enum command_id command_find(const char *word) {
    enum command_id id = 0;
    while (id < CMD_COUNT && strcmp(command_table[id].name, word) &&
           !word_in_list(command_table[id].aliases, word))
        id++;
    return id;
}

/* True if `name` ("--fuel", "-o") or the key of a letter ("-W", "fuel") is among the option's names. */
static bool option_is(const struct option *option, const char *letter, const char *name) {
    size_t size, letter_size = strlen(letter);
    for (const char *w = option->names; (w = next_word(w, ",", &size)); w += size) {
        size_t skip = *w == ' ';
        const char *text = w + skip, *space = memchr(text, ' ', size - skip);
        size_t text_size = size - skip, first = space ? (size_t)(space - text) : 0;
        if (!*letter && !space && is_word(name, text, text_size)) return true;
        if (*letter && first == letter_size && !memcmp(text, letter, first) &&
            is_word(name, space + 1, text_size - first - 1))
            return true;
    }
    return false;
}

static enum option_id option_find(const struct args *args, const char *letter, const char *name) {
    enum option_id id = 0;
    while (id < OPT_COUNT && !((option_table[id].commands >> args->command & 1) &&
                               option_is(&option_table[id], letter, name)))
        id++;
    return id;
}

/* Copies the names that the command's options have (for a letter: their keys) as strings; returns how many. */
struct name_list {
    char text[OPT_COUNT * 2 + 64][32];
    const char *names[OPT_COUNT * 2 + 64];
    size_t count;
};

static void name_add(struct name_list *list, const char *text, size_t size) {
    size_t room = sizeof list->names / sizeof *list->names;
    if (list->count == room || size >= sizeof list->text[0]) return;
    memcpy(list->text[list->count], text, size);
    list->text[list->count][size] = 0;
    list->names[list->count] = list->text[list->count];
    list->count++;
}

static void names_of_option(struct name_list *list, const struct option *option, const char *letter) {
    size_t size;
    for (const char *w = option->names; (w = next_word(w, ",", &size)); w += size) {
        size_t skip = *w == ' ';
        bool keyed = memchr(w + skip, ' ', size - skip);
        if (keyed && *letter && w[skip + 1] == letter[1]) name_add(list, w + skip + 3, size - skip - 3);
        if (!keyed && !*letter) name_add(list, w + skip, size - skip);
    }
}

static void names_of_command(struct name_list *list, const struct args *args, const char *letter) {
    list->count = 0;
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (option_table[i].commands >> args->command & 1) names_of_option(list, &option_table[i], letter);
    const char *feature;
    for (unsigned i = 0; !strcmp(letter, "-W") && (feature = mote_feature_name(i)); i++)
        name_add(list, feature, strlen(feature));
    if (!*letter) name_add(list, "--help", 6);
}

/* Says that there is no such option and what to do: the command that has it, the nearest name, or where the list is. */
static mote_status unknown_option(struct parse *p, const char *letter, const char *name) {
    const char *space = *letter ? " " : "", *command = command_table[p->args->command].name;
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!option_is(&option_table[i], letter, name)) continue;
        unsigned other = (unsigned)__builtin_ctz(option_table[i].commands);
        return wrong(p, "`mote %s` has no option %s%s%s, `mote %s` has", command, letter, space, name,
                     command_table[other].name);
    }
    struct name_list list;
    names_of_command(&list, p->args, letter);
    const char *near = nearest_name(name, list.names, list.count);
    if (near)
        return wrong(p, "unknown option %s%s%s; did you mean %s%s%s?", letter, space, name, letter, space, near);
    return wrong(p, "unknown option %s%s%s; see `mote help %s`", letter, space, name, command);
}

/* ---- Values. ---- */

static mote_status out_of_memory(struct parse *p) {
    return mote__error_nomem(p->error, "reading the arguments");
}

static bool parse_yes_no(const char *text, uint64_t *out) {
    bool yes = !text || word_in_list("y yes true on 1", text);
    *out = yes;
    return yes || word_in_list("n no false off 0", text);
}

static bool parse_number(enum option_kind kind, const char *text, uint64_t *out) {
    switch (kind) {
    case KIND_FLAG: return parse_yes_no(text, out);
    case KIND_COUNT: return parse_count(text, out);
    case KIND_SIZE: return parse_size(text, out);
    case KIND_DURATION: return parse_duration(text, out);
    case KIND_TEXT:
    case KIND_LIST: *out = 0; return true;
    }
    return false;
}

static const char *const kind_hints[] = {
    [KIND_FLAG] = "y or n",
    [KIND_COUNT] = "a number such as 1000000",
    [KIND_SIZE] = "a size such as 65536, 64KiB, 16MiB or 2GiB",
    [KIND_DURATION] = "a time such as 500ms, 2s or 1m",
};

/* Notes an option with its value. `spelled` is how it was written, for messages. */
static mote_status give(struct parse *p, enum option_id id, const char *spelled, const char *value) {
    const struct option *option = &option_table[id];
    if (option->kind != KIND_FLAG && !value)
        return wrong(p, "%s needs a value: %s", spelled, option->placeholder);
    uint64_t number;
    if (!parse_number(option->kind, value, &number))
        return wrong(p, "%s takes %s, not `%s`", spelled, kind_hints[option->kind], value);
    struct given *given = mote__vec_push(&p->args->given, allocator);
    if (!given) return out_of_memory(p);
    *given = (struct given){.option = id, .text = value, .number = number};
    return MOTE_OK;
}

/* `-W NAME` or `-W NAME=n` of a language feature. */
static mote_status give_feature(struct parse *p, const char *name, const char *value) {
    uint64_t on;
    if (!parse_yes_no(value, &on)) return wrong(p, "-W %s takes y or n, not `%s`", name, value);
    struct given *given = mote__vec_push(&p->args->given, allocator);
    if (!given) return out_of_memory(p);
    *given = (struct given){.option = OPT_feature, .text = name, .number = on};
    return MOTE_OK;
}

/* One `key` or `key=value` behind -W or -S. */
static mote_status give_key(struct parse *p, const char *letter, char *key) {
    char *value = strchr(key, '=');
    if (value) *value++ = 0;
    if (!*key) return wrong(p, "%s takes names with commas between them; one is empty", letter);
    char spelled[64];
    enum option_id id = option_find(p->args, letter, key);
    if (id < OPT_COUNT && id != OPT_feature) {
        snprintf(spelled, sizeof spelled, "%s %s", letter, key);
        return give(p, id, spelled, value);
    }
    bool takes_features = option_table[OPT_feature].commands >> p->args->command & 1;
    if (takes_features && !strcmp(letter, "-W") && mote_feature_find(key)) return give_feature(p, key, value);
    return unknown_option(p, letter, key);
}

/* The list behind -W or -S, split at commas in a copy. */
static mote_status give_keys(struct parse *p, const char *letter, const char *list) {
    if (!list) return wrong(p, "%s needs a value; see `mote help %s`", letter, command_table[p->args->command].name);
    char *rest = mote__arena_string(&p->args->copies, list, strlen(list)), *key;
    if (!rest) return out_of_memory(p);
    mote_status status = MOTE_OK;
    while (status == MOTE_OK && (key = rest)) {
        rest = strchr(key, ',');
        if (rest) *rest++ = 0;
        status = give_key(p, letter, key);
    }
    return status;
}

/* ---- Arguments. ---- */

static char *next_argument(struct parse *p) { return p->at < p->argc ? p->argv[p->at++] : NULL; }

/* -W, -S or -D in any spelling: "-W x", "-Wx", "--wasm x", "--wasm=x". Sets *done if `arg` is one. */
static mote_status parse_keyed(struct parse *p, char *arg, bool *done) {
    static const struct {
        const char *letter, *name;
    } keyed[] = {{"-W", "--wasm"}, {"-S", "--wasi"}, {"-D", "--debug"}};
    for (size_t i = 0; i < sizeof keyed / sizeof *keyed; i++) {
        size_t size = strlen(keyed[i].name);
        *done = true;
        if (!strcmp(arg, keyed[i].letter) || !strcmp(arg, keyed[i].name))
            return give_keys(p, keyed[i].letter, next_argument(p));
        if (!strncmp(arg, keyed[i].name, size) && arg[size] == '=') return give_keys(p, keyed[i].letter, arg + size + 1);
        if (!strncmp(arg, keyed[i].letter, 2)) return give_keys(p, keyed[i].letter, arg + 2);
    }
    *done = false;
    return MOTE_OK;
}

/* "--name", "--name=value", "--name value", "-o value", "-ovalue". */
static mote_status parse_option(struct parse *p, char *arg) {
    bool done;
    mote_status status = parse_keyed(p, arg, &done);
    if (done) return status;
    char name[64];
    size_t size = arg[1] == '-' ? strcspn(arg, "=") : strlen(arg);
    if (size >= sizeof name) return wrong(p, "unknown option %s", arg);
    memcpy(name, arg, size);
    name[size] = 0;
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        p->args->help = true;
        return MOTE_OK;
    }
    enum option_id id = option_find(p->args, "", name);
    char letter[] = {arg[0], arg[1], 0};
    if (id == OPT_COUNT && arg[1] != '-') { /* -j2 */
        id = option_find(p->args, "", letter);
        if (id < OPT_COUNT && option_table[id].kind != KIND_FLAG) return give(p, id, letter, arg + 2);
        id = OPT_COUNT;
    }
    if (id == OPT_COUNT) return unknown_option(p, "", name);
    bool is_flag = option_table[id].kind == KIND_FLAG;
    const char *value = arg[size] ? arg + size + 1 : is_flag ? NULL : next_argument(p);
    return give(p, id, name, value);
}

/* Options and operands of the command; operands are moved to the front of argv. */
static mote_status parse_rest(struct parse *p) {
    struct args *args = p->args;
    char *arg;
    args->operands = p->argv + p->at;
    bool only_operands = false;
    while ((arg = next_argument(p))) {
        bool is_option = !only_operands && arg[0] == '-' && arg[1];
        if (is_option && strcmp(arg, "--")) {
            TRY(parse_option(p, arg));
        } else if (is_option) {
            only_operands = true;
        } else {
            args->operands[args->operand_count++] = arg;
            if (args->command == CMD_run) only_operands = true;
        }
    }
    return MOTE_OK;
}

static mote_status check_operands(struct parse *p) {
    const struct args *args = p->args;
    const struct command *command = &command_table[args->command];
    if (args->help) return MOTE_OK;
    if (args->operand_count < command->min && !(args->command == CMD_help || args_flag(args, OPT_man)))
        return wrong(p, "`mote %s` needs %s; see `mote help %s`", command->name, command->operands, command->name);
    if (args->operand_count > command->max)
        return wrong(p, "`mote %s` takes %s and no more; what is `%s`?", command->name, *command->operands ? command->operands : "options",
                     args->operands[command->max]);
    return MOTE_OK;
}

/* `-W simd=n,relaxed-simd` cannot be meant. */
static mote_status check_features(struct parse *p) {
    const char *needy, *needed;
    mote_features on = args_features(p->args, true), off = args_features(p->args, false);
    for (unsigned i = 0; (needy = mote_feature_name(i)); i++) {
        mote_features bit = (mote_features)1 << i, missing = on & bit ? mote_features_with(0, bit) & off : 0;
        if (!missing) continue;
        needed = mote_feature_name((unsigned)__builtin_ctzll(missing));
        return wrong(p, "-W %s needs %s, which -W %s=n switches off", needy, needed, needed);
    }
    return MOTE_OK;
}

/* True if a first word that is no command must be a mistyped one: it does not look like a file and is none. */
static bool looks_like_command(const char *word) { return !strpbrk(word, "./-") && access(word, F_OK); }

static mote_status unknown_command(struct parse *p, const char *word) {
    const char *names[CMD_COUNT];
    for (size_t i = 0; i < CMD_COUNT; i++) names[i] = command_table[i].name;
    const char *near = nearest_name(word, names, CMD_COUNT);
    if (near) return wrong(p, "unknown command %s; did you mean `mote %s`?", word, near);
    return wrong(p, "unknown command %s, and no file of this name; `mote help` lists the commands", word);
}

/* Finds out which command is meant. */
static mote_status parse_command(struct parse *p) {
    struct args *args = p->args;
    const char *first = p->at < p->argc ? p->argv[p->at] : "help";
    enum command_id id = command_find(first);
    if (id == CMD_COUNT) id = word_in_list("--version -V", first) ? CMD_version : id;
    if (id == CMD_COUNT) id = word_in_list("--help -h", first) ? CMD_help : id;
    if (id == CMD_COUNT) return looks_like_command(first) ? unknown_command(p, first) : MOTE_OK;
    args->command = id;
    args->called = p->at < p->argc ? first : NULL;
    p->at++;
    return MOTE_OK;
}

mote_status args_parse(struct args *args, int argc, char **argv, mote_error *error) {
    *args = (struct args){.command = CMD_run};
    mote__arena_init(&args->copies, allocator);
    struct parse p = {.args = args, .error = error, .argv = argv, .argc = argc, .at = 1};
    args->original = MOTE__ARENA_ARRAY(&args->copies, char *, (size_t)argc + 1);
    if (!args->original) return mote__error_nomem(error, "reading the arguments");
    memcpy(args->original, argv, (size_t)argc * sizeof *argv);
    TRY(parse_command(&p));
    TRY(parse_rest(&p));
    TRY(check_operands(&p));
    return check_features(&p);
}

void args_deinit(struct args *args) {
    mote__arena_deinit(&args->copies);
    mote__vec_deinit(&args->given, allocator);
}

/* ---- What was given. ---- */

const struct given *args_find(const struct args *args, enum option_id option) {
    const struct given *found = NULL;
    for (size_t i = 0; i < args->given.count; i++)
        if (args->given.data[i].option == option) found = &args->given.data[i];
    return found;
}

bool args_flag(const struct args *args, enum option_id option) { return args_number(args, option, 0) != 0; }

const char *args_text(const struct args *args, enum option_id option, const char *otherwise) {
    const struct given *given = args_find(args, option);
    return given ? given->text : otherwise;
}

uint64_t args_number(const struct args *args, enum option_id option, uint64_t otherwise) {
    const struct given *given = args_find(args, option);
    return given ? given->number : otherwise;
}

mote_features args_features(const struct args *args, bool on) {
    mote_features set = 0;
    for (size_t i = 0; i < args->given.count; i++) {
        const struct given *given = &args->given.data[i];
        if (given->option != OPT_feature) continue;
        mote_features bit = mote_feature_find(given->text);
        set = on == (given->number != 0) ? set | bit : set & ~bit;
    }
    return set;
}
