/* vfs_test.c - file systems: the same sequences on a directory of the host (both ways of resolving)
 * and on a tree in memory must give the same answers; streams; clean paths; limits. */
#define _GNU_SOURCE
#include "test.h"
#include "fail_alloc.h"
#include "scratch.h"
#include "wasi1/beneath.h"
#include <errno.h>
#include <mote/vfs.h>

/* A piece of constant text, to be written from. */
#define TEXT(text) {(void *)(uintptr_t)(text), sizeof(text) - 1}

/* ---------------------------------------------------------------- steps */

enum step_kind { MKDIR, RMDIR, UNLINK, SYMLINK, RENAME, LINK, OPEN, PUT, STAT, LSTAT, READLINK };

/* One step: what to do, with which paths, and what comes of it. For SYMLINK `to` is the target, for
 * PUT and READLINK the text. */
struct step {
    enum step_kind kind;
    const char *path, *to;
    mote_vfs_error expected;
    unsigned flags; /* OPEN */
};

static mote_vfs_error open_step(mote_vfs_node *dir, const struct step *s) {
    mote_vfs_node *node;
    mote_vfs_error error = dir->ops->open(dir, s->path, s->flags, &node);
    return error ? error : mote_vfs_release(node);
}

static mote_vfs_error read_link_step(mote_vfs_node *dir, const struct step *s) {
    char text[64] = {0};
    size_t done = 0;
    mote_vfs_error error = dir->ops->read_link(dir, s->path, text, sizeof text - 1, &done);
    if (!error) CHECK_STR(text, s->to);
    if (!error) CHECK_EQ(done, strlen(s->to));
    return error;
}

static mote_vfs_error run_step(mote_vfs_node *dir, const struct step *s) {
    mote_vfs_stat st;
    switch (s->kind) {
    case MKDIR: return dir->ops->make_directory(dir, s->path);
    case RMDIR: return dir->ops->remove_directory(dir, s->path);
    case UNLINK: return dir->ops->unlink(dir, s->path);
    case SYMLINK: return dir->ops->make_link(dir, s->to, s->path);
    case RENAME: return dir->ops->rename(dir, s->path, dir, s->to);
    case LINK: return dir->ops->link(dir, s->path, false, dir, s->to);
    case OPEN: return open_step(dir, s);
    case PUT: return mote_vfs_put(dir, s->path, s->to, strlen(s->to));
    case STAT: return dir->ops->stat_at(dir, s->path, true, &st);
    case LSTAT: return dir->ops->stat_at(dir, s->path, false, &st);
    case READLINK: return read_link_step(dir, s);
    }
    return MOTE_VFS_ENOSYS;
}

#define RD MOTE_VFS_READ
#define WR MOTE_VFS_WRITE
#define CR MOTE_VFS_CREATE
#define EX MOTE_VFS_EXCLUSIVE
#define TR MOTE_VFS_TRUNCATE
#define DI MOTE_VFS_ONLY_DIRECTORY
#define FO MOTE_VFS_FOLLOW

