/* load_test.c - component files: what is taken, what is refused and in which words (load.c, yaml.c,
 * tables.c). */
#define _GNU_SOURCE
#include "test.h"
#include "fail_alloc.h"
#include "parts/set.h"
#include <unistd.h>

static mote_status load(mote_parts **parts, const char *text, mote_error *error) {
    const mote_parts_config config = {.app_id = "shop", .namespace_ = "prod"};
    mote_status status = mote_parts_new(&config, parts, error);
    return status ? status : mote_parts_load_text(*parts, "c.yaml", text, strlen(text), error);
}

/* Loads, expects this message ("" for none). */
static void expect(const char *text, const char *message) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    mote_status status = load(&parts, text, &error);
    CHECK_EQ(status != MOTE_OK, *message != 0);
    CHECK_STR(status ? error.message : "", message);
    mote_parts_delete(parts);
}

#define HEAD   "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\n"
#define SQLITE HEAD "spec:\n  type: state.sqlite\n  version: v1\n  metadata:\n"

TEST(takes) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    const char *text =
        "# first\n---\n" SQLITE "  - name: CONNECTIONSTRING\n    value: data-{appID}.db\n  - "
        "{name: busyTimeout, value: 1m30s}\n"
        "  - {name: disableWAL, value: yes}\n  - {name: timeoutInSeconds, value: 7}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: other}, spec: {type: "
        "state.in-memory}, scopes: [mail]}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Subscription}\n---\n";
    CHECK_EQ(load(&parts, text, &error), MOTE_OK);
    CHECK_EQ(mote_parts_count(parts), 1);
    mote_parts_info info = mote_parts_at(parts, 0);
    CHECK_STR(info.name, "store");
    CHECK_STR(info.type, "state.sqlite");
    CHECK_EQ(info.line, 3);
    const struct mote_parts_component *c = parts->components.data[0];
    CHECK_STR(c->values[KEY_state_sqlite_connection].text, "data-shop.db");
    CHECK_EQ(c->values[KEY_state_sqlite_busy_timeout].number, 90000000000);
    CHECK_EQ(c->values[KEY_state_sqlite_timeout].number, 7000000000);
    CHECK_EQ(c->values[KEY_state_sqlite_disable_wal].number, 1);
    CHECK_STR(c->values[KEY_state_sqlite_table].text, "state");
    CHECK(!c->values[KEY_state_sqlite_table].given);
    CHECK_STR((const char *)c->prefix.data, "shop||");
    mote_parts_delete(parts);
}

/* A value's number, UINT64_MAX where it is refused. */
static uint64_t number_of(enum parts_key key, const char *value) {
    char text[400];
    mote_parts *parts = NULL;
    mote_error error = {0};
    uint64_t number = UINT64_MAX;
    snprintf(text, sizeof text,
             HEAD "spec:\n  type: %s\n  metadata:\n  - {name: %s, value: %s}\n",
             mote__parts_drivers[mote__parts_keys[key].driver].type, mote__parts_keys[key].name,
             value);
    if (!load(&parts, text, &error)) number = parts->components.data[0]->values[key].number;
    mote_parts_delete(parts);
    return number;
}

