/* path_directories.c - path_create_directory, path_remove_directory, path_unlink_file. */
#include "wasi_test.h"

TEST(make_and_remove) {
    MUST(__wasi_path_create_directory(ROOT, "d"));
    CHECK(exists("d"));
    FAILS(EXIST, __wasi_path_create_directory(ROOT, "d"));
    MUST(__wasi_path_remove_directory(ROOT, "d"));
    CHECK(!exists("d"));
    FAILS(NOENT, __wasi_path_remove_directory(ROOT, "d"));
}

TEST(make_where_it_cannot_be) {
    MUST(put("file", ""));
    FAILS(EXIST, __wasi_path_create_directory(ROOT, "file"));
    FAILS(NOTDIR, __wasi_path_create_directory(ROOT, "file/d"));
    FAILS(NOENT, __wasi_path_create_directory(ROOT, "missing/d"));
    FAILS2(NOENT, INVAL, __wasi_path_create_directory(ROOT, ""));
    FAILS(EXIST, __wasi_path_create_directory(ROOT, "."));
}

TEST(trailing_slashes) {
    MUST(__wasi_path_create_directory(ROOT, "slash/"));
    CHECK(exists("slash"));
    MUST(__wasi_path_remove_directory(ROOT, "slash/"));
    MUST(put("plain", ""));
    FAILS(NOTDIR, __wasi_path_unlink_file(ROOT, "plain/"));
    FAILS(NOTDIR, __wasi_path_remove_directory(ROOT, "plain/"));
    CHECK(exists("plain"));
}

TEST(remove_what_is_not_empty) {
    MUST(__wasi_path_create_directory(ROOT, "full"));
    MUST(put("full/f", ""));
    FAILS(NOTEMPTY, __wasi_path_remove_directory(ROOT, "full"));
    MUST(__wasi_path_unlink_file(ROOT, "full/f"));
    MUST(__wasi_path_remove_directory(ROOT, "full"));
}

TEST(remove_the_wrong_kind) {
    MUST(put("f", ""));
    MUST(__wasi_path_create_directory(ROOT, "dir"));
    FAILS(NOTDIR, __wasi_path_remove_directory(ROOT, "f"));
    FAILS2(ISDIR, PERM, __wasi_path_unlink_file(ROOT, "dir"));
    FAILS3(ISDIR, PERM, NOTDIR, __wasi_path_unlink_file(ROOT, "dir/"));
    CHECK(exists("f") && exists("dir"));
}

TEST(unlink) {
    MUST(put("short-lived", ""));
    MUST(__wasi_path_unlink_file(ROOT, "short-lived"));
    CHECK(!exists("short-lived"));
    FAILS(NOENT, __wasi_path_unlink_file(ROOT, "short-lived"));
}

TEST(unlink_takes_the_link) {
    MUST(put("kept", "kept"));
    MUST(__wasi_path_symlink("kept", ROOT, "link"));
    FAILS(NOTDIR, __wasi_path_remove_directory(ROOT, "link"));
    MUST(__wasi_path_unlink_file(ROOT, "link"));
    CHECK(holds("kept", "kept"));
}

TEST(the_root_stays) {
    __wasi_filestat_t stat;
    CHECK(__wasi_path_remove_directory(ROOT, ".") != __WASI_ERRNO_SUCCESS);
    MUST(__wasi_path_filestat_get(ROOT, 0, ".", &stat));
}

TEST(bad_descriptors) {
    FAILS(BADF, __wasi_path_create_directory(999, "x"));
    FAILS(BADF, __wasi_path_remove_directory(999, "x"));
    FAILS(BADF, __wasi_path_unlink_file(999, "x"));
    FAILS3(BADF, NOTDIR, NOTCAPABLE, __wasi_path_create_directory(1, "x"));
}