/* clang-format off */
static const struct step steps[] = {
    {MKDIR,   "d",            NULL,        MOTE_VFS_OK, 0},
    {MKDIR,   "d",            NULL,        MOTE_VFS_EEXIST, 0},
    {MKDIR,   "d/",           NULL,        MOTE_VFS_EEXIST, 0},
    {MKDIR,   "d/sub/",       NULL,        MOTE_VFS_OK, 0},
    {MKDIR,   "none/x",       NULL,        MOTE_VFS_ENOENT, 0},
    {MKDIR,   "../x",         NULL,        MOTE_VFS_EPERM, 0},
    {MKDIR,   ".",            NULL,        MOTE_VFS_EEXIST, 0},
    {PUT,     "d/f",          "text",      MOTE_VFS_OK, 0},
    {MKDIR,   "d/f",          NULL,        MOTE_VFS_EEXIST, 0},
    {MKDIR,   "d/f/x",        NULL,        MOTE_VFS_ENOTDIR, 0},
    {OPEN,    "d/f",          NULL,        MOTE_VFS_OK, RD},
    {OPEN,    "d/f/",         NULL,        MOTE_VFS_ENOTDIR, RD},
    {OPEN,    "d/f",          NULL,        MOTE_VFS_ENOTDIR, RD | DI},
    {OPEN,    "d/f",          NULL,        MOTE_VFS_EEXIST, RD | CR | EX},
    {OPEN,    "d",            NULL,        MOTE_VFS_OK, RD | DI},
    {OPEN,    "d",            NULL,        MOTE_VFS_EISDIR, RD | WR},
    {OPEN,    "d/.",          NULL,        MOTE_VFS_OK, RD},
    {OPEN,    "d/..",         NULL,        MOTE_VFS_OK, RD},
    {OPEN,    "d/../..",      NULL,        MOTE_VFS_EPERM, RD},
    {OPEN,    "/d",           NULL,        MOTE_VFS_EPERM, RD},
    {OPEN,    "none",         NULL,        MOTE_VFS_ENOENT, RD},
    {OPEN,    "new/",         NULL,        MOTE_VFS_EISDIR, WR | CR},
    {SYMLINK, "link",         "d/f",       MOTE_VFS_OK, 0},
    {SYMLINK, "link",         "d/f",       MOTE_VFS_EEXIST, 0},
    {SYMLINK, "gone",         "nothing",   MOTE_VFS_OK, 0},
    {SYMLINK, "dirlink",      "d",         MOTE_VFS_OK, 0},
    {SYMLINK, "d/up",         "../d/f",    MOTE_VFS_OK, 0},
    {SYMLINK, "out",          "../x",      MOTE_VFS_OK, 0},
    {SYMLINK, "abs",          "/x",        MOTE_VFS_EPERM, 0},
    {SYMLINK, "self",         "self",      MOTE_VFS_OK, 0},
    {SYMLINK, "newlink/",     "d",         MOTE_VFS_ENOENT, 0},
    {SYMLINK, "d/",           "x",         MOTE_VFS_EEXIST, 0},
    {READLINK, "link",        "d/f",       MOTE_VFS_OK, 0},
    {READLINK, "d/f",         NULL,        MOTE_VFS_EINVAL, 0},
    {READLINK, "d",           NULL,        MOTE_VFS_EINVAL, 0},
    {READLINK, "none",        NULL,        MOTE_VFS_ENOENT, 0},
    {READLINK, "dirlink/up",  "../d/f",    MOTE_VFS_OK, 0},
    {OPEN,    "link",         NULL,        MOTE_VFS_OK, RD | FO},
    {OPEN,    "link",         NULL,        MOTE_VFS_ELOOP, RD},
    {OPEN,    "dirlink/f",    NULL,        MOTE_VFS_OK, RD},
    {OPEN,    "dirlink/up",   NULL,        MOTE_VFS_OK, RD | FO},
    {OPEN,    "out",          NULL,        MOTE_VFS_EPERM, RD | FO},
    {OPEN,    "self",         NULL,        MOTE_VFS_ELOOP, RD | FO},
    {OPEN,    "self/x",       NULL,        MOTE_VFS_ELOOP, RD | FO},
    {OPEN,    "gone",         NULL,        MOTE_VFS_ENOENT, RD | FO},
    {OPEN,    "gone",         NULL,        MOTE_VFS_EEXIST, WR | CR | EX | FO},
    {STAT,    "gone",         NULL,        MOTE_VFS_ENOENT, 0},
    {LSTAT,   "gone",         NULL,        MOTE_VFS_OK, 0},
    {STAT,    "link/",        NULL,        MOTE_VFS_ENOTDIR, 0},
    {LSTAT,   "dirlink/",     NULL,        MOTE_VFS_OK, 0},
    {STAT,    "out",          NULL,        MOTE_VFS_EPERM, 0},
    {LSTAT,   "out",          NULL,        MOTE_VFS_OK, 0},
    {OPEN,    "gone",         NULL,        MOTE_VFS_OK, WR | CR | FO},
    {STAT,    "nothing",      NULL,        MOTE_VFS_OK, 0},
    {UNLINK,  "d",            NULL,        MOTE_VFS_EISDIR, 0},
    {UNLINK,  "d/",           NULL,        MOTE_VFS_EISDIR, 0},
    {UNLINK,  "d/f/",         NULL,        MOTE_VFS_ENOTDIR, 0},
    {UNLINK,  "none",         NULL,        MOTE_VFS_ENOENT, 0},
    {UNLINK,  "../none",      NULL,        MOTE_VFS_EPERM, 0},
    {UNLINK,  "gone",         NULL,        MOTE_VFS_OK, 0},
    {STAT,    "nothing",      NULL,        MOTE_VFS_OK, 0},
    {RMDIR,   "d",            NULL,        MOTE_VFS_ENOTEMPTY, 0},
    {RMDIR,   "d/f",          NULL,        MOTE_VFS_ENOTDIR, 0},
    {RMDIR,   "dirlink",      NULL,        MOTE_VFS_ENOTDIR, 0},
    {RMDIR,   "dirlink/",     NULL,        MOTE_VFS_ENOTDIR, 0},
    {RMDIR,   "d/sub/",       NULL,        MOTE_VFS_OK, 0},
    {RMDIR,   "d/sub",        NULL,        MOTE_VFS_ENOENT, 0},
    {LINK,    "d/f",          "hard",      MOTE_VFS_OK, 0},
    {LINK,    "d/f",          "hard",      MOTE_VFS_EEXIST, 0},
    {LINK,    "d",            "harddir",   MOTE_VFS_EPERM, 0},
    {LINK,    "none",         "x",         MOTE_VFS_ENOENT, 0},
    {LINK,    "d/f",          "x/",        MOTE_VFS_ENOENT, 0},
    {LINK,    "d/f",          "../x",      MOTE_VFS_EPERM, 0},
    {LINK,    "link",         "link2",     MOTE_VFS_OK, 0},
    {READLINK, "link2",       "d/f",       MOTE_VFS_OK, 0},
    {RENAME,  "hard",         "moved",     MOTE_VFS_OK, 0},
    {LSTAT,   "hard",         NULL,        MOTE_VFS_ENOENT, 0},
    {RENAME,  "none",         "x",         MOTE_VFS_ENOENT, 0},
    {RENAME,  "moved",        "d",         MOTE_VFS_EISDIR, 0},
    {RENAME,  "d",            "moved",     MOTE_VFS_ENOTDIR, 0},
    {RENAME,  "moved/",       "x",         MOTE_VFS_ENOTDIR, 0},
    {RENAME,  "moved",        "x/",        MOTE_VFS_ENOTDIR, 0},
    {RENAME,  "d",            "d/below",   MOTE_VFS_EINVAL, 0},
    {RENAME,  "d",            "../d",      MOTE_VFS_EPERM, 0},
    {RENAME,  "moved",        "d/f",       MOTE_VFS_OK, 0}, /* two names of one file: nothing happens */
    {LSTAT,   "moved",        NULL,        MOTE_VFS_OK, 0},
    {MKDIR,   "e",            NULL,        MOTE_VFS_OK, 0},
    {RENAME,  "e",            "d",         MOTE_VFS_ENOTEMPTY, 0},
    {RENAME,  "d/",           "e/",        MOTE_VFS_OK, 0},
    {STAT,    "e/f",          NULL,        MOTE_VFS_OK, 0},
    {RENAME,  "e",            "fresh/",    MOTE_VFS_OK, 0},
    {STAT,    "fresh/f",      NULL,        MOTE_VFS_OK, 0},
    {OPEN,    "fresh/f",      NULL,        MOTE_VFS_OK, WR | TR},
    {RENAME,  ".",            "x",         MOTE_VFS_EBUSY, 0},
    {UNLINK,  "fresh/f",      NULL,        MOTE_VFS_OK, 0},
    {UNLINK,  "fresh/up",     NULL,        MOTE_VFS_OK, 0},
    {RMDIR,   "fresh",        NULL,        MOTE_VFS_OK, 0},
};
/* clang-format on */