/* As YAML and then Go read them: without quotes a number is YAML's, between quotes ParseInt's. */
TEST(numbers) {
    static const struct {
        const char *text;
        uint64_t number;
    } rows[] = {{"7", 7},
                {"+7", 7},
                {"7.0", 7},
                {"7e0", 7},
                {"0.7e+1", 7},
                {"0x1F", 31},
                {"0o17", 15},
                {"017", 15},
                {"0b11", 3},
                {"1_000", 1000},
                {"'0x1f'", 31},
                {"'+7'", 7},
                {"18446744073709551615", UINT64_MAX},
                {"'7.0'", UINT64_MAX},
                {"'7e0'", UINT64_MAX},
                {"7.5", UINT64_MAX},
                {"1e99", UINT64_MAX},
                {"-7", UINT64_MAX},
                {"09", 9}, /* a float of YAML */
                {"70e-1", 7},
                {"0x", UINT64_MAX},
                {"1__0", 10},
                {"1_", 1},
                {"_1", UINT64_MAX},
                {"'1__0'", UINT64_MAX},
                {"'1_'", UINT64_MAX},
                {".inf", UINT64_MAX},
                {"true", UINT64_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!CHECK_EQ(number_of(KEY_lock_redis_database, rows[i].text), rows[i].number))
            printf("  %s\n", rows[i].text);
    CHECK_EQ(number_of(KEY_lock_redis_read_timeout, "7.0"), 7000000000);
    CHECK_EQ(number_of(KEY_lock_redis_read_timeout, "'07'"), 7000000000);
    CHECK_EQ(number_of(KEY_lock_redis_read_timeout, "+7ms"), 7000000);
    CHECK_EQ(number_of(KEY_lock_redis_read_timeout, "'7.0'"), UINT64_MAX);
}

TEST(flags) {
    static const char *const yes[] = {"true", "True", "t",    "yes", "Y", "on",
                                      "1",    "1.0",  "' y '"},
                             *const no[] = {"false", "F",  "no",  "n",   "Off",
                                            "0",     "''", "' '", "null"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        CHECK_EQ(number_of(KEY_state_memory_actors, yes[i]), 1);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        CHECK_EQ(number_of(KEY_state_memory_actors, no[i]), 0);
    CHECK_EQ(number_of(KEY_state_memory_actors, "ture"), UINT64_MAX);
}

TEST(other_resources_of_dapr) {
    static const char *const kinds[] = {"Configuration", "Subscription", "Resiliency",
                                        "HTTPEndpoint",  "MCPServer",    "WorkflowAccessPolicy"};
    char text[100];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(text, sizeof text, "apiVersion: dapr.io/v1alpha1\nkind: %s\nspec: {x: 1}\n",
                 kinds[i]);
        expect(text, "");
    }
}

/* Loads a component with this keyPrefix, expects what stands before its keys. */
static void expect_prefix(const char *how, const char *prefix) {
    char text[400];
    mote_parts *parts = NULL;
    mote_error error = {0};
    snprintf(text, sizeof text,
             HEAD "spec:\n  type: state.in-memory\n  metadata:\n  - {name: keyPrefix, value: %s}\n",
             how);
    if (CHECK_EQ(load(&parts, text, &error), MOTE_OK))
        CHECK_STR((const char *)parts->components.data[0]->prefix.data, prefix);
    mote_parts_delete(parts);
}

/* What Dapr 1.18 makes of a key prefix, which makes it small too: tests/parts/dapr asks it. */
TEST(scalars_without_quotes) {
    static const struct {
        const char *text, *prefix;
    } rows[] = {
        {"yes", "true||"},
        {"True", "true||"},
        {"on", "true||"},
        {"off", "false||"},
        {"n", "false||"},
        {"y", "true||"},
        {"oN", "on||"},
        {"010", "8||"},
        {"08", "8||"},
        {"0x10", "16||"},
        {"0b11", "3||"},
        {"0o17", "15||"},
        {"+5", "5||"},
        {"-5", "-5||"},
        {"-0", "0||"},
        {"-0.0", "-0||"},
        {"1_000", "1000||"},
        {"1.0", "1||"},
        {"1.50", "1.5||"},
        {"1.0e+2", "100||"},
        {"1e3", "1000||"},
        {".5", "0.5||"},
        {"0.000125", "0.000125||"},
        {"1e-6", "0.000001||"},
        {"1e-7", "1e-7||"},
        {"1.25e-10", "1.25e-10||"},
        {"1e20", "100000000000000000000||"},
        {"1e21", "1e+21||"},
        {"123456789.125", "123456789.125||"},
        {"0.1", "0.1||"},
        {"9007199254740993.0", "9007199254740992||"},
        {"18446744073709551615", "18446744073709551615||"},
        {"18446744073709551616", "18446744073709552000||"},
        {"-9223372036854775808", "-9223372036854775808||"},
        {"-9223372036854775809", "-9223372036854776000||"},
        {"2001-01-01", "2001-01-01||"},
        {"1:30", "1:30||"},
        {"1.2.3", "1.2.3||"},
        {"0x", "0x||"},
        {"1e", "1e||"},
        {"1e999", "1e999||"},
        {"+", "+||"},
        {"-.5", "-0.5||"},
        {"5.", "5||"},
        {"00", "0||"},
        {"0b2", "0b2||"},
        {"0x1p3", "0x1p3||"},
        {"nUll", "null||"},
        {"Null", "||"},
        {"5e-324", "5e-324||"},
        {"1.7976931348623157e308", "1.7976931348623157e+308||"},
        {"._5", "._5||"},
        {"_1", "_1||"},
        {"'010'", "010||"},
        {"\"yes\"", "yes||"},
        {"!!str 010", "010||"},
        {"! 010", "010||"},
        {"!!int 010", "8||"},
        {"!own 010", "010||"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_prefix(rows[i].text, rows[i].prefix);
    expect(SQLITE "  - {name: url, value: .inf}\n",
           "c.yaml:9: `.inf` is no value; if it is to be a text, put it in quotes");
}

TEST(placeholders) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    setenv("POD_NAME", "pod-1", 1);
    CHECK_EQ(load(&parts,
                  SQLITE
                  "  - {name: url, value: \"{podName}/{appID}/{namespace}/{uuid}/{uuid}/{other}\"}"
                  "\n",
                  &error),
             MOTE_OK);
    const char *url = parts->components.data[0]->values[KEY_state_sqlite_connection].text,
               *fixed = "pod-1/shop/prod.shop/";
    size_t uuid_at = strlen(fixed);
    CHECK(!strncmp(url, fixed, uuid_at));
    CHECK_EQ(strlen(url), uuid_at + 36 + 37 + strlen("/{other}"));
    CHECK(url[uuid_at + 8] == '-' && url[uuid_at + 14] == '4');
    CHECK(strncmp(url + uuid_at, url + uuid_at + 37, 36) != 0); /* as in Dapr */
    CHECK_STR(url + uuid_at + 36 + 37, "/{other}");
    mote_parts_delete(parts);
}

TEST(prefixes) {
    static const struct {
        const char *how, *prefix;
    } cases[] = {{"appid", "shop||"},
                 {"name", "store||"},
                 {"namespace", "prod.shop||"},
                 {"none", ""},
                 {"X y", "x y||"},
                 {"''", "||"}}; /* as Dapr has it */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_prefix(cases[i].how, cases[i].prefix);
}

TEST(refuses) {
    expect(HEAD "spec: {type: state.sqlit}\n",
           "c.yaml:5: no driver for the type `state.sqlit`; did you mean `state.sqlite`?");
    expect(HEAD "spec: {type: state.sqlite, version: v2}\n",
           "c.yaml:5: state.sqlite has no version `v2`, only v1");
    expect(HEAD "specs: {}\n", "c.yaml:5: a component has no `specs`; did you mean `spec`?");
    expect(SQLITE "  - name: conectionString\n    value: x\n",
           "c.yaml:9: state.sqlite has no metadata `conectionString`; did you mean "
           "`connectionString`?");
    expect(SQLITE, "c.yaml:6: state.sqlite needs the metadata `connectionString`: a path, "
                   "`file:PATH?_pragma=synchronous(1)`, or `:memory:`");
    expect(SQLITE "  - {name: url, value: x}\n  - {name: tableName, value: a b}\n",
           "c.yaml:10: `tableName` is a name of letters, digits and _, not `a b`");
    expect(SQLITE "  - {name: url, value: x}\n  - {name: busyTimeout, value: soon}\n",
           "c.yaml:10: `busyTimeout` is a duration such as 2s, 500ms or 1m30s, not `soon`");
    expect(SQLITE "  - {name: url, value: x}\n  - {name: URL, value: x}\n",
           "c.yaml:10: `URL` is given twice");
    expect(SQLITE "  - {name: url}\n",
           "c.yaml:9: `url` needs one of `value`, `secretKeyRef` and `envRef`");
    expect(SQLITE "  - {name: url, value: [x]}\n",
           "c.yaml:9: `url` must be a text, a number or a truth value");
    expect(SQLITE "  - {name: url, envRef: DAPR_API_TOKEN}\n",
           "c.yaml:9: the variable `DAPR_API_TOKEN` may not be read");
    expect(SQLITE "  - {name: url, secretKeyRef: {name: a, key: b}}\n",
           "c.yaml:9: a secretKeyRef needs `auth: {secretStore: NAME}` in this component");
    expect(HEAD "spec:\n  type: state.in-memory\n  metadata:\n  - name: KeyPrefix\n    "
                "secretKeyRef: {name: a, key: b}\nauth: {secretStore: s}\n",
           "c.yaml:9: `keyPrefix` must be known when components are loaded: it takes `value` or "
           "`envRef`, not a secretKeyRef");
    expect(HEAD "spec: {type: lock.redis, metadata: [{name: keyPrefix, secretKeyRef: {name: a}}]}"
                "\nauth: {secretStore: s}\n",
           "c.yaml:5: `keyPrefix` must be known when components are loaded: it takes `value` or "
           "`envRef`, not a secretKeyRef");
    expect(SQLITE "  - {name: primaryEncryptionKey, value: x}\n",
           "c.yaml:9: `primaryEncryptionKey` (encryption of values) is known to Dapr but not done "
           "in mote");
    expect(HEAD "spec: {type: state.in-memory}\n---\n" HEAD "spec: {type: state.in-memory}\n",
           "c.yaml:10: the component `store` is already in c.yaml:1");
    expect("kind: Component\n", "c.yaml:1: a document lacks `apiVersion`");
    expect("apiVersion: v1\nkind: Pod\n",
           "c.yaml:2: no such kind: `Pod`; components have `Component`");
    expect("a: &x [1]\nb: *x\n",
           "c.yaml:2: aliases (*NAME) are not taken here: write the value out");
    expect("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
           "c.yaml:1: nested too deeply");
    expect("- a\n", "c.yaml:1: a document must be a mapping with `kind: Component`");
    expect(HEAD "metadata: {name: other}\nspec: {type: state.in-memory}\n",
           "c.yaml:5: a component has `metadata` twice");
    expect(SQLITE "  - {name: url, value: x, name: URL}\n",
           "c.yaml:9: an entry of metadata has `name` twice");
    expect(SQLITE "  - {name: url, value: \"x\\0y\"}\n", "c.yaml:9: a text holds a NUL");
    expect(SQLITE "  - {name: url, value: \"\xff\"}\n", "c.yaml:9: not UTF-8");
    expect("\xff\xfe", "c.yaml:1: not UTF-8");
    expect("", "");
    expect("# nothing\n", "");
}

#define NEEDS                                                                                      \
    "state.sqlite needs the metadata `connectionString`: a path, "                                 \
    "`file:PATH?_pragma=synchronous(1)`, or `:memory:`"

TEST(what_must_be_given_is_not_empty) {
    expect(SQLITE "  - {name: tableName, value: t}\n  - {name: url, value: \"\"}\n",
           "c.yaml:10: " NEEDS);
    expect(SQLITE "  - {name: url, value: null}\n", "c.yaml:9: " NEEDS);
    expect(SQLITE "  - {name: url, value: ~}\n", "c.yaml:9: " NEEDS);
    setenv("MOTE_TEST_VALUE", "", 1);
    expect(SQLITE "  - {name: url, envRef: MOTE_TEST_VALUE}\n", "c.yaml:9: " NEEDS);
    expect(HEAD "spec: {type: secretstores.local.file, metadata: [{name: secretsFile, value: ''}]}",
           "c.yaml:5: secretstores.local.file needs the metadata `secretsFile`: the file's path");
}

TEST(variables) {
    setenv("MOTE_TEST_VALUE", "hunter2", 1);
    expect(SQLITE "  - {name: url, envRef: MOTE_TEST_VALUE}\n", "");
    expect(SQLITE "  - {name: url, value: x}\n  - {name: timeout, envRef: MOTE_TEST_VALUE}\n",
           "c.yaml:10: `timeout` is a duration such as 2s, 500ms or 1m30s");
    unsetenv("MOTE_TEST_VALUE");
    expect(SQLITE "  - name: url\n    envRef: MOTE_TEST_VALUE\n",
           "c.yaml:10: the variable `MOTE_TEST_VALUE` for `connectionString` is not set");
}

TEST(variables_that_dapr_refuses) {
    static const char *const wrong[] = {"DAPR_X", "dapr_x", "Dapr_Api_Token", "app_api_token",
                                        "APP_API_TOKEN"};
    char text[400], message[200];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, SQLITE "  - {name: url, envRef: %s}\n", wrong[i]);
        snprintf(message, sizeof message, "c.yaml:9: the variable `%s` may not be read", wrong[i]);
        setenv(wrong[i], "hunter2", 1);
        expect(text, message);
        unsetenv(wrong[i]);
    }
}

