/* mount_test.c - the rules of files over components (docs/components.md), each over every store. */
#define _GNU_SOURCE
#include "stores.h"
#include "fail_alloc.h"
#include "os/os.h"
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
    RW = MOTE_VFS_READ | MOTE_VFS_WRITE,
    NEW = RW | MOTE_VFS_CREATE,
    REPLACE = NEW | MOTE_VFS_TRUNCATE,
    EXCL = NEW | MOTE_VFS_EXCLUSIVE
};

/* ---------------------------------------------------------------- files in a line */

static mote_vfs_node *mount(mote_parts *parts, const char *prefix) {
    mote_vfs_node *dir = NULL;
    mote_error error;
    if (mote_parts_mount(parts, "store", prefix, &dir, &error) != MOTE_OK)
        test_fail(__FILE__, __LINE__, error.message);
    return dir;
}

static mote_vfs_error open_at(mote_vfs_node *dir, const char *path, unsigned flags,
                              mote_vfs_node **out) {
    *out = NULL;
    return dir->ops->open(dir, path, flags, out);
}

static mote_vfs_error write_at(mote_vfs_node *file, const char *text, uint64_t at) {
    size_t done;
    return file->ops->pwrite(file, &(mote_vfs_iovec){(void *)(uintptr_t)text, strlen(text)}, 1, at,
                             &done);
}

static const char *read_all(mote_vfs_node *file) {
    static char text[200];
    size_t done = 0;
    if (file->ops->pread(file, &(mote_vfs_iovec){text, sizeof text - 1}, 1, 0, &done))
        return "(error)";
    text[done] = 0;
    return text;
}

/* What a path holds, as a newcomer sees it; NULL: nothing is there. */
static const char *content(mote_vfs_node *dir, const char *path) {
    mote_vfs_node *file;
    if (open_at(dir, path, MOTE_VFS_READ, &file)) return NULL;
    const char *text = read_all(file);
    CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
    return text;
}

static mote_vfs_error put(mote_vfs_node *dir, const char *path, const char *text) {
    mote_vfs_node *file;
    mote_vfs_error error = open_at(dir, path, REPLACE, &file);
    if (error) return error;
    error = write_at(file, text, 0);
    mote_vfs_error closed = mote_vfs_release(file);
    return error ? error : closed;
}

/* What the store holds; NULL: nothing. */
static const char *stored(mote_parts *parts, const char *key) {
    static char text[200];
    mote_parts_item item = {.key = bytes(key)};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    snprintf(text, sizeof text, "%.*s", (int)item.found.size, (const char *)item.found.data);
    bool there = item.found.data;
    mote_parts_op_deinit(&op);
    return there ? text : NULL;
}

/* Somebody else writes a key, or removes it where the text is NULL. */
static void put_key(mote_parts *parts, const char *key, const char *text) {
    mote_parts_item item = {.key = bytes(key), .value = text ? bytes(text) : bytes("")};
    mote_parts_op op = {
        .verb = text ? MOTE_PARTS_SET : MOTE_PARTS_DELETE, .items = &item, .item_count = 1};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
}

/* A mount of every store: what the program sees is in `dir`, what others see in `parts`. */
#define FOR_MOUNTS(parts, dir)                                                                     \
    FOR_STORES(parts)                                                                              \
    for (mote_vfs_node *dir = mount(parts, ""); dir; mote_vfs_release(dir), dir = NULL)

/* ---------------------------------------------------------------- committing */

TEST(a_file_is_a_key) {
    mote_vfs_stat st;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(put(dir, "a/b.json", "{\"n\": 1}\n"), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "a/b.json"), "{\"n\": 1}\n");
        CHECK_EQ(dir->ops->stat_at(dir, "a/b.json", false, &st), MOTE_VFS_OK);
        CHECK_EQ(st.size, 9);
        CHECK_EQ(st.type, MOTE_VFS_FILE);
        CHECK(st.modified > 1500000000000000000);
        CHECK_STR(content(dir, "missing"), NULL);
        CHECK_EQ(dir->ops->stat_at(dir, "missing", false, &st), MOTE_VFS_ENOENT);
    }
}

TEST(an_empty_file_is_a_file) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(open_at(dir, "empty", NEW, &file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "empty"), NULL);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "empty"), "");
    }
}

TEST(snapshots) {
    mote_vfs_node *file, *again;
    FOR_MOUNTS(parts, dir) {
        put(dir, "key", "one");
        CHECK_EQ(open_at(dir, "key", MOTE_VFS_READ, &file), MOTE_VFS_OK);
        put_key(parts, "key", "two");
        CHECK_STR(read_all(file),
                  "one"); /* as it was at the opening, and for all descriptors of this program */
        CHECK_EQ(open_at(dir, "key", RW, &again), MOTE_VFS_OK);
        CHECK_STR(read_all(again), "one");
        CHECK_EQ(write_at(again, "x", 0), MOTE_VFS_OK);
        CHECK_STR(read_all(file), "xne");
        again->ops->abandon(again);
        CHECK_EQ(mote_vfs_release(again), MOTE_VFS_OK);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(content(dir, "key"), "two");
    }
}

TEST(sync_commits_and_goes_on) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(open_at(dir, "key", NEW, &file), MOTE_VFS_OK);
        write_at(file, "one", 0);
        CHECK_STR(stored(parts, "key"), NULL);
        CHECK_EQ(file->ops->sync(file, false), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), "one");
        write_at(file, " two", 3);
        CHECK_STR(stored(parts, "key"), "one");
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), "one two");
        CHECK_EQ(open_at(dir, "key", RW | MOTE_VFS_SYNC, &file), MOTE_VFS_OK);
        CHECK_EQ(write_at(file, "six", 0), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), "six two");
        mote_vfs_release(file);
    }
}