static void run_steps(mote_vfs_node *dir) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        mote_vfs_error got = run_step(dir, &steps[i]);
        if (!CHECK_EQ(got, steps[i].expected))
            printf("  step %zu: %s %s: %s\n", i, steps[i].path, steps[i].to ? steps[i].to : "",
                   mote_vfs_error_text(got));
    }
}

static void run_steps_on_host(enum beneath_mode mode) {
    struct scratch s;
    mote_vfs_node *dir;
    REQUIRE(scratch_begin(&s));
    mote__beneath_force(mode);
    REQUIRE(!mote_vfs_host_dir_new(NULL, s.path, &dir));
    run_steps(dir);
    CHECK_EQ(mote_vfs_release(dir), MOTE_VFS_OK);
    mote__beneath_force(BENEATH_AUTO);
    scratch_end(&s);
}

TEST(steps_host_kernel) {
    if (!test_is_emulated("openat2")) run_steps_on_host(BENEATH_KERNEL);
}
TEST(steps_host_walk) { run_steps_on_host(BENEATH_WALK); }

TEST(steps_memory) {
    mote_vfs_node *dir;
    REQUIRE(!mote_vfs_memory_new(NULL, 0, &dir));
    run_steps(dir);
    CHECK_EQ(mote_vfs_release(dir), MOTE_VFS_OK);
}

