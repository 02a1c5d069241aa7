/* lexer.c - the text format's tokens (core spec, "Text Format / Lexical Format" and "/ Values").
 * In: UTF-8 text. Out: one token per call. Keeps: lexer->pos only moves forward, and never past
 * lexer->end. */
#include "text/lexer.h"
#include "base/utf8.h"

/* What a byte may begin or continue. */
enum {
    CHAR_ID = 1,       /* part of identifiers, keywords and numbers */
    CHAR_SPACE = 2,    /* space, tab, line feed, carriage return */
    CHAR_DIGIT = 4,    /* 0-9 */
    CHAR_HEX = 8,      /* 0-9 a-f A-F */
    CHAR_RESERVED = 16 /* a reserved token by itself */
};

#define ID_  CHAR_ID
#define DIG_ (CHAR_ID | CHAR_DIGIT | CHAR_HEX)
#define HEX_ (CHAR_ID | CHAR_HEX)
#define SPC_ CHAR_SPACE
#define RES_ CHAR_RESERVED
/* clang-format off */
static const uint8_t char_class[256] = {
    ['\t'] = SPC_, ['\n'] = SPC_, ['\r'] = SPC_, [' '] = SPC_,
    ['!'] = ID_, ['#'] = ID_, ['$'] = ID_, ['%'] = ID_, ['&'] = ID_, ['\''] = ID_, ['*'] = ID_, ['+'] = ID_,
    ['-'] = ID_, ['.'] = ID_, ['/'] = ID_, [':'] = ID_, ['<'] = ID_, ['='] = ID_, ['>'] = ID_, ['?'] = ID_,
    ['@'] = ID_, ['\\'] = ID_, ['^'] = ID_, ['_'] = ID_, ['`'] = ID_, ['|'] = ID_, ['~'] = ID_,
    [','] = RES_, [';'] = RES_, ['['] = RES_, [']'] = RES_, ['{'] = RES_, ['}'] = RES_,
    ['0'] = DIG_, ['1'] = DIG_, ['2'] = DIG_, ['3'] = DIG_, ['4'] = DIG_,
    ['5'] = DIG_, ['6'] = DIG_, ['7'] = DIG_, ['8'] = DIG_, ['9'] = DIG_,
    ['a'] = HEX_, ['b'] = HEX_, ['c'] = HEX_, ['d'] = HEX_, ['e'] = HEX_, ['f'] = HEX_,
    ['A'] = HEX_, ['B'] = HEX_, ['C'] = HEX_, ['D'] = HEX_, ['E'] = HEX_, ['F'] = HEX_,
    ['g'] = ID_, ['h'] = ID_, ['i'] = ID_, ['j'] = ID_, ['k'] = ID_, ['l'] = ID_, ['m'] = ID_, ['n'] = ID_, ['o'] = ID_, ['p'] = ID_,
    ['q'] = ID_, ['r'] = ID_, ['s'] = ID_, ['t'] = ID_, ['u'] = ID_, ['v'] = ID_, ['w'] = ID_, ['x'] = ID_, ['y'] = ID_, ['z'] = ID_,
    ['G'] = ID_, ['H'] = ID_, ['I'] = ID_, ['J'] = ID_, ['K'] = ID_, ['L'] = ID_, ['M'] = ID_, ['N'] = ID_, ['O'] = ID_, ['P'] = ID_,
    ['Q'] = ID_, ['R'] = ID_, ['S'] = ID_, ['T'] = ID_, ['U'] = ID_, ['V'] = ID_, ['W'] = ID_, ['X'] = ID_, ['Y'] = ID_, ['Z'] = ID_,
};
/* clang-format on */

/* The annotations that the parser understands; all others are white space. */
static const char *const known_annotations[] = {"(@name", "(@custom",
                                                "(@metadata.code.branch_hint"};

bool mote__is_id_char(uint8_t c) { return (char_class[c] & CHAR_ID) != 0; }

static bool is(uint8_t c, unsigned classes) { return (char_class[c] & classes) != 0; }

void mote__lexer_init(struct lexer *lexer, struct span text, size_t offset) {
    *lexer = (struct lexer){text.data, text.data + offset, text.data + text.size, false};
}

size_t mote__lexer_check_utf8(struct span text) {
    if (mote__utf8_valid(text.data, text.size)) return SIZE_MAX;
    size_t at = 0;
    for (uint32_t c; at < text.size;) {
        unsigned length = mote__utf8_decode(text.data + at, text.size - at, &c);
        if (!length) break;
        at += length;
    }
    return at;
}

static struct token make(enum token_kind kind, const uint8_t *from, const uint8_t *to) {
    return (struct token){.at = from, .size = (size_t)(to - from), .kind = kind};
}

