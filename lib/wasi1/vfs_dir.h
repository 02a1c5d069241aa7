/* vfs_dir.h - what a table of a file system's directories holds besides the calls of every node: the functions dir_* of the file that includes it. */
#ifndef MOTE_WASI1_VFS_DIR_H
#define MOTE_WASI1_VFS_DIR_H

#include <mote/vfs.h>

#define DIRECTORY_OPS                                                                              \
    .open = dir_open, .stat_at = dir_stat_at, .set_times_at = dir_set_times_at,                    \
    .make_directory = dir_make_directory, .remove_directory = dir_remove_directory,                \
    .unlink = dir_unlink, .read_link = dir_read_link, .make_link = dir_make_link,                  \
    .rename = dir_rename, .link = dir_link, .list = dir_list

#endif