/* ---------------------------------------------------------------- contents and attributes, on
 * both */

static void check_contents(mote_vfs_node *dir) {
    void *bytes;
    size_t size;
    REQUIRE(!mote_vfs_put(dir, "a/b/c", "hello", 5));
    REQUIRE(!mote_vfs_get(dir, "a/b/c", NULL, &bytes, &size));
    CHECK_EQ(size, 5);
    CHECK_MEM(bytes, "hello", 5);
    free(bytes);
    REQUIRE(!mote_vfs_put(dir, "a/b/c", "", 0));
    REQUIRE(!mote_vfs_get(dir, "a/b/c", NULL, &bytes, &size));
    CHECK_EQ(size, 0);
    CHECK_EQ(mote_vfs_get(dir, "a/b", NULL, &bytes, &size), MOTE_VFS_EISDIR);
    CHECK_EQ(mote_vfs_get(dir, "a/none", NULL, &bytes, &size), MOTE_VFS_ENOENT);
}

/* Holes read as zeros, sizes change both ways, what was cut off does not come back. */
static void check_file(mote_vfs_node *dir) {
    mote_vfs_node *node;
    mote_vfs_stat st;
    char text[12];
    size_t done;
    mote_vfs_iovec out[2] = {TEXT("abc"), TEXT("def")}, in[2] = {{text, 4}, {text + 4, 8}};
    REQUIRE(!dir->ops->open(dir, "file", RD | WR | CR, &node));
    CHECK(!node->ops->pwrite(node, out, 2, 4, &done));
    CHECK_EQ(done, 6);
    CHECK(!node->ops->pread(node, in, 2, 0, &done));
    CHECK_EQ(done, 10);
    CHECK_MEM(text, "\0\0\0\0abcdef", 10);
    CHECK(!node->ops->set_size(node, 5));
    CHECK(!node->ops->set_size(node, 8));
    CHECK(!node->ops->pread(node, in, 2, 0, &done));
    CHECK_EQ(done, 8);
    CHECK_MEM(text, "\0\0\0\0a\0\0\0", 8);
    CHECK(!node->ops->pread(node, in, 2, 100, &done));
    CHECK_EQ(done, 0);
    CHECK(!node->ops->allocate(node, 10, 10));
    CHECK(!node->ops->stat(node, &st));
    CHECK_EQ(st.size, 20);
    CHECK_EQ(st.type, MOTE_VFS_FILE);
    CHECK_EQ(st.link_count, 1);
    CHECK_EQ(node->ops->allocate(node, 0, 0), MOTE_VFS_EINVAL);
    CHECK_EQ(dir->ops->unlink(dir, "file"), MOTE_VFS_OK); /* an open file lives on */
    CHECK(!node->ops->pwrite(node, out, 1, 0, &done));
    CHECK(!node->ops->pread(node, in, 1, 0, &done));
    CHECK_MEM(text, "abc\0", 4);
    CHECK_EQ(mote_vfs_release(node), MOTE_VFS_OK);
}