/* What a writer has half done is not committed by those who only look at it. */
TEST(closing_a_reader_commits_nothing) {
    mote_vfs_node *file, *reader;
    FOR_MOUNTS(parts, dir) {
        put(dir, "key", "one");
        CHECK_EQ(open_at(dir, "key", RW, &file), MOTE_VFS_OK);
        write_at(file, "half", 0);
        CHECK_STR(content(dir, "key"), "half");
        CHECK_EQ(open_at(dir, "key", MOTE_VFS_READ | MOTE_VFS_CREATE, &reader), MOTE_VFS_OK);
        CHECK_EQ(mote_vfs_release(reader), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), "one");
        file->ops->abandon(file);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), "one");
        CHECK_EQ(open_at(dir, "new", MOTE_VFS_READ | MOTE_VFS_CREATE, &reader), MOTE_VFS_OK);
        CHECK_EQ(mote_vfs_release(reader), MOTE_VFS_OK); /* but it has made an empty file */
        CHECK_STR(stored(parts, "new"), "");
    }
}

TEST(abandoned_is_forgotten) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(open_at(dir, "key", REPLACE, &file), MOTE_VFS_OK);
        write_at(file, "half", 0);
        file->ops->abandon(file);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), NULL);
    }
}

/* ---------------------------------------------------------------- who else writes */

TEST(changing_what_somebody_changed_is_EAGAIN) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put(dir, "key", "one");
        CHECK_EQ(open_at(dir, "key", RW, &file), MOTE_VFS_OK);
        write_at(file, "ONE", 0);
        put_key(parts, "key", "two");
        CHECK_EQ(file->ops->sync(file, false), MOTE_VFS_EAGAIN);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_EAGAIN); /* closed all the same */
        CHECK_STR(content(dir, "key"), "two");
        CHECK_EQ(open_at(dir, "fresh", NEW, &file), MOTE_VFS_OK);
        put_key(parts, "fresh", "theirs");
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_EAGAIN);
        CHECK_STR(content(dir, "fresh"), "theirs");
    }
}

TEST(replacing_wins) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put(dir, "key", "one");
        CHECK_EQ(open_at(dir, "key", REPLACE, &file), MOTE_VFS_OK);
        write_at(file, "mine", 0);
        put_key(parts, "key", "theirs");
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "key"), "mine");
    }
}

TEST(what_was_truncated_stays_away) {
    mote_vfs_node *file, *again;
    FOR_MOUNTS(parts, dir) {
        put(dir, "key", "AAAAAAAAAA");
        CHECK_EQ(open_at(dir, "key", MOTE_VFS_WRITE | MOTE_VFS_TRUNCATE, &file), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "key", MOTE_VFS_WRITE | MOTE_VFS_TRUNCATE, &again), MOTE_VFS_OK);
        write_at(file, "BBBB", 0);
        CHECK_EQ(mote_vfs_release(again), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "key", MOTE_VFS_WRITE | MOTE_VFS_TRUNCATE, &again), MOTE_VFS_OK);
        write_at(file, "C", 5);
        CHECK_EQ(mote_vfs_release(again), MOTE_VFS_OK);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "key", MOTE_VFS_READ, &file), MOTE_VFS_OK);
        CHECK_MEM(read_all(file), "\0\0\0\0\0C", 7);
        mote_vfs_release(file);
    }
}

TEST(exclusive) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put(dir, "there", "1");
        CHECK_EQ(open_at(dir, "there", EXCL, &file), MOTE_VFS_EEXIST);
        CHECK_EQ(open_at(dir, "lock", EXCL, &file), MOTE_VFS_OK);
        put_key(parts, "lock", "theirs");
        CHECK_EQ(file->ops->sync(file, false), MOTE_VFS_EEXIST);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_EEXIST);
        CHECK_STR(content(dir, "lock"), "theirs");
        CHECK_EQ(open_at(dir, "mine", EXCL, &file), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "mine", EXCL, &(mote_vfs_node *){NULL}), MOTE_VFS_EEXIST);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
    }
}

TEST(append_and_sizes) {
    mote_vfs_node *file;
    uint64_t offset;
    size_t done;
    FOR_MOUNTS(parts, dir) {
        put(dir, "log", "one\n");
        CHECK_EQ(open_at(dir, "log", RW | MOTE_VFS_APPEND, &file), MOTE_VFS_OK);
        CHECK_EQ(
            file->ops->append(file, &(mote_vfs_iovec){(char[]){"two\n"}, 4}, 1, &offset, &done),
            MOTE_VFS_OK);
        CHECK_EQ(offset, 4);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "log"), "one\ntwo\n");
        CHECK_EQ(open_at(dir, "log", RW, &file), MOTE_VFS_OK);
        CHECK_EQ(file->ops->set_size(file, 3), MOTE_VFS_OK);
        CHECK_EQ(write_at(file, "!", 5), MOTE_VFS_OK); /* a hole is zeros */
        CHECK_EQ(file->ops->set_size(file, MOTE_PARTS_FILE_BYTES_MAX + 1), MOTE_VFS_EFBIG);
        CHECK_EQ(write_at(file, "x", MOTE_PARTS_FILE_BYTES_MAX), MOTE_VFS_EFBIG);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "log", MOTE_VFS_READ, &file), MOTE_VFS_OK);
        CHECK_MEM(read_all(file), "one\0\0!", 7);
        mote_vfs_release(file);
    }
}

/* ---------------------------------------------------------------- names */

