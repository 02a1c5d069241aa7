/* raw_redis.h - Redis asked without any client library: what a component on it is measured beside.
 * It asks for what Dapr's own driver asks for. */
#ifndef MOTE_BENCH_PARTS_RAW_REDIS_H
#define MOTE_BENCH_PARTS_RAW_REDIS_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FLIGHT = 100 };

static int raw_socket;
static const char raw_command[] = "*2\r\n$7\r\nHGETALL\r\n$9\r\nmote||key\r\n";
static size_t raw_reply_bytes;

static inline void raw_redis_fail(const char *what) {
    fprintf(stderr, "bench: raw Redis: %s\n", what);
    exit(1);
}

static inline void raw_redis_get(void) {
    char reply[1000];
    ssize_t got = send(raw_socket, raw_command, sizeof raw_command - 1, 0) < 0
                      ? -1
                      : recv(raw_socket, reply, sizeof reply, 0);
    if (got < 100) raw_redis_fail("no value");
    raw_reply_bytes = (size_t)got;
}

/* Connects; the value is there. */
static inline void raw_redis_open(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    raw_socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(raw_socket, (struct sockaddr *)&at, sizeof at)) raw_redis_fail("no connection");
    setsockopt(raw_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    raw_redis_get();
}

/* All commands at once, and their answers as they come, which nobody looks into. */
static inline void raw_redis_gets(void) {
    static char commands[FLIGHT * (sizeof raw_command - 1)], replies[65536];
    for (size_t i = 0; i < FLIGHT; i++)
        memcpy(commands + i * (sizeof raw_command - 1), raw_command, sizeof raw_command - 1);
    if (send(raw_socket, commands, sizeof commands, 0) < 0) raw_redis_fail("nothing can be sent");
    for (size_t left = FLIGHT * raw_reply_bytes; left;) {
        ssize_t got = recv(raw_socket, replies, left < sizeof replies ? left : sizeof replies, 0);
        if (got <= 0) raw_redis_fail("no values");
        left -= (size_t)got;
    }
}

#endif
