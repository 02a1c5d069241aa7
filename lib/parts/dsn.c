/* dsn.c - Go's connection strings (dsn.h), as github.com/go-sql-driver/mysql reads them. */
#include "dsn.h"
#include "base/error.h"
#include "tables.h"
#include <string.h>

static mote_status wrong(mote_error *error, const char *what) {
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                           "`connectionString` %s; it is user:password@tcp(host:port)/?name=value",
                           what);
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Resolves %XX, and + where it stands for a space, in place; false when an escape is none. */
static bool unescape(char *text, bool plus) {
    char *out = text;
    for (const char *at = text; *at; at++) {
        if (*at == '%') {
            int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);
            if (low < 0 || !(high | low)) return false;
            *out++ = (char)(high << 4 | low);
            at += 2;
        } else *out++ = plus && *at == '+' ? ' ' : *at;
    }
    *out = 0;
    return true;
}

/* ---------------------------------------------------------------- who and where */

static void take_user(char *text, struct dsn *out) {
    char *colon = strchr(text, ':');
    if (colon) *colon = 0;
    out->user = text;
    out->password = colon ? colon + 1 : "";
}

/* "host", "host:port", "[address]:port", ":port". */
static bool take_host(char *text, struct dsn *out) {
    char *close = *text == '[' ? strchr(text, ']') : NULL, *colon = strrchr(text, ':');
    if (*text == '[' && !close) return false;
    if (close && close[1] && close[1] != ':') return false;
    if (close) colon = close[1] ? close + 1 : NULL;
    else if (colon && strchr(text, ':') != colon) return false; /* an address without brackets */
    if (colon) *colon = 0, out->port = colon + 1;
    if (close) *close = 0, text++;
    out->host = *text ? text : "127.0.0.1";
    return mote__parts_is_port(out->port);
}

/* "tcp(host:port)", "unix(/path)", "tcp", "". */
static mote_status take_address(char *text, struct dsn *out, mote_error *error) {
    size_t size = strlen(text);
    char none[1] = "", *open = strchr(text, '('), *address = none;
    if (open && text[size - 1] != ')')
        return wrong(error, "has a `(` without a `)` before the `/`");
    if (open) text[size - 1] = 0, *open = 0, address = open + 1;
    if (!strcmp(text, "unix")) {
        out->socket = *address ? address : "/tmp/mysql.sock";
        return MOTE_OK;
    }
    if (*text && strcmp(text, "tcp") != 0) return wrong(error, "knows tcp and unix as networks");
    if (!*address) return out->host = "127.0.0.1", MOTE_OK;
    return take_host(address, out) ? MOTE_OK : wrong(error, "has no HOST:PORT in tcp(...)");
}

/* ---------------------------------------------------------------- what follows the `?` */

enum treatment {
    IGNORED, /* means nothing here: it is of Go's side */
    OFF,     /* only `false` works: the rest is not done in mote */
    DIAL,
    ANSWER
};

static const struct {
    const char *name;
    enum treatment treatment;
} parameters[] = {{"allowNativePasswords", IGNORED},
                  {"charset", IGNORED}, /* always utf8mb4 */
                  {"checkConnLiveness", IGNORED},
                  {"clientFoundRows", IGNORED},
                  {"collation", IGNORED},
                  {"columnsWithAlias", IGNORED},
                  {"connectionAttributes", IGNORED},
                  {"interpolateParams", IGNORED},
                  {"loc", IGNORED},
                  {"maxAllowedPacket", IGNORED},
                  {"multiStatements", IGNORED},
                  {"parseTime", IGNORED},
                  {"timeTruncate", IGNORED},
                  {"allowAllFiles", OFF},
                  {"allowCleartextPasswords", OFF},
                  {"allowFallbackToPlaintext", OFF},
                  {"allowOldPasswords", OFF},
                  {"compress", OFF},
                  {"rejectReadOnly", OFF},
                  {"serverPubKey", OFF},
                  {"tls", OFF},
                  {"timeout", DIAL},
                  {"readTimeout", ANSWER},
                  {"writeTimeout", ANSWER}};

/* A number, a word, or a text in quotes that holds neither quotes nor backslashes. */
static bool is_literal(const char *text) {
    size_t size = strlen(text);
    if (*text == '\'')
        return size >= 2 && strcspn(text + 1, "'\\") == size - 2 && text[size - 1] == '\'';
    return size && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_.-") == size;
}

static mote_status take_variable(const char *name, const char *value, struct dsn *out,
                                 mote_error *error) {
    uint64_t unused;
    bool good = mote__parts_convert(KIND_NAME, name, &unused) && is_literal(value);
    if (!good || out->variable_count == DSN_VARIABLES_MAX)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "`connectionString` has a parameter that is neither known nor a "
                               "session variable with a plain value");
    out->variables[out->variable_count].name = name;
    out->variables[out->variable_count++].value = value;
    return MOTE_OK;
}

static mote_status take_known(enum treatment treatment, const char *name, const char *value,
                              struct dsn *out, mote_error *error) {
    uint64_t number = 0;
    bool good = true;
    if (treatment == OFF) {
        if (mote__parts_convert(KIND_FLAG, value, &number) && !number) return MOTE_OK;
        return mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET,
                               "`%s` of `connectionString` is not done in mote", name);
    }
    if (treatment == DIAL || treatment == ANSWER)
        good = mote__parts_convert(KIND_DURATION, value, &number);
    if (!good)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "`%s` of `connectionString` is %s", name,
                               mote__parts_kind_text(KIND_DURATION));
    if (treatment == DIAL) out->dial_timeout_ns = number;
    if (treatment == ANSWER && number > out->answer_timeout_ns) out->answer_timeout_ns = number;
    return MOTE_OK;
}

static mote_status take_parameter(char *text, struct dsn *out, mote_error *error) {
    char *equals = strchr(text, '=');
    if (!equals) return MOTE_OK; /* as Go's driver does */
    *equals = 0;
    char *value = equals + 1;
    if (!unescape(value, true)) return wrong(error, "has an escape that is none");
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (!strcmp(parameters[i].name, text))
            return take_known(parameters[i].treatment, text, value, out, error);
    return take_variable(text, value, out, error);
}

static mote_status take_parameters(char *text, struct dsn *out, mote_error *error) {
    for (char *next; text; text = next) {
        next = strchr(text, '&');
        if (next) *next++ = 0;
        mote_status status = take_parameter(text, out, error);
        if (status) return status;
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- the whole */

mote_status mote__dsn_parse(char *text, struct dsn *out, mote_error *error) {
    *out = (struct dsn){.user = "", .password = "", .port = "3306"};
    char *slash = strrchr(text, '/');
    if (!slash) return wrong(error, "has no `/` before the database");
    *slash = 0;
    char *at = strrchr(text, '@'), *query = strchr(slash + 1, '?');
    if (at) *at = 0, take_user(text, out);
    if (query) *query++ = 0;
    out->database = slash + 1;
    if (!unescape(slash + 1, false)) return wrong(error, "has an escape that is none");
    mote_status status = take_address(at ? at + 1 : text, out, error);
    return status || !query ? status : take_parameters(query, out, error);
}
