/* parse.h - what the files of the parser share: the cursor over tokens, the index spaces, the state
 * of the module and body under way. A module's text is read three times: the outline finds the
 * fields and binds every identifier (parser.c), then come the type definitions (parse_types.c),
 * then all other fields in the order of the text (parse_fields.c), so that implicit types are
 * appended in the order in which they are used. Instructions are in parse_instr.c and
 * parse_immediates.c; parse_cursor.c has the tools. Keeps: nothing recurses on the input; the error
 * is set once and `token` stays where it happened. */
#ifndef MOTE_TEXT_PARSE_H
#define MOTE_TEXT_PARSE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "text/encode.h"
#include "text/lexer.h"
#include "text/parser.h"
#include "wasm/op.h"

/* Index spaces of a module that identifiers are bound in. */
enum space {
    SPACE_TYPE,
    SPACE_FUNC,
    SPACE_TABLE,
    SPACE_MEMORY,
    SPACE_GLOBAL,
    SPACE_TAG,
    SPACE_ELEM,
    SPACE_DATA,
    SPACE_COUNT
};
struct space_info {
    const char *name;    /* in messages: "unknown NAME $x" */
    const char *keyword; /* of the field that defines one */
    enum names names;
    uint8_t extern_kind; /* in imports and exports */
    bool is_extern;
};
extern const struct space_info mote__space_info[SPACE_COUNT];

/* A value or storage type: the code in the low byte, and for references the heap type (as in the
 * binary format: an index, or the negative number of an abstract one) above. (ref null ABSTRACT)
 * and its short word are the same value. */
typedef uint64_t texttype;

static inline texttype mote__texttype_ref(bool nullable, int64_t heap) {
    return (uint64_t)heap << 8 | (nullable ? 0x63 : 0x64);
}

/* A type definition, as far as the rest of the text needs it. */
struct type_def {
    bool is_func;
    uint32_t param_count, result_count;
    const texttype *types; /* params, then results */
};

/* A module field found by the outline. */
struct field {
    enum { FIELD_SPACE, FIELD_IMPORT, FIELD_EXPORT, FIELD_START, FIELD_REC, FIELD_CUSTOM } kind;
    enum space space;
    uint32_t index;   /* in its space */
    uint32_t segment; /* of the inline elem or data segment */
    size_t offset;    /* of the token behind the keyword */
};

/* A type use: its types are the last ones in parser.types, from `first` on. */
struct typeuse {
    bool has_index, has_types;
    uint32_t index;
    struct token at;
    size_t first;
    uint32_t param_count, result_count;
};
/* What a parameter's identifier means. */
enum params { PARAMS_ANONYMOUS, PARAMS_NAMED, PARAMS_LOCALS };

struct label {
    struct span name; /* empty: none */
    uint64_t old;     /* the map's value for the name before this label */
};

enum frame_kind {
    FRAME_FLAT,         /* block ... end */
    FRAME_OPERANDS,     /* (op operand* ) */
    FRAME_FOLDED_BLOCK, /* (block ... ) */
    FRAME_FOLDED_IF,    /* (if condition* (then ...) (else ...)? ) */
    FRAME_FOLDED_TRY,   /* (try (do ...) (catch ...)* ) */
    FRAME_ARM           /* (then ...) and its like */
};
struct frame {
    enum frame_kind kind;
    uint16_t op;       /* the op that opened the part under way: if, else, try, catch ... */
    int8_t hint;       /* branch hint of the pending op, -1: none */
    size_t pending;    /* where the op's bytes are in parser.pending */
    struct span label; /* of a folded if, until it is emitted */
    struct token open; /* for errors */
};

/* What explain.c looks for: the token of the instruction at a place in a function's body. */
struct watch {
    uint32_t ordinal; /* of the function among those defined */
    size_t offset;    /* in its body */
    struct token found;
};

enum { OP_TABLE_SIZE = 2048 };

struct parser {
    const mote_allocator *allocator;
    struct span text;
    uint64_t features;
    mote_error *error;
    struct arena arena;
    struct lexer lexer;
    struct token token, next; /* the one under the cursor and the one behind it */
    const uint8_t *behind;    /* the end of the last token stepped over */

