/* run_wasi.c - what the program may use of this machine, from --dir, --env, --tcp-listen and their like. */
#define _POSIX_C_SOURCE 200809L
#include "run.h"
#include "os/os.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static size_t count_given(const struct args *args, enum option_id option) {
    size_t count = 0;
    for (size_t i = 0; i < args->given.count; i++) count += args->given.data[i].option == option;
    return count;
}

static mote_name name_of(const char *text) { return (mote_name){text, strlen(text)}; }

static int out_of_memory(void) { return report_failure("out of memory"); }

/* ---- Arguments and environment. ---- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool fill_arguments(struct run *run, mote_wasi_config *config) {
    const struct args *args = run->args;
    mote_name *names = MOTE__ARENA_ARRAY(&run->arena, mote_name, (size_t)args->operand_count);
    if (!names) return false;
    for (int i = 0; i < args->operand_count; i++) names[i] = name_of(args->operands[i]);
    names[0] = name_of(args_text(args, OPT_argv0, base_name(args->operands[0])));
    config->args = names;
    config->arg_count = (size_t)args->operand_count;
    return true;
}

/* "NAME=VALUE" as it is, "NAME" with the value that it has here; NULL when it has none. */
static const char *variable(struct run *run, const char *text) {
    if (strchr(text, '=')) return text;
    const char *value = getenv(text);
    if (!value) return NULL;
    size_t name_size = strlen(text), value_size = strlen(value);
    char *out = mote__arena_alloc(&run->arena, name_size + value_size + 2);
    if (out) snprintf(out, name_size + value_size + 2, "%s=%s", text, value);
    return out;
}

/* A variable given twice: the later one counts, as for a shell. */
static void put_variable(mote_wasi_config *config, mote_name *env, const char *text) {
    size_t size = strcspn(text, "=") + 1, i = 0;
    while (i < config->env_count && (env[i].size < size || memcmp(env[i].data, text, size) != 0)) i++;
    env[i] = name_of(text);
    if (i == config->env_count) config->env_count++;
}

static bool fill_environment(struct run *run, mote_wasi_config *config) {
    const struct args *args = run->args;
    size_t here = 0, count = count_given(args, OPT_env);
    if (args_flag(args, OPT_inherit_env))
        while (environ[here]) here++;
    mote_name *env = MOTE__ARENA_ARRAY(&run->arena, mote_name, here + count);
    if (!env) return false;
    for (size_t i = 0; i < here; i++) env[i] = name_of(environ[i]);
    config->env_count = here;
    for (size_t i = 0; i < args->given.count; i++) {
        const char *text = args->given.data[i].option == OPT_env ? variable(run, args->given.data[i].text) : NULL;
        if (text) put_variable(config, env, text);
    }
    config->env = env;
    return true;
}

/* ---- Directories. ---- */

/* "HOST", "HOST::GUEST", either with ":ro" behind it. */
static bool parse_dir(struct run *run, const char *text, mote_wasi_dir *out) {
    size_t size = strlen(text);
    out->read_only = size > 3 && !strcmp(text + size - 3, ":ro");
    char *host = mote__arena_string(&run->arena, text, size - (out->read_only ? 3 : 0));
    if (!host) return false;
    char *separator = strstr(host, "::");
    out->guest_path = separator ? separator + 2 : host;
    out->host_path = host;
    if (separator) *separator = 0;
    return true;
}

static bool fill_directories(struct run *run, mote_wasi_config *config) {
    const struct args *args = run->args;
    mote_wasi_dir *dirs = MOTE__ARENA_ARRAY(&run->arena, mote_wasi_dir, count_given(args, OPT_dir) + run->mounts.count);
    if (!dirs) return false;
    config->dirs = dirs;
    for (size_t i = 0; i < run->mounts.count; i++) dirs[config->dir_count++] = run->mounts.data[i];
    for (size_t i = 0; i < args->given.count; i++) {
        if (args->given.data[i].option != OPT_dir) continue;
        if (!parse_dir(run, args->given.data[i].text, &dirs[config->dir_count++])) return false;
    }
    return true;
}

/* ---- Sockets. ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* "127.0.0.1:80", "[::1]:80", "localhost:80" (the one name that needs no resolver); returns the size of the address, 0 when it is none. */
static socklen_t parse_address(const char *text, union address *out) {
    char host[64];
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || (size_t)(colon - text) >= sizeof host || !parse_count(colon + 1, &port) || port > 65535) return 0;
    bool brackets = text[0] == '[' && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * brackets, text + brackets);
    *out = (union address){0};
    if (brackets) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 ? sizeof out->v6 : 0;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons((uint16_t)port);
    const char *number = strcmp(host, "localhost") ? host : "127.0.0.1";
    return inet_pton(AF_INET, number, &out->v4.sin_addr) == 1 ? sizeof out->v4 : 0;
}

static int open_listener(const char *text, mote_vfs_node **out) {
    union address address;
    socklen_t size = parse_address(text, &address);
    if (!size) return report_usage("--tcp-listen takes an address such as 127.0.0.1:8080 or [::1]:8080, not `%s`", text);
    int on = 1, fd = socket(address.any.sa_family, SOCK_STREAM, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool good = fd >= 0 && !bind(fd, &address.any, size) && !listen(fd, SOMAXCONN);
    int code = good ? EXIT_DONE : report_failure("cannot listen on %s: %s", text, strerror(errno));
    if (good && mote_vfs_fd_new(&command_allocator, fd, true, out) != MOTE_VFS_OK) code = out_of_memory(), good = false;
    if (!good && fd >= 0) close(fd);
    return code;
}

/* A client that goes away must not end a server: with listeners, writing to a closed pipe or socket is an error that the program sees. */
static int fill_sockets(struct run *run, mote_wasi_config *config) {
    const struct args *args = run->args;
    size_t count = count_given(args, OPT_tcp_listen);
    if (!count) return EXIT_DONE;
    signal(SIGPIPE, SIG_IGN);
    mote_vfs_node **nodes = MOTE__ARENA_ARRAY(&run->arena, mote_vfs_node *, count);
    if (!nodes) return out_of_memory();
    config->sockets = nodes;
    int code = EXIT_DONE;
    for (size_t i = 0; i < args->given.count && !code; i++) {
        if (args->given.data[i].option != OPT_tcp_listen) continue;
        code = open_listener(args->given.data[i].text, &nodes[config->socket_count]);
        if (!code) config->socket_count++;
    }
    return code;
}

/* ---- All of it. ---- */

int run_make_wasi(struct run *run) {
    mote_wasi_config config;
    signal(SIGXFSZ, SIG_IGN); /* a file that grows beyond `ulimit -f` is an error that the program sees */
    mote_wasi_config_init(&config);
    config.allocator = &command_allocator;
    config.inherit_stdio = true;
    bool filled = fill_arguments(run, &config) && fill_environment(run, &config) && fill_directories(run, &config);
    if (!filled) return out_of_memory();
    int code = fill_sockets(run, &config);
    mote_error error;
    if (!code && mote_wasi_new(&config, &run->wasi, &error) != MOTE_OK) code = report_failure("%s", error.message);
    for (size_t i = 0; i < config.socket_count; i++) mote_vfs_release(config.sockets[i]);
    return code;
}
