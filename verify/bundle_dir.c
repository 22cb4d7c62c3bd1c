/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_dir.c: see bundle_dir.h. Must never follow a link, nor remove what
 * another process is still writing. */
#include "verify/bundle_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/banned.h"

#define TEMP_PREFIX ".seal-"
#define LOCK_TRIES  500
#define LOCK_WAIT   10000 /* microseconds */
#define MAX_DEPTH   (CV_MAX_PATH_DEPTH + 8)

int
cv_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = (flags & O_CREAT) != 0 ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

int
cv_dir_parents(int dirfd, const char *path, struct cv_err *e)
{
	char part[CV_MAX_PATH + 1];
	size_t i, n = strlen(path);

	if (n >= sizeof(part))
		return cv_fail(e, CV_R_LIMIT, "a path of %zu bytes, want at most %d", n,
			       CV_MAX_PATH);
	memcpy(part, path, n + 1);
	for (i = 1; i < n; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		/* names come from validated lists, the directory is ours alone */
		if (mkdirat(dirfd, part, 0700) != 0 && errno != EEXIST)
			return cv_fail_errno(e, "cannot make %s", part);
		part[i] = '/';
	}
	return 0;
}

/* ---- walking ---- */

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
	*d = NULL;
}

/* entries: a stream over the directory fd, which stays the caller's. */
static DIR *
entries(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;

	if (d == NULL)
		cv_closep(&copy);
	return d;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int
remove_in(int fd, unsigned depth, struct cv_err *e)
{
	cv_auto(close_dir) DIR *d = entries(fd);
	struct dirent *entry;

	if (d == NULL)
		return cv_fail_errno(e, "cannot list a directory to be removed");
	if (depth > MAX_DEPTH)
		return cv_fail(e, CV_R_LIMIT, "directories more than %d deep", MAX_DEPTH);
	(void)fchmod(fd, 0700);
	while ((entry = readdir(d)) != NULL) {
		cv_auto(cv_closep) int sub = -1;

		if (is_dots(entry->d_name))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return cv_fail_errno(e, "cannot remove %s", entry->d_name);
		sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0)
			return cv_fail_errno(e, "cannot remove %s", entry->d_name);
		if (remove_in(sub, depth + 1, e) != 0)
			return -1;
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) != 0)
			return cv_fail_errno(e, "cannot remove %s", entry->d_name);
	}
	return 0;
}

int
cv_dir_remove(int parent, const char *name, struct cv_err *e)
{
	cv_auto(cv_closep) int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return cv_fail_errno(e, "cannot remove %s", name);
	if (remove_in(fd, 0, e) != 0)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
		return cv_fail_errno(e, "cannot remove %s", name);
	return 0;
}

static int
protect(int fd, unsigned depth, struct cv_err *e)
{
	cv_auto(close_dir) DIR *d = entries(fd);
	struct dirent *entry;

	if (d == NULL)
		return cv_fail_errno(e, "cannot list a directory to be sealed");
	if (depth > MAX_DEPTH)
		return cv_fail(e, CV_R_LIMIT, "directories more than %d deep", MAX_DEPTH);
	while ((entry = readdir(d)) != NULL) {
		cv_auto(cv_closep) int sub = -1;

		if (is_dots(entry->d_name))
			continue;
		sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 && (errno == ENOTDIR || errno == ELOOP))
			continue;
		if (sub < 0)
			return cv_fail_errno(e, "cannot seal %s", entry->d_name);
		if (protect(sub, depth + 1, e) != 0)
			return -1;
	}
	if (fchmod(fd, 0555) != 0)
		return cv_fail_errno(e, "cannot make a directory read-only");
	return 0;
}

int
cv_dir_seal(int fd, struct cv_err *e)
{
	if (protect(fd, 0, e) != 0)
		return -1;
	/* One syncfs for thousands of files and directories, where an fsync of
	 * each would wait for the disk as many times. It reports write errors
	 * (Linux 5.8). */
	if (syncfs(fd) != 0)
		return cv_fail_errno(e, "cannot sync");
	return 0;
}

int
cv_dir_lock(int fd, bool alone, struct cv_err *e)
{
	unsigned tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return cv_fail_errno(e, "a bundle cannot be locked");
		(void)usleep(LOCK_WAIT);
	}
	return cv_fail(e, CV_R_DEADLINE, "another process keeps the bundle locked");
}

/* ---- temporary directories ---- */

bool
cv_dir_same(int parent, const char *name, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(parent, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
cv_dir_temp(int parent, char name[CV_DIR_TEMP], int *ret, struct cv_err *e)
{
	unsigned tries;

	for (tries = 0; tries < 16; tries++) {
		cv_auto(cv_closep) int fd = -1;
		uint8_t random[8];
		char hex[17];

		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return cv_fail_errno(e, "no random name");
		cv_hex_encode(hex, random, sizeof(random));
		(void)snprintf(name, CV_DIR_TEMP, TEMP_PREFIX "%s", hex);
		if (mkdirat(parent, name, 0700) != 0 && errno == EEXIST)
			continue;
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return cv_fail_errno(e, "cannot write a bundle here");
		/* somebody's sweep may come between: then it is gone, or held */
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !cv_dir_same(parent, name, fd))
			continue;
		*ret = fd;
		fd = -1;
		return 0;
	}
	return cv_fail(e, CV_R_IO, "cannot make a temporary directory: 16 tries failed");
}

void
cv_dir_sweep(int parent)
{
	cv_auto(close_dir) DIR *d = entries(parent);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		cv_auto(cv_closep) int fd = -1;
		struct cv_err ignored;

		if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) != 0)
			continue;
		fd = openat(parent, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
		    !cv_dir_same(parent, entry->d_name, fd))
			continue;
		/* what cannot be removed is only waste, and the next one tries */
		if (cv_dir_remove(parent, entry->d_name, &ignored) != 0)
			continue;
	}
}

/* ---- whose directory it is ---- */

static int
guarded_one(const char *path, bool top, struct cv_err *e)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return cv_fail_errno(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return cv_fail(e, CV_R_RULE, "%s: not a directory", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return cv_fail(
			e, CV_R_RULE,
			"%s: belongs to user %u, who could exchange what would be started; want "
			"your own or root's",
			path, (unsigned)st.st_uid);
	if ((st.st_mode & 022) != 0 && (top || (st.st_mode & S_ISVTX) == 0))
		return cv_fail(
			e, CV_R_RULE,
			"%s: others may write there (mode %04o) and could exchange what would "
			"be started",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

int
cv_dir_guarded(const char *path, struct cv_err *e)
{
	char part[CV_MAX_PATH + 1];
	size_t i, n = strlen(path);

	if (n == 0 || n >= sizeof(part) || path[0] != '/')
		return cv_fail(e, CV_R_BUG, "a path that is not absolute");
	memcpy(part, path, n + 1);
	if (guarded_one("/", false, e) != 0)
		return -1;
	for (i = 1; i < n; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		if (guarded_one(part, false, e) != 0)
			return -1;
		part[i] = '/';
	}
	return guarded_one(part, true, e);
}
