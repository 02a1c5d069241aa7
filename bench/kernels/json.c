/* json.c - a JSON text is built once and parsed again and again into a tree in an arena: text, branches, small allocations. Size: parses. */
#include "kernel.h"

KERNEL(700)

enum kind { NOTHING, TRUE, FALSE, NUMBER, STRING, LIST, OBJECT };

struct value {
    enum kind kind;
    double number;
    const char *text;
    uint32_t size;              /* bytes of text, or members */
    struct value *first, *next; /* of an object: name, value, name, value ... */
};

struct parser {
    const char *at;
    char *arena, *free;
};

static void *take(struct parser *p, size_t bytes) {
    void *memory = p->free;
    p->free += (bytes + 7) & ~(size_t)7;
    return memory;
}

static void skip_space(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r') p->at++;
}

static int hex4(const char *s) {
    int code = 0;
    for (int i = 0; i < 4; i++) code = code * 16 + (s[i] <= '9' ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
    return code;
}

static char *put_utf8(char *out, int code) {
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

static void parse_string(struct parser *p, struct value *v) {
    char *out = p->free, *start = out;
    for (p->at++; *p->at != '"'; p->at++) {
        if (*p->at != '\\') *out++ = *p->at;
        else if (*++p->at == 'u') out = put_utf8(out, hex4(p->at + 1)), p->at += 4;
        else *out++ = *p->at == 'n' ? '\n' : *p->at == 't' ? '\t' : *p->at;
    }
    p->at++;
    v->kind = STRING;
    v->text = start;
    v->size = (uint32_t)(out - start);
    take(p, v->size + 1);
}

/* Digits, a fraction, an exponent; exact enough and the same everywhere. */
static void parse_number(struct parser *p, struct value *v) {
    int negative = *p->at == '-', exponent = 0;
    double number = 0;
    p->at += negative;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++) number = number * 10 + (*p->at - '0');
    if (*p->at == '.')
        for (p->at++; *p->at >= '0' && *p->at <= '9'; p->at++, exponent--) number = number * 10 + (*p->at - '0');
    if ((*p->at | 32) == 'e') exponent += (int)strtol(p->at + 1, (char **)&p->at, 10);
    for (; exponent > 0; exponent--) number *= 10;
    for (; exponent < 0; exponent++) number /= 10;
    v->kind = NUMBER;
    v->number = negative ? -number : number;
}

static struct value *parse(struct parser *p);

/* The members up to the closing bracket; of an object, names are members too. */
static void parse_members(struct parser *p, struct value *v, enum kind kind, char end) {
    struct value **tail = &v->first;
    v->kind = kind;
    for (p->at++, skip_space(p); *p->at != end; skip_space(p)) {
        *tail = parse(p);
        tail = &(*tail)->next;
        v->size++;
        skip_space(p);
        if (*p->at == ',' || *p->at == ':') p->at++;
    }
    p->at++;
}

static struct value *parse(struct parser *p) {
    struct value *v = take(p, sizeof *v);
    memset(v, 0, sizeof *v);
    skip_space(p);
    switch (*p->at) {
    case '{': parse_members(p, v, OBJECT, '}'); break;
    case '[': parse_members(p, v, LIST, ']'); break;
    case '"': parse_string(p, v); break;
    case 't': v->kind = TRUE, p->at += 4; break;
    case 'f': v->kind = FALSE, p->at += 5; break;
    case 'n': v->kind = NOTHING, p->at += 4; break;
    default: parse_number(p, v);
    }
    return v;
}

static uint64_t digest(const struct value *v) {
    uint64_t sum = mix(v->kind, v->size);
    if (v->kind == NUMBER) sum = mix(sum, bits_of(v->number));
    if (v->kind == STRING) sum = mix_bytes(sum, (const uint8_t *)v->text, v->size);
    for (const struct value *member = v->first; member; member = member->next) sum = mix(sum, digest(member));
    return sum;
}

static char *write_text(uint32_t records) {
    char *text = need(records * 400 + 16), *at = text;
    uint64_t random = 19;
    *at++ = '[';
    for (uint32_t i = 0; i < records; i++) {
        uint64_t w = random_next(&random);
        at += sprintf(at, "%s{ \"id\": %u, \"name\": \"item \\u00e9 number %u\\n\", \"price\": %u.%02u,\n  \"ratio\": -%u.5e-%u, ", i ? "," : "", i,
                      (unsigned)(w % 1000), (unsigned)(w >> 10) % 5000, (unsigned)(w >> 20) % 100, (unsigned)(w >> 30) % 90, (unsigned)(w >> 40) % 9);
        at += sprintf(at, "\"tags\": [\"red\", \"%s\", null, %s], \"nested\": {\"a\": [1, 2, [3, {}]], \"b\": \"\\\"quoted\\\"\"} }",
                      w & 1 ? "green" : "blue and yellow", w & 2 ? "true" : "false");
    }
    memcpy(at, "]", 2);
    return text;
}

static uint64_t kernel(uint32_t parses) {
    char *text = write_text(1500);
    struct parser p = {.arena = need(8 << 20)};
    uint64_t sum = 1;
    for (uint32_t i = 0; i < parses; i++) {
        p.at = text;
        p.free = p.arena;
        sum = mix(sum, digest(parse(&p)));
    }
    return sum;
}