static struct token problem(struct lexer *x, const uint8_t *from, const uint8_t *to,
                            const char *why) {
    x->pos = from; /* asked again, the answer is the same */
    return (struct token){
        .at = from, .size = (size_t)(to - from), .problem = why, .kind = TOKEN_ERROR};
}

static bool looking_at(const struct lexer *x, char a, char b) {
    return x->end - x->pos >= 2 && x->pos[0] == a && x->pos[1] == b;
}

/* ---- Strings. ---- */

static unsigned hex_value(uint8_t c) { return (c & 15u) + (c > '9' ? 9 : 0); }

/* Reads hexadecimal digits, with underscores between digits; NULL if there are none or the value
 * passes 0x10FFFF. */
static const uint8_t *scan_code_point(const uint8_t *p, const uint8_t *end, uint32_t *value) {
    *value = 0;
    for (bool digit_before = false; p < end; p++) {
        if (*p == '_' && digit_before) {
            digit_before = false;
            continue;
        }
        if (!is(*p, CHAR_HEX)) return digit_before ? p : NULL;
        *value = *value * 16 + hex_value(*p);
        if (*value > 0x10FFFF) return NULL;
        digit_before = true;
    }
    return NULL;
}

/* `p` is just behind the backslash: returns the end of the escape, or NULL. */
static const uint8_t *scan_escape(const uint8_t *p, const uint8_t *end) {
    uint32_t code_point;
    if (p >= end) return NULL;
    if (*p == 'u' && end - p > 2 && p[1] == '{') {
        p = scan_code_point(p + 2, end, &code_point);
        bool scalar = p && *p == '}' && (code_point < 0xD800 || code_point > 0xDFFF);
        return scalar ? p + 1 : NULL;
    }
    if (is(*p, CHAR_HEX)) return end - p >= 2 && is(p[1], CHAR_HEX) ? p + 2 : NULL;
    return memchr("tnr\"'\\", *p, 6) ? p + 1 : NULL;
}

/* `p` is at the opening quote: returns the end of the string, or NULL with the reason in *why and
 * its place in *at. */
static const uint8_t *scan_string(const uint8_t *p, const uint8_t *end, const char **why,
                                  const uint8_t **at) {
    const uint8_t *open = p++;
    *why = "unclosed string";
    *at = open;
    while (p < end && *p != '"') {
        if (*p == '\n' || *p == '\r') return NULL;
        if (*p < 0x20 || *p == 0x7F) {
            *why = "illegal control character in string literal";
            *at = p;
            return NULL;
        }
        if (*p++ != '\\') continue;
        if (p >= end || *p == '\n' || *p == '\r') return NULL;
        *at = p - 1;
        *why = "illegal escape";
        p = scan_escape(p, end);
        if (!p) return NULL;
        *why = "unclosed string";
        *at = open;
    }
    return p < end ? p + 1 : NULL;
}

static size_t unescape_one(const uint8_t **p, const uint8_t *end, uint8_t *out) {
    static const char from[] = "tnr\"'\\", to[] = "\t\n\r\"'\\";
    const char *simple = memchr(from, **p, 6);
    uint32_t code_point;
    if (**p == 'u') {
        *p = scan_code_point(*p + 2, end, &code_point) + 1;
        return mote__utf8_encode(code_point, out);
    }
    *out = simple ? (uint8_t)to[simple - from]
                  : (uint8_t)(hex_value((*p)[0]) * 16 + hex_value((*p)[1]));
    *p += simple ? 1 : 2;
    return 1;
}

size_t mote__token_unescape(struct token token, uint8_t *out) {
    const uint8_t *p = token.at + (token.kind == TOKEN_ID), *end = token.at + token.size - 1;
    uint8_t *start = out;
    for (p++; p < end;) {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        p++;
        out += unescape_one(&p, end, out);
    }
    return (size_t)(out - start);
}

/* ---- Numbers: only their form; number.c has the values. ---- */

/* Digits of the class with single underscores between them; NULL if there is none. */
static const uint8_t *scan_digits(const uint8_t *p, const uint8_t *end, unsigned class) {
    if (p >= end || !is(*p, class)) return NULL;
    for (p++; p < end; p++)
        if (!is(*p, class) && !(*p == '_' && p + 1 < end && is(p[1], class))) break;
    return p;
}

/* Recognises nan, inf and nan:0xN at p (behind the sign). */
static bool is_special_float(const uint8_t *p, const uint8_t *end) {
    size_t size = (size_t)(end - p);
    if (size == 3) return !memcmp(p, "nan", 3) || !memcmp(p, "inf", 3);
    return size > 6 && !memcmp(p, "nan:0x", 6) && scan_digits(p + 6, end, CHAR_HEX) == end;
}