TEST(rename) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(dir->ops->rename(dir, "a", dir, "b"), MOTE_VFS_ENOENT);
        put(dir, "a", "1");
        put(dir, "b", "2");
        CHECK_EQ(dir->ops->rename(dir, "a", dir, "b"), MOTE_VFS_OK);
        CHECK_STR(content(dir, "a"), NULL);
        CHECK_STR(content(dir, "b"), "1");
        CHECK_EQ(dir->ops->rename(dir, "b", dir, "b"), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "new", NEW, &file),
                 MOTE_VFS_OK); /* what is open is committed first */
        write_at(file, "3", 0);
        CHECK_EQ(dir->ops->rename(dir, "new", dir, "c/d"), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "c/d"), "3");
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "new"), NULL);
        CHECK_EQ(dir->ops->rename(dir, "c", dir, "e"), MOTE_VFS_ENOTSUP); /* a prefix */
        CHECK_EQ(dir->ops->rename(dir, "b", dir, "c"), MOTE_VFS_EISDIR);
        CHECK_EQ(dir->ops->rename(dir, "b/", dir, "f"), MOTE_VFS_ENOTDIR);
        CHECK_EQ(dir->ops->rename(dir, "b", dir, "f/"), MOTE_VFS_ENOTDIR);
        CHECK_STR(stored(parts, "b"), "1");
    }
}

TEST(an_open_file_goes_along_when_it_is_renamed) {
    mote_vfs_node *file, *target;
    FOR_MOUNTS(parts, dir) {
        put(dir, "final", "old");
        CHECK_EQ(open_at(dir, "final", RW, &target), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "tmp", NEW, &file), MOTE_VFS_OK);
        write_at(file, "one\n", 0);
        CHECK_EQ(dir->ops->rename(dir, "tmp", dir, "final"), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "final"), "one\n");
        write_at(file, "two\n", 4);
        CHECK_STR(content(dir, "final"), "one\ntwo\n"); /* it is the file of that name now */
        CHECK_EQ(file->ops->sync(file, false), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "final"), "one\ntwo\n");
        write_at(target, "new", 0); /* what was replaced is his who has it open */
        CHECK_EQ(mote_vfs_release(target), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->rename(dir, "final", dir, "tmp"), MOTE_VFS_OK);
        write_at(file, "2", 0);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "tmp"), "2ne\ntwo\n");
        CHECK_STR(stored(parts, "final"), NULL);
    }
}

/* The condition goes along: somebody else's value may move, but is not written over. */
TEST(a_renamed_file_is_still_compared) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put(dir, "a", "one");
        CHECK_EQ(open_at(dir, "a", RW, &file), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->rename(dir, "a", dir, "b"), MOTE_VFS_OK);
        put_key(parts, "b", "theirs");
        write_at(file, "mine", 0);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_EAGAIN);
        CHECK_EQ(open_at(dir, "b", RW, &file), MOTE_VFS_OK);
        put_key(parts, "b", "theirs too");
        CHECK_EQ(dir->ops->rename(dir, "b", dir, "c"), MOTE_VFS_OK);
        write_at(file, "mine", 0);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_EAGAIN);
        CHECK_STR(stored(parts, "c"), "theirs too");
    }
}

TEST(unlink_is_at_once) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(dir->ops->unlink(dir, "a"), MOTE_VFS_ENOENT);
        put(dir, "a", "1");
        CHECK_EQ(open_at(dir, "a", RW, &file), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->unlink(dir, "a"), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "a"), NULL);
        CHECK_STR(content(dir, "a"), NULL);
        write_at(file, "2", 0);
        CHECK_STR(read_all(file), "2");
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "a"), NULL);
        put(dir, "d/e", "1");
        CHECK_EQ(dir->ops->unlink(dir, "d"), MOTE_VFS_EISDIR);
        CHECK_EQ(dir->ops->unlink(dir, "d/e/"), MOTE_VFS_ENOTDIR);
    }
}

