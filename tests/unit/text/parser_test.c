/* parser_test.c - modules in the text format: abbreviations against what they stand for, bytes,
 * errors and where they point. */
#include "text/parser.h"
#include "../test.h"
#include "../fail_alloc.h"
#include <stdlib.h>

static struct span span_of(const char *text) {
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static mote_error last_error;

static struct text_binary parse(const char *text) {
    struct text_binary out = {0};
    last_error.message[0] = 0;
    mote_status status =
        mote__text_to_binary(&mote__allocator_libc, span_of(text), UINT64_MAX, &out, &last_error);
    if (status != MOTE_OK) return (struct text_binary){0};
    return out;
}

static void drop(struct text_binary *binary) {
    mote__text_binary_deinit(&mote__allocator_libc, binary);
}

/* Both texts parse, to the same bytes. */
static bool same(const char *a, const char *b) {
    struct text_binary x = parse(a);
    if (!x.bytes) printf("  %s\n", last_error.message);
    struct text_binary y = parse(b);
    if (!y.bytes) printf("  %s\n", last_error.message);
    bool equal = x.bytes && y.bytes && x.size == y.size && !memcmp(x.bytes, y.bytes, x.size);
    drop(&x);
    drop(&y);
    return equal;
}
#define CHECK_SAME(a, b) CHECK(same((a), (b)))

/* The text is refused, with a message that begins so. */
static bool refused(const char *text, const char *message) {
    struct text_binary x = parse(text);
    bool parsed = x.bytes != NULL;
    drop(&x);
    bool ok = !parsed && !strncmp(last_error.message, message, strlen(message));
    if (!ok) printf("  %s: %s\n", text, parsed ? "was accepted" : last_error.message);
    return ok;
}
#define CHECK_REFUSED(text, message) CHECK(refused((text), (message)))

TEST(forms_of_a_module) {
    CHECK_SAME("(module)", "");
    CHECK_SAME("(module (func))", "(func)");
    CHECK_SAME("(module binary \"\\00asm\" \"\\01\\00\\00\\00\")", "(module)");
    CHECK_SAME("(module quote \"(func)\" \"(memory 1)\")", "(module (func) (memory 1))");
    CHECK_SAME(";; a comment\n(; and (; another ;) ;)(module(func(;;)))", "(func)");
    CHECK_REFUSED("(module) (module)", "unexpected token");
    CHECK_REFUSED("(module", "unexpected token");
    CHECK_REFUSED("(module quote \"(module quote \\\"\\\")\")", "unexpected token");
}

TEST(exact_bytes) {
    static const uint8_t expected[] = {
        0, 'a', 's', 'm', 1,   0,   0,   0, 1, 7,  1, 0x60, 2, 0x7F, 0x7F, 1, 0x7F, 3, 2,    1,   0,
        7, 7,   1,   3,   'a', 'd', 'd', 0, 0, 10, 9, 1,    7, 0,    0x20, 0, 0x20, 1, 0x6A, 0x0B};
    struct text_binary x = parse(
        "(func (export \"add\") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)");
    CHECK_EQ(x.size, sizeof expected);
    if (x.size == sizeof expected) CHECK_MEM(x.bytes, expected, sizeof expected);
    drop(&x);
}

TEST(folded_instructions) {
    CHECK_SAME("(func (drop (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3)))))",
               "(func i32.const 1 i32.const 2 i32.const 3 i32.mul i32.add drop)");
    CHECK_SAME("(func (if (i32.const 1) (then (nop)) (else (unreachable))))",
               "(func i32.const 1 if nop else unreachable end)");
    CHECK_SAME("(func (block (loop (br 1))))", "(func block loop br 1 end end)");
    CHECK_SAME("(func (if (result i32) (i32.const 1) (then i32.const 2) (else i32.const 3)) drop)",
               "(func i32.const 1 if (result i32) i32.const 2 else i32.const 3 end drop)");
    CHECK_SAME("(tag) (func (try (do (nop)) (catch 0 (rethrow 0)) (catch_all nop)))",
               "(tag) (func try nop catch 0 rethrow 0 catch_all nop end)");
    CHECK_SAME("(func (block (try (do (nop)) (delegate 0))))",
               "(func block try nop delegate 0 end)");
    CHECK_SAME("(tag) (func (block (try_table (catch 0 0) (catch_all 0) (nop))))",
               "(tag) (func block try_table (catch 0 0) (catch_all 0) nop end end)");
    CHECK_REFUSED("(func (i32.add i32.const 1 (i32.const 2)))", "unexpected token");
    CHECK_REFUSED("(func (if (i32.const 1)))", "unexpected token");
    CHECK_REFUSED("(func (if (i32.const 1) (then) (then)))", "unexpected token");
    CHECK_REFUSED("(func (then))", "unexpected token");
    CHECK_REFUSED("(func block)", "unexpected token");
    CHECK_REFUSED("(func end)", "unexpected token");
    CHECK_REFUSED("(func else)", "unexpected token");
    CHECK_REFUSED("(func i32.const 1 if else else end)", "unexpected token");
}

TEST(labels) {
    CHECK_SAME(
        "(module (@name \"\") (func block $a (loop $b br $a br $b (block $a br $a)) br $a end $a))",
        "(module (@name \"\") (func block $a (loop $b br 1 br 0 (block $a br 0)) br 0 end))");
    CHECK_SAME("(func (block $x (if $y (br $x) (then (br $y)))))",
               "(func (block $x (if $y (br 0) (then (br 0)))))");
    CHECK_SAME("(tag) (func block $out (try_table $in (catch 0 $out) (br $in)) end)",
               "(tag) (func block $out (try_table $in (catch 0 0) (br 0)) end)");
    CHECK_SAME("(func block $o try $t nop delegate $o end)",
               "(func block $o try $t nop delegate 0 end)");
    CHECK_REFUSED("(func block $a end $b)", "mismatching label");
    CHECK_REFUSED("(func block end $b)", "mismatching label");
    CHECK_REFUSED("(func i32.const 0 if $a else $b end)", "mismatching label");
    CHECK_REFUSED("(func br $nowhere)", "unknown label");
    CHECK_REFUSED("(func (block $a) br $a)", "unknown label");
}

TEST(type_uses) {
    CHECK_SAME("(func (param i32))", "(type (func (param i32))) (func (type 0))");
    CHECK_SAME(
        "(func (param i32)) (func (param i32)) (func)",
        "(type (func (param i32))) (type (func)) (func (type 0)) (func (type 0)) (func (type 1))");
    CHECK_SAME("(func (block (param i32) (result i32 i32) unreachable) unreachable)",
               "(type (func)) (type (func (param i32) (result i32 i32))) (func (block (type 1) "
               "unreachable) unreachable)");
    /* A type in a larger group, or open to subtypes, is not the implicit one. */
    CHECK_SAME("(rec (type (func)) (type (func))) (func)",
               "(rec (type (func)) (type (func))) (type (func)) (func (type 2))");
    CHECK_SAME("(type (sub (func))) (func)", "(type (sub (func))) (type (func)) (func (type 1))");
    CHECK_SAME("(func (type 0) (param i32)) (type (func (param i32)))",
               "(type (func (param i32))) (func (type 0))");
    CHECK_SAME("(type (func (param i32 i64))) (func (type 0) (local i32) local.get 2 drop)",
               "(type (func (param i32 i64))) (func (type 0) (param i32) (param i64) (local i32) "
               "local.get 2 drop)");
    CHECK_SAME("(table 1 funcref) (func (call_indirect (param i32) (i32.const 1) (i32.const 0)))",
               "(type (func)) (type (func (param i32))) (table 1 funcref) (func i32.const 1 "
               "i32.const 0 call_indirect 0 (type 1))");
    CHECK_REFUSED("(type (func (param i32))) (func (type 0) (param i64))", "inline function type");
    CHECK_REFUSED("(type (func (param i32))) (func (type 0) (result i32))", "inline function type");
    CHECK_REFUSED("(func (type $t))", "unknown type");
    CHECK_REFUSED("(func (result i32) (param i32))", "unexpected token");
    CHECK_REFUSED("(func (block (param $x i32)))", "unexpected token");
}

TEST(inline_clauses) {
    CHECK_SAME("(func (export \"a\") (export \"b\"))",
               "(func) (export \"a\" (func 0)) (export \"b\" (func 0))");
    CHECK_SAME("(memory (export \"m\") (import \"a\" \"b\") 1 2)",
               "(import \"a\" \"b\" (memory 1 2)) (export \"m\" (memory 0))");
    CHECK_SAME("(table (import \"a\" \"b\") 1 funcref)", "(import \"a\" \"b\" (table 1 funcref))");
    CHECK_SAME("(global (import \"a\" \"b\") (mut i32))",
               "(import \"a\" \"b\" (global (mut i32)))");
    CHECK_SAME("(func (import \"a\" \"b\") (param i32))",
               "(import \"a\" \"b\" (func (param i32)))");
    CHECK_SAME("(tag (import \"a\" \"b\") (param i32))", "(import \"a\" \"b\" (tag (param i32)))");
    CHECK_SAME("(memory (data \"abc\" \"d\"))", "(memory 1 1) (data (i32.const 0) \"abcd\")");
    CHECK_SAME("(memory (data))", "(memory 0 0) (data (i32.const 0))");
    CHECK_SAME("(memory i64 (data \"a\"))", "(memory i64 1 1) (data (i64.const 0) \"a\")");
    CHECK_SAME("(memory (pagesize 1) (data \"abc\"))",
               "(memory 3 3 (pagesize 1)) (data (i32.const 0) \"abc\")");
    CHECK_SAME("(table funcref (elem 0 0)) (func)",
               "(table 2 2 funcref) (elem (i32.const 0) 0 0) (func)");
    CHECK_SAME("(table funcref (elem (ref.null func)))",
               "(table 1 1 funcref) (elem (i32.const 0) funcref (ref.null func))");
    CHECK_SAME(
        "(table i64 externref (elem (ref.null extern)))",
        "(table i64 1 1 externref) (elem (table 0) (i64.const 0) externref (ref.null extern))");
    CHECK_REFUSED("(func) (import \"\" \"\" (func))", "import after function");
    CHECK_REFUSED("(memory 1) (func (import \"\" \"\"))", "import after memory");
    CHECK_REFUSED("(global i32 (i32.const 0)) (import \"\" \"\" (func))", "import after global");
}

TEST(segments) {
    CHECK_SAME("(table 1 funcref) (func) (elem (offset i32.const 0) $f) (func $f)",
               "(table 1 funcref) (func) (elem (i32.const 0) func $f) (func $f)");
    CHECK_SAME("(elem funcref (item ref.null func))", "(elem funcref (ref.null func))");
    CHECK_SAME("(elem (ref null func) (item (ref.null func)))", "(elem funcref (ref.null func))");
    CHECK_SAME("(memory 1) (data (offset (i32.const 0)) \"a\")",
               "(memory 1) (data (i32.const 0) \"a\")");
    CHECK_SAME("(memory $m 1) (data (memory $m) (i32.const 0))",
               "(memory $m 1) (data (memory 0) (i32.const 0))");
    CHECK_SAME("(table $t 1 funcref) (elem $e func) (func table.init $e (elem.drop $e))",
               "(table $t 1 funcref) (elem $e func) (func (table.init 0 0) (elem.drop 0))");
    CHECK_SAME("(memory $m 1) (data $d) (func memory.init $m $d memory.init $d)",
               "(memory $m 1) (data $d) (func memory.init 0 0 memory.init 0)");
}

TEST(instructions) {
    CHECK_SAME("(memory 1) (func i32.load drop)",
               "(memory 1) (func i32.load 0 offset=0 align=4 drop)");
    CHECK_SAME("(func select)", "(func (select))");
    CHECK_SAME("(func ref.test (ref null any) ref.cast (ref i31))",
               "(func ref.test anyref ref.cast (ref i31))");
    CHECK_SAME(
        "(type $s (struct (field $a i32) (field i64) (field $b (mut i8)))) (func struct.set $s $b)",
        "(type $s (struct (field $a i32) (field i64) (field $b (mut i8)))) (func struct.set 0 2)");
    CHECK_SAME("(type $s (struct (field $a i32))) (type $t (struct (field i32) (field $a i32))) "
               "(func struct.get $t $a)",
               "(type $s (struct (field $a i32))) (type $t (struct (field i32) (field $a i32))) "
               "(func struct.get 1 1)");
    CHECK_SAME("(memory 1) (func memory.copy memory.fill memory.size)",
               "(memory 1) (func memory.copy 0 0 memory.fill 0 memory.size 0)");
    CHECK_REFUSED("(memory 1) (func i32.load align=3)", "alignment must be a power of two");
    CHECK_REFUSED("(memory 1) (func i32.load align=0)", "alignment must be a power of two");
    CHECK_REFUSED("(memory 1) (func i32.load offset=-1)", "unknown operator");
    CHECK_REFUSED("(func i32.const 4294967296)", "constant out of range");
    CHECK_REFUSED("(func i32.const)", "unexpected token");
    CHECK_REFUSED("(func i32.const 0x)", "unknown operator");
    CHECK_REFUSED("(func i32.konst 0)", "unknown operator");
    CHECK_REFUSED("(func f32.const 1e40)", "constant out of range");
}

TEST(identifiers) {
    CHECK_SAME("(func $\"a b\" call $\"a\\20b\")", "(func $\"a\\u{20}b\" call 0)");
    CHECK_SAME("(func $abc call $\"abc\")", "(func $\"\\61bc\" call 0)");
    CHECK_SAME("(func $x (@name \"y\"))", "(func $y)");
    CHECK_SAME("(func (param $x i32) (local $y f32) local.get $x drop local.get $y drop)",
               "(func (param $x i32) (local $y f32) local.get 0 drop local.get 1 drop)");
    CHECK_REFUSED("(func $f) (func $f)", "duplicate function");
    CHECK_REFUSED("(func $f) (import \"\" \"\" (func $f))", "import after");
    CHECK_REFUSED("(func (param $x i32) (local $x i32))", "duplicate local");
    CHECK_REFUSED("(type (struct (field $x i32) (field $x i32)))", "duplicate field");
    CHECK_REFUSED("(func (local $x i32)) (func local.get $x)", "unknown local");
    CHECK_REFUSED("(func call $g)", "unknown function $g");
    CHECK_REFUSED("(func $)", "empty identifier");
    CHECK_REFUSED("(func $\"\")", "empty identifier");
    CHECK_REFUSED("(func $\"\\ff\")", "malformed UTF-8 encoding");
    CHECK_REFUSED("(start 0) (start 0) (func)", "multiple start sections");
}

TEST(lexical_errors) {
    CHECK_REFUSED("(func) \x01", "illegal character");
    CHECK_REFUSED("(func) \xC3\xA9", "illegal character");
    CHECK_REFUSED("(func) \xFF", "malformed UTF-8 encoding");
    CHECK_REFUSED("(func (; open", "unclosed comment");
    CHECK_REFUSED("(export \"a", "unclosed string");
    CHECK_REFUSED("(export \"\\q\" (func 0))", "illegal escape");
    CHECK_REFUSED("(export \"\\u{d800}\" (func 0))", "illegal escape");
    CHECK_REFUSED("(export \"\x01\" (func 0))", "illegal control character");
    CHECK_REFUSED("(export \"\\ff\" (func 0)) (func)", "malformed UTF-8 encoding");
    CHECK_REFUSED("(func \"a\"\"b\")", "unknown operator");
    CHECK_REFUSED("(@x (y)", "unclosed annotation");
    CHECK_REFUSED("(@ x)", "empty annotation id");
}

TEST(annotations) {
    CHECK_SAME("(@a b (c) \"d)\" @e ,;[]{}) (func (@x) nop (@y (z)))", "(func nop)");
    CHECK_SAME("(@\"quoted name\" x) (func)", "(func)");
    CHECK_SAME("(@custom \"c\" (after last) \"x\") (func)", "(func) (@custom \"c\" \"x\" \"\")");
    CHECK_REFUSED("(@custom)", "@custom annotation: missing section name");
    CHECK_REFUSED("(@custom \"a\" here)", "@custom annotation: unexpected token");
    CHECK_REFUSED("(@custom \"a\" (aft type))", "@custom annotation: malformed placement");
    CHECK_REFUSED("(@custom \"a\" (before types))", "@custom annotation: malformed section kind");
    CHECK_REFUSED("(func (@custom \"a\"))", "misplaced @custom annotation");
    CHECK_REFUSED("(module (@name \"a\") (@name \"b\"))", "@name annotation: multiple module");
    CHECK_REFUSED("(module (func) (@name \"a\"))", "misplaced @name annotation");
    CHECK_REFUSED("(func (@metadata.code.branch_hint \"\\00\") nop)",
                  "@metadata.code.branch_hint annotation: invalid target");
    CHECK_REFUSED("(@metadata.code.branch_hint \"\\00\") (func)",
                  "@metadata.code.branch_hint annotation: not in a function");
}

TEST(wrong_words_in_the_right_places) {
    CHECK_REFUSED("(type (func (param i32))) (type (struct)) (func (type 1) (param i32))",
                  "non-function type 1");
    CHECK_REFUSED("(func (type 7) (param i32))", "unknown type 7");
    CHECK_REFUSED("(type $s (struct (field $a i32))) (func struct.get $s $b)", "unknown field $b");
    CHECK_REFUSED("(type (funk))", "unknown operator funk");
    CHECK_REFUSED("(type i32)", "unexpected token i32");
    CHECK_REFUSED("(type (struct (field foo)))", "unknown operator foo");
    CHECK_REFUSED("(export \"a\" (type 0))", "unexpected token type");
    CHECK_REFUSED("(import \"a\" \"b\" (type 0))", "unexpected token type");
    CHECK_REFUSED("(memory)", "unexpected token )");
    CHECK_REFUSED("(memory 0x10000000000000000)", "i64 constant out of range");
    CHECK_REFUSED("(memory 1 (pagesize 3))", "invalid custom page size");
    CHECK_REFUSED("(func call 4294967296)", "i32 constant out of range");
    CHECK_REFUSED("(memory 1) (func i32.load offset=18446744073709551616)",
                  "i64 constant out of range for offset");
    CHECK_REFUSED("(func (ref.null foo))", "unknown operator foo");
    CHECK_REFUSED("(func \"a string\")", "unexpected token \"a string\"");
    CHECK_REFUSED("(func (try (do) (nop)))", "unexpected token nop");
    CHECK_REFUSED("(func (try (nop)))", "unexpected token nop");
    CHECK_REFUSED("(func (try (do) (catch_all) (catch 0)))", "unexpected token catch");
    CHECK_REFUSED("(func (1))", "unexpected token 1");
    CHECK_REFUSED("(funk)", "unknown operator funk");
    CHECK_REFUSED("(export \"\\u{1_}\" (func 0))", "illegal escape");
    CHECK_SAME("(func (export \"\\u{1_0}\"))", "(func (export \"\\10\"))");
}

TEST(annotations_switched_off) {
    struct text_binary out;
    struct span text = span_of("(func (@a b) nop)");
    CHECK_EQ(mote__text_to_binary(&mote__allocator_libc, text, 0, &out, &last_error),
             MOTE_E_MALFORMED);
    CHECK(strstr(last_error.message, "feature `annotations`") != NULL);
}

TEST(branch_hints) {
    CHECK_SAME("(func (@metadata.code.branch_hint \"\\01\") (if (i32.const 1) (then nop)))",
               "(func i32.const 1 (@metadata.code.branch_hint \"\\01\") if nop end)");
    CHECK_SAME("(func i32.const 1 (@metadata.code.branch_hint \"\\00\") (br_if 0))",
               "(func i32.const 1 (@metadata.code.branch_hint \"\\00\") br_if 0)");
    CHECK_REFUSED("(func (@metadata.code.branch_hint \"\\00\") (@metadata.code.branch_hint "
                  "\"\\00\") br_if 0)",
                  "@metadata.code.branch_hint annotation: duplicate annotation");
    CHECK_REFUSED("(func (@metadata.code.branch_hint \"\\02\") br_if 0)",
                  "@metadata.code.branch_hint annotation: invalid value");
    CHECK_REFUSED("(func (@metadata.code.branch_hint \"\\00\"))", "unexpected token )");
    struct text_binary x =
        parse("(func i32.const 1 (@metadata.code.branch_hint \"\\01\") if nop end)");
    static const char payload[] = "\x19metadata.code.branch_hint\x01\x00\x01\x03\x01\x01";
    bool found = false;
    for (size_t i = 0; i + sizeof payload - 1 <= x.size; i++)
        found |= !memcmp(x.bytes + i, payload, sizeof payload - 1);
    CHECK(found);
    drop(&x);
}

TEST(errors_show_the_place) {
    CHECK_REFUSED("(module\n  (func\n\tlocal.get $nope))",
                  "unknown local $nope at 3:12\n   local.get $nope))\n             ^~~~~");
    CHECK_EQ(last_error.offset, 27);
    CHECK_REFUSED("(module\n  (func)\n  (func (block))\n",
                  "unexpected token: end of text, inside of what begins at 1:1 at 4:1");
    CHECK_REFUSED("(module\n  (func (nop)\n  (func))\n", "unexpected token func at 3:4");
    CHECK_REFUSED("(module\n  (func)\n  (func (block)\n",
                  "unexpected token: end of text, inside of what begins at 3:9 at 4:1");
    CHECK_REFUSED(
        "(func call $aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)",
        "unknown function $aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa at 1:12\n");
    CHECK_REFUSED("(func\n  block\n)", "unexpected token ): the block at 2:3 has no end at 3:1");
    CHECK_REFUSED("(func (; \xC3\xA4\xC3\xB6\xC3\xBC ;) $\"\")", "empty identifier at 1:17\n");
}

/* The place in `text` that the byte `byte` of its code, met for the nth time, came from. */
static size_t place_of_byte(const char *text, uint8_t byte, unsigned nth) {
    struct text_binary x = parse(text);
    mote_error error = {.offset = MOTE_NO_OFFSET};
    for (size_t i = 8; i < x.size; i++)
        if (x.bytes[i] == byte && nth-- == 0) {
            error.offset = i;
            break;
        }
    struct span binary = {x.bytes, x.size};
    mote__text_explain(&mote__allocator_libc, span_of(text), UINT64_MAX, binary, &error);
    drop(&x);
    return (size_t)error.offset;
}

TEST(places_of_instructions) {
    static const char text[] =
        "(func) (func (result f32) (local f64) (if (i32.eqz (i32.const 99)) (then (nop)) (else "
        "unreachable)) (drop (f32.neg (f32.abs (f32.const 1)))) block i64.const 1 drop end "
        "f32.const 2)";
    CHECK_EQ(place_of_byte(text, 0x45, 0), (size_t)(strstr(text, "i32.eqz") - text));
    CHECK_EQ(place_of_byte(text, 0x41, 0), (size_t)(strstr(text, "i32.const") - text));
    CHECK_EQ(place_of_byte(text, 0x05, 0), (size_t)(strstr(text, "else") - text));
    CHECK_EQ(place_of_byte(text, 0x8C, 0), (size_t)(strstr(text, "f32.neg") - text));
    CHECK_EQ(place_of_byte(text, 0x8B, 0), (size_t)(strstr(text, "f32.abs") - text));
    CHECK_EQ(place_of_byte(text, 0x42, 0), (size_t)(strstr(text, "i64.const") - text));
    mote_error elsewhere = {.offset = 9, .message = "x"};
    struct text_binary x = parse(text);
    mote__text_explain(&mote__allocator_libc, span_of(text), UINT64_MAX,
                       (struct span){x.bytes, x.size}, &elsewhere);
    CHECK_EQ(elsewhere.offset, MOTE_NO_OFFSET);
    CHECK_STR(elsewhere.message, "x");
    drop(&x);
}

/* Depth costs heap, never stack, and has a limit. */
TEST(deep_nesting) {
    enum { DEPTH = 1000000 };
    char *text = malloc(DEPTH * 7 + 64);
    REQUIRE(text);
    size_t n = (size_t)sprintf(text, "(func ");
    for (int i = 0; i < DEPTH; i++) n += (size_t)sprintf(text + n, "(block ");
    CHECK_REFUSED(text, "unexpected token"); /* the end of the text */
    n = (size_t)sprintf(text, "(func ");
    for (int i = 0; i < 200000; i++) n += (size_t)sprintf(text + n, "(drop ");
    memset(text + n, ')', 200001);
    text[n + 200001] = 0;
    CHECK_REFUSED(text, "instructions are nested deeper than");
    CHECK_EQ(last_error.status, MOTE_E_LIMIT);
    free(text);
}

/* ---- Every allocation may fail. ---- */

static bool parse_with(const mote_allocator *allocator, void *text) {
    struct text_binary out = {0};
    mote_error error;
    mote_status status =
        mote__text_to_binary(allocator, span_of(text), UINT64_MAX, &out, &error);
    mote__text_binary_deinit(allocator, &out);
    CHECK(status == MOTE_OK || status == MOTE_E_NOMEM);
    return status == MOTE_OK;
}

TEST(every_allocation_fails_once) {
    static char text[] =
        "(module $m (@custom \"c\" \"xyz\") (type $s (sub (struct (field $f i32)))) (import \"a\" "
        "\"\\61b\" (func $i (param $x i32)))"
        "(table $t funcref (elem $i)) (memory (data \"abc\")) (global $g i32 (i32.const 1)) (tag "
        "$e (param i32)) (elem $l func $i)"
        "(func $f (export \"f\") (param $\"p\\61\" i32) (result i32) (local $v i64) (block $b "
        "(br_if $b (local.get 0)))"
        "(@metadata.code.branch_hint \"\\00\") (if (result i32) (i32.add (local.get 0) (i32.const "
        "2)) (then i32.const 1) (else i32.const 2))))";
    CHECK(fail_alloc_sweep(parse_with, text) > 20);
}

/* Any beginning of a text is refused or parsed, and nothing worse. */
TEST(truncated_texts) {
    static const char text[] =
        "(module $m (type (func (param $x (ref null any)))) (func $f (export \"f\\n\\u{41}\") "
        "(param i32) (local $y f32) "
        "(if (local.get 0) (then (@metadata.code.branch_hint \"\\00\") (br_if 0 (i32.const "
        "0x1f)))) f64.const -1.5e3 drop)"
        "(data \"a\\00b\") (; c ;) (elem declare func $f) (@custom \"x\" (before code) \"y\"))";
    char copy[sizeof text];
    for (size_t n = 0; n < sizeof text; n++) {
        memcpy(copy, text, n);
        copy[n] = 0;
        struct text_binary x = parse(copy);
        CHECK_EQ(x.bytes != NULL, n == 0 || n == sizeof text - 1);
        drop(&x);
    }
}

TEST(binary_is_recognised) {
    CHECK(mote__is_binary((struct span){(const uint8_t *)"\0asm\1", 5}));
    CHECK(!mote__is_binary(span_of("(module)")));
    CHECK(!mote__is_binary(span_of("")));
}