static void check_times(mote_vfs_node *dir) {
    const mote_vfs_times fixed = {
        .accessed = 1000000001, .modified = 2000000002, .set_accessed = true, .set_modified = true};
    const mote_vfs_times now = {.set_modified_now = true};
    mote_vfs_stat st;
    REQUIRE(!mote_vfs_put(dir, "timed", "x", 1));
    CHECK(!dir->ops->make_link(dir, "timed", "to_timed"));
    CHECK(!dir->ops->set_times_at(dir, "to_timed", true, &fixed));
    CHECK(!dir->ops->stat_at(dir, "timed", false, &st));
    CHECK_EQ(st.accessed, 1000000001);
    CHECK_EQ(st.modified, 2000000002);
    CHECK(!dir->ops->set_times_at(dir, "timed", false, &now));
    CHECK(!dir->ops->stat_at(dir, "timed", false, &st));
    CHECK_EQ(st.accessed, 1000000001);
    CHECK(st.modified > UINT64_C(1500000000) * 1000000000);
    CHECK(!dir->ops->set_times_at(dir, "to_timed", false, &fixed));
    CHECK(!dir->ops->stat_at(dir, "to_timed", false, &st));
    CHECK_EQ(st.type, MOTE_VFS_SYMLINK);
    CHECK_EQ(st.modified, 2000000002);
    CHECK_EQ(dir->ops->set_times_at(dir, "none", true, &fixed), MOTE_VFS_ENOENT);
}

struct listing {
    unsigned count, directories, files, links;
};

static mote_vfs_error count_name(void *context, const char *name, size_t size, uint64_t inode,
                                 mote_vfs_type type) {
    struct listing *l = context;
    CHECK(size == strlen(name));
    CHECK(inode != 0);
    l->count++;
    l->directories += type == MOTE_VFS_DIRECTORY;
    l->files += type == MOTE_VFS_FILE;
    l->links += type == MOTE_VFS_SYMLINK;
    return MOTE_VFS_OK;
}

static mote_vfs_error stop_at_once(void *context, const char *name, size_t size, uint64_t inode,
                                   mote_vfs_type type) {
    (void)context, (void)name, (void)size, (void)inode, (void)type;
    return MOTE_VFS_EIO;
}

static void check_list(mote_vfs_node *dir) {
    mote_vfs_node *sub;
    struct listing l = {0};
    REQUIRE(!dir->ops->make_directory(dir, "listed"));
    REQUIRE(!dir->ops->make_directory(dir, "listed/sub"));
    REQUIRE(!mote_vfs_put(dir, "listed/f", "x", 1));
    REQUIRE(!mote_vfs_put(dir, "listed/g", "x", 1));
    REQUIRE(!dir->ops->make_link(dir, "f", "listed/link"));
    REQUIRE(!dir->ops->open(dir, "listed", RD, &sub));
    CHECK(!sub->ops->list(sub, count_name, &l));
    CHECK_EQ(l.count, 4);
    CHECK_EQ(l.directories, 1);
    CHECK_EQ(l.files, 2);
    CHECK_EQ(l.links, 1);
    CHECK(!sub->ops->list(sub, count_name, &l)); /* from the start again */
    CHECK_EQ(l.count, 8);
    CHECK_EQ(sub->ops->list(sub, stop_at_once, NULL), MOTE_VFS_EIO);
    /* a directory below is as closed as the first one */
    CHECK_EQ(mote_vfs_put(sub, "../f", "x", 1), MOTE_VFS_EPERM);
    CHECK_EQ(mote_vfs_put(sub, "sub/../f", "x", 1), MOTE_VFS_OK);
    mote_vfs_release(sub);
}

static void check_all(mote_vfs_node *dir) {
    check_contents(dir);
    check_file(dir);
    check_times(dir);
    check_list(dir);
}

TEST(files_host) {
    struct scratch s;
    mote_vfs_node *dir;
    unsigned before = scratch_open_count();
    REQUIRE(scratch_begin(&s));
    REQUIRE(!mote_vfs_host_dir_new(NULL, s.path, &dir));
    check_all(dir);
    mote_vfs_release(dir);
    scratch_end(&s);
    CHECK_EQ(scratch_open_count(), before);
}

TEST(files_memory) {
    mote_vfs_node *dir;
    REQUIRE(!mote_vfs_memory_new(NULL, 0, &dir));
    check_all(dir);
    mote_vfs_release(dir);
}

