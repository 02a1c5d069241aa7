/* cmd_help.c - mote help: the screens that explain, and the manual page, all from commands.def. */
#include "cli.h"

enum { LEFT_WIDTH = 26, NAME_WIDTH = 12, OPTIONS_ON_A_SCREEN = 14 };

static const char exit_codes[] = "The exit code is the program's own, or\n"
                                 "  1    the module is malformed, invalid or does not link, or a file cannot be read\n"
                                 "  2    wrong usage of mote\n"
                                 "  130  ended by Ctrl-C\n"
                                 "  134  a trap, an uncaught exception, or a limit was reached\n";

/* ---- One option, as text. ---- */

/* Calls visit for each of the option's names. */
static void each_name(const struct option *option, void (*visit)(void *context, const char *name, bool first), void *context) {
    char name[64];
    bool first = true;
    for (const char *at = option->names; at; first = false) {
        const char *comma = strchr(at, ',');
        snprintf(name, sizeof name, "%.*s", comma ? (int)(comma - at) : (int)strlen(at), at);
        visit(context, name, first);
        at = comma ? comma + 2 : NULL;
    }
}

/* How an option is written: "-o, --output FILE" and, where -W or -S is another way, "-W fuel=N". */
struct spelling {
    const struct option *option;
    char left[96], other[96];
    bool is_complete; /* left has its placeholder */
};

static bool has_key(const char *name) { return name[0] == '-' && name[1] != '-' && strchr(name, ' '); }

static void append(char text[96], const char *separator, const char *word) {
    size_t size = strlen(text);
    if (*word) snprintf(text + size, 96 - size, "%s%s", size ? separator : "", word);
}

static void add_spelling(void *context, const char *name, bool first) {
    struct spelling *s = context;
    bool keyed = has_key(name);
    if (keyed && !first) append(s->left, " ", s->option->placeholder);
    char *out = keyed && !first ? s->other : s->left;
    append(out, ", ", name);
    if (keyed) append(out, "=", s->option->placeholder);
    s->is_complete = keyed;
}

static struct spelling spell(const struct option *option) {
    struct spelling s = {.option = option};
    each_name(option, add_spelling, &s);
    if (!s.is_complete) append(s.left, " ", option->placeholder);
    return s;
}

/* ---- Screens. ---- */

static void print_option(FILE *out, const struct option *option) {
    struct spelling s = spell(option);
    fprintf(out, "  %-*s  %s", LEFT_WIDTH, s.left, option->text);
    if (*s.other) fprintf(out, " (or %s)", s.other);
    fputc('\n', out);
}

/* An option of a SELDOM row, or without a name of its own, only a key of -W or -S: where a command has more options than fit on a screen, these are left to --all. */
static bool is_seldom(enum option_id id) {
    static const bool seldom[OPT_COUNT] = {
#define SELDOM(ident) [OPT_##ident] = true,
#include "commands.def"
    };
    return seldom[id] || has_key(option_table[id].names);
}

/* The name of a group that is a topic of its own, or NULL. */
static const char *topic_of(enum option_group group) {
    static const char *const topics[GROUP_COUNT] = {
#define TOPIC(ident, title, name) [GROUP_##ident] = name,
#include "commands.def"
    };
    return topics[group];
}

static void print_group(FILE *out, enum command_id id, enum option_group group, bool all) {
    bool any = false;
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *option = &option_table[i];
        if (!(option->commands >> id & 1) || option->group != group || (!all && is_seldom((enum option_id)i))) continue;
        if (!any) fprintf(out, "%s:\n", group_titles[group]);
        any = true;
        print_option(out, option);
    }
}

static void print_examples(FILE *out, enum command_id id) {
    fputs("Examples:\n", out);
    for (size_t i = 0; i < example_count; i++)
        if (example_table[i].command == id) fprintf(out, "  %-47s  %s\n", example_table[i].line, example_table[i].text);
}

static size_t count_options(enum command_id id) {
    size_t count = 0;
    for (size_t i = 0; i < OPT_COUNT; i++) count += option_table[i].commands >> id & 1;
    return count;
}

static void print_usage(FILE *out, enum command_id id) {
    const struct command *command = &command_table[id];
    fprintf(out, "Usage: mote %s%s%s%s\n", command->name, count_options(id) ? " [OPTIONS]" : "", *command->operands ? " " : "",
            command->operands);
    if (*command->aliases) fprintf(out, "Also called: %s\n", command->aliases);
}

static int help_command(FILE *out, enum command_id id, bool all) {
    all = all || count_options(id) <= OPTIONS_ON_A_SCREEN;
    print_usage(out, id);
    fprintf(out, "%s\n\n", command_table[id].about);
    for (enum option_group group = 0; group < GROUP_COUNT; group++)
        if (!topic_of(group)) print_group(out, id, group, all);
    if (!all) fprintf(out, "More: mote help --all %s\n", command_table[id].name);
    if (count_options(id)) fputc('\n', out);
    print_examples(out, id);
    return EXIT_DONE;
}

static int help_all(FILE *out) {
    fprintf(out, "mote %s - runs WebAssembly outside the browser\n\nUsage: mote FILE [ARGUMENTS...]\n       mote COMMAND [OPTIONS] ...\n\n",
            mote_version());
    for (size_t i = 0; i < CMD_COUNT; i++)
        fprintf(out, "  %-*s %s\n", NAME_WIDTH, command_table[i].name, command_table[i].summary);
    fprintf(out, "\n`mote help COMMAND` shows its options, `mote help compiling` the compiler's.\n"
                 "A FILE is binary or text WebAssembly.\n\n%s\n", exit_codes);
    print_examples(out, CMD_run);
    return EXIT_DONE;
}