/* The list is of names in upper case, and a name's case does not count. */
TEST(variables_that_are_listed) {
    setenv("DAPR_ENV_KEYS", "OTHER MOTE_TEST_VALUE mote_small", 1);
    setenv("MOTE_TEST_VALUE", "x", 1);
    setenv("Mote_Test_Value", "x", 1);
    setenv("mote_small", "x", 1);
    setenv("MOTE_TEST", "x", 1);
    expect(SQLITE "  - {name: url, envRef: MOTE_TEST_VALUE}\n", "");
    expect(SQLITE "  - {name: url, envRef: Mote_Test_Value}\n", "");
    expect(SQLITE "  - {name: url, envRef: mote_small}\n",
           "c.yaml:9: the variable `mote_small` may not be read");
    expect(SQLITE "  - {name: url, envRef: MOTE_TEST}\n",
           "c.yaml:9: the variable `MOTE_TEST` may not be read");
    unsetenv("DAPR_ENV_KEYS");
}

/* Loads and opens `store`, expects this message ("" for none). */
static void expect_open(const char *text, const char *message) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    CHECK_EQ(load(&parts, text, &error), MOTE_OK);
    mote_status status = mote_parts_open(parts, "store", &error);
    CHECK_STR(status ? error.message : "", message);
    mote_parts_delete(parts);
}

