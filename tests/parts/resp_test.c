/* resp_test.c - Redis's wire format: whole replies, replies cut anywhere, what is no reply. */
#include "test.h"
#include "parts/resp.h"

static size_t length(const char *text) { return mote__resp_length(text, strlen(text)); }

TEST(whole_and_cut) {
    static const char *const replies[] = {"+OK\r\n",
                                          "-ERR x\r\n",
                                          ":-12\r\n",
                                          ":9223372036854775807\r\n",
                                          "$0\r\n\r\n",
                                          "$5\r\na\r\nb\n\r\n",
                                          "$-1\r\n",
                                          "*0\r\n",
                                          "*-1\r\n",
                                          "*2\r\n$1\r\na\r\n:1\r\n",
                                          "*2\r\n*1\r\n:1\r\n*2\r\n:1\r\n:2\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        size_t size = strlen(replies[i]);
        for (size_t cut = 0; cut < size; cut++) CHECK_EQ(mote__resp_length(replies[i], cut), 0);
        CHECK_EQ(length(replies[i]), size);
    }
    CHECK_EQ(length("+OK\r\n+MORE\r\n"), 5);
}

/* What is skipped ends where the reply does, however it comes in. */
TEST(skipped_in_pieces) {
    static const char *const replies[] = {"+OK\r\n",
                                          "$0\r\n\r\n",
                                          "$-1\r\n",
                                          "*0\r\n",
                                          "*2\r\n*1\r\n:1\r\n*2\r\n$5\r\na\r\nb\n\r\n*0\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        size_t size = strlen(replies[i]);
        for (size_t piece = 1; piece <= size; piece++) {
            char text[100];
            struct resp_skip skip = {0};
            size_t from = 0, to = 0;
            snprintf(text, sizeof text, "%s:77\r\n", replies[i]);
            do {
                to = to + piece < strlen(text) ? to + piece : strlen(text);
                from += mote__resp_skip(&skip, text + from, to - from);
            } while (skip.is_under_way && to < strlen(text));
            CHECK(!skip.is_under_way);
            CHECK_EQ(from, size);
        }
    }
    struct resp_skip skip = {0};
    CHECK_EQ(mote__resp_skip(&skip, "*1\r\nx", 5), SIZE_MAX);
}

TEST(no_reply) {
    static const char *const texts[] = {"x\r\n",
                                        "\r\n\r\n",
                                        ":x\r\n",
                                        ":\r\n",
                                        ":-\r\n",
                                        ":1 \r\n",
                                        ":9223372036854775808\r\n",
                                        ":000000000000000000000",
                                        "$x\r\n",
                                        "$99999999999999999999\r\n",
                                        "$2147483648\r\n",
                                        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) CHECK_EQ(length(texts[i]), SIZE_MAX);
}

TEST(elements) {
    const char *text = "*3\r\n$2\r\nab\r\n:-7\r\n$-1\r\n";
    struct resp_reader reader = {text, text + strlen(text)};
    struct resp head = mote__resp_next(&reader), bulk = mote__resp_next(&reader),
                number = mote__resp_next(&reader), null = mote__resp_next(&reader);
    CHECK(head.kind == RESP_ARRAY && head.number == 3);
    CHECK(bulk.kind == RESP_BULK && bulk.size == 2 && !memcmp(bulk.text, "ab", 2));
    CHECK(number.kind == RESP_INTEGER && number.number == -7);
    CHECK_EQ(null.kind, RESP_NULL);
    CHECK_EQ(mote__resp_next(&reader).kind, RESP_NULL); /* beyond the end */
}

TEST(commands) {
    resp_buffer out = {0};
    const mote_allocator *a = &mote__allocator_libc;
    CHECK(mote__resp_begin(&out, a, 2) && mote__resp_word(&out, a, "GET", 3) &&
          mote__resp_word(&out, a, "", 0));
    CHECK_EQ(out.count, strlen("*2\r\n$3\r\nGET\r\n$0\r\n\r\n"));
    CHECK_MEM(out.data, "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", out.count);
    mote__vec_deinit(&out, a);
}
