/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c: opening a sealed bundle. Must never call one good of which a single
 * byte, mode or name is not what a trusted key signed. */
#include "verify/bundle_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/statement.h"
#include "verify/bundle_dir.h"
#include "trust/base/banned.h"

#define MAX_REPORT (64 * CV_MIB)

/* ---- what is there is what was listed ---- */

static const char *
kind_of(mode_t mode)
{
	return S_ISREG(mode)   ? "a file"
	       : S_ISDIR(mode) ? "a directory"
	       : S_ISLNK(mode) ? "a symbolic link"
			       : "a special file";
}

/* open_plain: a regular file of ours that nobody has another name for. */
static int
open_plain(int top, const char *path, mode_t mode, struct stat *st, struct cv_err *e)
{
	int fd = cv_beneath(top, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);

	if (fd < 0 && errno == ENOENT)
		return cv_fail(e, CV_R_DIGEST, "%s: missing", path);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR || errno == ENXIO || errno == EXDEV))
		return cv_fail(e, CV_R_DIGEST,
			       "%s: reached by a link or through something else than "
			       "directories, want a file",
			       path);
	if (fd < 0 || fstat(fd, st) != 0) {
		cv_fail_errno(e, "%s", path);
		cv_closep(&fd);
		return -1;
	}
	if (!S_ISREG(st->st_mode))
		cv_fail(e, CV_R_DIGEST, "%s: found %s, want a file", path, kind_of(st->st_mode));
	else if ((st->st_mode & 07777) != mode)
		cv_fail(e, CV_R_DIGEST, "%s: mode %04o, want %04o", path,
			(unsigned)(st->st_mode & 07777), (unsigned)mode);
	else if (st->st_nlink != 1)
		cv_fail(e, CV_R_DIGEST, "%s: has %lu names, want 1", path,
			(unsigned long)st->st_nlink);
	else
		return fd;
	close(fd);
	return -1;
}

static int
check_file(int top, const struct cv_member *m, struct cv_err *e)
{
	char a[CV_DIGEST_TEXT], b[CV_DIGEST_TEXT];
	struct cv_digest got;
	struct stat st;
	cv_auto(cv_closep) int fd =
		open_plain(top, m->path, m->kind == CV_M_EXEC ? 0555 : 0444, &st, e);

	if (fd < 0)
		return -1;
	if ((uint64_t)st.st_size != m->size)
		return cv_fail(e, CV_R_DIGEST, "%s: found %lld bytes, want %llu", m->path,
			       (long long)st.st_size, (unsigned long long)m->size);
	if (cv_digest_fd(&got, CV_SHA256, fd, 0, m->size, e) != 0) {
		if (e->reason == CV_R_CUTOFF)
			e->reason = CV_R_DIGEST; /* it shrank under us */
		return cv_fail_within(e, "%s", m->path);
	}
	if (!cv_digest_eq(&got, &m->digest))
		return cv_fail(e, CV_R_DIGEST, "%s: found %s, want %s", m->path,
			       cv_digest_text(&got, a), cv_digest_text(&m->digest, b));
	return 0;
}

static int
check_link(int dir, const char *name, const struct cv_member *m, struct cv_err *e)
{
	char target[CV_MAX_PATH + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n < 0)
		return cv_fail_errno(e, "%s", m->path);
	if (n >= (ssize_t)sizeof(target) || !cv_span_eq_str(cv_span(target, (size_t)n), m->target))
		return cv_fail(e, CV_R_DIGEST, "%s: leads elsewhere than was sealed", m->path);
	return 0;
}

/* Where a walk through a bundle stands. */
struct walk {
	const struct cv_members *members;
	int top;
	size_t seen;
	char path[CV_MAX_PATH + CV_MAX_COMPONENT + 2];
};

static int walk_dir(struct walk *w, int fd, size_t len, unsigned depth, struct cv_err *e);

/* unlisted: the three files that bundle.json cannot list. */
static bool
unlisted(const char *path)
{
	return strcmp(path, CV_BUNDLE_INDEX) == 0 || strcmp(path, CV_BUNDLE_VSA) == 0 ||
	       strcmp(path, CV_BUNDLE_REPORT) == 0;
}

