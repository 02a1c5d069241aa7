/* socket.c - sock_accept, sock_recv, sock_send, sock_shutdown on what is no socket. */
#include "wasi_test.h"

static const struct {
    __wasi_fd_t fd;
    bool open;
} cases[] = {{ROOT, true}, {999, false}, {0xffffffff, false}};
enum { CASES = sizeof cases / sizeof *cases };

/* What is open is no socket; what is not open is a bad descriptor. */
static void no_socket(bool open, __wasi_errno_t e) {
    if (open) FAILS3(NOTSOCK, BADF, NOTCAPABLE, e);
    else FAILS(BADF, e);
}

TEST(accept) {
    __wasi_fd_t fd;
    for (int i = 0; i < CASES; i++) no_socket(cases[i].open, __wasi_sock_accept(cases[i].fd, 0, &fd));
}

TEST(receive) {
    uint8_t byte;
    __wasi_iovec_t piece = {&byte, 1};
    __wasi_size_t done;
    __wasi_roflags_t flags;
    for (int i = 0; i < CASES; i++) no_socket(cases[i].open, __wasi_sock_recv(cases[i].fd, &piece, 1, 0, &done, &flags));
}

TEST(send) {
    uint8_t byte = 'x';
    __wasi_ciovec_t piece = {&byte, 1};
    __wasi_size_t done;
    for (int i = 0; i < CASES; i++) no_socket(cases[i].open, __wasi_sock_send(cases[i].fd, &piece, 1, 0, &done));
}

TEST(shutdown) {
    for (int i = 0; i < CASES; i++) no_socket(cases[i].open, __wasi_sock_shutdown(cases[i].fd, __WASI_SDFLAGS_RD));
}

TEST(a_regular_file) {
    uint8_t byte;
    __wasi_iovec_t piece = {&byte, 1};
    __wasi_size_t done;
    __wasi_roflags_t flags;
    __wasi_fd_t fd;
    MUST(put("file", "x"));
    MUST(open_at(ROOT, "file", 0, 0, &fd));
    no_socket(true, __wasi_sock_recv(fd, &piece, 1, 0, &done, &flags));
    no_socket(true, __wasi_sock_shutdown(fd, __WASI_SDFLAGS_WR));
    MUST(__wasi_fd_close(fd));
}
