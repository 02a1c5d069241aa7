/* wast_count.c - counts the directives of a WAST script, independently of mote's own parser: every top-level form is one, and a run of module
 * fields without (module ...) around it is one module together. Usage: wast_count FILE; prints the number. Knows strings, comments,
 * annotations and parentheses only, which is all that counting takes. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words that open a directive; every other form at the top is a field of an unnamed module. */
static const char *const directives[] = {
    "module", "register", "invoke", "get", "thread", "wait", "script", "input", "output", NULL};

static bool is_directive(const char *word) {
    if (!strncmp(word, "assert_", 7)) return true;
    for (const char *const *name = directives; *name; name++)
        if (!strcmp(word, *name)) return true;
    return false;
}

static char *after_string(char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) at += *at == '\\';
    return at + 1;
}

static char *after_line(char *at, const char *end) {
    while (at < end && *at != '\n' && *at != '\r') at++;
    return at;
}

static char *after_block(char *at, const char *end) {
    unsigned depth = 0;
    do {
        if (at[0] == '(' && at[1] == ';') depth++, at += 2;
        else if (at[0] == ';' && at[1] == ')') depth--, at += 2;
        else at++;
    } while (depth && at < end);
    return at;
}

static void blank(char *at, char *end);

/* An annotation ends at its own parenthesis; strings and comments inside are blanked on the way. */
static char *after_annotation(char *at, char *end) {
    unsigned depth = 0;
    blank(at + 2, end);
    do {
        depth += *at == '(';
        depth -= *at == ')';
        at++;
    } while (depth && at < end);
    return at;
}

/* Puts spaces for strings, comments and annotations. The text has a NUL behind its end. */
static void blank(char *at, char *end) {
    while (at < end) {
        char *after = at;
        if (*at == '"') after = after_string(at, end);
        else if (at[0] == ';' && at[1] == ';') after = after_line(at, end);
        else if (at[0] == '(' && at[1] == ';') after = after_block(at, end);
        else if (at[0] == '(' && at[1] == '@') after = after_annotation(at, end);
        if (after > end) after = end;
        if (after == at) at++;
        for (; at < after; at++) *at = ' ';
    }
}

/* The word after an opening parenthesis. */
static void word_at(const char *at, const char *end, char word[static 32]) {
    unsigned size = 0;
    while (at < end && strchr(" \n\r\t", *at)) at++;
    while (at < end && size < 31 && !strchr(" \n\r\t()", *at)) word[size++] = *at++;
    word[size] = 0;
}

static unsigned count(const char *at, const char *end) {
    unsigned depth = 0, total = 0;
    bool in_fields = false;
    for (; at < end; at++) {
        char word[32];
        if (*at == ')' && depth) depth--;
        if (*at != '(' || depth++) continue;
        word_at(at + 1, end, word);
        bool is_field = !is_directive(word);
        total += !(is_field && in_fields);
        in_fields = is_field;
    }
    return total;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) return fprintf(stderr, "usage: wast_count FILE\n"), 2;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    fseek(file, 0, SEEK_SET);
    char *text = malloc(size + 2);
    if (!text || fread(text, 1, size, file) != size) return 2;
    text[size] = text[size + 1] = 0;
    blank(text, text + size);
    printf("%u\n", count(text, text + size));
    fclose(file);
    free(text);
    return 0;
}