/* The part behind the integer digits: a fraction, an exponent, both. */
static bool is_float_tail(const uint8_t *p, const uint8_t *end, unsigned class, char exponent) {
    if (p < end && *p == '.') {
        const uint8_t *digits = scan_digits(++p, end, class);
        if (digits) p = digits;
    }
    if (p < end && (*p | 32) == exponent) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        p = scan_digits(p, end, CHAR_DIGIT);
    }
    return p == end;
}

static enum token_kind classify_number(const uint8_t *p, const uint8_t *end) {
    bool sign = *p == '+' || *p == '-';
    p += sign;
    if (is_special_float(p, end)) return TOKEN_FLOAT;
    bool hex = end - p > 2 && p[0] == '0' && p[1] == 'x';
    unsigned class = hex ? CHAR_HEX : CHAR_DIGIT;
    p = scan_digits(p + 2 * hex, end, class);
    if (!p) return TOKEN_ERROR;
    if (p == end) return sign ? TOKEN_INT : TOKEN_NAT;
    return is_float_tail(p, end, class, hex ? 'p' : 'e') ? TOKEN_FLOAT : TOKEN_ERROR;
}

/* ---- White space, comments, annotations. ---- */

static void skip_line(struct lexer *x) {
    while (x->pos < x->end && *x->pos != '\n' && *x->pos != '\r') x->pos++;
}

/* At "(;": skips the comment and those nested in it; false when it does not end. */
static bool skip_block_comment(struct lexer *x) {
    size_t depth = 0;
    do {
        if (x->end - x->pos < 2) return false;
        bool opens = looking_at(x, '(', ';'), closes = looking_at(x, ';', ')');
        depth += opens;
        depth -= closes;
        x->pos += opens || closes ? 2 : 1;
    } while (depth);
    return true;
}

/* Skips blanks and comments; false when a block comment (left at x->pos) does not end. */
static bool skip_blank(struct lexer *x) {
    for (;;) {
        while (x->pos < x->end && is(*x->pos, CHAR_SPACE)) x->pos++;
        const uint8_t *from = x->pos;
        if (looking_at(x, ';', ';')) skip_line(x);
        else if (!looking_at(x, '(', ';')) return true;
        else if (!skip_block_comment(x)) {
            x->pos = from;
            return false;
        }
    }
}

/* ---- Tokens. ---- */

/* A run of identifier characters and strings; longer than one piece it is reserved. */
struct run {
    const uint8_t *end;
    bool has_string;
    const char *why; /* when a string in it is broken */
    const uint8_t *why_at;
};

static bool scan_run(const uint8_t *p, const uint8_t *end, struct run *run) {
    while (p < end) {
        if (is(*p, CHAR_ID)) {
            p++;
            continue;
        }
        if (*p != '"') break;
        run->has_string = true;
        p = scan_string(p, end, &run->why, &run->why_at);
        if (!p) return false;
    }
    run->end = p;
    return true;
}

/* Checks the text between the quotes of an identifier or annotation name; NULL or what is wrong. */
static const char *check_quoted_name(struct token string, const char *empty) {
    if (string.size == 2) return empty;
    if (!memchr(string.at, '\\', string.size)) return NULL;
    /* Resolve piecewise: an escape can only break UTF-8 together with its neighbours, so decode in
     * a small window. */
    const uint8_t *p = string.at + 1, *end = string.at + string.size - 1;
    uint8_t window[8];
    size_t filled = 0;
    while (p < end || filled) {
        while (p < end && filled < 4) {
            if (*p != '\\') {
                window[filled++] = *p++;
                continue;
            }
            p++;
            filled += unescape_one(&p, end, window + filled);
        }
        uint32_t c;
        unsigned length = mote__utf8_decode(window, filled, &c);
        if (!length) return "malformed UTF-8 encoding";
        filled -= length;
        memmove(window, window + length, filled);
    }
    return NULL;
}

static struct token lex_id(struct lexer *x, const uint8_t *from, const struct run *run) {
    if (from + 1 == run->end) return problem(x, from, run->end, "empty identifier");
    if (!run->has_string) return make(TOKEN_ID, from, run->end);
    const char *why = "unknown operator";
    if (from[1] == '"') {
        const uint8_t *at, *end = scan_string(from + 1, run->end, &why, &at);
        if (end != run->end) return problem(x, from, run->end, "unknown operator");
        why = check_quoted_name(make(TOKEN_STRING, from + 1, end), "empty identifier");
        if (!why) return make(TOKEN_ID, from, end);
    }
    return problem(x, from, run->end, why);
}

static struct token lex_string(struct lexer *x, const uint8_t *from, const struct run *run) {
    const char *why;
    const uint8_t *at;
    if (scan_string(from, run->end, &why, &at) == run->end)
        return make(TOKEN_STRING, from, run->end);
    return problem(x, from, run->end, "unknown operator");
}