/* The options of a topic, for each command that has some. */
static int help_topic(FILE *out, enum option_group group) {
    fprintf(out, "%s: options for those who measure, debug or mend the compiler.\n", group_titles[group]);
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *option = &option_table[i];
        if (option->group != group) continue;
        print_option(out, option);
        fprintf(out, "  %-*s  (", LEFT_WIDTH, "");
        const char *separator = "";
        for (size_t id = 0; id < CMD_COUNT; id++) {
            if (!(option->commands >> id & 1)) continue;
            fprintf(out, "%smote %s", separator, command_table[id].name);
            separator = ", ";
        }
        fputs(")\n", out);
    }
    return EXIT_DONE;
}

static int help_features(FILE *out) {
    fputs("Language features: -W NAME switches one on with those that it needs, -W NAME=n off\nwith those that need it. * is on by default.\n\n", out);
    const char *name;
    for (unsigned i = 0; (name = mote_feature_name(i)); i++)
        fprintf(out, "%c %-24s %s\n", mote_features_default() >> i & 1 ? '*' : ' ', name, mote_feature_text(i));
    return EXIT_DONE;
}

/* ---- The manual page. ---- */

/* Text in which roff finds nothing of its own: - as \-, \ as \e, and no line begins with a point or an apostrophe. */
static void roff(FILE *out, const char *text) {
    for (bool start = true; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        start = *text == '\n';
        if (*text == '-') fputs("\\-", out);
        else if (*text == '\\') fputs("\\e", out);
        else fputc(*text, out);
    }
}

static void roff_macro(FILE *out, const char *macro, const char *text) {
    fprintf(out, "%s ", macro);
    roff(out, text);
    fputc('\n', out);
}

static void man_options(FILE *out, enum command_id id) {
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!(option_table[i].commands >> id & 1)) continue;
        struct spelling s = spell(&option_table[i]);
        char names[200];
        snprintf(names, sizeof names, "%s%s%s", s.left, *s.other ? ", " : "", s.other);
        fputs(".TP\n", out);
        roff_macro(out, ".B", names);
        roff(out, option_table[i].text);
        fputc('\n', out);
    }
}

static void man_examples(FILE *out, enum command_id id) {
    for (size_t i = 0; i < example_count; i++) {
        if (example_table[i].command != id) continue;
        fputs(".PP\n", out);
        roff(out, example_table[i].text);
        fputs(":\n.br\n", out);
        roff_macro(out, ".B", example_table[i].line);
    }
}

static void man_command(FILE *out, enum command_id id) {
    const struct command *command = &command_table[id];
    char title[128];
    snprintf(title, sizeof title, "mote %s %s", command->name, command->operands);
    roff_macro(out, ".SS", title);
    roff(out, command->about);
    fputc('\n', out);
    man_options(out, id);
    man_examples(out, id);
}

static int help_man(FILE *out) {
    fprintf(out, ".TH MOTE 1 \"\" \"mote %s\"\n.SH NAME\nmote \\- runs WebAssembly outside the browser\n.SH SYNOPSIS\n", mote_version());
    fputs("\\fBmote\\fR \\fIFILE\\fR [\\fIARGUMENTS\\fR...]\n.br\n\\fBmote\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n.SH COMMANDS\n", out);
    for (enum command_id id = 0; id < CMD_COUNT; id++) man_command(out, id);
    fputs(".SH FEATURES\n", out);
    const char *name;
    for (unsigned i = 0; (name = mote_feature_name(i)); i++) {
        fputs(".TP\n", out);
        roff_macro(out, ".B", name);
        roff(out, mote_feature_text(i));
        fputs(mote_features_default() >> i & 1 ? " (on by default)\n" : "\n", out);
    }
    fputs(".SH EXIT STATUS\n.nf\n", out);
    roff(out, exit_codes);
    fputs(".fi\n", out);
    return EXIT_DONE;
}

/* ---- The command. ---- */

static int unknown_topic(const char *topic) {
    const char *names[CMD_COUNT + 1];
    for (size_t i = 0; i < CMD_COUNT; i++) names[i] = command_table[i].name;
    names[CMD_COUNT] = "features";
    const char *near = nearest_name(topic, names, CMD_COUNT + 1);
    if (near) return report_usage("no help on %s; did you mean `mote help %s`?", topic, near);
    return report_usage("no help on %s; `mote help` lists the commands", topic);
}

/* `mote COMMAND --help`, and `mote run --help` for `mote --help` behind an option. */
static int help_on(const char *topic, bool all) {
    enum command_id id = command_find(topic);
    if (id < CMD_COUNT) return help_command(stdout, id, all);
    for (enum option_group group = 0; group < GROUP_COUNT; group++)
        if (topic_of(group) && !strcmp(topic, topic_of(group))) return help_topic(stdout, group);
    return !strcmp(topic, "features") ? help_features(stdout) : unknown_topic(topic);
}

int cmd_help(const struct args *args) {
    if (args->command != CMD_help) return help_command(stdout, args->command, false);
    if (args_flag(args, OPT_man)) return help_man(stdout);
    if (args->operand_count) return help_on(args->operands[0], args_flag(args, OPT_all));
    bool asked = args->called || args->help;
    help_all(asked ? stdout : stderr);
    return asked ? EXIT_DONE : EXIT_USAGE;
}
