/* wast_test.c - scripts: every form of command, value and pattern; lines; failures. */
#include "text/wast.h"
#include "../test.h"
#include "../fail_alloc.h"

static struct wast_script script;
static mote_error error;

static bool parse(const char *text) {
    struct span span = {(const uint8_t *)text, strlen(text)};
    return mote__wast_parse(&mote__allocator_libc, span, UINT64_MAX, &script, &error) == MOTE_OK;
}

static bool is(struct span span, const char *text) {
    return span.size == strlen(text) && !memcmp(span.data, text, span.size);
}

TEST(modules) {
    REQUIRE(parse("(module $a (func))\n(module binary \"\\00asm\" \"x\")\n\n(module $q quote "
                  "\"(fu\" \"nc)\")\n"
                  "(module definition $d (memory 1)) (module instance $i $d) (register \"n\" $i) "
                  "(register \"m\")"));
    REQUIRE(script.command_count == 7);
    const struct wast_command *c = script.commands;
    CHECK(c[0].kind == WAST_MODULE && c[0].module.form == WAST_TEXT && c[0].line == 1);
    CHECK(is(c[0].name, "a") && is(c[0].module.source, "(module $a (func))"));
    CHECK(c[1].module.form == WAST_BINARY && c[1].line == 2);
    CHECK_EQ(c[1].module.source.size, 5);
    CHECK_MEM(c[1].module.source.data, "\0asmx", 5);
    CHECK(c[2].module.form == WAST_QUOTE && c[2].line == 4 && is(c[2].module.source, "(func)"));
    CHECK(c[3].module.is_definition && is(c[3].name, "d"));
    CHECK(c[4].kind == WAST_INSTANCE && is(c[4].name, "i") && is(c[4].target, "d"));
    CHECK(c[5].kind == WAST_REGISTER && is(c[5].name, "n") && is(c[5].target, "i"));
    CHECK(c[6].kind == WAST_REGISTER && !c[6].target.data);
    mote__wast_deinit(&script);
}

TEST(assertions) {
    REQUIRE(parse("(assert_return (invoke $m \"f\\00\" (i32.const -1) (ref.extern 7) (ref.host 3)) "
                  "(i64.const 5))"
                  "(assert_return (get \"g\"))"
                  "(assert_trap (invoke \"f\") \"unreachable\")"
                  "(assert_trap (module (func)) \"oops\")"
                  "(assert_exhaustion (invoke \"f\") \"call stack exhausted\")"
                  "(assert_exception (invoke \"f\"))"
                  "(assert_malformed (module quote \"\") \"a\") (assert_invalid (module) \"b\") "
                  "(assert_unlinkable (module) \"c\")"
                  "(assert_malformed_custom (module) \"d\") (assert_invalid_custom (module) \"e\")"
                  "(invoke \"f\") (get $m \"g\")"));
    static const enum wast_kind kinds[] = {WAST_ASSERT_RETURN,
                                           WAST_ASSERT_RETURN,
                                           WAST_ASSERT_TRAP,
                                           WAST_ASSERT_UNINSTANTIABLE,
                                           WAST_ASSERT_EXHAUSTION,
                                           WAST_ASSERT_EXCEPTION,
                                           WAST_ASSERT_MALFORMED,
                                           WAST_ASSERT_INVALID,
                                           WAST_ASSERT_UNLINKABLE,
                                           WAST_ASSERT_MALFORMED_CUSTOM,
                                           WAST_ASSERT_INVALID_CUSTOM,
                                           WAST_ACTION,
                                           WAST_ACTION};
    REQUIRE(script.command_count == sizeof kinds / sizeof *kinds);
    const struct wast_command *c = script.commands;
    for (unsigned i = 0; i < script.command_count; i++) CHECK_EQ(c[i].kind, kinds[i]);
    CHECK(is(c[0].action.instance, "m") && c[0].action.name.size == 2 &&
          c[0].action.arg_count == 3);
    CHECK_EQ(c[0].action.args[0].number, 0xFFFFFFFF);
    CHECK(c[0].action.args[1].kind == WAST_REF_EXTERN && c[0].action.args[1].number == 7);
    CHECK(c[0].action.args[2].kind == WAST_REF_HOST && c[0].action.args[2].number == 3);
    CHECK(c[0].result_count == 1 && c[0].results[0].kind == WAST_I64);
    CHECK(c[1].action.is_get && !c[1].action.instance.data);
    CHECK(is(c[2].message, "unreachable") && is(c[8].message, "c"));
    mote__wast_deinit(&script);
}