TEST(directories) {
    mote_vfs_stat st;
    mote_vfs_node *sub;
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(dir->ops->make_directory(dir, "made"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->make_directory(dir, "made"), MOTE_VFS_EEXIST);
        CHECK_EQ(dir->ops->stat_at(dir, "made", false, &st), MOTE_VFS_OK);
        CHECK_EQ(st.type, MOTE_VFS_DIRECTORY);
        put_key(parts, "theirs/x", "1");
        CHECK_EQ(dir->ops->stat_at(dir, "theirs", false, &st), MOTE_VFS_OK); /* a prefix is one */
        CHECK_EQ(st.type, MOTE_VFS_DIRECTORY);
        put_key(parts, "theirs/x", NULL);
        CHECK_EQ(dir->ops->stat_at(dir, "theirs", false, &st), MOTE_VFS_ENOENT);
        put(dir, "made/x", "1");
        CHECK_EQ(dir->ops->remove_directory(dir, "made"), MOTE_VFS_ENOTEMPTY);
        CHECK_EQ(open_at(dir, "made", MOTE_VFS_ONLY_DIRECTORY | MOTE_VFS_READ, &sub), MOTE_VFS_OK);
        CHECK_STR(content(sub, "x"), "1");
        CHECK_STR(content(sub, "../made/x"), NULL); /* never above the directory itself */
        CHECK_EQ(mote_vfs_release(sub), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->unlink(dir, "made/x"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->remove_directory(dir, "made"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->remove_directory(dir, "made"), MOTE_VFS_ENOENT);
        CHECK_EQ(dir->ops->remove_directory(dir, "none"), MOTE_VFS_ENOENT);
        CHECK_EQ(dir->ops->remove_directory(dir, "."), MOTE_VFS_EBUSY);
        put(dir, "both", "file");
        put(dir, "both/x", "1");
        CHECK_EQ(dir->ops->stat_at(dir, "both", false, &st),
                 MOTE_VFS_OK); /* a key and a prefix: a file to stat */
        CHECK_EQ(st.type, MOTE_VFS_FILE);
        CHECK_EQ(dir->ops->remove_directory(dir, "both"), MOTE_VFS_ENOTDIR);
        CHECK_STR(content(dir, "both/x"), "1");
        CHECK_EQ(dir->ops->stat_at(dir, "both/x/", false, &st), MOTE_VFS_ENOTDIR);
        CHECK_EQ(open_at(dir, "none", MOTE_VFS_ONLY_DIRECTORY, &sub), MOTE_VFS_ENOENT);
        CHECK_EQ(open_at(dir, "both/x", MOTE_VFS_ONLY_DIRECTORY, &sub), MOTE_VFS_ENOTDIR);
        CHECK_EQ(open_at(dir, "both/x/", MOTE_VFS_READ, &sub), MOTE_VFS_ENOTDIR);
        CHECK_EQ(open_at(dir, "both", REPLACE | MOTE_VFS_ONLY_DIRECTORY, &sub), MOTE_VFS_EISDIR);
        CHECK_EQ(dir->ops->make_directory(dir, "made"), MOTE_VFS_OK);
        CHECK_EQ(open_at(dir, "made", NEW, &sub), MOTE_VFS_EISDIR);
        CHECK_EQ(open_at(dir, "made", EXCL, &sub), MOTE_VFS_EEXIST);
    }
}

/* Emptying a directory does not take it away from under the program. */
TEST(an_emptied_directory_stays) {
    mote_vfs_stat st;
    FOR_MOUNTS(parts, dir) {
        put_key(parts, "a/b/c", "1");
        put_key(parts, "m/n", "1");
        CHECK_EQ(dir->ops->unlink(dir, "a/b/c"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->stat_at(dir, "a/b", false, &st), MOTE_VFS_OK);
        CHECK_EQ(st.type, MOTE_VFS_DIRECTORY);
        CHECK_EQ(dir->ops->remove_directory(dir, "a"), MOTE_VFS_ENOTEMPTY);
        CHECK_EQ(dir->ops->remove_directory(dir, "a/b"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->stat_at(dir, "a", false, &st), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->remove_directory(dir, "a"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->stat_at(dir, "a", false, &st), MOTE_VFS_ENOENT);
        CHECK_EQ(dir->ops->rename(dir, "m/n", dir, "n"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->remove_directory(dir, "m"), MOTE_VFS_OK);
    }
}

TEST(times_can_be_set_and_stay) {
    const mote_vfs_times times = {.modified = 1, .set_modified = true};
    mote_vfs_stat st;
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put(dir, "d/f", "1");
        CHECK_EQ(dir->ops->set_times(dir, &times), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->set_times_at(dir, "d", false, &times), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->set_times_at(dir, "d/f", false, &times), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->set_times_at(dir, "none", false, &times), MOTE_VFS_ENOENT);
        CHECK_EQ(open_at(dir, "d/f", RW, &file), MOTE_VFS_OK);
        CHECK_EQ(file->ops->set_times(file, &times), MOTE_VFS_OK);
        CHECK_EQ(file->ops->stat(file, &st), MOTE_VFS_OK);
        CHECK(st.modified > 1500000000000000000);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
    }
}

TEST(writing_and_committing_move_the_time) {
    mote_vfs_stat opened, written, committed;
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put(dir, "f", "1");
        CHECK_EQ(open_at(dir, "f", RW, &file), MOTE_VFS_OK);
        file->ops->stat(file, &opened);
        usleep(2000);
        write_at(file, "2", 0);
        file->ops->stat(file, &written);
        CHECK(written.modified > opened.modified);
        usleep(2000);
        CHECK_EQ(file->ops->sync(file, false), MOTE_VFS_OK);
        dir->ops->stat_at(dir, "f", false, &committed);
        CHECK(committed.modified > written.modified);
        CHECK_EQ(mote_vfs_release(file), MOTE_VFS_OK);
    }
}

/* Names and kinds, sorted by insertion into one text. */
struct names {
    char list[40][64];
    size_t count;
};

static mote_vfs_error take_name(void *context, const char *name, size_t size, uint64_t inode,
                                mote_vfs_type type) {
    struct names *n = context;
    CHECK(inode != 0);
    if (n->count == 40) return MOTE_VFS_ENOSPC;
    snprintf(n->list[n->count++], 64, "%.*s%s", (int)size, name,
             type == MOTE_VFS_DIRECTORY ? "/" : "");
    return MOTE_VFS_OK;
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static const char *names_of(mote_vfs_node *dir, const char *path) {
    static char text[1000];
    struct names n = {.count = 0};
    mote_vfs_node *sub;
    size_t at = 0;
    if (open_at(dir, path, MOTE_VFS_READ | MOTE_VFS_ONLY_DIRECTORY, &sub)) return NULL;
    CHECK_EQ(sub->ops->list(sub, take_name, &n), MOTE_VFS_OK);
    mote_vfs_release(sub);
    qsort(n.list, n.count, sizeof *n.list, by_text);
    text[0] = 0;
    for (size_t i = 0; i < n.count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", n.list[i]);
    return text;
}

TEST(listing) {
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        CHECK_STR(names_of(dir, "."), "");
        put(dir, "a", "1");
        put(dir, "b/1", "1");
        put(dir, "b/2/3", "1");
        put(dir, "b%", "1");
        put(dir, "a/x", "1");
        dir->ops->make_directory(dir, "made");
        CHECK_EQ(open_at(dir, "open", NEW, &file), MOTE_VFS_OK);
        CHECK_STR(names_of(dir, "."), "a b% b/ made/ open");
        CHECK_STR(names_of(dir, "b"), "1 2/");
        CHECK_STR(names_of(dir, "made"), "");
        mote_vfs_release(file);
        CHECK_STR(stored(parts, "open"), "");
    }
}

/* On Redis each look for keys costs a look at all that anybody has there. */
TEST(making_a_file_looks_for_its_key_only) {
    FOR_MOUNTS(parts, dir) {
        char calls[40];
        if (strcmp(store_now, "redis") != 0) continue;
        cli("config resetstat");
        put(dir, "new", "1");
        put(dir, "in/new", "1");
        snprintf(calls, sizeof calls, "%s", cli("info commandstats | grep -c cmdstat_scan"));
        CHECK_STR(calls, "0");
        CHECK_STR(names_of(dir, "."), "in/ new");
        CHECK_STR(cli("info commandstats | grep -c cmdstat_scan"), "1");
    }
}

/* A key that ends in a slash is a directory that the store holds. */
TEST(a_key_that_ends_in_a_slash) {
    mote_vfs_stat st;
    mote_vfs_node *file;
    FOR_MOUNTS(parts, dir) {
        put_key(parts, "ks/", "");
        put_key(parts, "in/ks/", "");
        CHECK_STR(names_of(dir, "."), "in/ ks/");
        CHECK_STR(names_of(dir, "ks"), "");
        CHECK_EQ(dir->ops->stat_at(dir, "ks", false, &st), MOTE_VFS_OK);
        CHECK_EQ(st.type, MOTE_VFS_DIRECTORY);
        if (strcmp(store_now, "redis") != 0) /* which is not asked, as it walks */
            CHECK_EQ(open_at(dir, "ks", NEW, &file), MOTE_VFS_EISDIR);
        put(dir, "ks/x", "1");
        CHECK_EQ(dir->ops->remove_directory(dir, "ks"), MOTE_VFS_ENOTEMPTY);
        CHECK_EQ(dir->ops->unlink(dir, "ks/x"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->remove_directory(dir, "ks"), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "ks/"), NULL);
        CHECK_EQ(dir->ops->stat_at(dir, "ks", false, &st), MOTE_VFS_ENOENT);
        CHECK_EQ(dir->ops->remove_directory(dir, "in"), MOTE_VFS_ENOTEMPTY);
        CHECK_EQ(dir->ops->remove_directory(dir, "in/ks"), MOTE_VFS_OK);
        CHECK_EQ(dir->ops->remove_directory(dir, "in"), MOTE_VFS_OK);
        CHECK_STR(names_of(dir, "."), "");
    }
}

TEST(long_listings_come_in_pages) {
    enum { COUNT = 600 };
    char path[16];
    FOR_STORES(parts) {
        static mote_parts_item items[COUNT];
        static char keys[COUNT][16];
        for (int i = 0; i < COUNT; i++)
            snprintf(keys[i], sizeof keys[i], "k%d", i),
                items[i] = (mote_parts_item){.key = bytes(keys[i]), .value = bytes("1")};
        mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = items, .item_count = COUNT};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
        mote_parts_op_deinit(&op);
        mote_vfs_node *dir = mount(parts, "k59");
        CHECK_STR(names_of(dir, "."), "0 1 2 3 4 5 6 7 8 9");
        mote_vfs_release(dir);
        dir = mount(parts, NULL);
        for (int i = 0; i < COUNT; i += 99)
            snprintf(path, sizeof path, "k%d", i), CHECK_STR(content(dir, path), "1");
        struct names n = {.count = 0};
        CHECK_EQ(dir->ops->list(dir, take_name, &n),
                 MOTE_VFS_ENOSPC); /* the caller's own error comes back */
        mote_vfs_release(dir);
    }
}

/* Keys that are longer than any path, more than a page of them: others can write them. */
TEST(listings_get_past_long_keys) {
    enum { COUNT = 300, SIZE = 9000 };
    FOR_STORES(parts) {
        static mote_parts_item items[COUNT];
        static char keys[COUNT][SIZE + 1];
        bool fits = strcmp(store_now, "mysql") != 0 && strcmp(store_now, "postgresql") != 0;
        for (int i = 0; i < COUNT && fits; i++) {
            memset(keys[i], 'k', SIZE);
            snprintf(keys[i] + SIZE - 8, 9, "/%07d", i);
            items[i] = (mote_parts_item){.key = bytes(keys[i]), .value = bytes("1")};
        }
        mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = items, .item_count = fits ? COUNT : 0};
        CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
        mote_parts_op_deinit(&op);
        mote_vfs_node *dir = mount(parts, NULL);
        put(dir, "z", "1");
        CHECK_STR(names_of(dir, "."), "z"); /* what no path can say is no name */
        mote_vfs_release(dir);
    }
}

TEST(what_no_key_can_be) {
    static char long_path[MOTE_VFS_PATH_MAX + 2];
    mote_vfs_node *file;
    memset(long_path, 'x', sizeof long_path - 1);
    FOR_MOUNTS(parts, dir) {
        CHECK_EQ(open_at(dir, "a||b", NEW, &file), MOTE_VFS_EINVAL);
        CHECK_EQ(open_at(dir, "\xff", NEW, &file), MOTE_VFS_EINVAL);
        CHECK_EQ(open_at(dir, "../x", NEW, &file), MOTE_VFS_EPERM);
        CHECK_EQ(open_at(dir, "/x", NEW, &file), MOTE_VFS_EPERM);
        CHECK_EQ(open_at(dir, long_path, NEW, &file), MOTE_VFS_ENAMETOOLONG);
        CHECK_STR(names_of(dir, "."), "");
        CHECK(!dir->ops->link && !dir->ops->make_link && !dir->ops->read_link);
    }
}

TEST(keys_that_are_too_long_for_their_store) {
    static char path[MOTE_VFS_PATH_MAX + 1];
    mote_vfs_stat st;
    mote_vfs_node *file;
    memset(path, 'x', sizeof path - 1);
    FOR_MOUNTS(parts, dir) {
        if (strcmp(store_now, "mysql") != 0 && strcmp(store_now, "postgresql") != 0) continue;
        CHECK_EQ(open_at(dir, path, NEW, &file), MOTE_VFS_ENAMETOOLONG);
        CHECK_EQ(dir->ops->stat_at(dir, path, false, &st), MOTE_VFS_ENAMETOOLONG);
        CHECK_EQ(dir->ops->make_directory(dir, path), MOTE_VFS_ENAMETOOLONG);
        put(dir, "a", "1");
        CHECK_EQ(dir->ops->rename(dir, "a", dir, path), MOTE_VFS_ENAMETOOLONG);
    }
}

TEST(prefixes) {
    FOR_STORES(parts) {
        mote_vfs_node *all = mount(parts, NULL), *some = mount(parts, "shop/");
        put(some, "a", "1");
        CHECK_STR(content(all, "shop/a"), "1");
        CHECK_EQ(some->ops->rename(some, "a", all, "shop/a"), MOTE_VFS_OK); /* onto itself */
        CHECK_STR(content(some, "a"), "1");
        CHECK_EQ(some->ops->rename(some, "a", all, "moved"), MOTE_VFS_OK);
        CHECK_STR(names_of(all, "."), "moved");
        CHECK_STR(names_of(some, "."), "");
        mote_vfs_release(all);
        mote_vfs_release(some);
    }
}

/* As two descriptors do: a program does not compete with itself. */
TEST(mounts_of_a_component_share_what_is_open) {
    mote_vfs_node *one, *other;
    mote_vfs_stat st;
    FOR_STORES(parts) {
        mote_vfs_node *all = mount(parts, NULL), *some = mount(parts, "shop/");
        put(all, "shop/a", "1");
        CHECK_EQ(open_at(all, "shop/a", RW, &one), MOTE_VFS_OK);
        CHECK_EQ(open_at(some, "a", RW, &other), MOTE_VFS_OK);
        write_at(one, "2", 0);
        CHECK_STR(read_all(other), "2");
        CHECK_EQ(one->ops->sync(one, false), MOTE_VFS_OK);
        write_at(other, "34", 0);
        CHECK_EQ(mote_vfs_release(other), MOTE_VFS_OK);
        CHECK_EQ(mote_vfs_release(one), MOTE_VFS_OK);
        CHECK_STR(stored(parts, "shop/a"), "34");
        CHECK_EQ(some->ops->make_directory(some, "d"), MOTE_VFS_OK);
        CHECK_EQ(all->ops->stat_at(all, "shop/d", false, &st), MOTE_VFS_OK);
        mote_vfs_release(some);
        mote_vfs_release(all);
    }
}

/* ---------------------------------------------------------------- how much at once */

/* 16 files of 4 MiB are open, and there is room for no more until one of them is closed. */
TEST(what_is_open_at_once_is_limited) {
    enum { COUNT = MOTE_PARTS_OPEN_BYTES_MAX / MOTE_PARTS_FILE_BYTES_MAX };
    mote_vfs_node *files[COUNT], *more;
    char path[16];
    mote_parts *parts = store_open(&stores[0], NULL);
    mote_vfs_node *dir = mount(parts, NULL);
    put(dir, "there", "1");
    for (int i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "f%d", i);
        CHECK_EQ(open_at(dir, path, NEW, &files[i]), MOTE_VFS_OK);
        CHECK_EQ(write_at(files[i], "x", MOTE_PARTS_FILE_BYTES_MAX - 1), MOTE_VFS_OK);
    }
    CHECK_EQ(open_at(dir, "more", NEW, &more), MOTE_VFS_OK);
    CHECK_EQ(write_at(more, "x", 0), MOTE_VFS_ENOSPC);
    CHECK_EQ(open_at(dir, "there", MOTE_VFS_READ, &(mote_vfs_node *){NULL}), MOTE_VFS_ENOSPC);
    CHECK_EQ(files[0]->ops->set_size(files[0], 0), MOTE_VFS_OK); /* its memory is still its own */
    CHECK_EQ(write_at(more, "x", 0), MOTE_VFS_ENOSPC);
    CHECK_EQ(mote_vfs_release(files[0]), MOTE_VFS_OK);
    CHECK_EQ(write_at(more, "x", MOTE_PARTS_FILE_BYTES_MAX - 1), MOTE_VFS_OK);
    CHECK_EQ(mote_vfs_release(more), MOTE_VFS_OK);
    for (int i = 1; i < COUNT; i++)
        files[i]->ops->abandon(files[i]), CHECK_EQ(mote_vfs_release(files[i]), MOTE_VFS_OK);
    mote_vfs_release(dir);
    mote_parts_delete(parts);
}

static const char *numbered(char *path, int number) {
    char text[8];
    snprintf(text, sizeof text, "%06d", number);
    return memcpy(path, text, 6), path;
}

TEST(made_directories_are_limited) {
    static char path[MOTE_VFS_PATH_MAX + 1];
    mote_vfs_error error = MOTE_VFS_OK;
    int count = 0;
    mote_parts *parts = store_open(&stores[0], NULL);
    mote_vfs_node *dir = mount(parts, NULL);
    memset(path, 'x', sizeof path - 1);
    for (; count < 2000 && !error; count++)
        error = dir->ops->make_directory(dir, numbered(path, count));
    CHECK_EQ(error, MOTE_VFS_ENOSPC);
    CHECK(count > 1000);
    CHECK_EQ(dir->ops->remove_directory(dir, path), MOTE_VFS_ENOENT);
    numbered(path, 0);
    CHECK_EQ(dir->ops->remove_directory(dir, path), MOTE_VFS_OK);
    CHECK_EQ(dir->ops->make_directory(dir, path), MOTE_VFS_OK);
    /* Where nothing more is remembered, files and directories can still be removed and moved. */
    static char file[] = "000000 is longer than what is left/f", small[4000];
    for (int size = sizeof small - 1; size > 6; size /= 2) {
        memset(small, 'y', sizeof small);
        small[size] = 0;
        while (!dir->ops->make_directory(dir, numbered(small, count))) count++;
    }
    put_key(parts, numbered(file, -1), "1");
    CHECK_EQ(dir->ops->rename(dir, file, dir, "moved"), MOTE_VFS_OK);
    put_key(parts, file, "1");
    CHECK_EQ(dir->ops->unlink(dir, file), MOTE_VFS_OK);
    CHECK_STR(stored(parts, file), NULL);
    CHECK_STR(stored(parts, "moved"), "1");
    mote_vfs_release(dir);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- secrets, and what goes wrong */

TEST(secrets_are_files_that_nobody_writes) {
    mote_parts *parts;
    mote_vfs_node *dir, *file;
    mote_parts_config config = {.app_id = "shop"};
    char path[100], text[600];
    snprintf(path, sizeof path, "%s/secrets.json", store_make_folder());
    FILE *out = fopen(path, "w");
    fputs("{\"db\": {\"user\": \"me\", \"pw\": \"s3\"}, \"token\": \"t\"}", out);
    fclose(out);
    snprintf(text, sizeof text,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: secretstores.local.file\n"
             "  metadata: [{name: secretsFile, value: '%s'}, {name: multiValued, value: true}]\n",
             path);
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "s.yaml", text, strlen(text), NULL), MOTE_OK);
    dir = mount(parts, NULL);
    CHECK_STR(names_of(dir, "."), "db/ token");
    CHECK_STR(names_of(dir, "db"), "pw user");
    CHECK_STR(content(dir, "db/pw"), "s3");
    CHECK_EQ(open_at(dir, "token", RW, &file), MOTE_VFS_EROFS);
    CHECK_EQ(dir->ops->unlink(dir, "token"), MOTE_VFS_EROFS);
    CHECK_EQ(dir->ops->make_directory(dir, "x"), MOTE_VFS_EROFS);
    CHECK_EQ(dir->ops->rename(dir, "token", dir, "x"), MOTE_VFS_EROFS);
    mote_vfs_release(dir);
    mote_parts_delete(parts);
}

TEST(configuration_is_files_and_locks_are_none) {
    mote_parts *parts;
    mote_error error;
    mote_vfs_node *dir, *file;
    const mote_parts_config config = {.app_id = "shop"};
    char text[] =
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: store}, spec: "
        "{type: configuration.in-memory, metadata: [{name: values, value: '{\"ui/colour\": "
        "\"blue\", \"size\": 3}'}]}}\n---\n"
        "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: locks}, spec: "
        "{type: lock.in-memory}}\n";
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "s.yaml", text, strlen(text), NULL), MOTE_OK);
    dir = mount(parts, NULL);
    CHECK_STR(names_of(dir, "."), "size ui/");
    CHECK_STR(content(dir, "ui/colour"), "blue");
    CHECK_EQ(open_at(dir, "size", RW, &file), MOTE_VFS_EROFS);
    CHECK_EQ(dir->ops->unlink(dir, "size"), MOTE_VFS_EROFS);
    CHECK_EQ(mote_parts_mount(parts, "locks", NULL, &file, &error), MOTE_E_UNSUPPORTED);
    CHECK_STR(error.message, "locks holds locks, which are no files");
    mote_vfs_release(dir);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- stores that misbehave */

