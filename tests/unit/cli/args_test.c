/* args_test.c - the command line as parsed by the tables of commands.def. */
#include "test.h"
#include "args.c"
#include "numbers.c"
#include "memory.c"
#include "tables.c"

/* The table names the commands' functions; none is called here. */
#define COMMAND(ident, ...)                                                                        \
    int cmd_##ident(const struct args *args) { return (int)args->command; }
#include "commands.def"

enum { WORDS_MAX = 16 };

/* Parses "mote WORDS..." (separated by single spaces); the strings live until the next call. */
static struct args parsed;
static mote_error wrong_because;

static bool parse(const char *line) {
    static char text[512], *words[WORDS_MAX + 1];
    int count = 0;
    snprintf(text, sizeof text, "mote %s", line);
    for (char *at = text; at && *at && count < WORDS_MAX;) {
        words[count++] = at;
        at = strchr(at, ' ');
        if (at) *at++ = 0;
    }
    words[count] = NULL;
    return args_parse(&parsed, count, words, &wrong_because) == MOTE_OK;
}

#define PARSE(line) REQUIRE(parse(line))
/* The message that the line is refused with. */
#define CHECK_WRONG(line, text) (CHECK(!parse(line)), CHECK_STR(wrong_because.message, text), args_deinit(&parsed))

TEST(commands_and_aliases) {
    PARSE("validate a.wasm b.wasm");
    CHECK_EQ(parsed.command, CMD_validate);
    CHECK_EQ(parsed.operand_count, 2);
    CHECK_STR(parsed.operands[1], "b.wasm");
    args_deinit(&parsed);
    PARSE("wasm2wat x");
    CHECK_EQ(parsed.command, CMD_convert);
    CHECK_STR(parsed.called, "wasm2wat");
    args_deinit(&parsed);
    PARSE("--version --verbose");
    CHECK_EQ(parsed.command, CMD_version);
    CHECK(args_flag(&parsed, OPT_verbose));
    args_deinit(&parsed);
}

TEST(bare_file_is_run) {
    PARSE("--fuel 7 prog.wasm --fuel 8 -W x -- y");
    CHECK_EQ(parsed.command, CMD_run);
    CHECK_STR(parsed.called, NULL);
    CHECK_EQ(parsed.operand_count, 7);
    CHECK_STR(parsed.operands[0], "prog.wasm");
    CHECK_STR(parsed.operands[1], "--fuel");
    CHECK_EQ(args_number(&parsed, OPT_fuel, 0), 7);
    args_deinit(&parsed);
    PARSE("run - a");
    CHECK_STR(parsed.operands[0], "-");
    args_deinit(&parsed);
}

TEST(options_anywhere_but_for_run) {
    PARSE("convert in.wat -o out.wasm");
    CHECK_EQ(parsed.operand_count, 1);
    CHECK_STR(args_text(&parsed, OPT_output, NULL), "out.wasm");
    args_deinit(&parsed);
    PARSE("validate -- -q");
    CHECK_EQ(parsed.operand_count, 1);
    CHECK(!args_flag(&parsed, OPT_quiet));
    args_deinit(&parsed);
}

TEST(spellings) {
    static const char *const lines[] = {"--fuel 5 x.wasm",      "--fuel=5 x.wasm",   "-W fuel=5 x.wasm", "-Wfuel=5 x.wasm",
                                        "--wasm fuel=5 x.wasm", "--wasm=fuel=5 x.wasm", "-W simd,fuel=5,gc=n x.wasm"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        PARSE(lines[i]);
        CHECK_EQ(args_number(&parsed, OPT_fuel, 0), 5);
        args_deinit(&parsed);
    }
    PARSE("-S tcplisten=127.0.0.1:80 --tcp-listen [::1]:81 x.wasm");
    CHECK_EQ(parsed.given.count, 2);
    CHECK_STR(parsed.given.data[0].text, "127.0.0.1:80");
    CHECK_EQ(parsed.given.data[1].option, OPT_tcp_listen);
    args_deinit(&parsed);
}

