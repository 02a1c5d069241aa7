/* error_test.c - messages are filled, appended to and cut between characters. */
#include "test.h"
#include "base/error.h"
#include "base/utf8.h"

TEST(set_fills_everything) {
    mote_error error;
    memset(&error, 0xff, sizeof error);
    CHECK_EQ(mote__error_set(&error, MOTE_E_INVALID, 12, "type %d of %s", 3, "x"), MOTE_E_INVALID);
    CHECK_EQ(error.status, MOTE_E_INVALID);
    CHECK_EQ(error.trap, 0);
    CHECK_EQ(error.offset, 12);
    CHECK_STR(error.message, "type 3 of x");
    mote__error_append(&error, " in %s", "y");
    CHECK_STR(error.message, "type 3 of x in y");
    CHECK_EQ(mote__error_nomem(&error, "decoding"), MOTE_E_NOMEM);
    CHECK_STR(error.message, "out of memory while decoding");
    CHECK_EQ(error.offset, MOTE_NO_OFFSET);
}

/* `lead` ASCII characters, then as many of the 2, 3 or 4-byte character as there is room for. */
static void check_cut(size_t lead, const char *character) {
    char text[1000] = {0};
    memset(text, 'a', lead);
    while (strlen(text) < 900) strcat(text, character);
    mote_error error;
    mote__error_set(&error, MOTE_E_IO, 0, "%s", text);
    size_t size = strlen(error.message), room = MOTE_ERROR_TEXT_MAX - lead;
    CHECK_EQ(size, lead + room / strlen(character) * strlen(character));
    CHECK(mote__utf8_valid((const uint8_t *)error.message, size));
    mote__error_append(&error, "%s", character);
    CHECK(strlen(error.message) <= MOTE_ERROR_TEXT_MAX);
    CHECK(mote__utf8_valid((const uint8_t *)error.message, strlen(error.message)));
}

TEST(long_messages_are_cut_between_characters) {
    static const char *const characters[] = {"b", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < 4; i++)
        for (size_t lead = 0; lead < 8; lead++) check_cut(lead, characters[i]);
}

TEST(what_fits_exactly_is_not_cut) {
    char text[MOTE_ERROR_TEXT_MAX + 1] = {0};
    memset(text, 'a', MOTE_ERROR_TEXT_MAX - 2);
    strcat(text, "\xc3\xa9");
    mote_error error;
    mote__error_set(&error, MOTE_E_IO, 0, "%s", text);
    CHECK_STR(error.message, text);
    mote__error_append(&error, "more");
    CHECK_STR(error.message, text);
}

TEST(text_that_is_not_utf8_is_cut_too) {
    char text[1000];
    memset(text, 0x80, sizeof text - 1);
    text[sizeof text - 1] = 0;
    mote_error error;
    mote__error_set(&error, MOTE_E_IO, 0, "%s", text);
    CHECK_EQ(strlen(error.message), MOTE_ERROR_TEXT_MAX);
}

static mote_status fail_through_try(mote_error *error, unsigned *reached) {
    TRY(MOTE_OK);
    ++*reached;
    TRY(mote__error_set(error, MOTE_E_LINK, 0, "no"));
    ++*reached;
    return MOTE_OK;
}

TEST(try_returns_failures_only) {
    mote_error error;
    unsigned reached = 0;
    CHECK_EQ(fail_through_try(&error, &reached), MOTE_E_LINK);
    CHECK_EQ(reached, 1);
}

TEST(every_status_has_a_name_of_its_own) {
    for (unsigned i = 0; i < MOTE_STATUS_COUNT; i++) {
        CHECK(*mote_status_name((mote_status)i));
        for (unsigned k = 0; k < i; k++)
            CHECK(strcmp(mote_status_name((mote_status)i), mote_status_name((mote_status)k)));
    }
    CHECK_STR(mote_status_name(MOTE_E_MALFORMED), "malformed module");
    CHECK_STR(mote_status_name(MOTE_STATUS_COUNT), "unknown status");
}
