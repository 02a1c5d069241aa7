/* printer_test.c - modules as text: what it looks like, names, and hostile binaries. That
 * everything survives printing and parsing is checked here on one module with a bit of all, and in
 * suite_test.c on the whole suite. */
#include "text/parser.h"
#include "text/printer.h"
#include "../test.h"
#include "../fail_alloc.h"
#include <stdlib.h>

static mote_error error;

static struct text_binary parse(const char *text) {
    struct text_binary out = {0};
    struct span span = {(const uint8_t *)text, strlen(text)};
    if (mote__text_to_binary(&mote__allocator_libc, span, UINT64_MAX, &out, &error) != MOTE_OK)
        printf("  %s\n", error.message);
    return out;
}

static void drop(struct text_binary *binary) {
    mote__text_binary_deinit(&mote__allocator_libc, binary);
}

/* The text of a text, terminated. */
static char *print_again(const char *text, const struct text_options *options) {
    struct text_binary binary = parse(text);
    struct text_output out;
    char *copy = NULL;
    if (mote__binary_to_text(&mote__allocator_libc, (struct span){binary.bytes, binary.size},
                             options, &out, &error) == MOTE_OK) {
        copy = calloc(out.size + 1, 1);
        if (copy) memcpy(copy, out.text, out.size);
        mote__text_output_deinit(&mote__allocator_libc, &out);
    } else printf("  %s\n", error.message);
    drop(&binary);
    return copy;
}

static bool prints(const char *text, const char *expected) {
    char *printed = print_again(text, NULL);
    bool same = CHECK_STR(printed, expected);
    free(printed);
    return same;
}

/* Something of everything. */
static const char everything[] =
    "(module $\"a module\" (@custom \"first\" (before first) \"x\\00\")\n"
    "(type $f (func (param i32) (result i32)))\n"
    "(rec (type $s (sub (struct (field $a (mut i32)) (field i8)))) (type $t (sub final $s (struct "
    "(field $a (mut i32)) (field i8) (field $b (ref null $t))))))\n"
    "(type $arr (array (mut i16)))\n"
    "(import \"env\" \"\\u{263a}\" (func $dup (type $f) (param $x i32) (result i32)))\n"
    "(import \"env\" \"m\" (memory $mem i64 1 2))\n"
    "(table $tab 3 10 funcref) (table i64 1 (ref null $f) (ref.func $dup)) (memory 1 2 shared) "
    "(memory $p 1 (pagesize 1))\n"
    "(tag $e (param i32)) (global $g (mut i64) (i64.add (i64.const 1) (i64.const -2))) (export "
    "\"run\" (func $run)) (start $st)\n"
    "(elem $seg (table $tab) (i32.const 0) func $dup $run) (elem declare func $run) (elem funcref "
    "(ref.null func) (item ref.func $run))\n"
    "(func $st) (func $run (type $f) (param $x i32) (result i32) (local $y f64) (local i32 i32)\n"
    "  block $l loop $l local.get $x br_if $l br 1 end end\n"
    "  (try_table (catch $e 0) (catch_all_ref 0)) (try $old (do (throw $e (i32.const 1))) (catch "
    "$e drop (rethrow 0)) (catch_all))\n"
    "  (block $out (try (do) (delegate $out)))\n"
    "  (@metadata.code.branch_hint \"\\01\") (if (result i32) (local.get $x) (then (i32.const 1)) "
    "(else (i32.const 2))) drop\n"
    "  (drop (struct.get $t $a (struct.new_default $t))) (drop (ref.test (ref null i31) (ref.null "
    "any)))\n"
    "  (i32.store8 $p offset=3 (i32.const 0) (i32.const 1)) (drop (v128.const f64x2 1 nan:0x1)) "
    "(memory.init $d (i64.const 0) (i32.const 0) (i32.const 0))\n"
    "  (local.set $y (f64.const -0.1)) (drop (select (result i32) (i32.const 1) (i32.const 2) "
    "(i32.const 3)))\n"
    "  (call_indirect $tab (type $f) (i32.const 1) (i32.const 0)) (block (result anyref) "
    "(br_on_cast 0 anyref (ref i31) (ref.null any)) drop (ref.null any)) drop)\n"
    "(func (@name \"dup\") br_table 0 0 0 atomic.fence i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 "
    "13 14 15) (data $d \"\\00abc\\\"\")\n"
    "(data (memory $p) (i32.const 0) \"\") (@custom \"mid\" (after code) \"y\") (@custom \"last\" "
    "\"z\"))";

TEST(appearance) {
    prints("(module)", "(module)\n");
    prints("(func $f (param $x i32) (result i32) (if (result i32) (local.get $x) (then (i32.const "
           "1)) (else (f32.const 1.5) unreachable)))",
           "(module\n"
           "  (type (;0;) (func (param i32) (result i32)))\n"
           "  (func $f (;0;) (type 0) (param $x i32) (result i32)\n"
           "    local.get $x\n"
           "    if (result i32)\n"
           "      i32.const 1\n"
           "    else\n"
           "      f32.const 0x1.8p+0\n"
           "      unreachable\n"
           "    end\n"
           "  ))\n");
    prints("(global (mut i32) (i32.const 1)) (global i32 (i32.add (i32.const 1) (i32.const 2)))"
           "(table 1 funcref) (elem (offset (i32.add (i32.const 1) (i32.const 2))) funcref "
           "(ref.null func))",
           "(module\n"
           "  (table (;0;) 1 funcref)\n"
           "  (global (;0;) (mut i32) (i32.const 1))\n"
           "  (global (;1;) i32 i32.const 1 i32.const 2 i32.add)\n"
           "  (elem (;0;) (offset i32.const 1 i32.const 2 i32.add) funcref (ref.null func)))\n");
}