#define ENV_STORE                                                                                  \
    "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: env}, spec: {type: "         \
    "secretstores.local.env}}\n---\n"
#define AUTH "auth: {secretStore: env}\n"

/* A lock whose redisDB is a secret, named by `ref`, of a JSON file with several parts each. */
static void expect_part(const char *path, const char *ref, const char *message) {
    char text[1000];
    snprintf(text, sizeof text,
             "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: file}, spec: {type: "
             "secretstores.local.file, metadata: [{name: secretsFile, value: %s}, {name: "
             "multiValued, value: true}]}}\n---\n" HEAD
             "spec:\n  type: lock.redis\n  metadata:\n  - name: redisDB\n    secretKeyRef: %s\n"
             "auth: {secretStore: file}\n",
             path, ref);
    expect_open(text, message);
}

/* A secret with parts has one of its own name, or none. */
TEST(secrets_with_parts) {
    char path[60];
    snprintf(path, sizeof path, "/tmp/mote-load-test-%d.json", (int)getpid());
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("{\"db\": {\"db\": \"3\", \"pw\": \"x\"}, \"one\": {\"pw\": \"x\"}}", file);
    fclose(file);
    expect_part(path, "{name: db, key: db}", "");
    expect_part(path, "{name: db}", "");
    expect_part(path, "{name: db, key: pw}",
                "c.yaml:11: the secret for `redisDB` is not a whole number");
    expect_part(path, "{name: one}",
                "c.yaml:11: the secret `one` of file for `redisDB`: there is no such thing");
    unlink(path);
}