static int listen_somewhere(int *fd) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = !bind(*fd, (struct sockaddr *)&at, sizeof at) && !listen(*fd, 4) &&
                !getsockname(*fd, (struct sockaddr *)&at, &size);
    return good ? ntohs(at.sin_port) : 0;
}

/* What a Redis says of which one key is there when it is first listed, and none afterwards. */
static const char *answer_of(const char *command) {
    static bool has_listed;
    if (strstr(command, "SCRIPT")) return "$40\r\n0123456789012345678901234567890123456789\r\n";
    if (strstr(command, "HGETALL")) return "*0\r\n";
    const char *keys =
        has_listed ? "*2\r\n$1\r\n0\r\n*0\r\n" : "*2\r\n$1\r\n0\r\n*1\r\n$9\r\nmote||d/x\r\n";
    has_listed = true;
    return keys;
}

static pid_t lose_a_key(int listener) {
    pid_t pid = fork();
    if (pid) return pid;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        char command[4096];
        for (ssize_t size; (size = recv(fd, command, sizeof command - 1, 0)) > 0;) {
            command[size] = 0;
            const char *says = answer_of(command);
            if (send(fd, says, strlen(says), 0) < 0) break;
        }
    }
    _exit(0);
}

static char logged[400];
static void keep_line(void *context, const char *line) {
    (void)context;
    snprintf(logged, sizeof logged, "%s", line);
}