/* One thing found: w->path[0..len) is its path. */
static int
walk_entry(struct walk *w, int dir, const char *name, size_t len, unsigned depth, struct cv_err *e)
{
	const struct cv_member *m = cv_members_find(w->members, w->path);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cv_fail_errno(e, "%s", w->path);
	/* an owner can make it writable again after the last look */
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return cv_fail(e, CV_R_RULE, "%s: belongs to user %u, want your own or root's",
			       w->path, (unsigned)st.st_uid);
	if (S_ISDIR(st.st_mode) && (m == NULL || m->kind == CV_M_DIR)) {
		cv_auto(cv_closep) int fd =
			openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		size_t before = w->seen;

		if (fd < 0)
			return cv_fail_errno(e, "%s", w->path);
		w->seen += m != NULL;
		if (walk_dir(w, fd, len, depth + 1, e) != 0)
			return -1;
		if (w->seen == before) {
			w->path[len] = '\0';
			return cv_fail(e, CV_R_DIGEST, "%s: a directory that was not sealed",
				       w->path);
		}
		return 0;
	}
	if (m == NULL && depth == 0 && S_ISREG(st.st_mode) && unlisted(w->path))
		return 0;
	if (m == NULL)
		return cv_fail(e, CV_R_DIGEST, "%s: %s that was not sealed", w->path,
			       kind_of(st.st_mode));
	w->seen++;
	if (m->kind == CV_M_LINK && S_ISLNK(st.st_mode))
		return check_link(dir, name, m, e);
	if ((m->kind == CV_M_FILE || m->kind == CV_M_EXEC) && S_ISREG(st.st_mode))
		return check_file(w->top, m, e);
	return cv_fail(e, CV_R_DIGEST, "%s: found %s, want what was sealed", w->path,
		       kind_of(st.st_mode));
}

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
	*d = NULL;
}

static int
walk_dir(struct walk *w, int fd, size_t len, unsigned depth, struct cv_err *e)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cv_auto(close_dir) DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	struct stat st;

	if (d == NULL || fstat(fd, &st) != 0)
		return cv_fail_errno(e, "bundle: cannot list it");
	/* the bundle's own directory is writable while its verdict is renewed, and
	 * stays so when that is killed */
	if ((st.st_mode & 07777) != 0555 && (len > 0 || (st.st_mode & 07777) != 0755))
		return cv_fail(e, CV_R_DIGEST, "%s: directory of mode %04o, want 0555",
			       len > 0 ? w->path : "the bundle", (unsigned)(st.st_mode & 07777));
	if (depth > CV_MAX_PATH_DEPTH + 2)
		return cv_fail(e, CV_R_DIGEST, "directories deeper than any that was sealed");
	while (errno = 0, (entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name), at = len + (len > 0);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (at + n >= sizeof(w->path) || at + n > CV_MAX_PATH)
			return cv_fail(e, CV_R_DIGEST, "a path longer than any that was sealed");
		if (len > 0)
			w->path[len] = '/';
		memcpy(w->path + at, entry->d_name, n + 1);
		if (walk_entry(w, fd, entry->d_name, at + n, depth, e) != 0)
			return -1;
	}
	if (errno != 0)
		return cv_fail_errno(e, "bundle: cannot list it");
	w->path[len] = '\0';
	return 0;
}

