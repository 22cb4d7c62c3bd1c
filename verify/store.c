/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: see store.h. Must never give a name to bytes it has not hashed. */
#include "verify/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/enc.h"

#include "trust/base/banned.h"

#define STALE_SECONDS 3600 /* a writer holds a lock on its file as well */

struct cv_store {
	int blobs; /* DIR/blobs/sha256 */
	int tmp;   /* DIR/tmp */
	int notes; /* DIR/notes */
	unsigned flags;
};

struct cv_put {
	struct cv_store *s;
	int fd;
	char tmp[33]; /* name in tmp/, "" with O_TMPFILE */
	uint64_t n, max;
	struct cv_hash *hash;
};

static int
check_owner(int fd, const char *dir, struct cv_err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cv_fail_errno(e, "store %s", dir);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return cv_fail(
			e, CV_R_CONFIG,
			"store %s: belongs to user %u, want user %u (it must be yours alone)", dir,
			(unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 022) != 0)
		return cv_fail(e, CV_R_CONFIG,
			       "store %s: others may write to it (mode %04o), want 0700 or 0755",
			       dir, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* open_dir: open (creating) one directory below parent, without following. */
static int
open_dir(int parent, const char *name, struct cv_err *e)
{
	int fd;

	if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
		return cv_fail_errno(e, "store: cannot make %s", name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cv_fail_errno(e, "store: cannot open %s", name);
	if (check_owner(fd, name, e) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* sweep_tmp: remove what a killed writer left. A live one holds a lock. */
static void
sweep_tmp(int tmp)
{
	int fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		cv_auto(cv_closep) int f = -1;

		if (entry->d_name[0] == '.')
			continue;
		f = openat(tmp, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (f < 0 || fstat(f, &st) != 0 || time(NULL) - st.st_mtime < STALE_SECONDS)
			continue;
		if (flock(f, LOCK_EX | LOCK_NB) == 0)
			unlinkat(tmp, entry->d_name, 0);
	}
	closedir(d);
}

/* make_parents: mkdir -p of everything but the last component. */
static void
make_parents(const char *dir)
{
	char path[4096];
	size_t i, n = strlen(dir);

	if (n >= sizeof(path))
		return; /* the open below says so */
	memcpy(path, dir, n + 1);
	for (i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		(void)mkdir(path, 0700);
		path[i] = '/';
	}
}

int
cv_store_open(struct cv_store **ret, const char *dir, unsigned flags, struct cv_err *e)
{
	cv_auto(cv_store_close) struct cv_store *s = calloc(1, sizeof(*s));
	cv_auto(cv_closep) int top = -1, blobs = -1;

	if (s == NULL)
		return cv_fail_memory(e);
	s->blobs = s->tmp = s->notes = -1;
	s->flags = flags;
	make_parents(dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return cv_fail_errno(e, "store: cannot make %s", dir);
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return cv_fail_errno(e, "store: cannot open %s", dir);
	if (check_owner(top, dir, e) != 0)
		return -1;
	if ((blobs = open_dir(top, "blobs", e)) < 0 ||
	    (s->blobs = open_dir(blobs, "sha256", e)) < 0 ||
	    (s->tmp = open_dir(top, "tmp", e)) < 0 || (s->notes = open_dir(top, "notes", e)) < 0)
		return -1;
	sweep_tmp(s->tmp);
	*ret = cv_steal(s);
	return 0;
}

void
cv_store_close(struct cv_store **s)
{
	if (*s == NULL)
		return;
	cv_closep(&(*s)->blobs);
	cv_closep(&(*s)->tmp);
	cv_closep(&(*s)->notes);
	free(*s);
	*s = NULL;
}

static void
hex_name(const struct cv_digest *d, char out[2 * 32 + 1])
{
	cv_hex_encode(out, d->b, 32);
}

int
cv_store_find(struct cv_store *s, const struct cv_digest *d, uint64_t size, struct cv_blob *ret,
	      struct cv_err *e)
{
	return cv_store_find_until(s, d, size, 0, -1, ret, e);
}

int
cv_store_find_until(struct cv_store *s, const struct cv_digest *d, uint64_t size, int64_t deadline,
		    int cancel_fd, struct cv_blob *ret, struct cv_err *e)
{
	char name[65];
	struct stat st;
	struct cv_digest got;
	struct cv_err why = { 0 };
	cv_auto(cv_closep) int fd = -1;

	if (d->alg != CV_SHA256)
		return 0;
	hex_name(d, name);
	fd = openat(s->blobs, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == ELOOP) { /* a link: nothing of ours */
		unlinkat(s->blobs, name, 0);
		return 0;
	}
	if (fd < 0)
		return cv_fail_errno(e, "store: blob sha256:%s", name);
	if (fstat(fd, &st) != 0)
		return cv_fail_errno(e, "store: blob sha256:%s", name);
	if (!S_ISREG(st.st_mode) || (size != CV_SIZE_ANY && (uint64_t)st.st_size != size)) {
		unlinkat(s->blobs, name, 0);
		return 0;
	}
	if (cv_digest_fd_until(&got, CV_SHA256, fd, 0, (uint64_t)st.st_size, deadline, cancel_fd,
			       &why) != 0) {
		if (why.reason != CV_R_CUTOFF) {
			if (e != NULL)
				*e = why;
			return -1;
		}
		return 0; /* changed under us: as good as not there */
	}
	if (!cv_digest_eq(&got, d)) {
		unlinkat(s->blobs, name, 0);
		return 0;
	}
	*ret = (struct cv_blob){ .fd = fd, .off = 0, .len = (uint64_t)st.st_size };
	fd = -1;
	return 1;
}

/* open_named: the way for file systems without O_TMPFILE. */
static int
open_named(struct cv_put *p, struct cv_err *e)
{
	uint8_t rnd[16];

	if (getrandom(rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return cv_fail_errno(e, "store: no random name");
	cv_hex_encode(p->tmp, rnd, sizeof(rnd));
	p->fd = openat(p->s->tmp, p->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->fd < 0) {
		p->tmp[0] = '\0';
		return cv_fail_errno(e, "store: cannot write");
	}
	if (flock(p->fd, LOCK_SH | LOCK_NB) != 0)
		return cv_fail_errno(e, "store: cannot lock %s", p->tmp);
	return 0;
}

/* open_temporary: p->fd, with a name only if there is no other way. */
static int
open_temporary(struct cv_put *p, struct cv_err *e)
{
	bool unnamed = (p->s->flags & CV_STORE_NO_TMPFILE) == 0;

	p->fd = -1;
	if (unnamed)
		p->fd = openat(p->s->tmp, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (p->fd < 0 && unnamed && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL &&
	    errno != ENOENT)
		return cv_fail_errno(e, "store: cannot write");
	return p->fd < 0 ? open_named(p, e) : 0;
}

int
cv_store_scratch(struct cv_store *s, int *fd, struct cv_err *e)
{
	struct cv_put p = { .s = s };

	if (open_temporary(&p, e) != 0) {
		cv_closep(&p.fd);
		return -1;
	}
	if (p.tmp[0] != '\0' && unlinkat(s->tmp, p.tmp, 0) != 0) {
		cv_closep(&p.fd);
		return cv_fail_errno(e, "store: cannot remove %s", p.tmp);
	}
	*fd = p.fd;
	return 0;
}

int
cv_put_open(struct cv_put **ret, struct cv_store *s, uint64_t max, struct cv_err *e)
{
	cv_auto(cv_put_drop) struct cv_put *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return cv_fail_memory(e);
	p->s = s;
	p->max = max;
	p->fd = -1;
	if (cv_hash_open(&p->hash, CV_SHA256, e) != 0)
		return -1;
	if (open_temporary(p, e) != 0)
		return -1;
	*ret = cv_steal(p);
	return 0;
}

int
cv_put_add(struct cv_put *p, const void *b, size_t n, struct cv_err *e)
{
	if (n > p->max - p->n)
		return cv_fail(e, CV_R_LIMIT,
			       "more than %llu bytes, which is all that was expected",
			       (unsigned long long)p->max);
	if (cv_hash_add(p->hash, b, n, e) != 0)
		return -1;
	if (cv_write_all(p->fd, b, n, "store", e) != 0)
		return -1;
	p->n += n;
	return 0;
}

uint64_t
cv_put_size(const struct cv_put *p)
{
	return p->n;
}

/* give_name: the hashed file gets its name; that it has one already is fine. */
static int
give_name(struct cv_put *p, const char *name, struct cv_err *e)
{
	char self[64];

	if (p->tmp[0] == '\0') {
		(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", p->fd);
		if (linkat(AT_FDCWD, self, p->s->blobs, name, AT_SYMLINK_FOLLOW) != 0 &&
		    errno != EEXIST)
			return cv_fail_errno(e, "store: cannot keep sha256:%s", name);
		return 0;
	}
	if (renameat2(p->s->tmp, p->tmp, p->s->blobs, name, RENAME_NOREPLACE) == 0) {
		p->tmp[0] = '\0';
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	/* no RENAME_NOREPLACE on this file system: link is as exclusive */
	if (errno == EINVAL &&
	    (linkat(p->s->tmp, p->tmp, p->s->blobs, name, 0) == 0 || errno == EEXIST))
		return 0;
	return cv_fail_errno(e, "store: cannot keep sha256:%s", name);
}

/* reopen_read_only: nobody gets a descriptor that could change the blob. */
static int
reopen_read_only(int fd)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return open(self, O_RDONLY | O_CLOEXEC);
}

static int
compare_end(struct cv_put *p, const struct cv_digest *want, uint64_t size,
	    const struct cv_digest *sum, struct cv_err *e)
{
	char a[CV_DIGEST_TEXT], b[CV_DIGEST_TEXT];
	struct cv_digest other = *sum;

	if (size != CV_SIZE_ANY && p->n < size)
		return cv_fail(e, CV_R_CUTOFF, "found %llu bytes, want %llu",
			       (unsigned long long)p->n, (unsigned long long)size);
	if (size != CV_SIZE_ANY && p->n > size)
		return cv_fail(e, CV_R_DIGEST, "found %llu bytes, want %llu",
			       (unsigned long long)p->n, (unsigned long long)size);
	if (want == NULL)
		return 0;
	if (want->alg != CV_SHA256 && cv_digest_fd(&other, want->alg, p->fd, 0, p->n, e) != 0)
		return -1;
	if (!cv_digest_eq(&other, want))
		return cv_fail(e, CV_R_DIGEST, "found %s, want %s", cv_digest_text(&other, a),
			       cv_digest_text(want, b));
	return 0;
}

int
cv_put_end(struct cv_put **pp, const struct cv_digest *want, uint64_t size, struct cv_digest *got,
	   struct cv_blob *ret, struct cv_err *e)
{
	cv_auto(cv_put_drop) struct cv_put *p = cv_steal(*pp);
	struct cv_digest sum;
	char name[65];
	int fd;

	if (cv_hash_end(p->hash, &sum, e) != 0 || compare_end(p, want, size, &sum, e) != 0)
		return -1;
	if (fchmod(p->fd, 0444) != 0)
		return cv_fail_errno(e, "store: cannot protect a blob");
	fd = reopen_read_only(p->fd);
	if (fd < 0)
		return cv_fail_errno(e, "store: cannot reopen a blob");
	hex_name(&sum, name);
	if (give_name(p, name, e) != 0) {
		close(fd);
		return -1;
	}
	if (got != NULL)
		*got = sum;
	*ret = (struct cv_blob){ .fd = fd, .off = 0, .len = p->n };
	return 0;
}

void
cv_put_drop(struct cv_put **p)
{
	if (*p == NULL)
		return;
	if ((*p)->tmp[0] != '\0')
		unlinkat((*p)->s->tmp, (*p)->tmp, 0);
	cv_closep(&(*p)->fd);
	cv_hash_free(&(*p)->hash);
	free(*p);
	*p = NULL;
}

int
cv_store_put(struct cv_store *s, struct cv_span in, struct cv_digest *got, struct cv_blob *ret,
	     struct cv_err *e)
{
	cv_auto(cv_put_drop) struct cv_put *p = NULL;

	if (cv_put_open(&p, s, in.n, e) != 0 || cv_put_add(p, in.p, in.n, e) != 0)
		return -1;
	return cv_put_end(&p, NULL, CV_SIZE_ANY, got, ret, e);
}

/* ---- notes ---- */

#define NOTE_MAX 512

static int
note_name(const char *question, char out[2 * 32 + 1], struct cv_err *e)
{
	struct cv_digest d;

	if (cv_digest_of(&d, CV_SHA256, cv_span_str(question), e) != 0)
		return -1;
	hex_name(&d, out);
	return 0;
}

int
cv_store_note(struct cv_store *s, const char *question, const struct cv_digest *d,
	      const char *media, struct cv_err *e)
{
	char name[2 * 32 + 1], text[CV_DIGEST_TEXT], target[NOTE_MAX], tmp[2 * 16 + 1];
	uint8_t rnd[16];

	if (note_name(question, name, e) != 0)
		return -1;
	if (getrandom(rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return cv_fail_errno(e, "store: no random name");
	cv_hex_encode(tmp, rnd, sizeof(rnd));
	(void)snprintf(target, sizeof(target), "%s %.255s", cv_digest_text(d, text), media);
	if (symlinkat(target, s->tmp, tmp) != 0)
		return cv_fail_errno(e, "store: cannot write a note");
	if (renameat(s->tmp, tmp, s->notes, name) != 0) {
		(void)cv_fail_errno(e, "store: cannot keep a note");
		(void)unlinkat(s->tmp, tmp, 0);
		return -1;
	}
	return 0;
}

bool
cv_store_noted(struct cv_store *s, const char *question, struct cv_digest *d, char *media)
{
	char name[2 * 32 + 1], target[NOTE_MAX];
	struct cv_err ignored;
	struct cv_span text, digest;
	ssize_t n;

	if (note_name(question, name, &ignored) != 0)
		return false;
	n = readlinkat(s->notes, name, target, sizeof(target));
	if (n <= 0 || (size_t)n >= sizeof(target))
		return false;
	text = cv_span(target, (size_t)n);
	digest = cv_span_until(&text, ' ');
	if (text.bad || text.n >= 256 || cv_digest_parse(d, digest, &ignored) != 0)
		return false;
	memcpy(media, text.p, text.n);
	media[text.n] = '\0';
	return true;
}