static mote_parts *load_redis_at(int port) {
    char yaml[400];
    mote_parts *parts = NULL;
    const mote_parts_config config = {.app_id = "mote", .log = keep_line};
    snprintf(yaml, sizeof yaml,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: state.redis\n  metadata: [{name: redisHost, value: '127.0.0.1:%d'}]\n",
             port);
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "r.yaml", yaml, strlen(yaml), NULL), MOTE_OK);
    return parts;
}

TEST(a_directory_whose_last_key_goes_meanwhile) {
    int fd, port = listen_somewhere(&fd);
    pid_t pid = lose_a_key(fd);
    mote_parts *parts = load_redis_at(port);
    mote_vfs_node *dir = mount(parts, NULL);
    CHECK_EQ(dir->ops->remove_directory(dir, "d"), MOTE_VFS_ENOTEMPTY);
    CHECK_EQ(dir->ops->remove_directory(dir, "d"), MOTE_VFS_ENOENT);
    mote_vfs_release(dir);
    mote_parts_delete(parts);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd);
}

static bool is_over_since(void *at_ns) {
    return mote__os_clock_ns(OS_CLOCK_MONOTONIC) > *(const uint64_t *)at_ns;
}

/* The component's own time is 20 s; the program's is over after a tenth of a second. */
static void look_impatiently(const struct store *store) {
    static char text[2000];
    mote_parts *parts;
    mote_vfs_stat st;
    mote_error error;
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS"), .log = keep_line};
    if (!store_yaml(store, "store", "", text, sizeof text)) return;
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    if (!CHECK_EQ(mote_parts_load_text(parts, "s.yaml", text, strlen(text), &error), MOTE_OK))
        printf("%s\n", error.message);
    mote_vfs_node *dir = mount(parts, NULL);
    uint64_t begin = mote__os_clock_ns(OS_CLOCK_MONOTONIC), end = begin + 100000000;
    mote_vfs_set_patience((mote_vfs_patience){is_over_since, &end});
    CHECK_EQ(dir->ops->stat_at(dir, "k", false, &st), MOTE_VFS_ECANCELED);
    CHECK_EQ(dir->ops->stat_at(dir, "k", false, &st), MOTE_VFS_ECANCELED);
    mote_vfs_set_patience((mote_vfs_patience){NULL, NULL});
    mote_vfs_release(dir);
    mote_parts_delete(parts);
    uint64_t took = mote__os_clock_ns(OS_CLOCK_MONOTONIC) - begin;
    if (!CHECK(took < 2000000000)) printf("  %s: %llu\n", store->name, (unsigned long long)took);
}

