/* args.h - the command line, parsed by the tables of commands.def. Nothing here prints or ends the program. */
#ifndef MOTE_CLI_ARGS_H
#define MOTE_CLI_ARGS_H

#include "base/arena.h"
#include "base/vec.h"
#include <mote/mote.h>

enum { ANY = 1 << 30 }; /* operands without end */

enum command_id {
#define COMMAND(ident, ...) CMD_##ident,
#include "commands.def"
    CMD_COUNT
};
#define ON(ident) (1u << CMD_##ident)

enum option_group {
#define GROUP(ident, title) GROUP_##ident,
#include "commands.def"
    GROUP_COUNT
};

enum option_id {
#define OPTION(ident, ...) OPT_##ident,
#include "commands.def"
    OPT_COUNT
};

enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_LIST,
    KIND_COUNT,
    KIND_SIZE,
    KIND_DURATION
};

struct args;

struct command {
    const char *name, *aliases, *operands;
    int min, max;
    const char *summary, *about;
    int (*run)(const struct args *args);
};

struct option {
    enum option_kind kind;
    unsigned commands; /* ON(ident) | ... */
    enum option_group group;
    const char *names, *placeholder, *text;
};

struct example {
    enum command_id command;
    const char *line, *text;
};

extern const struct command command_table[CMD_COUNT];
extern const struct option option_table[OPT_COUNT];
extern const char *const group_titles[GROUP_COUNT];
extern const struct example example_table[];
extern const size_t example_count;

/* An option as it was given, in order. Numbers are in bytes or nanoseconds; a flag's is 0 or 1. For OPT_feature `text` is the feature's name
 * and `number` whether it is to be on. */
struct given {
    enum option_id option;
    const char *text;
    uint64_t number;
};

struct args {
    enum command_id command;
    const char *called; /* the word that chose the command: its name, an alias, or NULL for `mote FILE` and bare `mote` */
    bool help;          /* --help: show it and do nothing else */
    char **original; /* argv as it was, for another program; NULL at its end */
    char **operands;
    int operand_count;
    VEC(struct given) given;
    struct arena copies; /* of lists that were split at commas, and `original` */
};

/* Parses the arguments of main. Features (-W NAME) are known by mote_feature_find.
 * args   the caller's; args_deinit frees it, also after an error. Borrows argv, whose pointers it may reorder.
 * Returns MOTE_OK or MOTE_E_ARGUMENT with what is wrong and what to do about it; args->command is set in both cases. */
mote_status args_parse(struct args *args, int argc, char **argv, mote_error *error);
void args_deinit(struct args *args);

/* The last one given, NULL if there is none. */
const struct given *args_find(const struct args *args, enum option_id option);
bool args_flag(const struct args *args, enum option_id option);
const char *args_text(const struct args *args, enum option_id option, const char *otherwise);
uint64_t args_number(const struct args *args, enum option_id option, uint64_t otherwise);

/* The features that were switched on (or off): of several -W NAME the last one counts. No feature that is on needs one that is off. */
mote_features args_features(const struct args *args, bool on);

/* Finds a command by name or alias; CMD_COUNT if there is none. */
enum command_id command_find(const char *word);
/* True if `word` is one of the words in `list`, which are separated by ", " or " ". */
bool word_in_list(const char *list, const char *word);

/* The name in `names` (count of them, NULLs skipped) that alone begins with `word` or is most like it, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

/* Numbers of options: false when it is none. Sizes take K, M, G, KiB, MiB, GiB (1024) and KB, MB, GB (1000); durations ns, us, ms, s, m, h and
 * fractions, seconds without a unit. */
bool parse_count(const char *text, uint64_t *out);
bool parse_size(const char *text, uint64_t *out);
bool parse_duration(const char *text, uint64_t *out);

#endif
