/* dsn_test.c - connection strings of Go's MySQL driver. */
#include "parts/dsn.h"
#include "test.h"
#include <string.h>

static char text[300];
static struct dsn dsn;
static mote_error error;

static mote_status parse(const char *from) {
    snprintf(text, sizeof text, "%s", from);
    return mote__dsn_parse(text, &dsn, &error);
}

TEST(dsns_that_are_good) {
    CHECK_EQ(parse("user:pw@tcp(db.example:3307)/shop"), MOTE_OK);
    CHECK_STR(dsn.user, "user"), CHECK_STR(dsn.password, "pw");
    CHECK_STR(dsn.host, "db.example"), CHECK_STR(dsn.port, "3307");
    CHECK_STR(dsn.database, "shop");
    CHECK(!dsn.socket);
    CHECK_EQ(parse("/"), MOTE_OK); /* everything by default */
    CHECK_STR(dsn.user, ""), CHECK_STR(dsn.host, "127.0.0.1"), CHECK_STR(dsn.port, "3306");
    CHECK_EQ(parse("u:p@ss:w/o(r)d%40@tcp(h)/"), MOTE_OK); /* passwords are as they stand */
    CHECK_STR(dsn.password, "p@ss:w/o(r)d%40"), CHECK_STR(dsn.host, "h");
    CHECK_EQ(parse("u@tcp([::1]:33)/"), MOTE_OK);
    CHECK_STR(dsn.host, "::1"), CHECK_STR(dsn.port, "33");
    CHECK_EQ(parse("u@tcp([::1])/a%2Fb"), MOTE_OK);
    CHECK_STR(dsn.host, "::1"), CHECK_STR(dsn.port, "3306"), CHECK_STR(dsn.database, "a/b");
    CHECK_EQ(parse("u@unix(/run/my sock)/x"), MOTE_OK);
    CHECK_STR(dsn.socket, "/run/my sock");
    CHECK(!dsn.host);
    CHECK_EQ(parse("u@unix/"), MOTE_OK);
    CHECK_STR(dsn.socket, "/tmp/mysql.sock");
    CHECK_EQ(parse("u@/db"), MOTE_OK);
    CHECK_EQ(parse("tcp(h:1)/"), MOTE_OK);
    CHECK_STR(dsn.user, ""), CHECK_STR(dsn.port, "1");
    CHECK_EQ(parse("tcp(h:65535)/"), MOTE_OK);
}

TEST(dsns_with_parameters) {
    CHECK_EQ(parse("u@/d?allowNativePasswords=true&loc=US%2FPacific&tls=false&timeout=1m30s&"
                   "readTimeout=2s&writeTimeout=500ms"),
             MOTE_OK);
    CHECK_EQ(dsn.dial_timeout_ns, 90000000000), CHECK_EQ(dsn.answer_timeout_ns, 2000000000);
    CHECK_EQ(dsn.variable_count, 0);
    CHECK_EQ(parse("u@/?tx_isolation=%27READ-COMMITTED%27&autocommit=1&flag"), MOTE_OK);
    CHECK_EQ(dsn.variable_count, 2);
    CHECK_STR(dsn.variables[0].name, "tx_isolation");
    CHECK_STR(dsn.variables[0].value, "'READ-COMMITTED'");
    CHECK_STR(dsn.variables[1].value, "1");
}

TEST(dsns_that_are_refused) {
    static const struct {
        const char *text;
        mote_status status;
        const char *words;
    } rows[] = {{"user:secret", MOTE_E_ARGUMENT, "no `/`"},
                {"user:secret@tcp(h/", MOTE_E_ARGUMENT, "without a `)`"},
                {"user:secret@udp(h)/", MOTE_E_ARGUMENT, "tcp and unix"},
                {"user:secret@tcp(h:x)/", MOTE_E_ARGUMENT, "HOST:PORT"},
                {"user:secret@tcp(h:0)/", MOTE_E_ARGUMENT, "HOST:PORT"},
                {"user:secret@tcp(h:65536)/", MOTE_E_ARGUMENT, "HOST:PORT"},
                {"user:secret@tcp(h:)/", MOTE_E_ARGUMENT, "HOST:PORT"},
                {"user:secret@tcp(::1:5)/", MOTE_E_ARGUMENT, "HOST:PORT"},
                {"user:secret@tcp([::1)/", MOTE_E_ARGUMENT, "HOST:PORT"},
                {"user:secret@/d%2", MOTE_E_ARGUMENT, "escape"},
                {"user:secret@/d%00", MOTE_E_ARGUMENT, "escape"},
                {"user:secret@/?a=%zz", MOTE_E_ARGUMENT, "escape"},
                {"user:secret@/?tls=custom", MOTE_E_UNSUPPORTED, "`tls`"},
                {"user:secret@/?allowAllFiles=true", MOTE_E_UNSUPPORTED, "`allowAllFiles`"},
                {"user:secret@/?timeout=soon", MOTE_E_ARGUMENT, "duration"},
                {"user:secret@/?a=1;DROP+TABLE+state", MOTE_E_ARGUMENT, "neither known"},
                {"user:secret@/?a=%27x%27%27", MOTE_E_ARGUMENT, "neither known"},
                {"user:secret@/?a=%27%5C%27", MOTE_E_ARGUMENT, "neither known"},
                {"user:secret@/?a%3D1+b=2", MOTE_E_ARGUMENT, "neither known"},
                {"user:se/?secret=t", MOTE_E_ARGUMENT, "tcp and unix"},
                {"/?secret:=t", MOTE_E_ARGUMENT, "neither known"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ(parse(rows[i].text), rows[i].status);
        if (!CHECK(strstr(error.message, rows[i].words))) printf("  %s\n", error.message);
        CHECK(!strstr(error.message, "secret"));
    }
}
