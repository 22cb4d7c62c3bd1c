/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local.c: see local.h. Must never read through a link or out of the directory,
 * nor hand on bytes of a file that is no longer the one that was hashed.
 */
#include "verify/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/local_int.h"

#include "trust/base/banned.h"

int
cv_local_stopped(int64_t deadline, int cancel_fd, struct cv_err *e)
{
	struct pollfd p = { .fd = cancel_fd, .events = POLLIN };

	if (cancel_fd >= 0 && poll(&p, 1, 0) > 0)
		return cv_fail(e, CV_R_CANCELLED, "the request was taken back");
	if (deadline != 0 && cv_mono_left(deadline) == 0)
		return cv_fail(e, CV_R_DEADLINE, "the time for this run is over");
	return 0;
}

static int
open_how(int dir, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

int
cv_local_at(int dir, const char *path)
{
	return open_how(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

/* kind_word: what a file is, for people. */
static const char *
kind_word(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "a fifo";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a directory";
	default:
		return "something else";
	}
}

/* open_failed: errno of an openat2 that failed, as an answer. */
static int
open_failed(const char *path, const char **check, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	int error = errno;

	cv_text_brief(brief, cv_span_str(path));
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		*check = "fetch.absent";
		return cv_fail(e, CV_R_ABSENT, "%s: there is no such file", brief);
	case ELOOP:
	case EXDEV:
		*check = "file.unsafe";
		return cv_fail(e, CV_R_RULE,
			       "%s: leads through a symbolic link or out of the agent's directory",
			       brief);
	default:
		errno = error;
		return cv_fail_errno(e, "%s", brief);
	}
}

static int
refuse_kind(const char *path, mode_t mode, const char *want, const char **check, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];

	*check = "file.unsafe";
	return cv_fail(e, CV_R_RULE, "%s: is %s, want %s", cv_text_brief(brief, cv_span_str(path)),
		       kind_word(mode), want);
}

/* look: what is there, without opening it for reading (a fifo or a device may
 * do something when it is opened). */
static int
look(int dir, const char *path, struct stat *st, const char **check, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = open_how(dir, path, O_PATH);

	if (fd < 0)
		return open_failed(path, check, e);
	if (fstat(fd, st) != 0)
		return cv_fail_errno(e, "%s", path);
	return 0;
}

/* open_file: a regular file, open for reading, and its state. */
int
cv_local_regular(int dir, const char *path, struct stat *st, const char **check, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = -1;
	int out;

	if (look(dir, path, st, check, e) != 0)
		return -1;
	if (!S_ISREG(st->st_mode))
		return refuse_kind(path, st->st_mode, "a regular file", check, e);
	fd = cv_local_at(dir, path);
	if (fd < 0)
		return open_failed(path, check, e);
	if (fstat(fd, st) != 0)
		return cv_fail_errno(e, "%s", path);
	if (!S_ISREG(st->st_mode))
		return refuse_kind(path, st->st_mode, "a regular file", check, e);
	out = fd;
	fd = -1;
	return out;
}

int
cv_local_file(int dir, const char *path, uint64_t max, struct cv_blob *ret, const char **check,
	      struct cv_err *e)
{
	struct stat st;
	int fd;

	*check = NULL;
	fd = cv_local_regular(dir, path, &st, check, e);
	if (fd < 0 && e->reason == CV_R_ABSENT)
		return 0;
	if (fd < 0)
		return -1;
	if ((uint64_t)st.st_size > max) {
		close(fd);
		*check = "file.unsafe";
		return cv_fail(e, CV_R_LIMIT, "%s: %lld bytes, at most %llu are accepted", path,
			       (long long)st.st_size, (unsigned long long)max);
	}
	*ret = (struct cv_blob){ .fd = fd, .off = 0, .len = (uint64_t)st.st_size };
	return 1;
}

/* ---- names ---- */

/* full: path of an entry below base_fd. */
const char *
cv_local_full(const struct cv_local *l, const char *rel, char out[LOCAL_PATH])
{
	if (rel[0] == '\0')
		cv_text_fmt(out, LOCAL_PATH, "%s", l->path);
	else if (strcmp(l->path, ".") == 0)
		cv_text_fmt(out, LOCAL_PATH, "%s", rel);
	else
		cv_text_fmt(out, LOCAL_PATH, "%s/%s", l->path, rel);
	return out;
}

static bool
selected(const struct cv_local *l, const char *rel)
{
	size_t i;

	if (l->globs == NULL || l->globs->n == 0)
		return true;
	for (i = 0; i < l->globs->n; i++)
		if (cv_glob(l->globs->v[i].text, rel))
			return true;
	return false;
}