/* Whoever's time is over does not wait for a server that takes connections and says nothing. */
TEST(an_impatient_program_does_not_wait) {
    int fd;
    char port[8];
    snprintf(port, sizeof port, "%d", listen_somewhere(&fd));
    for (size_t i = 0; i < STORE_COUNT; i++) {
        const char *theirs = stores[i].server ? getenv(stores[i].server) : NULL;
        char kept[8];
        if (!theirs) continue;
        snprintf(kept, sizeof kept, "%s", theirs);
        setenv(stores[i].server, port, 1);
        look_impatiently(&stores[i]);
        setenv(stores[i].server, kept, 1);
    }
    close(fd);
}

/* Nor do many files, one after the other, that are still to be committed. */
TEST(many_files_of_a_program_whose_time_is_over) {
    enum { COUNT = 40 };
    static char text[2000], path[8];
    mote_vfs_node *files[COUNT];
    const struct store *redis = &stores[2];
    const mote_parts_config config = {.log = keep_line};
    mote_parts *parts;
    pid_t server = server_pid(redis);
    if (!server || !store_yaml(redis, "store", "", text, sizeof text)) return;
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "s.yaml", text, strlen(text), NULL), MOTE_OK);
    mote_vfs_node *dir = mount(parts, "late");
    for (int i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "f%d", i);
        CHECK_EQ(open_at(dir, path, REPLACE, &files[i]), MOTE_VFS_OK);
    }
    uint64_t begin = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    mote_vfs_set_patience((mote_vfs_patience){is_over_since, &begin});
    kill(server, SIGSTOP);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(mote_vfs_release(files[i]), MOTE_VFS_ECANCELED);
    kill(server, SIGCONT);
    uint64_t took = mote__os_clock_ns(OS_CLOCK_MONOTONIC) - begin;
    mote_vfs_set_patience((mote_vfs_patience){NULL, NULL});
    if (!CHECK(took < COUNT * 25000000ull)) printf("  %llu\n", (unsigned long long)took);
    CHECK_STR(logged, "component store: `latef39` was not kept: the program's time was over");
    mote_vfs_release(dir);
    mote_parts_delete(parts);
}