TEST(host_dir_missing) {
    mote_vfs_node *dir;
    CHECK_EQ(mote_vfs_host_dir_new(NULL, "/no/such/directory", &dir), MOTE_VFS_ENOENT);
    CHECK_EQ(mote_vfs_host_dir_new(NULL, "/dev/null", &dir), MOTE_VFS_ENOTDIR);
}

/* ---------------------------------------------------------------- the tree in memory */

TEST(memory_limit) {
    mote_vfs_node *dir;
    char big[4096] = {0};
    REQUIRE(!mote_vfs_memory_new(NULL, 16384, &dir));
    CHECK_EQ(mote_vfs_put(dir, "a", big, sizeof big), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_put(dir, "b", big, sizeof big), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_put(dir, "c", big, sizeof big), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_put(dir, "d", big, sizeof big), MOTE_VFS_ENOSPC);
    CHECK_EQ(dir->ops->unlink(dir, "d"), MOTE_VFS_OK);
    CHECK_EQ(dir->ops->unlink(dir, "a"), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_put(dir, "d", big, sizeof big), MOTE_VFS_OK);
    int made = 0;
    char name[16];
    mote_vfs_error error = MOTE_VFS_OK;
    for (; made < 1000 && !error; made++) {
        snprintf(name, sizeof name, "n%d", made);
        error = dir->ops->make_directory(dir, name);
    }
    CHECK_EQ(error, MOTE_VFS_ENOSPC);
    mote_vfs_release(dir);
}

/* A tree deeper than any stack of ours is freed without recursion. */
TEST(memory_deep) {
    mote_vfs_node *top, *dir, *next;
    REQUIRE(!mote_vfs_memory_new(NULL, 0, &top));
    dir = mote_vfs_retain(top);
    for (int i = 0; i < 100000; i++) {
        REQUIRE(!dir->ops->make_directory(dir, "x"));
        REQUIRE(!dir->ops->open(dir, "x", RD, &next));
        mote_vfs_release(dir);
        dir = next;
    }
    mote_vfs_release(top);
    CHECK_EQ(dir->ops->make_directory(dir, "../y"), MOTE_VFS_EPERM);
    mote_vfs_release(dir);
}

/* A removed directory that is still open takes no new names. */
TEST(memory_removed) {
    mote_vfs_node *dir, *sub;
    REQUIRE(!mote_vfs_memory_new(NULL, 0, &dir));
    REQUIRE(!dir->ops->make_directory(dir, "sub"));
    REQUIRE(!dir->ops->open(dir, "sub", RD, &sub));
    CHECK_EQ(dir->ops->remove_directory(dir, "sub"), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_put(sub, "f", "x", 1), MOTE_VFS_ENOENT);
    CHECK_EQ(sub->ops->make_directory(sub, "d"), MOTE_VFS_ENOENT);
    mote_vfs_release(dir);
    mote_vfs_release(sub);
}

/* Steps that allocate; every failure is an error and nothing is lost. */
static bool fill_tree(const mote_allocator *a, void *context) {
    /* clang-format off */
    static const struct step few[] = {
        {MKDIR, "d", NULL, MOTE_VFS_OK, 0},       {PUT, "d/f", "text", MOTE_VFS_OK, 0},   {SYMLINK, "l", "d/f", MOTE_VFS_OK, 0},
        {LINK, "d/f", "hard", MOTE_VFS_OK, 0},    {RENAME, "hard", "h", MOTE_VFS_OK, 0},  {RENAME, "d", "e", MOTE_VFS_OK, 0},
        {OPEN, "e/g", NULL, MOTE_VFS_OK, WR | CR}, {RENAME, "e/g", "h", MOTE_VFS_OK, 0},
    };
    /* clang-format on */
    mote_vfs_node *dir;
    mote_vfs_error error = mote_vfs_memory_new(a, 1 << 20, &dir);
    (void)context;
    if (error) return false;
    for (size_t i = 0; i < sizeof few / sizeof *few && !error; i++) error = run_step(dir, &few[i]);
    mote_vfs_release(dir);
    return !error;
}

TEST(memory_no_memory) { CHECK(fail_alloc_sweep(fill_tree, NULL) > 10); }

