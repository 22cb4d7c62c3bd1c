/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_hash.c: the files of a listing hashed, in several threads. What was
 * listed is opened, read through that descriptor, and has to be the same
 * afterwards.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/text.h"
#include "verify/local_int.h"

#include "trust/base/banned.h"

struct hashing {
	struct cv_local *l;
	pthread_mutex_t mu; /* guards what follows */
	uint64_t done, total;
	const char *check;
	struct cv_err err; /* the first failure */
};

bool
cv_local_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int
cv_local_changed(const char *path, const char **check, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];

	*check = "file.changed";
	return cv_fail(e, CV_R_DIGEST, "%s: changed while it was being checked",
		       cv_text_brief(brief, cv_span_str(path)));
}

/* hashed: count, and stop when somebody else failed or it is time to. */
static int
hashed(struct hashing *h, size_t n, struct cv_err *e)
{
	const struct cv_local_opts *o = &h->l->o;
	bool over;

	(void)pthread_mutex_lock(&h->mu);
	h->done += n;
	over = h->err.reason != CV_R_NONE;
	if (over)
		*e = h->err;
	else if (o->progress != NULL)
		o->progress(o->ctx, h->done, h->total);
	(void)pthread_mutex_unlock(&h->mu);
	return over ? -1 : cv_local_stopped(o->deadline, o->cancel_fd, e);
}

static int
hash_fd(struct hashing *h, int fd, struct entry *x, struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *hash = NULL;
	cv_auto(cv_freep) uint8_t *b = malloc(LOCAL_WINDOW);
	uint64_t left = (uint64_t)x->st.st_size;
	ssize_t n;

	if (b == NULL)
		return cv_fail_memory(e);
	if (cv_hash_open(&hash, CV_SHA256, e) != 0)
		return -1;
	while ((n = read(fd, b, LOCAL_WINDOW)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cv_fail_errno(e, "%s: read", x->path);
		if ((uint64_t)n > left)
			return cv_fail(e, CV_R_DIGEST, "%s: grew while it was being checked",
				       x->path);
		left -= (uint64_t)n;
		if (cv_hash_add(hash, b, (size_t)n, e) != 0 || hashed(h, (size_t)n, e) != 0)
			return -1;
	}
	return cv_hash_end(hash, &x->digest, e);
}

/* hash_entry: what was listed is opened, read through that descriptor, and has
 * to be the same afterwards. */
static int
hash_entry(struct hashing *h, struct entry *x, const char **check, struct cv_err *e)
{
	char path[LOCAL_PATH];
	cv_auto(cv_closep) int fd = -1;
	struct stat st;

	fd = cv_local_regular(h->l->o.base_fd, cv_local_full(h->l, x->path, path), &st, check, e);
	if (fd < 0)
		return -1;
	if (!cv_local_same_file(&st, &x->st))
		return cv_local_changed(path, check, e);
	if (hash_fd(h, fd, x, e) != 0) {
		if (e->reason == CV_R_DIGEST)
			*check = "file.changed";
		return -1;
	}
	if (fstat(fd, &st) != 0)
		return cv_fail_errno(e, "%s", path);
	return cv_local_same_file(&st, &x->st) ? 0 : cv_local_changed(path, check, e);
}

static void
hash_one(void *ctx, size_t i)
{
	struct hashing *h = ctx;
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (hashed(h, 0, &e) != 0 || hash_entry(h, h->l->files[i], &check, &e) != 0) {
		(void)pthread_mutex_lock(&h->mu);
		if (h->err.reason == CV_R_NONE) {
			h->err = e;
			h->check = check;
		}
		(void)pthread_mutex_unlock(&h->mu);
	}
}

static int
by_path(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* pick_files: the regular files, sorted; nothing is added to v any more. */
static int
pick_files(struct cv_local *l, uint64_t *total, struct cv_err *e)
{
	size_t i;

	l->files = calloc(l->n + 1, sizeof(struct entry *));
	if (l->files == NULL)
		return cv_fail_memory(e);
	for (i = 0; i < l->n; i++) {
		if (!S_ISREG(l->v[i].st.st_mode))
			continue;
		l->files[l->nfiles++] = &l->v[i];
		*total += (uint64_t)l->v[i].st.st_size;
	}
	qsort(l->files, l->nfiles, sizeof(struct entry *), by_path);
	return 0;
}

int
cv_local_hash_all(struct cv_local *l, const char **check, struct cv_err *e)
{
	struct hashing h = { .l = l };

	if (pick_files(l, &h.total, e) != 0)
		return -1;
	if (pthread_mutex_init(&h.mu, NULL) != 0)
		return cv_fail_memory(e);
	cv_par(l->nfiles, l->o.threads, hash_one, &h);
	(void)pthread_mutex_destroy(&h.mu);
	if (h.err.reason == CV_R_NONE)
		return 0;
	*check = h.check;
	*e = h.err;
	return -1;
}