static struct token lex_word(struct lexer *x, const uint8_t *from, const struct run *run) {
    if (run->has_string) return problem(x, from, run->end, "unknown operator");
    if (*from >= 'a' && *from <= 'z')
        return make(is_special_float(from, run->end) ? TOKEN_FLOAT : TOKEN_KEYWORD, from, run->end);
    enum token_kind kind = TOKEN_ERROR;
    if (is(*from, CHAR_DIGIT) || *from == '+' || *from == '-')
        kind = classify_number(from, run->end);
    if (kind == TOKEN_ERROR) return problem(x, from, run->end, "unknown operator");
    return make(kind, from, run->end);
}

static struct token lex_run(struct lexer *x) {
    const uint8_t *from = x->pos;
    struct run run = {0};
    if (!scan_run(from, x->end, &run)) {
        bool in_id = from[0] == '$' && x->end - from > 1 && from[1] == '"';
        return problem(x, run.why_at, run.why_at + 1, in_id ? "empty identifier: its string does not end on its line, or has a control character" : run.why);
    }
    x->pos = run.end;
    if (*from == '$') return lex_id(x, from, &run);
    return *from == '"' ? lex_string(x, from, &run) : lex_word(x, from, &run);
}

static struct token lex_one(struct lexer *x);

/* Reads the name behind "(@" into a token that covers both. */
static struct token lex_annotation_name(struct lexer *x) {
    const uint8_t *from = x->pos, *p = from + 2;
    const char *why;
    const uint8_t *at;
    if (p < x->end && *p == '"') {
        const uint8_t *end = scan_string(p, x->end, &why, &at);
        if (!end) return problem(x, from, from + 2, "empty annotation id: its string does not end on its line, or has a control character");
        why = check_quoted_name(make(TOKEN_STRING, p, end), "empty annotation id");
        if (why) return problem(x, from, end, why);
        p = end;
    } else {
        while (p < x->end && is(*p, CHAR_ID)) p++;
        if (p == from + 2) return problem(x, from, p, "empty annotation id");
    }
    x->pos = p;
    return make(TOKEN_ANNOTATION, from, p);
}

/* Skips to behind the parenthesis that closes an annotation; a token of kind TOKEN_ERROR when that
 * fails. What is in it are tokens and groups; of an annotation in it the @ is just another token.
 */
static struct token skip_annotation(struct lexer *x, struct token open) {
    for (size_t depth = 1; depth;) {
        if (!skip_blank(x)) return problem(x, x->pos, x->pos + 2, "unclosed comment");
        if (x->pos == x->end)
            return problem(x, open.at, open.at + open.size, "unclosed annotation");
        uint8_t c = *x->pos;
        if (is(c, CHAR_ID) || c == '"') {
            struct run run = {0};
            if (!scan_run(x->pos, x->end, &run))
                return problem(x, run.why_at, run.why_at + 1, run.why);
            x->pos = run.end;
        } else if (c == '(' || c == ')' || is(c, CHAR_RESERVED)) {
            depth += c == '(';
            depth -= c == ')';
            x->pos++;
        } else return problem(x, x->pos, x->pos + 1, "illegal character");
    }
    return open;
}

static struct token lex_annotation(struct lexer *x) {
    if (x->no_annotations)
        return problem(x, x->pos, x->pos + 2,
                       "unexpected token: needs the feature `annotations`, which is off: switch it on with -W annotations");
    struct token open = lex_annotation_name(x);
    if (open.kind == TOKEN_ERROR) return open;
    for (size_t i = 0; i < sizeof known_annotations / sizeof *known_annotations; i++)
        if (mote__token_is(open, known_annotations[i])) return open;
    struct token skipped = skip_annotation(x, open);
    return skipped.kind == TOKEN_ERROR ? skipped : (struct token){.kind = TOKEN_ANNOTATION};
}

/* Everything but white space; a skipped annotation comes out as a TOKEN_ANNOTATION without text. */
static struct token lex_one(struct lexer *x) {
    if (!skip_blank(x)) return problem(x, x->pos, x->pos + 2, "unclosed comment");
    if (x->pos == x->end) return make(TOKEN_END, x->pos, x->pos);
    const uint8_t *from = x->pos;
    if (is(*from, CHAR_ID) || *from == '"') return lex_run(x);
    if (looking_at(x, '(', '@')) return lex_annotation(x);
    if (*from == '(' || *from == ')') {
        x->pos++;
        return make(*from == '(' ? TOKEN_OPEN : TOKEN_CLOSE, from, x->pos);
    }
    return problem(x, from, from + 1,
                   is(*from, CHAR_RESERVED) ? "unknown operator" : "illegal character");
}

struct token mote__lexer_next(struct lexer *x) {
    struct token token;
    do token = lex_one(x);
    while (token.kind == TOKEN_ANNOTATION && !token.at);
    return token;
}