/* What is said names the file, or that it was the whole mount. */
TEST(what_people_are_told) {
    int fd, port = listen_somewhere(&fd);
    mote_vfs_node *dir, *file;
    mote_parts *parts = load_redis_at(port);
    close(fd);
    dir = mount(parts, NULL);
    CHECK_EQ(dir->ops->list(dir, take_name, &(struct names){.count = 0}), MOTE_VFS_EIO);
    if (!CHECK(strstr(logged, "component store: listing all keys: "))) printf("%s\n", logged);
    mote_vfs_release(dir);
    mote_parts_delete(parts);
    const mote_parts_config config = {.log = keep_line};
    const char text[] = "{apiVersion: dapr.io/v1alpha1, kind: Component, metadata: {name: store}, "
                        "spec: {type: state.in-memory}}\n";
    CHECK_EQ(mote_parts_new(&config, &parts, NULL), MOTE_OK);
    CHECK_EQ(mote_parts_load_text(parts, "m.yaml", text, strlen(text), NULL), MOTE_OK);
    dir = mount(parts, "p/");
    logged[0] = 0;
    CHECK_EQ(open_at(dir, "a/b", NEW, &file), MOTE_VFS_OK);
    put_key(parts, "p/a/b", "theirs");
    CHECK_EQ(mote_vfs_release(file), MOTE_VFS_EAGAIN);
    CHECK_STR(logged,
              "component store: `p/a/b` was not kept: somebody else has written it meanwhile");
    mote_vfs_release(dir);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- without memory */

static bool use_a_mount(const mote_allocator *a, void *context) {
    const mote_parts_config config = {.allocator = a, .driver_dir = getenv("MOTE_DRIVERS")};
    const char *text = context;
    mote_parts *parts;
    mote_vfs_node *dir = NULL;
    if (mote_parts_new(&config, &parts, NULL)) return false;
    bool good = !mote_parts_load_text(parts, "c.yaml", text, strlen(text), NULL) &&
                !mote_parts_mount(parts, "store", "p/", &dir, NULL);
    if (good)
        good = !put(dir, "a/b", "text") && !dir->ops->make_directory(dir, "d") &&
               !dir->ops->rename(dir, "a/b", dir, "c");
    struct names n = {.count = 0};
    mote_vfs_node *file = NULL;
    if (good)
        good = !open_at(dir, "c", RW, &file) && !dir->ops->rename(dir, "c", dir, "e") &&
               !write_at(file, "text that is longer", 0) && !dir->ops->rename(dir, "e", dir, "c");
    if (file) good = !mote_vfs_release(file) && good;
    if (good)
        good = !dir->ops->list(dir, take_name, &n) && n.count == 3 && content(dir, "c") &&
               !dir->ops->unlink(dir, "c");
    mote_vfs_release(dir);
    mote_parts_delete(parts);
    return good;
}

TEST(no_memory) {
    char text[2000];
    for (size_t i = 0; i < STORE_COUNT; i++) {
        if (!store_yaml(&stores[i], "store", "  - {name: keyPrefix, value: mountmemory}\n", text,
                        sizeof text))
            continue;
        if (!CHECK(fail_alloc_sweep(use_a_mount, text) > 30)) printf("  %s\n", stores[i].name);
    }
}