TEST(secrets_that_are_no_yaml) {
    char path[60], text[400], message[200];
    snprintf(path, sizeof path, "/tmp/mote-load-test-%d.json", (int)getpid());
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("{\"db\":\n !hunter!2 \"x\"}", file);
    fclose(file);
    snprintf(text, sizeof text,
             HEAD "spec: {type: secretstores.local.file, "
                  "metadata: [{name: secretsFile, value: %s}]}",
             path);
    snprintf(message, sizeof message, "component store (c.yaml:1): %s:2: not YAML", path);
    expect_open(text, message);
    setenv("MOTE_TEST_VALUE", "/nowhere/hunter", 1);
    expect_open(HEAD "spec: {type: secretstores.local.file, metadata:\n"
                     "  [{name: secretsFile, envRef: MOTE_TEST_VALUE}]}",
                "component store (c.yaml:6): `secretsFile` cannot be read");
    unlink(path);
}

TEST(secrets) {
    setenv("MOTE_TEST_VALUE", "", 1);
    expect_open(ENV_STORE SQLITE "  - {name: url, secretKeyRef: {name: MOTE_TEST_VALUE}}\n" AUTH,
                "c.yaml:11: the secret for `connectionString` is empty");
    setenv("MOTE_TEST_VALUE", "hunter2", 1);
    expect_open(ENV_STORE HEAD "spec:\n  type: lock.redis\n  metadata:\n  - name: redisDB\n    "
                               "secretKeyRef: {name: MOTE_TEST_VALUE}\n" AUTH,
                "c.yaml:11: the secret for `redisDB` is not a whole number");
}