    struct encoder encoder;
    struct map ids[SPACE_COUNT]; /* name -> index */
    uint32_t counts[SPACE_COUNT];
    VEC(struct field) fields;
    const char *first_definition; /* what the first non-import definition was, for "import after" */
    bool has_start, uses_data_count;

    VEC(struct type_def) type_defs;
    struct map signatures; /* bytes of a function type -> index of the first definition of that form
                              alone */
    struct map field_ids;  /* type index and name -> field index */
    struct buffer scratch;
    VEC(texttype) types; /* stack of types being collected */

    /* The function or expression under way. */
    bool in_func;
    uint32_t func_index;
    struct map locals; /* name -> body_serial << 32 | index: entries of older bodies do not count */
    uint32_t body_serial, local_count;
    struct map labels_by_name; /* name -> index in labels + 1, 0: none */
    VEC(struct label) labels;
    uint32_t label_count; /* of labels opened so far in this body */
    VEC(struct frame) frames;
    struct buffer *code; /* where instructions go */
    struct buffer body, pending;
    struct watch *watch; /* NULL: nobody looks */
    int8_t hint;         /* given for the next instruction, -1: none */

    uint16_t ops[OP_TABLE_SIZE]; /* hash of keywords: op + 1, 0: free */
};

/* ---- The cursor (parse_cursor.c). ---- */

void mote__parse_seek(struct parser *p, size_t offset);
void mote__parse_advance(struct parser *p);
/* Fails at a token: the message, what is at fault there, and the place in the text. The first
 * failure counts. */
mote_status mote__parse_fail(struct parser *p, struct token at, const char *format, ...)
    MOTE_PRINTF(3, 4);
/* How many bytes of a token a message shows: all of them, or as many characters as fit. */
int mote__shown(struct token token);
/* "unexpected token", "unknown operator" or what the lexer found, at the current token. */
mote_status mote__parse_unexpected(struct parser *p);
/* The text ended inside of what began at `from`. */
mote_status mote__parse_unclosed(struct parser *p, struct token from);
mote_status mote__parse_nomem(struct parser *p);

static inline bool mote__at_keyword(const struct parser *p, const char *word) {
    return p->token.kind == TOKEN_KEYWORD && mote__token_is(p->token, word);
}
static inline bool mote__at_open(const struct parser *p, const char *word) {
    return p->token.kind == TOKEN_OPEN && p->next.kind == TOKEN_KEYWORD &&
           mote__token_is(p->next, word);
}
static inline bool mote__at_annotation(const struct parser *p, const char *word) {
    return p->token.kind == TOKEN_ANNOTATION && mote__token_is(p->token, word);
}
/* Steps over a keyword, or "(" and a keyword, if they are there. */
bool mote__take_keyword(struct parser *p, const char *word);
bool mote__take_open(struct parser *p, const char *word);
mote_status mote__expect(struct parser *p, enum token_kind kind);
/* Skips to behind the ")" of the group that the cursor is inside of. *found tells whether "(WORD"
 * was met directly in it. */
mote_status mote__skip_group(struct parser *p, const char *word, bool *found);

/* A string as bytes appended to `out`, or as a name (UTF-8, in the text or the arena). */
mote_status mote__parse_bytes(struct parser *p, struct buffer *out);
mote_status mote__parse_name(struct parser *p, struct span *name);
/* The bytes of an identifier, without $ and quotes. */
mote_status mote__id_bytes(struct parser *p, struct token id, struct span *name);
/* An unsigned number of `bits` bits. */
mote_status mote__parse_nat(struct parser *p, unsigned bits, uint64_t *value);

/* ---- Identifiers and indices (parse_cursor.c). ---- */

static inline bool mote__at_index(const struct parser *p) {
    return p->token.kind == TOKEN_NAT || p->token.kind == TOKEN_ID;
}
mote_status mote__resolve(struct parser *p, enum space space, struct token token, uint32_t *index);
mote_status mote__parse_index(struct parser *p, enum space space, uint32_t *index);
/* Binds a name in a map; "duplicate WHAT" if it is there. */
mote_status mote__bind(struct parser *p, struct map *map, struct token id, const char *what,
                       uint64_t value);