int
cv_bundle_check(int fd, const struct cv_members *members, struct cv_span index, struct cv_err *e)
{
	const struct cv_member self = { .path = CV_BUNDLE_INDEX,
					.kind = CV_M_FILE,
					.size = index.n };
	struct cv_member m = self;
	struct walk w = { .members = members, .top = fd };
	size_t i;

	if (cv_digest_of(&m.digest, CV_SHA256, index, e) != 0 || check_file(fd, &m, e) != 0 ||
	    walk_dir(&w, fd, 0, 0, e) != 0)
		return -1;
	if (w.seen == members->n)
		return 0;
	for (i = 0; i < members->n; i++) {
		struct stat st;

		if (fstatat(fd, members->v[i].path, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return cv_fail(e, CV_R_DIGEST, "%s: missing", members->v[i].path);
	}
	return cv_fail(e, CV_R_DIGEST, "found %zu members, want %zu", w.seen, members->n);
}

/* ---- reading single files ---- */

static int
read_plain(int top, const char *path, uint64_t max, struct cv_buf *out, struct cv_err *e)
{
	struct stat st;
	cv_auto(cv_closep) int fd = open_plain(top, path, 0444, &st, e);

	if (fd < 0)
		return -1;
	if ((uint64_t)st.st_size > max)
		return cv_fail(e, CV_R_DIGEST, "%s: %lld bytes, want at most %llu", path,
			       (long long)st.st_size, (unsigned long long)max);
	return cv_buf_pread(out, fd, 0, (uint64_t)st.st_size, path, e);
}

int
cv_bundle_read(const struct cv_bundle *b, const char *path, struct cv_buf *out, struct cv_err *e)
{
	const struct cv_member *m = cv_members_find(&b->members, path);
	struct cv_digest got;
	size_t before = out->n;

	if (m == NULL || m->kind != CV_M_FILE)
		return cv_fail(e, CV_R_DIGEST, "%s: not in this bundle", path);
	if (read_plain(b->fd, path, m->size, out, e) != 0 ||
	    cv_digest_of(&got, CV_SHA256, cv_span(out->p + before, out->n - before), e) != 0)
		return -1;
	if (!cv_digest_eq(&got, &m->digest))
		return cv_fail(e, CV_R_DIGEST, "%s: changed", path);
	return 0;
}

/* ---- opening ---- */

/* The verdict: by whom, about what, and when. */
static int
prove_verdict(struct cv_bundle *b, const struct cv_bundle_trust *trust, const char **check,
	      struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf envelope = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(CV_MAX_JSON_DOM);
	char at[CV_TIME_TEXT], now[CV_TIME_TEXT];

	*check = "bundle.changed";
	if (read_plain(b->fd, CV_BUNDLE_VSA, CV_MAX_JSON_DOM, &envelope, e) != 0)
		return -1;
	*check = "bundle.untrusted";
	if (cv_dsse_open(&trust->role, CV_BUNDLE_VSA, cv_buf_span(&envelope), CV_INTOTO_PAYLOAD,
			 trust->keys, trust->nkeys, trust->now, &payload, b->keyid, e) != 0 ||
	    cv_vsa_read(&b->vsa, cv_buf_span(&payload), e) != 0)
		return -1;
	*check = "bundle.changed";
	if (cv_dsse_as_written(cv_buf_span(&envelope), CV_INTOTO_PAYLOAD, cv_buf_span(&payload),
			       b->keyid, e) != 0)
		return cv_fail_within(e, "%s", CV_BUNDLE_VSA);
	*check = "bundle.expired";
	/* two clocks, or one that was set back a little, are no forgery */
	if (trust->now < b->vsa.not_before - CV_CLOCK_SKEW)
		return cv_fail(e, CV_R_EXPIRED, "not valid before %s, and now is %s",
			       cv_time_text(b->vsa.not_before, at), cv_time_text(trust->now, now));
	if (trust->now >= b->vsa.not_after)
		return cv_fail(e, CV_R_EXPIRED, "was valid until %s, and now is %s",
			       cv_time_text(b->vsa.not_after, at), cv_time_text(trust->now, now));
	return 0;
}

/* A name that says a digest says this bundle's, as it was given and as it was found:
 * whoever asked for that digest gets no other bundle that somebody put there. */
static int
prove_name(const struct cv_bundle *b, const char *path, struct cv_err *e)
{
	char want[CV_BUNDLE_NAME], found[CV_DIGEST_TEXT];
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (path += n; n > 0 && path[-1] != '/'; n--)
		path--;
	n = strcspn(path, "/");
	cv_bundle_name(&b->digest, want);
	if (strncmp(path, "sha256-", 7) != 0 || (n == strlen(want) && strncmp(path, want, n) == 0))
		return 0;
	return cv_fail(e, CV_R_DIGEST,
		       "found the bundle %s under the name %.*s, want it under its own",
		       cv_digest_text(&b->digest, found), (int)(n < 200 ? n : 200), path);
}

/* The list is the one the verdict is about. */
static int
prove_list(struct cv_bundle *b, struct cv_buf *index, struct cv_err *e)
{
	char x[CV_DIGEST_TEXT], y[CV_DIGEST_TEXT];

	if (read_plain(b->fd, CV_BUNDLE_INDEX, CV_MAX_JSON_DOM, index, e) != 0 ||
	    cv_digest_of(&b->digest, CV_SHA256, cv_buf_span(index), e) != 0)
		return -1;
	if (!cv_digest_eq(&b->digest, &b->vsa.bundle))
		return cv_fail(e, CV_R_DIGEST, "%s: found %s, the signed verdict is about %s",
			       CV_BUNDLE_INDEX, cv_digest_text(&b->digest, x),
			       cv_digest_text(&b->vsa.bundle, y));
	if (cv_members_parse(&b->members, b->agent, &b->set_digest, cv_buf_span(index), e) != 0)
		return -1;
	if (!cv_digest_eq(&b->set_digest, &b->vsa.set))
		return cv_fail(e, CV_R_DIGEST, "launch set %s, the signed verdict is about %s",
			       cv_digest_text(&b->set_digest, x), cv_digest_text(&b->vsa.set, y));
	return 0;
}

static int
prove_report(const struct cv_bundle *b, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(MAX_REPORT);
	struct cv_digest got;
	struct stat st;

	/* it may be missing: it is for people, and its verdict is renewed first */
	if (fstatat(b->fd, CV_BUNDLE_REPORT, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return 0;
	if (b->vsa.report.alg == CV_ALG_NONE)
		return cv_fail(e, CV_R_DIGEST, "%s: a file that was not sealed", CV_BUNDLE_REPORT);
	if (read_plain(b->fd, CV_BUNDLE_REPORT, MAX_REPORT, &text, e) != 0 ||
	    cv_digest_of(&got, CV_SHA256, cv_buf_span(&text), e) != 0)
		return -1;
	if (!cv_digest_eq(&got, &b->vsa.report))
		return cv_fail(e, CV_R_DIGEST, "%s: changed", CV_BUNDLE_REPORT);
	return 0;
}

static int
read_set(struct cv_bundle *b, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_digest got;

	if (cv_bundle_read(b, CV_BUNDLE_SET, &text, e) != 0 ||
	    cv_digest_of(&got, CV_SHA256, cv_buf_span(&text), e) != 0)
		return -1;
	if (!cv_digest_eq(&got, &b->set_digest))
		return cv_fail(e, CV_R_DIGEST, "%s: not the launch set of %s", CV_BUNDLE_SET,
			       CV_BUNDLE_INDEX);
	if (cv_launchset_parse(&b->set, cv_buf_span(&text), e) != 0)
		return -1;
	if (strcmp(b->set->platform, b->vsa.platform) != 0)
		return cv_fail(e, CV_R_DIGEST,
			       "the verdict is about platform %s, the launch set about %s",
			       b->vsa.platform, b->set->platform);
	return 0;
}

static int
open_dir(struct cv_bundle *b, const char *path, struct cv_err *e)
{
	struct stat st;

	if (realpath(path, b->path) == NULL && (errno == ENOENT || errno == ENOTDIR))
		return cv_fail(e, CV_R_USAGE, "%s: there is no such bundle", path);
	b->fd = open(b->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (b->fd < 0 && errno == ENOTDIR)
		return cv_fail(e, CV_R_USAGE, "%s: not a directory, want a sealed bundle", path);
	if (b->fd < 0)
		return cv_fail_errno(e, "%s", path);
	if (fstatat(b->fd, CV_BUNDLE_INDEX, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return cv_fail(e, CV_R_USAGE, "%s: not a sealed bundle: it has no %s", path,
			       CV_BUNDLE_INDEX);
	/* a sealing that renews the verdict holds the other kind of lock */
	return cv_dir_lock(b->fd, false, e);
}

static int
prove(struct cv_bundle *b, const char *path, const struct cv_bundle_trust *trust,
      const char **check, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf index = CV_BUF(CV_MAX_JSON_DOM);

	if (open_dir(b, path, e) != 0 || prove_verdict(b, trust, check, e) != 0)
		return -1;
	*check = "bundle.changed";
	if (prove_list(b, &index, e) != 0 || prove_name(b, path, e) != 0 ||
	    prove_name(b, b->path, e) != 0 || prove_report(b, e) != 0 ||
	    cv_bundle_check(b->fd, &b->members, cv_buf_span(&index), e) != 0 || read_set(b, e) != 0)
		return -1;
	if (flock(b->fd, LOCK_UN) != 0)
		return cv_fail_errno(e, "%s: cannot unlock it", path);
	return 0;
}

int
cv_bundle_open(struct cv_bundle **ret, const char *path, const struct cv_bundle_trust *trust,
	       const char **check, struct cv_err *e)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = calloc(1, sizeof(*b));

	*check = NULL;
	if (b == NULL)
		return cv_fail_memory(e);
	b->fd = -1;
	if (prove(b, path, trust, check, e) != 0) {
		if (e->reason == CV_R_WORKER)
			*check = "worker.died";
		else if (cv_reason_exit(e->reason) != CV_EXIT_FAIL)
			*check = NULL; /* it was not found out */
		return -1;
	}
	*check = NULL;
	*ret = cv_steal(b);
	return 0;
}

void
cv_bundle_close(struct cv_bundle **b)
{
	if (*b == NULL)
		return;
	cv_closep(&(*b)->fd);
	cv_members_free(&(*b)->members);
	cv_launchset_free(&(*b)->set);
	free(*b);
	*b = NULL;
}