/* The names of a store's secrets, one a line. */
static void list_secrets(mote_parts *parts, const char *store, char *out, size_t size) {
    mote_parts_op op = {.verb = MOTE_PARTS_KEYS};
    *out = 0;
    CHECK_EQ(mote_parts_call(parts, store, &op), MOTE_PARTS_OK);
    for (size_t i = 0, at = 0; i < op.item_count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%.*s\n", (int)op.items[i].key.size,
                               (const char *)op.items[i].key.data);
    mote_parts_op_deinit(&op);
}

/* An environment may hold anything that a parent has written into it. */
TEST(secrets_of_the_environment) {
    static char texts[][24] = {"no-equals", "dapr_api_token=x", "App_Api_Token=x", "DAPR_X=x",
                               "=empty",    "GOOD=1",           "with space=2",    "DAPRX=3"};
    char *odd[sizeof texts / sizeof *texts + 1] = {NULL}, **before = environ, names[200];
    mote_parts *parts = NULL;
    mote_error error = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) odd[i] = texts[i];
    environ = odd;
    CHECK_EQ(load(&parts, ENV_STORE, &error), MOTE_OK);
    list_secrets(parts, "env", names, sizeof names);
    CHECK_STR(names, "DAPRX\nGOOD\nwith space\n");
    mote_parts_delete(parts);
    environ = before;
}

/* What Dapr does at its start has its form checked, and changes nothing. */
TEST(ignore_errors_and_init_timeout) {
    expect(HEAD "spec:\n  type: state.in-memory\n  ignoreErrors: true\n  initTimeout: 1m30s\n", "");
    expect(HEAD "spec:\n  type: state.in-memory\n  ignoreErrors: perhaps\n",
           "c.yaml:7: `ignoreErrors` is true or false, not `perhaps`");
    expect(HEAD "spec:\n  type: state.in-memory\n  initTimeout: soon\n",
           "c.yaml:7: `initTimeout` is a duration such as 2s, 500ms or 1m30s, not `soon`");
}

/* A component that cannot be opened, with or without the word, stops no other. */
TEST(components_are_opened_by_themselves) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    CHECK_EQ(load(&parts,
                  SQLITE "  - {name: url, value: /nowhere/x.db}\n---\n"
                         "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: b}, "
                         "spec: {type: state.in-memory}}",
                  &error),
             MOTE_OK);
    CHECK(mote_parts_open(parts, "store", &error) != MOTE_OK);
    CHECK_EQ(mote_parts_open(parts, "b", &error), MOTE_OK);
    mote_parts_delete(parts);
}

TEST(app_ids) {
    static const char *const wrong[] = {"", "a||b", "a\xff", "\xed\xa0\x80"};
    mote_parts *parts = NULL;
    mote_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const mote_parts_config config = {.app_id = wrong[i]};
        CHECK_EQ(mote_parts_new(&config, &parts, &error), MOTE_E_ARGUMENT);
        CHECK(strstr(error.message, "is no app id"));
    }
    const mote_parts_config config = {.app_id = "k\xc3\xa4se 1"};
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    mote_parts_delete(parts);
}

