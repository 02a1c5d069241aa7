/* beneath_test.c - paths that must not leave a directory, by the kernel's resolution and by the
 * walk; with a thread that swaps a directory for a link that leads out meanwhile. */
#define _GNU_SOURCE
#include "test.h"
#include "scratch.h"
#include "wasi1/beneath.h"
#include <pthread.h>
#include <stdatomic.h>

/* The tree of every test: d/e/f and what leads to it or away. */
static bool begin(struct scratch *s) {
    if (!scratch_begin(s)) return false;
    mkdirat(s->fd, "top", 0777);
    int top = openat(s->fd, "top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    scratch_file(s, "secret", "outside");
    close(s->fd);
    s->fd = top;
    mkdirat(top, "d", 0777);
    mkdirat(top, "d/e", 0777);
    scratch_file(s, "d/e/f", "inside");
    symlinkat("d/e", top, "to_dir");
    symlinkat("d/e/f", top, "to_file");
    symlinkat("../../to_file", top, "d/e/up_and_down");
    symlinkat("../secret", top, "out");
    symlinkat("../../..", top, "d/e/out_dir");
    symlinkat("/etc/passwd", top, "absolute");
    symlinkat("/", top, "root");
    symlinkat("loop", top, "loop");
    symlinkat("b_loop", top, "a_loop");
    symlinkat("a_loop", top, "b_loop");
    symlinkat("nothing", top, "dangling");
    return true;
}

static void end(struct scratch *s) { scratch_end(s); }

static mote_vfs_error open_and_close(const struct scratch *s, const char *path, int flags) {
    int fd = -1;
    mote_vfs_error error = mote__beneath_open(s->fd, path, flags, &fd);
    if (!error) close(fd);
    return error;
}

static bool opens_text(const struct scratch *s, const char *path, const char *text) {
    char buffer[32] = {0};
    int fd;
    if (mote__beneath_open(s->fd, path, O_RDONLY, &fd)) return false;
    ssize_t size = read(fd, buffer, sizeof buffer - 1);
    close(fd);
    return size >= 0 && !strcmp(buffer, text);
}

/* Paths, flags and what they give; the same in both modes. */
static const struct {
    const char *path;
    int flags;
    mote_vfs_error expected;
} cases[] = {
    {".", O_RDONLY, MOTE_VFS_OK},
    {"d/", O_RDONLY, MOTE_VFS_OK},
    {"d///e//./f", O_RDONLY, MOTE_VFS_OK},
    {"d/../d/e/../e/f", O_RDONLY, MOTE_VFS_OK},
    {"to_dir/f", O_RDONLY, MOTE_VFS_OK},
    {"to_dir/", O_RDONLY, MOTE_VFS_OK},
    {"to_file", O_RDONLY, MOTE_VFS_OK},
    {"d/e/up_and_down", O_RDONLY, MOTE_VFS_OK},
    {"to_dir/..", O_RDONLY, MOTE_VFS_OK},
    {"to_file", O_RDONLY | O_NOFOLLOW, MOTE_VFS_ELOOP},
    {"to_dir/", O_RDONLY | O_NOFOLLOW, MOTE_VFS_OK},
    {"..", O_RDONLY, MOTE_VFS_EPERM},
    {"../top/d", O_RDONLY, MOTE_VFS_EPERM},
    {"d/../../top/d", O_RDONLY, MOTE_VFS_EPERM},
    {"d/e/../../../secret", O_RDONLY, MOTE_VFS_EPERM},
    {"/", O_RDONLY, MOTE_VFS_EPERM},
    {"/etc/passwd", O_RDONLY, MOTE_VFS_EPERM},
    {"out", O_RDONLY, MOTE_VFS_EPERM},
    {"absolute", O_RDONLY, MOTE_VFS_EPERM},
    {"root/etc/passwd", O_RDONLY, MOTE_VFS_EPERM},
    {"d/e/out_dir", O_RDONLY, MOTE_VFS_EPERM},
    {"d/e/out_dir/secret", O_RDONLY, MOTE_VFS_EPERM},
    {"loop", O_RDONLY, MOTE_VFS_ELOOP},
    {"a_loop/x", O_RDONLY, MOTE_VFS_ELOOP},
    {"dangling", O_RDONLY, MOTE_VFS_ENOENT},
    {"none", O_RDONLY, MOTE_VFS_ENOENT},
    {"none/x", O_RDONLY, MOTE_VFS_ENOENT},
    {"d/e/f/", O_RDONLY, MOTE_VFS_ENOTDIR},
    {"d/e/f/x", O_RDONLY, MOTE_VFS_ENOTDIR},
    {"to_file/", O_RDONLY, MOTE_VFS_ENOTDIR},
    {"d/e/f/..", O_RDONLY, MOTE_VFS_ENOTDIR},
    {"d/e/f", O_RDONLY | O_DIRECTORY, MOTE_VFS_ENOTDIR},
    {"d", O_WRONLY, MOTE_VFS_EISDIR},
    {"new/", O_WRONLY | O_CREAT, MOTE_VFS_EISDIR},
    {"to_file", O_WRONLY | O_CREAT | O_EXCL, MOTE_VFS_EEXIST},
    {"dangling", O_WRONLY | O_CREAT | O_EXCL, MOTE_VFS_EEXIST},
    {"out", O_WRONLY | O_CREAT, MOTE_VFS_EPERM},
};

static void check_cases(enum beneath_mode mode) {
    struct scratch s;
    REQUIRE(begin(&s));
    mote__beneath_force(mode);
    unsigned before = scratch_open_count();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mote_vfs_error got = open_and_close(&s, cases[i].path, cases[i].flags);
        if (!CHECK_EQ(got, cases[i].expected))
            printf("  path %s, flags %#o\n", cases[i].path, (unsigned)cases[i].flags);
    }
    CHECK(opens_text(&s, "d/e/f", "inside"));
    CHECK(opens_text(&s, "to_dir/f", "inside"));
    CHECK(opens_text(&s, "d/e/up_and_down", "inside"));
    CHECK_EQ(scratch_open_count(), before);
    end(&s);
    mote__beneath_force(BENEATH_AUTO);
}