TEST(features) {
    PARSE("-W simd=n,gc,threads=y x.wasm");
    CHECK_EQ(parsed.given.count, 3);
    CHECK_STR(parsed.given.data[0].text, "simd");
    CHECK_EQ(parsed.given.data[0].number, 0);
    CHECK_EQ(parsed.given.data[1].number, 1);
    CHECK_EQ(parsed.given.data[2].option, OPT_feature);
    args_deinit(&parsed);
}

TEST(features_and_what_they_need) {
    PARSE("-W simd=n,gc=n,gc,threads,threads=n x.wasm");
    CHECK_EQ(args_features(&parsed, true), mote_feature_find("gc"));
    CHECK_EQ(args_features(&parsed, false), mote_feature_find("simd") | mote_feature_find("threads"));
    args_deinit(&parsed);
    CHECK_WRONG("-W simd=n,relaxed-simd x.wasm", "-W relaxed-simd needs simd, which -W simd=n switches off");
    CHECK_WRONG("-W gc -W bulk-memory=n x.wasm", "-W gc needs bulk-memory, which -W bulk-memory=n switches off");
}

TEST(the_last_one_counts) {
    PARSE("--timeout 1s --timeout 2s -W unknown-imports-trap -W unknown-imports-trap=n x.wasm");
    CHECK_EQ(args_number(&parsed, OPT_timeout, 0), 2000000000);
    CHECK(!args_flag(&parsed, OPT_unknown_imports_trap));
    args_deinit(&parsed);
}

TEST(help_needs_no_operands) {
    PARSE("run --help");
    CHECK(parsed.help);
    args_deinit(&parsed);
    PARSE("");
    CHECK_EQ(parsed.command, CMD_help);
    CHECK_STR(parsed.called, NULL);
    args_deinit(&parsed);
}

TEST(wrong_usage_says_what_to_do) {
    CHECK_WRONG("run", "`mote run` needs FILE [ARGUMENTS...]; see `mote help run`");
    CHECK_WRONG("vaildate x", "unknown command vaildate; did you mean `mote validate`?");
    CHECK_WRONG("frobnicate", "unknown command frobnicate, and no file of this name; `mote help` lists the commands");
    CHECK_WRONG("--feul 1 x.wasm", "unknown option --feul; did you mean --fuel?");
    CHECK_WRONG("-W sidm x.wasm", "unknown option -W sidm; did you mean -W simd?");
    CHECK_WRONG("--inv add x.wasm", "unknown option --inv; did you mean --invoke?");
    CHECK_WRONG("-W , x.wasm", "-W takes names with commas between them; one is empty");
    CHECK_WRONG("-W =y x.wasm", "-W takes names with commas between them; one is empty");
    CHECK_WRONG("-W qqqqqqqqqq x.wasm", "unknown option -W qqqqqqqqqq; see `mote help run`");
    CHECK_WRONG("validate --fuel 1 x", "`mote validate` has no option --fuel, `mote run` has");
    CHECK_WRONG("--fuel", "--fuel needs a value: N");
    CHECK_WRONG("-W", "-W needs a value; see `mote help run`");
    CHECK_WRONG("-W fuel x.wasm", "-W fuel needs a value: N");
    CHECK_WRONG("--timeout 5q x.wasm", "--timeout takes a time such as 500ms, 2s or 1m, not `5q`");
    CHECK_WRONG("--max-memory lots x.wasm", "--max-memory takes a size such as 65536, 64KiB, 16MiB or 2GiB, not `lots`");
    CHECK_WRONG("-W gc=maybe x.wasm", "-W gc takes y or n, not `maybe`");
    CHECK_WRONG("convert a b", "`mote convert` takes FILE and no more; what is `b`?");
    CHECK_WRONG("version a", "`mote version` takes options and no more; what is `a`?");
}