/* With NAMESPACE unset and empty: what real ones of Dapr do with both. */
TEST(no_namespace) {
    static const struct {
        const char *set, *how, *prefix;
    } rows[] = {{NULL, "'{namespace}x'", "default.shopx||"},
                {NULL, "namespace", "shop||"},
                {"", "'{namespace}x'", ".shopx||"},
                {"", "namespace", "shop||"},
                {"prod", "'{namespace}x'", "prod.shopx||"},
                {"prod", "namespace", "prod.shop||"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        mote_parts *parts = NULL;
        mote_error error = {0};
        unsetenv("NAMESPACE");
        if (rows[i].set) setenv("NAMESPACE", rows[i].set, 1);
        snprintf(text, sizeof text,
                 HEAD "spec: {type: state.in-memory, metadata: [{name: keyPrefix, value: %s}]}\n",
                 rows[i].how);
        CHECK_EQ(mote_parts_new(&(mote_parts_config){.app_id = "shop"}, &parts, &error), MOTE_OK);
        CHECK_EQ(mote_parts_load_text(parts, "c.yaml", text, strlen(text), &error), MOTE_OK);
        CHECK_STR((const char *)parts->components.data[0]->prefix.data, rows[i].prefix);
        mote_parts_delete(parts);
    }
    unsetenv("NAMESPACE");
}

TEST(a_pod_without_a_name) {
    unsetenv("POD_NAME");
    expect(SQLITE "  - {name: url, value: 'a{podName}'}\n",
           "c.yaml:9: {podName} stands for the variable POD_NAME, which is not set");
}

TEST(names_without_quotes) {
    static const char *const rows[][2] = {
        {"010", "8"}, {"yes", "true"}, {"1.50", "1.5"}, {"'010'", "010"}, {"a1", "a1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        mote_parts *parts = NULL;
        mote_error error = {0};
        snprintf(text, sizeof text,
                 "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: %s}, spec: "
                 "{type: state.in-memory, version: %s}, scopes: [shop]}",
                 rows[i][0], i % 2 ? "V1" : "v0");
        CHECK_EQ(load(&parts, text, &error), MOTE_OK);
        CHECK_STR(parts->components.data[0]->name, rows[i][1]);
        mote_parts_delete(parts);
    }
    expect(HEAD "spec: {type: state.in-memory, version: v2}\n",
           "c.yaml:5: state.in-memory has no version `v2`, only v1");
    expect(HEAD "spec: {type: state.postgresql, version: v0, metadata: [{name: url, value: x}]}\n",
           "c.yaml:5: state.postgresql has no version `v0`, only v2");
    expect(HEAD "spec: {type: state.in-memory}\nscopes: [010]\n",
           "c.yaml:6: an app id in `scopes` is a text: put `010` in quotes");
}

TEST(values_of_configuration) {
    static const char *const rows[][2] = {
        {"[1]", "`values` is a JSON object"},
        {"{\"a\": [1]}", "`values` holds texts and numbers only"},
        {"{\"\": 1}", "`values` holds a key that is empty or has `||` in it"},
        {"{\"a||b\": 1}", "`values` holds a key that is empty or has `||` in it"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300], message[100];
        snprintf(text, sizeof text,
                 HEAD "spec: {type: configuration.in-memory, metadata: [\n"
                      "  {name: values, value: '%s'}]}\n",
                 rows[i][0]);
        snprintf(message, sizeof message, "c.yaml:6: %s", rows[i][1]);
        expect(text, message);
    }
}

TEST(namespaces) {
    static const char *const wrong[] = {"a||b", "a\xff"};
    mote_parts *parts = NULL;
    mote_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const mote_parts_config config = {.namespace_ = wrong[i]};
        CHECK_EQ(mote_parts_new(&config, &parts, &error), MOTE_E_ARGUMENT);
        CHECK(strstr(error.message, "is no namespace"));
    }
}

TEST(prefixes_that_are_refused) {
    char text[1000], prefix[502];
    expect(HEAD "spec:\n  type: lock.redis\n  metadata:\n  - name: keyPrefix\n    value: a||b\n",
           "c.yaml:9: `keyPrefix` must not hold `||`");
    setenv("MOTE_TEST_VALUE", "a\xff", 1);
    expect(HEAD "spec: {type: lock.redis, metadata: [{name: keyPrefix, envRef: MOTE_TEST_VALUE}]}",
           "c.yaml:5: `keyPrefix` is not UTF-8");
    memset(prefix, 'p', sizeof prefix);
    for (int size = 500; size <= 501; size++) {
        snprintf(text, sizeof text,
                 HEAD "spec:\n  type: lock.redis\n  metadata:\n"
                      "  - {name: keyPrefix, value: %.*s}\n",
                 size, prefix);
        expect(text, size == 500 ? ""
                                 : "c.yaml:8: `keyPrefix` has 501 bytes; at most 500 are taken");
    }
}

TEST(refuses_what_is_no_yaml) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    CHECK_EQ(load(&parts, "a: b\n\tc: [\n", &error), MOTE_E_ARGUMENT);
    CHECK_STR(error.message, "c.yaml:1: not YAML: invalid multiline plain key");
    mote_parts_delete(parts);
}

