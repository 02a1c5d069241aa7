/* beneath.h - paths of the host that cannot leave a directory.
 *
 * Both ways of finding out where a path leads are race-free: nothing is looked up twice by name.
 * Where the kernel has openat2, RESOLVE_BENEATH does the work; elsewhere the path is walked one
 * component at a time, each opened with O_NOFOLLOW relative to the one before, links being read and
 * spliced in by hand, and ".." going back to a descriptor that is still open. Leading out is
 * MOTE_VFS_EPERM in both. */
#ifndef MOTE_WASI1_BENEATH_H
#define MOTE_WASI1_BENEATH_H

#include <mote/vfs.h>

enum { BENEATH_NAME_MAX = 255 };

/* Where a path's last component is: a directory that is open and a name in it. The name is "." when
 * the path ends in "." or "..". */
struct beneath_place {
    int fd;
    bool owned;     /* fd was opened for this place */
    bool directory; /* the path ended in a slash: only a directory will do */
    char name[BENEATH_NAME_MAX + 1];
};

enum beneath_mode { BENEATH_AUTO, BENEATH_KERNEL, BENEATH_WALK };

/* For tests: forces one of the two ways; AUTO finds out again what the kernel has. */
void mote__beneath_force(enum beneath_mode mode);

/* Opens a path as openat would, close-on-exec. flags: O_NOFOLLOW says not to follow a link in the
 * last place. */
mote_vfs_error mote__beneath_open(int dir, const char *path, int flags, int *fd);

/* Finds the place of a path's last component. follow: if that is a link, the place of what it
 * points to (which may not exist); then the name was no link when it was looked at, and must be
 * used with AT_SYMLINK_NOFOLLOW. */
mote_vfs_error mote__beneath_locate(int dir, const char *path, bool follow,
                                    struct beneath_place *out);
void mote__beneath_release(struct beneath_place *place);

#endif