TEST(names_that_are_no_identifiers) {
    prints(
        "(func $a (@name \"x y\")) (func $b (@name \"x y\") call 0 call 1) (func $c (@name \"\"))",
        "(module\n"
        "  (type (;0;) (func))\n"
        "  (func $\"x y\" (;0;) (type 0)\n  )\n"
        "  (func (@name \"x y\") (;1;) (type 0)\n    call $\"x y\"\n    call 1\n  )\n"
        "  (func (@name \"\") (;2;) (type 0)\n  ))\n");
}

TEST(hidden_labels) {
    prints("(func block $a block $a br $a br 1 end br $a end)",
           "(module\n  (type (;0;) (func))\n  (func (;0;) (type 0)\n    block $a\n      block $a\n "
           "       br $a\n        br 1\n"
           "      end\n      br $a\n    end\n  ))\n");
}

TEST(options) {
    char *text =
        print_again("(module $m (@custom \"c\" \"x\") (func $f call $f))",
                    &(struct text_options){.without_names = true, .without_customs = true});
    CHECK_STR(text, "(module\n  (type (;0;) (func))\n  (func (;0;) (type 0)\n    call 0\n  ))\n");
    free(text);
}

TEST(everything_survives) {
    struct text_binary first = parse(everything);
    REQUIRE(first.bytes);
    char *text = print_again(everything, NULL);
    REQUIRE(text);
    struct text_binary second = parse(text);
    CHECK_EQ(first.size, second.size);
    if (first.size == second.size) CHECK_MEM(first.bytes, second.bytes, first.size);
    else printf("%s\n", text);
    free(text);
    drop(&first);
    drop(&second);
}

static mote_status print_and_drop(const mote_allocator *allocator, struct span binary) {
    struct text_output out;
    mote_status status = mote__binary_to_text(allocator, binary, NULL, &out, &error);
    if (status == MOTE_OK) mote__text_output_deinit(allocator, &out);
    return status;
}

TEST(not_a_module) {
    CHECK_EQ(print_and_drop(&mote__allocator_libc, (struct span){(const uint8_t *)"(module)", 8}),
             MOTE_E_MALFORMED);
    CHECK_STR(error.message, "magic header not detected");
    CHECK_EQ(
        print_and_drop(&mote__allocator_libc, (struct span){(const uint8_t *)"\0asm\2\0\0\0", 8}),
        MOTE_E_MALFORMED);
    CHECK_STR(error.message, "unknown binary version");
    CHECK_EQ(error.offset, 4);
}

/* Every beginning, and every byte changed in several ways: an error or a text, never worse. */
TEST(damaged_binaries) {
    struct text_binary whole = parse(everything);
    REQUIRE(whole.bytes);
    uint8_t *copy = malloc(whole.size);
    REQUIRE(copy);
    for (size_t n = 0; n < whole.size; n++) {
        uint8_t *exact = malloc(n + 1); /* so that a sanitizer sees what reads beyond it */
        REQUIRE(exact);
        memcpy(exact + 1, whole.bytes, n);
        print_and_drop(&mote__allocator_libc, (struct span){exact + 1, n});
        free(exact);
    }
    static const uint8_t changes[] = {0x01, 0x80, 0x7F, 0xFF, 0x40};
    unsigned printed = 0;
    for (size_t at = 0; at < whole.size; at++)
        for (size_t i = 0; i < sizeof changes; i++) {
            memcpy(copy, whole.bytes, whole.size);
            copy[at] ^= changes[i];
            printed +=
                print_and_drop(&mote__allocator_libc, (struct span){copy, whole.size}) == MOTE_OK;
        }
    CHECK(printed > whole.size / 2); /* most bytes are just other numbers */
    free(copy);
    drop(&whole);
}

/* A few bytes that ask for very much text. */
TEST(locals_without_end) {
    static const uint8_t bytes[] = {0,    'a',  's',  'm',  1,    0,    0,    0,    1,   4, 1,
                                    0x60, 0,    0,    3,    2,    1,    0,    10,   11,  1, 9,
                                    1,    0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x7F, 0x0B, 0x0B};
    struct span binary = {bytes, sizeof bytes - 1};
    CHECK_EQ(print_and_drop(&mote__allocator_libc, binary), MOTE_E_MALFORMED);
    uint8_t fixed[sizeof bytes];
    memcpy(fixed, bytes, sizeof bytes);
    fixed[19] = 10, fixed[21] = 8;
    binary.data = fixed;
    CHECK_EQ(print_and_drop(&mote__allocator_libc, binary), MOTE_E_LIMIT);
}

static bool print_with(const mote_allocator *allocator, void *binary) {
    const struct text_binary *whole = binary;
    mote_status status = print_and_drop(allocator, (struct span){whole->bytes, whole->size});
    CHECK(status == MOTE_OK || status == MOTE_E_NOMEM);
    return status == MOTE_OK;
}

TEST(every_allocation_fails_once) {
    struct text_binary whole = parse(everything);
    REQUIRE(whole.bytes);
    CHECK(fail_alloc_sweep(print_with, &whole) > 10);
    drop(&whole);
}
