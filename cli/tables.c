/* tables.c - the tables of commands.def as data. */
#include "cli.h"

const struct command command_table[CMD_COUNT] = {
#define COMMAND(ident, name, aliases, operands, min, max, summary, about)                          \
    [CMD_##ident] = {name, aliases, operands, min, max, summary, about, cmd_##ident},
#include "commands.def"
};

const struct option option_table[OPT_COUNT] = {
#define OPTION(ident, kind, commands, group, names, placeholder, text)                             \
    [OPT_##ident] = {KIND_##kind, commands, GROUP_##group, names, placeholder, text},
#include "commands.def"
};

const char *const group_titles[GROUP_COUNT] = {
#define GROUP(ident, title) title,
#include "commands.def"
};

const struct example example_table[] = {
#define EXAMPLE(command, line, text) {CMD_##command, line, text},
#include "commands.def"
};
const size_t example_count = sizeof example_table / sizeof *example_table;