TEST(cases_kernel) {
    if (!test_is_emulated("openat2")) check_cases(BENEATH_KERNEL);
}
TEST(cases_walk) { check_cases(BENEATH_WALK); }
TEST(cases_auto) { check_cases(BENEATH_AUTO); }

/* Creating through a dangling link makes its target, beneath. */
static void check_create(enum beneath_mode mode) {
    struct scratch s;
    struct stat st;
    REQUIRE(begin(&s));
    mote__beneath_force(mode);
    CHECK_EQ(open_and_close(&s, "dangling", O_WRONLY | O_CREAT), MOTE_VFS_OK);
    CHECK_EQ(fstatat(s.fd, "nothing", &st, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(open_and_close(&s, "to_dir/made", O_WRONLY | O_CREAT | O_EXCL), MOTE_VFS_OK);
    CHECK_EQ(fstatat(s.fd, "d/e/made", &st, AT_SYMLINK_NOFOLLOW), 0);
    end(&s);
    mote__beneath_force(BENEATH_AUTO);
}

TEST(create_kernel) {
    if (!test_is_emulated("openat2")) check_create(BENEATH_KERNEL);
}
TEST(create_walk) { check_create(BENEATH_WALK); }

/* 40 links in a row are followed, 41 are not; in both modes. */
static void check_chain(enum beneath_mode mode) {
    struct scratch s;
    char from[16], to[16];
    REQUIRE(begin(&s));
    symlinkat("d", s.fd, "l1");
    for (int i = 2; i <= 41; i++) {
        snprintf(to, sizeof to, "l%d", i - 1);
        snprintf(from, sizeof from, "l%d", i);
        symlinkat(to, s.fd, from);
    }
    mote__beneath_force(mode);
    CHECK_EQ(open_and_close(&s, "l40", O_RDONLY), MOTE_VFS_OK);
    CHECK_EQ(open_and_close(&s, "l41", O_RDONLY), MOTE_VFS_ELOOP);
    CHECK_EQ(open_and_close(&s, "l40/e", O_RDONLY), MOTE_VFS_OK);
    CHECK_EQ(open_and_close(&s, "l41/e", O_RDONLY), MOTE_VFS_ELOOP);
    end(&s);
    mote__beneath_force(BENEATH_AUTO);
}

TEST(chain_kernel) {
    if (!test_is_emulated("openat2")) check_chain(BENEATH_KERNEL);
}
TEST(chain_walk) { check_chain(BENEATH_WALK); }

/* Where last components are. */
static void check_places(enum beneath_mode mode) {
    static const struct {
        const char *path;
        bool follow;
        mote_vfs_error expected;
        const char *name;
        bool directory;
    } places[] = {
        {"d/e/f", false, MOTE_VFS_OK, "f", false},
        {"to_file", false, MOTE_VFS_OK, "to_file", false},
        {"to_file", true, MOTE_VFS_OK, "f", false},
        {"to_dir/", true, MOTE_VFS_OK, "e", true},
        {"d/..", false, MOTE_VFS_OK, ".", false},
        {"new/", false, MOTE_VFS_OK, "new", true},
        {"dangling", true, MOTE_VFS_OK, "nothing", false},
        {"..", false, MOTE_VFS_EPERM, NULL, false},
        {"out", true, MOTE_VFS_EPERM, NULL, false},
        {"absolute", true, MOTE_VFS_EPERM, NULL, false},
        {"root/x", false, MOTE_VFS_EPERM, NULL, false},
        {"loop", true, MOTE_VFS_ELOOP, NULL, false},
        {"loop", false, MOTE_VFS_OK, "loop", false},
        {"none/x", false, MOTE_VFS_ENOENT, NULL, false},
        {"/", false, MOTE_VFS_EPERM, NULL, false},
    };
    struct scratch s;
    REQUIRE(begin(&s));
    mote__beneath_force(mode);
    unsigned before = scratch_open_count();
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct beneath_place place;
        mote_vfs_error got = mote__beneath_locate(s.fd, places[i].path, places[i].follow, &place);
        if (!CHECK_EQ(got, places[i].expected)) printf("  path %s\n", places[i].path);
        if (got) continue;
        CHECK_STR(place.name, places[i].name);
        CHECK_EQ(place.directory, places[i].directory);
        mote__beneath_release(&place);
    }
    CHECK_EQ(scratch_open_count(), before);
    end(&s);
    mote__beneath_force(BENEATH_AUTO);
}

TEST(places_kernel) {
    if (!test_is_emulated("openat2")) check_places(BENEATH_KERNEL);
}
TEST(places_walk) { check_places(BENEATH_WALK); }

/* Names and paths that are too long. */
static void check_long(enum beneath_mode mode) {
    struct scratch s;
    char name[300], path[MOTE_VFS_PATH_MAX + 1];
    REQUIRE(begin(&s));
    mote__beneath_force(mode);
    memset(name, 'n', 256);
    name[256] = 0;
    CHECK_EQ(open_and_close(&s, name, O_RDONLY), MOTE_VFS_ENAMETOOLONG);
    for (size_t i = 0; i < MOTE_VFS_PATH_MAX; i++) path[i] = i % 2 ? '/' : '.';
    path[MOTE_VFS_PATH_MAX] = 0;
    CHECK_EQ(open_and_close(&s, path, O_RDONLY), MOTE_VFS_OK);
    end(&s);
    mote__beneath_force(BENEATH_AUTO);
}

TEST(long_kernel) {
    if (!test_is_emulated("openat2")) check_long(BENEATH_KERNEL);
}
TEST(long_walk) { check_long(BENEATH_WALK); }

/* ---------------------------------------------------------------- races */

/* Swaps "swap" between a directory that holds "secret" too, and a link to the outside; renames a
 * directory up and down as well. */
struct swapper {
    int fd;
    _Atomic bool stop;
    unsigned rounds;
};

static void *swap(void *argument) {
    struct swapper *s = argument;
    while (!atomic_load(&s->stop)) {
        renameat2(s->fd, "swap", s->fd, "swap_out", RENAME_EXCHANGE);
        renameat(s->fd, "d/e", s->fd, "e_moved");
        renameat(s->fd, "e_moved", s->fd, "d/e");
        s->rounds++;
    }
    return NULL;
}

/* Reads, makes and removes through paths that change under us: nothing may happen outside. */
static void race_once(const struct scratch *s, unsigned *inside, unsigned *refused) {
    char text[16] = {0};
    struct beneath_place place;
    int fd;
    mote_vfs_error error = mote__beneath_open(s->fd, "swap/secret", O_RDONLY, &fd);
    if (error) {
        ++*refused;
    } else {
        CHECK(read(fd, text, sizeof text - 1) >= 0);
        CHECK_STR(text, "inside");
        ++*inside;
        close(fd);
    }
    if (!mote__beneath_open(s->fd, "d/e/../../swap/made", O_WRONLY | O_CREAT, &fd)) close(fd);
    if (!mote__beneath_locate(s->fd, "swap/made", false, &place)) {
        unlinkat(place.fd, place.name, 0);
        mote__beneath_release(&place);
    }
}

static void check_race(enum beneath_mode mode) {
    struct scratch s;
    struct swapper swapper = {0};
    struct stat st;
    pthread_t thread;
    unsigned inside = 0, refused = 0;
    REQUIRE(begin(&s));
    mkdirat(s.fd, "swap", 0777);
    scratch_file(&s, "swap/secret", "inside");
    symlinkat("..", s.fd, "swap_out");
    swapper.fd = s.fd;
    mote__beneath_force(mode);
    REQUIRE(!pthread_create(&thread, NULL, swap, &swapper));
    for (int i = 0; i < 20000 && (i < 5000 || !inside || !refused); i++)
        race_once(&s, &inside, &refused);
    atomic_store(&swapper.stop, true);
    pthread_join(thread, NULL);
    CHECK(inside > 0);
    CHECK(refused > 0);
    CHECK(swapper.rounds > 0);
    CHECK_EQ(fstatat(s.fd, "../made", &st, AT_SYMLINK_NOFOLLOW), -1);
    CHECK_EQ(fstatat(s.fd, "../secret", &st, AT_SYMLINK_NOFOLLOW), 0);
    end(&s);
    mote__beneath_force(BENEATH_AUTO);
}

TEST(race_kernel) {
    if (!test_is_emulated("openat2")) check_race(BENEATH_KERNEL);
}
TEST(race_walk) { check_race(BENEATH_WALK); }
