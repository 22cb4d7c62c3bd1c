/* SPDX-License-Identifier: Apache-2.0 */
/* guarded.c: see guarded.h. Must never follow a link that somebody else could exchange. */
#include "verify/guarded.h"
#include "verify/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/auto.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define MAX_LINKS 40

struct walk {
	const char *path; /* for messages */
	int dir;
	unsigned links;
	char rest[2 * PATH_MAX + 2];
};

/* ours: nobody but this user and root can have made it. `what` is part of the path. */
static int
ours(const struct walk *w, const struct stat *st, const char *what, struct cv_err *e)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return cv_fail(
		e, CV_R_CONFIG,
		"%s: %s belongs to user %u, so it can decide nothing; want your own or root's",
		w->path, what, (unsigned)st->st_uid);
}

static int
writable(const struct walk *w, const struct stat *st, const char *what, struct cv_err *e)
{
	return cv_fail(e, CV_R_CONFIG,
		       "%s: others can write %s (mode %04o), so it can decide nothing; chmod go-w",
		       w->path, what, (unsigned)(st->st_mode & 07777));
}

static int
directory(const struct walk *w, const char *what, struct cv_err *e)
{
	struct stat st;

	if (fstat(w->dir, &st) != 0)
		return cv_conf_errno(e, "%s", w->path);
	if (ours(w, &st, what, e) != 0)
		return -1;
	/* in a sticky one, like /tmp, each entry is its owner's alone */
	if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		return writable(w, &st, what, e);
	return 0;
}

static int
go(struct walk *w, int fd, const char *what, struct cv_err *e)
{
	if (fd < 0)
		return cv_conf_errno(e, "%s", w->path);
	cv_closep(&w->dir);
	w->dir = fd;
	return directory(w, what, e);
}

/* through: a link, put before what is still to be walked. */
static int
through(struct walk *w, const char *name, const char *after, struct cv_err *e)
{
	char again[sizeof(w->rest)];
	ssize_t n = readlinkat(w->dir, name, again, PATH_MAX);

	if (n < 0)
		return cv_conf_errno(e, "%s", w->path);
	if (n == 0 || n == PATH_MAX || ++w->links > MAX_LINKS || strlen(after) > PATH_MAX)
		return cv_fail(e, CV_R_CONFIG, "%s: too many links, or too long ones", w->path);
	memcpy(again + n, after, strlen(after) + 1);
	memcpy(w->rest, again, (size_t)n + strlen(after) + 1);
	if (again[0] == '/')
		return go(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/", e);
	return 0;
}

static int
walk(struct walk *w, struct cv_err *e)
{
	const char *p = w->rest;
	struct stat st;

	for (;;) {
		char name[NAME_MAX + 1];
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0 || n > NAME_MAX)
			return cv_fail(e, CV_R_CONFIG, "%s: not the path of a file", w->path);
		cv_text_fmt(name, sizeof(name), "%.*s", (int)n, p);
		p += n;
		if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT || errno == ENOTDIR)
				return cv_fail(e, CV_R_CONFIG, "%s: there is no such file",
					       w->path);
			return cv_conf_errno(e, "%s", w->path);
		}
		if (ours(w, &st, name, e) != 0)
			return -1;
		if (S_ISLNK(st.st_mode)) {
			if (through(w, name, p, e) != 0)
				return -1;
			p = w->rest;
		} else if (*p == '\0') {
			break;
		} else if (go(w,
			      openat(w->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
			      name, e) != 0) {
			return -1;
		}
	}
	return (st.st_mode & 022) != 0 ? writable(w, &st, "it", e) : 0;
}

/* begin: the path as an absolute one; below dirfd, where that directory is by name, so that
 * what lies above it counts. */
static int
begin(struct walk *w, int dirfd, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = -1;
	char link[64], here[PATH_MAX];
	ssize_t n;

	if (strlen(w->path) >= PATH_MAX)
		return cv_fail(e, CV_R_CONFIG, "%s: too long a path", w->path);
	if (w->path[0] == '/') {
		memcpy(w->rest, w->path, strlen(w->path) + 1);
		return 0;
	}
	fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cv_text_fmt(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, here, sizeof(here));
	if (n <= 0 || (size_t)n >= sizeof(here))
		return cv_conf_errno(e, "%s", w->path);
	cv_text_fmt(w->rest, sizeof(w->rest), "%.*s/%s", (int)n, here, w->path);
	return 0;
}

int
cv_guarded(int dirfd, const char *path, struct cv_err *e)
{
	struct walk w = { .path = path, .dir = -1 };
	int r = begin(&w, dirfd, e);

	if (r == 0)
		r = go(&w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/", e);
	if (r == 0)
		r = walk(&w, e);
	cv_closep(&w.dir);
	return r;
}