static bool make_streams(const mote_allocator *a, void *context) {
    mote_vfs_node *bytes = NULL, *buffer = NULL;
    mote_vfs_iovec piece = TEXT("text");
    size_t done;
    (void)context;
    mote_vfs_error error = mote_vfs_bytes_new(a, "abc", 3, &bytes);
    if (!error) error = mote_vfs_buffer_new(a, 100, &buffer);
    if (!error) error = buffer->ops->write(buffer, &piece, 1, &done);
    mote_vfs_release(bytes);
    mote_vfs_release(buffer);
    return !error;
}

TEST(streams_no_memory) { CHECK(fail_alloc_sweep(make_streams, NULL) > 3); }

static bool open_host(const mote_allocator *a, void *context) {
    const struct scratch *s = context;
    mote_vfs_node *dir, *file = NULL;
    mote_vfs_error error = mote_vfs_host_dir_new(a, s->path, &dir);
    if (error) return false;
    error = dir->ops->open(dir, "f", RD | WR | CR, &file);
    mote_vfs_release(file);
    mote_vfs_release(dir);
    return !error;
}

TEST(host_no_memory) {
    struct scratch s;
    REQUIRE(scratch_begin(&s));
    unsigned before = scratch_open_count();
    CHECK_EQ(fail_alloc_sweep(open_host, &s), 2);
    CHECK_EQ(scratch_open_count(), before);
    scratch_end(&s);
}

TEST(memory_append) {
    mote_vfs_node *dir, *node;
    uint64_t offset;
    size_t done;
    mote_vfs_iovec piece = TEXT("ab");
    REQUIRE(!mote_vfs_memory_new(NULL, 0, &dir));
    REQUIRE(!dir->ops->open(dir, "f", WR | CR, &node));
    CHECK(!node->ops->append(node, &piece, 1, &offset, &done));
    CHECK(!node->ops->append(node, &piece, 1, &offset, &done));
    CHECK_EQ(offset, 2);
    CHECK_EQ(done, 2);
    mote_vfs_release(node);
    mote_vfs_release(dir);
}

/* ---------------------------------------------------------------- streams */

TEST(bytes) {
    mote_vfs_node *node;
    char text[8];
    size_t done;
    mote_vfs_iovec in[2] = {{text, 3}, {text + 3, 5}};
    REQUIRE(!mote_vfs_bytes_new(NULL, "hello", 5, &node));
    CHECK(!node->ops->read(node, in, 1, &done));
    CHECK_EQ(done, 3);
    CHECK(!node->ops->read(node, in + 1, 1, &done));
    CHECK_EQ(done, 2);
    CHECK_MEM(text, "hello", 5);
    CHECK(!node->ops->read(node, in, 2, &done));
    CHECK_EQ(done, 0);
    mote_vfs_release(node);
}

TEST(buffer) {
    mote_vfs_node *node;
    size_t done, size;
    mote_vfs_iovec out[2] = {TEXT("hel"), TEXT("lo")};
    REQUIRE(!mote_vfs_buffer_new(NULL, 8, &node));
    CHECK(!node->ops->write(node, out, 2, &done));
    CHECK_EQ(done, 5);
    CHECK(!node->ops->write(node, out, 2, &done)); /* only what fits */
    CHECK_EQ(done, 3);
    CHECK_EQ(node->ops->write(node, out, 2, &done), MOTE_VFS_ENOSPC);
    CHECK_MEM(mote_vfs_buffer_bytes(node, &size), "hellohel", 8);
    CHECK_EQ(size, 8);
    mote_vfs_release(node);
}

struct tape {
    char text[16];
    size_t size;
    bool closed;
};

/* Takes two bytes at most, fails when full. */
static mote_vfs_error tape_write(void *context, const void *data, size_t size, size_t *done) {
    struct tape *tape = context;
    if (tape->size + 2 > sizeof tape->text) return MOTE_VFS_EIO;
    *done = size < 2 ? size : 2;
    memcpy(tape->text + tape->size, data, *done);
    tape->size += *done;
    return MOTE_VFS_OK;
}

static mote_vfs_error tape_close(void *context) {
    ((struct tape *)context)->closed = true;
    return MOTE_VFS_EIO;
}

