/* cmd_completions.c - mote completions: scripts for bash, zsh and fish, from commands.def. */
#include "cli.h"

/* Prints the option's names that a shell completes: "--fuel", "-o"; of -W and -S the letter alone. */
static void print_names(enum command_id id, const char *before, const char *after) {
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!(option_table[i].commands >> id & 1)) continue;
        for (const char *at = option_table[i].names; at;) {
            const char *comma = strchr(at, ',');
            size_t size = comma ? (size_t)(comma - at) : strlen(at);
            if (!memchr(at, ' ', size)) printf("%s%.*s%s", before, (int)size, at, after);
            at = comma ? comma + 2 : NULL;
        }
    }
}

/* Prints the keys of -W or -S: "fuel=" and, for -W, the names of the features. */
static void print_keys(enum command_id id, const char *letter, const char *after) {
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *option = &option_table[i];
        const char *key = strstr(option->names, letter);
        if (!(option->commands >> id & 1) || !key || i == OPT_feature) continue;
        printf("%s%s%s", key + 3, option->kind == KIND_FLAG ? "" : "=", after);
    }
    bool has_features = !strcmp(letter, "-W ") && option_table[OPT_feature].commands >> id & 1;
    const char *name;
    for (unsigned i = 0; has_features && (name = mote_feature_name(i)); i++) printf("%s%s", name, after);
}

static void print_commands(const char *after) {
    for (size_t i = 0; i < CMD_COUNT; i++)
        printf("%s%s%s%s", command_table[i].name, after, command_table[i].aliases, *command_table[i].aliases ? after : "");
}

/* "run", or "convert|wat2wasm|wasm2wat", as a pattern of the shell. */
static void print_pattern(enum command_id id) {
    fputs(command_table[id].name, stdout);
    for (const char *at = command_table[id].aliases; *at; at++) {
        if (at == command_table[id].aliases) putchar('|');
        putchar(*at == ' ' ? '|' : *at);
    }
}

static void print_cases(void) {
    for (enum command_id id = 0; id < CMD_COUNT; id++) {
        fputs("    ", stdout);
        print_pattern(id);
        fputs(") options='--help ", stdout);
        print_names(id, "", " ");
        fputs("' w='", stdout);
        print_keys(id, "-W ", " ");
        fputs("' s='", stdout);
        print_keys(id, "-S ", " ");
        fputs("' ;;\n", stdout);
    }
}

static void print_bash(void) {
    fputs("_mote() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} options= w= s= words\n"
          "    COMPREPLY=()\n"
          "    case $command in\n",
          stdout);
    print_cases();
    fputs("    *) command=run ;;\n    esac\n    words='", stdout);
    print_commands(" ");
    fputs("--help --version'\n"
          "    case $prev in\n"
          "    -W|--wasm) words=$w; compopt -o nospace 2>/dev/null ;;\n"
          "    -S|--wasi) words=$s; compopt -o nospace 2>/dev/null ;;\n"
          "    *) [[ $COMP_CWORD -gt 1 ]] && words=$options\n"
          "       [[ $cur == -* || $COMP_CWORD -eq 1 ]] || words= ;;\n"
          "    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "}\n"
          "complete -o default -F _mote mote\n",
          stdout);
}

static void print_zsh(void) {
    fputs("#compdef mote\n"
          "_mote() {\n"
          "    local command=$words[2] previous=$words[CURRENT-1] options= w= s=\n"
          "    case $command in\n",
          stdout);
    print_cases();
    fputs("    esac\n"
          "    case $previous in\n"
          "    -W|--wasm) compadd -S '' -- ${=w}; return ;;\n"
          "    -S|--wasi) compadd -S '' -- ${=s}; return ;;\n"
          "    esac\n"
          "    if (( CURRENT == 2 )); then compadd -- --help --version ",
          stdout);
    print_commands(" ");
    fputs("; fi\n"
          "    if [[ $words[CURRENT] == -* ]]; then compadd -- ${=options}; else _files; fi\n"
          "}\n"
          "_mote \"$@\"\n",
          stdout);
}

static void print_fish_options(enum command_id id) {
    const char *name = command_table[id].name, *aliases = command_table[id].aliases;
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *option = &option_table[i];
        const char *dashes = strstr(option->names, "--");
        if (!(option->commands >> id & 1) || !dashes) continue;
        printf("complete -c mote -n '__fish_seen_subcommand_from %s %s' -l %.*s%s -d '%s'\n", name, aliases,
               (int)strcspn(dashes + 2, ","), dashes + 2, option->kind == KIND_FLAG ? "" : " -r", option->text);
    }
    static const char *const letters[] = {"-W ", "-S "};
    for (size_t i = 0; i < 2; i++) {
        printf("complete -c mote -n '__fish_seen_subcommand_from %s %s' -s %c -x -a '", name, aliases, letters[i][1]);
        print_keys(id, letters[i], " ");
        fputs("'\n", stdout);
    }
}

static void print_fish(void) {
    for (enum command_id id = 0; id < CMD_COUNT; id++)
        printf("complete -c mote -n __fish_use_subcommand -a '%s %s' -d '%s'\n", command_table[id].name, command_table[id].aliases,
               command_table[id].summary);
    for (enum command_id id = 0; id < CMD_COUNT; id++) print_fish_options(id);
}

int cmd_completions(const struct args *args) {
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(args->operands[0], shells[i].shell) != 0) continue;
        shells[i].print();
        return EXIT_DONE;
    }
    return report_usage("no completions for %s; there are some for bash, zsh and fish", args->operands[0]);
}
