/* lexer.h - tokens of the text format (core spec, "Text Format / Lexical Format"), read from
 * borrowed UTF-8 text one at a time. Keeps: a token is a span of the source, nothing is copied or
 * allocated; every byte is looked at once, so a pass is linear. Comments are skipped. Annotations
 * are skipped too, except the few that mote understands (see lexer.c): those come out as an opening
 * token of their own, and their contents as ordinary tokens. */
#ifndef MOTE_TEXT_LEXER_H
#define MOTE_TEXT_LEXER_H

#include "base/reader.h"

enum token_kind {
    TOKEN_END,        /* end of the text */
    TOKEN_OPEN,       /* ( */
    TOKEN_CLOSE,      /* ) */
    TOKEN_KEYWORD,    /* starts with a-z; known to the language or not */
    TOKEN_ID,         /* $name or $"name" */
    TOKEN_STRING,     /* "..." with its quotes; escapes are checked but not yet resolved */
    TOKEN_NAT,        /* integer without sign */
    TOKEN_INT,        /* integer with sign */
    TOKEN_FLOAT,      /* anything else that reads as a number, inf and nan included */
    TOKEN_ANNOTATION, /* (@id of an annotation that is understood */
    TOKEN_ERROR       /* not a token: `problem` says why */
};

struct token {
    const uint8_t *at;
    size_t size;
    const char
        *problem; /* set for TOKEN_ERROR: static text in the words of the specification suite */
    enum token_kind kind;
};

struct lexer {
    const uint8_t *start, *pos, *end;
    bool no_annotations; /* "(@" is an error */
};

/* Begins at `offset` in `text`. The text is checked for UTF-8 by the caller
 * (mote__lexer_check_utf8), once. */
void mote__lexer_init(struct lexer *lexer, struct span text, size_t offset);
/* Returns the next token. After TOKEN_END or TOKEN_ERROR it returns the same again. */
struct token mote__lexer_next(struct lexer *lexer);

/* Returns the offset of the first byte that is not UTF-8, or SIZE_MAX when all of it is. */
size_t mote__lexer_check_utf8(struct span text);

/* Resolves the escapes of a TOKEN_STRING (or of the quoted part of a TOKEN_ID) into `out`, which
 * has room for token.size bytes. Returns the number of bytes written. */
size_t mote__token_unescape(struct token token, uint8_t *out);

/* True when the token is the keyword, the annotation ("(@name") or other text `word`. */
static inline bool mote__token_is(struct token token, const char *word) {
    size_t size = strlen(word);
    return token.size == size && memcmp(token.at, word, size) == 0;
}

/* True for a TOKEN_ID written as $"...". */
static inline bool mote__token_is_quoted_id(struct token token) {
    return token.size > 1 && token.at[1] == '"';
}

/* True for the characters that identifiers and keywords are made of. */
bool mote__is_id_char(uint8_t c);

#endif
