/* mounts.c - --components, --app-id and --mount: components as directories of a run. */
#define _POSIX_C_SOURCE 200809L
#include "parts.h"
#include "run.h"
#include <unistd.h>

static const mote_allocator *const allocator = &mote__allocator_libc;

static void log_line(void *context, const char *line) {
    (void)context;
    fputs("mote: ", stderr);
    print_name(stderr, line, strlen(line));
    fputc('\n', stderr);
}

/* Where the drivers are seen from this program's folder: in a build tree, and installed. */
static bool find_drivers(char *out, size_t size) {
    static const char *const places[] = {"drivers", MOTE_DRIVER_FOLDER};
    char folder[3000];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0) return false;
    folder[length] = 0;
    *strrchr(folder, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(out, size, "%s/%s", folder, places[i]);
        if (!access(out, R_OK)) return true;
    }
    return false;
}

int components_load(const struct args *args, const char *folder, mote_parts **out) {
    char drivers[4096];
    mote_error error;
    mote_parts_config config = {.app_id = args_text(args, OPT_app_id, NULL), .log = log_line};
    if (args_flag(args, OPT_health)) config.log = NULL; /* what it would say is the output */
    if (find_drivers(drivers, sizeof drivers)) config.driver_dir = drivers;
    mote_status status = mote_parts_new(&config, out, &error);
    if (status == MOTE_OK) status = mote_parts_load_dir(*out, folder, &error);
    return status == MOTE_OK ? EXIT_DONE : report_failure("%s", error.message);
}

/* ---- "PATH=COMPONENT[,prefix=TEXT][,ro]". ---- */

struct mount {
    char *path, *component, *prefix;
    bool read_only;
};

/* Cuts `text` into its parts. A comma belongs to the prefix, but for the one before a last `ro`. */
static bool parse_mount(char *text, struct mount *out) {
    char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1]) return false;
    *equals = 0;
    *out = (struct mount){.path = text, .component = equals + 1};
    char *comma = strchr(out->component, ',');
    if (!comma) return true;
    *comma++ = 0;
    size_t size = strlen(comma);
    if (!strcmp(comma, "ro")) return out->read_only = true;
    if (size > 3 && !strcmp(comma + size - 3, ",ro")) comma[size - 3] = 0, out->read_only = true;
    if (strncmp(comma, "prefix=", 7) != 0) return false;
    out->prefix = comma + 7;
    return *out->component;
}

/* Slashes at their ends do not count. */
static bool same_path(const char *path, const char *other, size_t other_size) {
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    while (other_size > 1 && other[other_size - 1] == '/') other_size--;
    return size == other_size && !memcmp(path, other, size);
}

/* Whether the guest's side of --dir's "HOST[::GUEST][:ro]" is this path. */
static bool is_dir_at(const char *dir, const char *path) {
    const char *separator = strstr(dir, "::"), *guest = separator ? separator + 2 : dir;
    size_t size = strlen(guest);
    if (size > 3 && !strcmp(guest + size - 3, ":ro")) size -= 3;
    return same_path(path, guest, size);
}

/* The program would see only one of two. */
static bool is_taken(const struct run *run, const char *path) {
    for (size_t i = 0; i < run->mounts.count; i++) {
        const char *other = run->mounts.data[i].guest_path;
        if (same_path(path, other, strlen(other))) return true;
    }
    for (size_t i = 0; i < run->args->given.count; i++)
        if (run->args->given.data[i].option == OPT_dir && is_dir_at(run->args->given.data[i].text, path)) return true;
    return false;
}

static int add_mount(struct run *run, const char *text) {
    struct mount mount;
    mote_error error;
    mote_vfs_node *node;
    char *copy = mote__arena_string(&run->arena, text, strlen(text));
    if (!copy) return report_failure("out of memory");
    if (!parse_mount(copy, &mount))
        return report_usage("--mount takes PATH=COMPONENT[,prefix=TEXT][,ro], not `%s`", text);
    if (is_taken(run, mount.path)) return report_usage("--mount %s: something is at %s already", text, mount.path);
    if (mote_parts_mount(run->components, mount.component, mount.prefix, &node, &error) != MOTE_OK)
        return report_failure("--mount %s: %s", text, error.message);
    mote_wasi_dir *dir = mote__vec_push(&run->mounts, allocator);
    if (!dir) return mote_vfs_release(node), report_failure("out of memory");
    *dir = (mote_wasi_dir){.guest_path = mount.path, .node = node, .read_only = mount.read_only};
    return EXIT_DONE;
}

/* ---- --allow: what the program may ask for itself. ---- */

static int allow(struct run *run) {
    mote_error error;
    size_t count = run->args->given.count;
    const char **names = MOTE__ARENA_ARRAY(&run->arena, const char *, count);
    mote_parts_guest_config config = {.components = names};
    if (!names) return report_failure("out of memory");
    for (size_t i = 0; i < count; i++)
        if (run->args->given.data[i].option == OPT_allow)
            names[config.component_count++] = run->args->given.data[i].text;
    mote_status status = mote_parts_guest_new(run->components, &config, &run->guest, &error);
    for (size_t i = 0; i < config.component_count && status == MOTE_OK; i++)
        status = mote_parts_check(run->components, names[i], &error);
    return status == MOTE_OK ? EXIT_DONE : report_failure("--allow: %s", error.message);
}

mote_status run_link_components(struct mote_parts_guest *guest, mote_linker *linker,
                                mote_error *error) {
    return guest ? mote_parts_guest_define(guest, linker, error) : MOTE_OK;
}

int run_open_components(struct run *run) {
    const char *folder = args_text(run->args, OPT_components, NULL);
    if (!folder && (args_find(run->args, OPT_mount) || args_find(run->args, OPT_allow)))
        return report_usage("%s needs --components DIR, the folder that says what the component is",
                            args_find(run->args, OPT_mount) ? "--mount" : "--allow");
    int code = folder ? components_load(run->args, folder, &run->components) : EXIT_DONE;
    for (size_t i = 0; i < run->args->given.count && !code; i++)
        if (run->args->given.data[i].option == OPT_mount)
            code = add_mount(run, run->args->given.data[i].text);
    return folder && !code ? allow(run) : code;
}

void run_close_components(struct run *run) {
    for (size_t i = 0; i < run->mounts.count; i++) mote_vfs_release(run->mounts.data[i].node);
    mote__vec_deinit(&run->mounts, allocator);
    mote_parts_guest_delete(run->guest);
    mote_parts_delete(run->components);
}