/* An optional identifier and an optional (@name "..."): *name is empty if there is neither, *id has
 * kind TOKEN_END if there is no identifier. */
mote_status mote__parse_binding(struct parser *p, struct token *id, struct span *name);

/* ---- Types (parse_types.c). ---- */

mote_status mote__parse_type_fields(struct parser *p); /* all type definitions */
mote_status mote__parse_valtype(struct parser *p, texttype *type);
mote_status mote__parse_reftype(struct parser *p, texttype *type);
mote_status mote__parse_heaptype(struct parser *p, int64_t *heap);
bool mote__at_reftype(const struct parser *p);
/* Whether a keyword is a type, or an abstract heap type. */
bool mote__is_type_word(struct token t);
void mote__put_type(struct buffer *b, texttype type);
mote_status mote__parse_results(struct parser *p, uint32_t *count);
mote_status mote__parse_typeuse(struct parser *p, enum params params, struct typeuse *use);
/* Finds or appends the type; takes its types off parser.types. */
mote_status mote__resolve_typeuse(struct parser *p, struct typeuse *use);
/* Encodes a block type. */
mote_status mote__parse_blocktype(struct parser *p);
mote_status mote__parse_field_index(struct parser *p, uint32_t type, uint32_t *index);
/* Begins a body: no locals. Binds the next local. */
void mote__begin_locals(struct parser *p);
mote_status mote__bind_local(struct parser *p, struct token id, struct span name);
mote_status mote__parse_local_index(struct parser *p, uint32_t *index);

/* ---- Fields (parse_fields.c). ---- */

mote_status mote__parse_fields(struct parser *p);

/* ---- The parser's life (parser.c). ---- */

void mote__parser_init(struct parser *p, const mote_allocator *allocator, struct span text,
                       uint64_t features, mote_error *error);
void mote__parser_deinit(struct parser *p);
/* Parses a module again for the place of an instruction. */
mote_status mote__parse_watched(const mote_allocator *allocator, struct span text,
                                uint64_t features, struct watch *watch, mote_error *error);
/* "malformed UTF-8 encoding", or MOTE_OK. */
mote_status mote__parse_check_utf8(struct parser *p);

/* ---- Instructions (parse_instr.c, parse_immediates.c). ---- */

/* Instructions up to a ")" that is not theirs, then `end`; or exactly one folded instruction, then
 * `end`. */
mote_status mote__parse_expr(struct parser *p, struct buffer *out);
mote_status mote__parse_folded_expr(struct parser *p, struct buffer *out);
mote_status mote__parse_label_index(struct parser *p, uint32_t *index);
void mote__put_op(struct buffer *b, enum mote__op op);
/* Encodes an instruction that is no block: the op (some depend on what follows) and its immediates.
 * The cursor is behind the keyword. */
mote_status mote__parse_plain_op(struct parser *p, enum mote__op op);
/* A number token as bits: an integer of 8 to 64 bits with or without sign, or a float of 32 or 64.
 */
mote_status mote__parse_number(struct parser *p, bool is_float, unsigned bits, uint64_t *value);
static inline bool mote__at_number(const struct parser *p) {
    return p->token.kind == TOKEN_NAT || p->token.kind == TOKEN_INT || p->token.kind == TOKEN_FLOAT;
}
/* The shapes of v128.const. */
struct v128_shape {
    const char *word;
    uint8_t lanes, bits;
    bool is_float;
};
/* The shape whose word is under the cursor, or NULL. */
const struct v128_shape *mote__at_shape(const struct parser *p);
/* The catch clauses of try_table. */
mote_status mote__parse_catches(struct parser *p);
void mote__op_table_init(struct parser *p);
/* The first op with this keyword; OP_INVALID if there is none. */
enum mote__op mote__op_find(const struct parser *p, struct token keyword);

#endif