static bool
globbed(const struct cv_local *l)
{
	return l->globs != NULL && l->globs->n > 0;
}

static struct entry *
entry_new(struct cv_local *l, const char *rel, const struct stat *st, struct cv_err *e)
{
	struct entry *x;

	if (l->n >= CV_MAX_TREE_FILES) {
		cv_fail(e, CV_R_LIMIT, "%s: more than %d files", l->path, CV_MAX_TREE_FILES);
		return NULL;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		struct entry *v = reallocarray(l->v, cap, sizeof(*v));

		if (v == NULL) {
			cv_fail_memory(e);
			return NULL;
		}
		l->v = v;
		l->cap = cap;
	}
	x = &l->v[l->n];
	*x = (struct entry){ .st = *st };
	x->path = cv_mem_str(&l->mem, rel, e);
	if (x->path == NULL)
		return NULL;
	l->n++;
	return x;
}

/* ---- listing ---- */

static int
add_link(struct cv_local *l, int dir, const char *name, const char *rel, const struct stat *st,
	 struct cv_err *e)
{
	char target[CV_MAX_PATH + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	struct entry *x;

	if (n < 0)
		return cv_fail_errno(e, "%s: readlink", rel);
	target[n] = '\0';
	x = entry_new(l, rel, st, e);
	if (x == NULL)
		return -1;
	x->target = cv_mem_str(&l->mem, target, e);
	return x->target == NULL ? -1 : 0;
}

static int list(struct cv_local *l, const char *rel, unsigned depth, const char **check,
		struct cv_err *e);

static int
list_entry(struct cv_local *l, int dir, const char *parent, const char *name, unsigned depth,
	   const char **check, struct cv_err *e)
{
	char rel[CV_MAX_PATH + 2];
	struct stat st;

	if (strlen(parent) + strlen(name) + 2 > CV_MAX_PATH)
		return cv_fail(e, CV_R_LIMIT, "%s: a path longer than %d bytes", l->path,
			       CV_MAX_PATH);
	cv_text_fmt(rel, sizeof(rel), "%s%s%s", parent, parent[0] == '\0' ? "" : "/", name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cv_fail_errno(e, "%s", rel);
	if (S_ISDIR(st.st_mode))
		return list(l, rel, depth + 1, check, e);
	if (!selected(l, rel))
		return 0;
	if (S_ISLNK(st.st_mode))
		return add_link(l, dir, name, rel, &st, e);
	if (!S_ISREG(st.st_mode))
		return refuse_kind(cv_local_full(l, rel, l->scratch), st.st_mode,
				   "a regular file, a directory or a link", check, e);
	return entry_new(l, rel, &st, e) == NULL ? -1 : 0;
}

static int
list_names(struct cv_local *l, DIR *d, const char *rel, unsigned depth, const char **check,
	   struct cv_err *e)
{
	struct dirent *ent;
	struct stat st;

	/* Its state from before its names were read: an entry that comes or goes
	 * from here on is seen by cv_local_same(), even one that comes and goes. */
	if (fstat(dirfd(d), &st) != 0)
		return cv_fail_errno(e, "%s", rel);
	if (!globbed(l) && entry_new(l, rel, &st, e) == NULL)
		return -1;
	for (;;) {
		errno = 0;
		ent = readdir(d);
		if (ent == NULL)
			break;
		if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
			continue;
		if (list_entry(l, dirfd(d), rel, ent->d_name, depth, check, e) != 0)
			return -1;
	}
	return errno != 0 ? cv_fail_errno(e, "%s: cannot list", rel) : 0;
}

static int
list(struct cv_local *l, const char *rel, unsigned depth, const char **check, struct cv_err *e)
{
	DIR *d;
	int fd, rc;

	if (depth > CV_MAX_PATH_DEPTH)
		return cv_fail(e, CV_R_LIMIT, "%s: more than %d directories deep", l->path,
			       CV_MAX_PATH_DEPTH);
	if (cv_local_stopped(l->o.deadline, l->o.cancel_fd, e) != 0)
		return -1;
	fd = open_how(l->o.base_fd, cv_local_full(l, rel, l->scratch), O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return open_failed(l->scratch, check, e);
	d = fdopendir(fd);
	if (d == NULL) {
		rc = cv_fail_errno(e, "%s", rel);
		close(fd);
		return rc;
	}
	rc = list_names(l, d, rel, depth, check, e);
	closedir(d);
	return rc;
}

int
cv_local_list(struct cv_local *l, const char **check, struct cv_err *e)
{
	return list(l, "", 1, check, e);
}

/* ---- the tree ---- */

static int
make_tree(struct cv_local *l, const char **check, struct cv_err *e)
{
	size_t i, root = globbed(l) ? 0 : 1; /* what has no name of its own in it */

	*check = "file.unsafe"; /* what the tree refuses: names, links, collisions */
	if (l->n == root)
		return cv_fail(e, CV_R_ABSENT, "%s: %s", l->path,
			       globbed(l) ? "no file matches \"files\"" : "the directory is empty");
	if (cv_tree_open(&l->tree, l->path, e) != 0)
		return -1;
	for (i = root; i < l->n; i++) {
		const struct entry *x = &l->v[i];

		if (cv_tree_add_mode(l->tree, x->path, x->st.st_mode, (uint64_t)x->st.st_size,
				     S_ISREG(x->st.st_mode) ? &x->digest : NULL, x->target, e) != 0)
			return -1;
	}
	if (cv_tree_end(l->tree, &l->digest, e) != 0)
		return -1;
	*check = NULL;
	return 0;
}

static int
open_single(struct cv_local *l, const char **check, struct cv_err *e)
{
	if (cv_local_hash_all(l, check, e) != 0)
		return -1;
	l->digest = l->files[0]->digest;
	return 0;
}

int
cv_local_open(struct cv_local **ret, const struct cv_local_opts *opts, const char **check,
	      struct cv_err *e)
{
	cv_auto(cv_local_free) struct cv_local *l = calloc(1, sizeof(*l));
	struct stat st;

	*check = NULL;
	if (l == NULL)
		return cv_fail_memory(e);
	l->o = *opts;
	l->globs = opts->globs;
	l->path = cv_mem_str(&l->mem, opts->path, e);
	if (l->path == NULL || look(opts->base_fd, l->path, &st, check, e) != 0)
		return -1;
	if (S_ISREG(st.st_mode)) {
		l->single = true;
		if (entry_new(l, "", &st, e) == NULL || open_single(l, check, e) != 0)
			return -1;
	} else if (S_ISDIR(st.st_mode)) {
		if (cv_local_list(l, check, e) != 0 || cv_local_hash_all(l, check, e) != 0 ||
		    make_tree(l, check, e) != 0)
			return -1;
	} else {
		return refuse_kind(l->path, st.st_mode, "a regular file or a directory", check, e);
	}
	*ret = cv_steal(l);
	return 0;
}

/* ---- what is known of it ---- */

void
cv_local_free(struct cv_local **l)
{
	if (*l == NULL)
		return;
	cv_tree_free(&(*l)->tree);
	cv_mem_free(&(*l)->mem);
	free((*l)->files);
	free((*l)->v);
	free(*l);
	*l = NULL;
}

bool
cv_local_single(const struct cv_local *l)
{
	return l->single;
}

const struct cv_digest *
cv_local_digest(const struct cv_local *l)
{
	return &l->digest;
}

uint64_t
cv_local_bytes(const struct cv_local *l)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < l->nfiles; i++)
		n += (uint64_t)l->files[i]->st.st_size;
	return n;
}

struct cv_tree *
cv_local_tree(struct cv_local *l)
{
	return cv_steal(l->tree);
}

size_t
cv_local_count(const struct cv_local *l)
{
	return l->nfiles;
}

const char *
cv_local_name(const struct cv_local *l, size_t i)
{
	const char *slash = strrchr(l->path, '/');

	if (!l->single)
		return l->files[i]->path;
	return slash != NULL ? slash + 1 : l->path;
}

const struct cv_digest *
cv_local_hash(const struct cv_local *l, size_t i)
{
	return &l->files[i]->digest;
}

int
cv_local_blob(const struct cv_local *l, size_t i, struct cv_blob *ret, const char **check,
	      struct cv_err *e)
{
	const struct entry *x = l->files[i];
	char path[LOCAL_PATH];
	cv_auto(cv_closep) int fd = -1;
	struct stat st;

	*check = NULL;
	fd = cv_local_regular(l->o.base_fd, cv_local_full(l, x->path, path), &st, check, e);
	if (fd < 0)
		return e->reason == CV_R_ABSENT ? cv_local_changed(path, check, e) : -1;
	if (!cv_local_same_file(&st, &x->st))
		return cv_local_changed(path, check, e);
	*ret = (struct cv_blob){ .fd = fd, .off = 0, .len = (uint64_t)st.st_size };
	fd = -1;
	return 0;
}