TEST(patterns) {
    REQUIRE(parse(
        "(assert_return (invoke \"f\") (f32.const nan:canonical) (f64.const nan:arithmetic) "
        "(f32.const nan)"
        "(v128.const f32x4 nan:canonical 1 nan:arithmetic 0) (v128.const i16x8 0 1 2 3 4 5 6 -1)"
        "(ref.null) (ref.null func) (ref) (ref.func) (ref.extern) (ref.i31) (ref.struct) "
        "(ref.array) (ref.eq) (ref.any) (ref.exn)"
        "(either (i32.const 1) (i32.const 2)))"));
    const struct wast_command *c = script.commands;
    REQUIRE(script.command_count == 1 && c->result_count == 17);
    const struct wast_value *r = c->results;
    CHECK(r[0].kind == WAST_F32 && r[0].nan[0] == WAST_NAN_CANONICAL);
    CHECK(r[1].kind == WAST_F64 && r[1].nan[0] == WAST_NAN_ARITHMETIC);
    CHECK(r[2].nan[0] == WAST_NAN_NONE && r[2].number == 0x7FC00000);
    CHECK(r[3].lane_count == 4 && r[3].lanes_are_floats && r[3].nan[0] == WAST_NAN_CANONICAL);
    CHECK(r[3].nan[2] == WAST_NAN_ARITHMETIC && r[3].v128[7] == 0x3F);
    CHECK(r[4].lane_bits == 16 && r[4].v128[2] == 1 && r[4].v128[14] == 0xFF &&
          r[4].v128[15] == 0xFF);
    CHECK(r[5].kind == WAST_REF_NULL && r[5].heap == 0);
    CHECK(r[6].kind == WAST_REF_NULL && r[6].heap == 0x70);
    CHECK(r[7].kind == WAST_REF_ANY);
    static const uint8_t heaps[] = {0x70, 0x6F, 0x6C, 0x6B, 0x6A, 0x6D, 0x6E, 0x69};
    for (unsigned i = 0; i < sizeof heaps; i++)
        CHECK(r[8 + i].kind == WAST_REF_KIND && r[8 + i].heap == heaps[i]);
    CHECK(r[16].kind == WAST_EITHER && r[16].choice_count == 2 && r[16].choices[1].number == 2);
    mote__wast_deinit(&script);
}

TEST(threads) {
    REQUIRE(parse("(module $Mem (memory (export \"m\") 1 1 shared))\n(thread $T (shared (module "
                  "$Mem))\n (register \"mem\" $Mem)\n"
                  " (assert_return (invoke \"f\")))\n(wait $T)"));
    REQUIRE(script.command_count == 3);
    const struct wast_command *t = &script.commands[1];
    CHECK(t->kind == WAST_THREAD && is(t->name, "T") && t->shared_count == 1 &&
          is(t->shared[0], "Mem"));
    REQUIRE(t->command_count == 2);
    CHECK(t->commands[0].kind == WAST_REGISTER && t->commands[0].line == 3);
    CHECK(t->commands[1].kind == WAST_ASSERT_RETURN && t->commands[1].line == 4);
    CHECK(script.commands[2].kind == WAST_WAIT && is(script.commands[2].name, "T"));
    mote__wast_deinit(&script);
}

TEST(one_module_without_parentheses) {
    REQUIRE(parse(";; fields\n(func) (memory 0)"));
    CHECK(script.command_count == 1 && script.commands[0].kind == WAST_MODULE);
    CHECK_EQ(script.commands[0].line, 2);
    mote__wast_deinit(&script);
    REQUIRE(parse("  "));
    CHECK_EQ(script.command_count, 0);
    mote__wast_deinit(&script);
}

TEST(bad_scripts) {
    static const char *const bad[] = {"(assert_return)",
                                      "(assert_trap (invoke \"f\"))",
                                      "(unheard_of)",
                                      "(invoke f)",
                                      "(module",
                                      "(assert_return (invoke \"f\") (i32.const x))",
                                      "(thread $a (thread $b))",
                                      "(assert_invalid (invoke \"f\") \"x\")",
                                      "x",
                                      "(assert_return (invoke \"f\" (either (i32.const 1))))"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!CHECK(!parse(bad[i]))) printf("  %s\n", bad[i]);
    CHECK(!parse("(module)\n(nonsense)"));
    CHECK_STR(error.message, "unknown operator nonsense at 2:2\n  (nonsense)\n   ^~~~~~~~");
}

/* ---- Every allocation may fail. ---- */

static bool parse_with(const mote_allocator *allocator, void *text) {
    struct span span = {text, strlen(text)};
    mote_status status = mote__wast_parse(allocator, span, UINT64_MAX, &script, &error);
    if (status == MOTE_OK) mote__wast_deinit(&script);
    CHECK(status == MOTE_OK || status == MOTE_E_NOMEM);
    return status == MOTE_OK;
}

TEST(every_allocation_fails_once) {
    static char text[] =
        "(module $m (func)) (module binary \"\\00asm\") (register \"n\" $\"m\\20\")"
        "(assert_return (invoke \"f\" (i32.const 1)) (either (i32.const 1) (ref.null)) (f32.const "
        "1))"
        "(thread $t (shared (module $m)) (invoke \"g\")) (wait $t)";
    CHECK(fail_alloc_sweep(parse_with, text) > 5);
}