TEST(refuses_nul) {
    static const char text[] = SQLITE "  - {name: url, value: x}\n---\n\0nonsense: true\n";
    mote_parts *parts = NULL;
    mote_error error = {0};
    CHECK_EQ(load(&parts, "", &error), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "c.yaml", text, sizeof text - 1, &error), MOTE_E_ARGUMENT);
    CHECK_STR(error.message, "c.yaml:11: holds a NUL");
    mote_parts_delete(parts);
}

TEST(refuses_what_is_huge) {
    mote_parts *parts = NULL;
    mote_error error = {0};
    static char text[(1 << 20) + 1];
    memset(text, ' ', sizeof text);
    CHECK_EQ(load(&parts, "", &error), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "c.yaml", text, sizeof text, &error), MOTE_E_LIMIT);
    CHECK_STR(error.message, "c.yaml:1: larger than 1 MiB");
    mote_parts_delete(parts);
}

static bool load_all(const mote_allocator *a, void *context) {
    const mote_parts_config config = {.allocator = a};
    const char *text = context;
    mote_parts *parts;
    mote_error error;
    if (mote_parts_new(&config, &parts, &error)) return false;
    mote_status status = mote_parts_load_text(parts, "c.yaml", text, strlen(text), &error);
    mote_parts_delete(parts);
    return !status;
}

TEST(no_memory) {
    char text[] = SQLITE "  - {name: url, value: 'x{uuid}'}\n";
    CHECK(fail_alloc_sweep(load_all, text) >= 4);
}

/* As many as the arena and the list of components need to grow; in hostile builds everything takes
 * memory of its own, so that a few are thousands of allocations. */
#ifdef MOTE_HOSTILE
enum { MANY = 10 };
#else
enum { MANY = 100 };
#endif

/* Every block, secrets and variables in metadata, scopes, and many components. */
TEST(no_memory_for_many) {
    static char text[100000];
    size_t at = 0;
    setenv("MOTE_TEST_VALUE", "localhost:1", 1);
    for (int i = 0; i < MANY; i++)
        at += (size_t)snprintf(
            text + at, sizeof text - at,
            "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: a%d}, spec: {type: "
            "state.redis, metadata: [{name: redisPassword, secretKeyRef: {name: pw, key: pw}}, "
            "{name: redisHost, envRef: MOTE_TEST_VALUE}, {name: keyPrefix, value: 'x{uuid}'}]}, "
            "auth: {secretStore: s%d}, scopes: [mote, other]}\n---\n"
            "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: l%d}, spec: {type: "
            "lock.in-memory}}\n---\n"
            "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: c%d}, spec: {type: "
            "configuration.redis, metadata: [{name: redisDB, value: 3}]}}\n---\n",
            i, i, i, i);
    CHECK(fail_alloc_sweep(load_all, text) >= 10);
}