TEST(stream) {
    struct tape tape = {0};
    const mote_vfs_stream calls = {.context = &tape, .write = tape_write, .close = tape_close};
    mote_vfs_node *node;
    size_t done;
    char text[4];
    mote_vfs_iovec out[2] = {TEXT("ab"), TEXT("cdef")}, in = {text, 4};
    REQUIRE(!mote_vfs_stream_new(NULL, &calls, &node));
    CHECK(!node->ops->write(node, out, 2, &done));
    CHECK_EQ(done, 4);
    CHECK_MEM(tape.text, "abcd", 4);
    CHECK(!node->ops->read(node, &in, 1, &done));
    CHECK_EQ(done, 0);
    mote_vfs_retain(node);
    CHECK_EQ(mote_vfs_release(node), MOTE_VFS_OK);
    CHECK(!tape.closed);
    CHECK_EQ(mote_vfs_release(node), MOTE_VFS_EIO);
    CHECK(tape.closed);
}

TEST(pipe_nonblocking) {
    int ends[2];
    mote_vfs_node *in, *out;
    char text[8];
    size_t done;
    mote_vfs_iovec piece = {text, sizeof text}, hello = TEXT("hello");
    REQUIRE(!pipe(ends));
    REQUIRE(!mote_vfs_fd_new(NULL, ends[0], false, &in));
    REQUIRE(!mote_vfs_fd_new(NULL, ends[1], true, &out));
    CHECK_EQ(in->type, MOTE_VFS_UNKNOWN);
    CHECK_EQ(in->traits & MOTE_VFS_SEEKABLE, 0);
    CHECK_EQ(in->ops->set_flags(in, MOTE_VFS_NONBLOCK), MOTE_VFS_OK);
    CHECK_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0); /* a borrowed descriptor keeps its own */
    CHECK_EQ(in->ops->read(in, &piece, 1, &done), MOTE_VFS_EAGAIN);
    CHECK(!out->ops->write(out, &hello, 1, &done));
    unsigned now;
    uint64_t bytes;
    CHECK(!in->ops->ready(in, RD, &now, &bytes));
    CHECK_EQ(now, RD);
    CHECK_EQ(bytes, 5);
    CHECK(!in->ops->read(in, &piece, 1, &done));
    CHECK_EQ(done, 5);
    mote_vfs_release(out);
    CHECK(!in->ops->read(in, &piece, 1, &done)); /* the end */
    CHECK_EQ(done, 0);
    mote_vfs_release(in);
    CHECK_EQ(fcntl(ends[0], F_GETFD) >= 0, true); /* not owned */
    close(ends[0]);
}

/* ---------------------------------------------------------------- the rest */

TEST(clean_paths) {
    static const struct {
        const char *path, *expected;
        bool directory;
    } good[] = {
        {"a", "a", false},           {"a/b", "a/b", false},
        {"./a//b/", "a/b", true},    {".", "", true},
        {"a/..", "", true},          {"a/../b", "b", false},
        {"a/b/../../c", "c", false}, {"...", "...", false},
        {"a/.b", "a/.b", false},     {"a/./", "a", true},
    };
    char out[MOTE_VFS_PATH_MAX + 1];
    bool directory;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_EQ(mote_vfs_path_clean(good[i].path, out, &directory), MOTE_VFS_OK);
        CHECK_STR(out, good[i].expected);
        CHECK_EQ(directory, good[i].directory);
    }
    CHECK_EQ(mote_vfs_path_clean("/a", out, &directory), MOTE_VFS_EPERM);
    CHECK_EQ(mote_vfs_path_clean("..", out, &directory), MOTE_VFS_EPERM);
    CHECK_EQ(mote_vfs_path_clean("a/../..", out, &directory), MOTE_VFS_EPERM);
}

TEST(errors) {
    CHECK_EQ(mote_vfs_error_from_errno(ENOENT), MOTE_VFS_ENOENT);
    CHECK_EQ(mote_vfs_error_from_errno(E2BIG), MOTE_VFS_E2BIG);
    CHECK_EQ(mote_vfs_error_from_errno(0), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_error_from_errno(99999), MOTE_VFS_EIO);
    CHECK_STR(mote_vfs_error_text(MOTE_VFS_ENOTCAPABLE), "rights insufficient");
    CHECK_STR(mote_vfs_error_text(MOTE_VFS_OK), "no error");
    CHECK_STR(mote_vfs_error_text((mote_vfs_error)77), "unknown error");
}
