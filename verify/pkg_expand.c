/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkg_expand.c: the files of a package once more, out of the contents worker
 * through a pipe. Frames may run ahead of bytes, so the announced files wait in
 * a queue. Each has to be the next regular file that the verified tree can
 * still use, and its bytes have to have that file's digest; at the end every
 * file of the tree was delivered once.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/limits.h"
#include "verify/engine_int.h"
#include "verify/pkg.h"

#include "trust/base/banned.h"

struct expand {
	const struct cv_request *rq;
	const struct cv_r_artifact *a;
	const struct cv_tree_sink *sink;
	const struct cv_tree_entry **queue; /* announced, in order */
	size_t nqueue, room, next;          /* next: the one whose bytes come now */
	bool *seen;                         /* by index in the tree */
	struct cv_hash *hash;               /* of the open file, or NULL */
	uint64_t left;
	int out; /* the pipe's writing end */
};

static size_t
index_of(const struct cv_tree *t, const struct cv_tree_entry *x)
{
	return (size_t)(x - cv_tree_at(t, 0));
}

static int
announce(struct expand *x, const struct cv_tree_entry *entry, struct cv_err *e)
{
	if (x->seen[index_of(x->a->tree, entry)])
		return cv_fail(e, CV_R_WORKER, "contents: %s twice", entry->path);
	x->seen[index_of(x->a->tree, entry)] = true;
	if (x->nqueue == x->room)
		return cv_fail(e, CV_R_WORKER, "contents: more files than the package has");
	x->queue[x->nqueue++] = entry;
	return 0;
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct expand *x = ctx;
	const struct cv_tree_entry *entry;
	struct cv_pkg_entry p;
	uint64_t fact = cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED);

	if (fact == CV_F_PACKAGE)
		return 0;
	if (fact != CV_F_FILE)
		return cv_fail(e, CV_R_WORKER, "contents: a fact that was not asked for");
	if (cv_pkg_entry(&p, f, e) != 0)
		return -1;
	if ((p.mode & 0170000) != 0100000) /* links and directories are the tree's */
		return 0;
	entry = cv_tree_find(x->a->tree, p.path);
	if (entry == NULL || (entry->kind != CV_TREE_FILE && entry->kind != CV_TREE_EXEC) ||
	    entry->size != p.size)
		return cv_fail(e, CV_R_DIGEST, "%s: is not what was verified", p.path);
	return announce(x, entry, e);
}

/* ---- bytes ---- */

static int
begin(struct expand *x, struct cv_err *e)
{
	const struct cv_tree_entry *entry = x->queue[x->next];

	x->left = entry->size;
	if (cv_hash_open(&x->hash, CV_SHA256, e) != 0)
		return -1;
	return x->sink->file(x->sink->ctx, entry, e);
}

static int
finish(struct expand *x, struct cv_err *e)
{
	const struct cv_tree_entry *entry = x->queue[x->next];
	struct cv_digest d;

	if (cv_hash_end(x->hash, &d, e) != 0)
		return -1;
	cv_hash_free(&x->hash);
	x->next++;
	if (!cv_digest_eq(&d, &entry->digest))
		return cv_fail(e, CV_R_DIGEST, "%s: is not what was verified", entry->path);
	return x->sink->end(x->sink->ctx, e);
}

/* advance: start and end files as far as it goes without more bytes. */
static int
advance(struct expand *x, struct cv_err *e)
{
	for (;;) {
		if (x->hash != NULL && x->left > 0)
			return 0;
		if (x->hash != NULL && finish(x, e) != 0)
			return -1;
		if (x->next == x->nqueue)
			return 0;
		if (begin(x, e) != 0)
			return -1;
	}
}

static int
on_pipe(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct expand *x = ctx;
	const uint8_t *b = p;

	if (advance(x, e) != 0)
		return -1;
	while (n > 0) {
		size_t take = x->left < n ? (size_t)x->left : n;

		if (x->hash == NULL)
			return cv_fail(e, CV_R_WORKER, "contents: bytes of no file");
		if (cv_hash_add(x->hash, b, take, e) != 0 ||
		    x->sink->data(x->sink->ctx, b, take, e) != 0)
			return -1;
		b += take;
		n -= take;
		x->left -= take;
		if (advance(x, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- the task ---- */

static int
send_expand(struct expand *x, struct cv_role *r, struct cv_err *e)
{
	const char *from = x->a->decl->origin == CV_O_PATH ? x->a->decl->path : x->a->decl->asked;
	const char *slash = strrchr(from, '/');
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);
	int rc;

	cv_out_u64(o, CV_TAG_TASK, CV_T_EXPAND);
	cv_out_str(o, CV_TAG_NAME, slash != NULL && slash[1] != '\0' ? slash + 1 : from);
	cv_out_str(o, CV_TAG_MEDIA, "");
	cv_out_blob(o, CV_TAG_BLOB, x->a->archive_blob);
	cv_out_fd(o, CV_TAG_OUT, x->out);
	rc = cv_role_send(r, e);
	cv_closep(&x->out);
	return rc;
}

static int
ignore_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)ctx;
	if (f->outcome != CV_FAIL && f->outcome != CV_UNKNOWN)
		return 0;
	return cv_fail(e, f->reason, "%s: %s", f->check, f->found);
}

static int
confined(const struct cv_request *rq, const struct cv_role *r, struct cv_err *e)
{
	const unsigned want = CV_SBX_LANDLOCK | CV_SBX_SECCOMP;

	if (!rq->policy->confinement_required ||
	    ((cv_role_sandbox(r) & want) == want && (cv_role_sandbox(r) & CV_SBX_SANITIZER) == 0))
		return 0;
	return cv_fail(e, CV_R_CONFINEMENT, "a worker is not confined, and policy requires it");
}

static int
expand(struct expand *x, int pipe_fd, struct cv_err *e)
{
	const struct cv_role_opts o = { .dir = x->rq->workers,
					.deadline = x->rq->deadline,
					.cancel_fd = x->rq->cancel_fd };
	const struct cv_role_on on = { .ctx = x,
				       .fact = on_fact,
				       .finding = ignore_finding,
				       .pipe_fd = pipe_fd,
				       .pipe = on_pipe };
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	const char *check;

	if (cv_role_start(&r, CV_ROLE_CONTENTS, &o, e) != 0 || confined(x->rq, r, e) != 0 ||
	    send_expand(x, r, e) != 0 || cv_role_run(r, &on, &check, e) != 0)
		return -1;
	if (advance(x, e) != 0)
		return -1;
	if (x->hash != NULL || x->next != cv_tree_files(x->a->tree))
		return cv_fail(e, CV_R_DIGEST, "%s: not every file came out of the package again",
			       x->a->name);
	return 0;
}

int
cv_engine_expand(const struct cv_request *rq, const struct cv_r_artifact *a,
		 const struct cv_tree_sink *sink, struct cv_err *e)
{
	struct expand x = { .rq = rq, .a = a, .sink = sink, .out = -1 };
	cv_auto(cv_closep) int in = -1;
	int ends[2], rc;

	if (a->archive_blob.fd < 0 || a->tree == NULL)
		return cv_fail(e, CV_R_BUG, "%s: its package was not kept", a->name);
	x.room = cv_tree_files(a->tree);
	x.queue = calloc(x.room + 1, sizeof(struct cv_tree_entry *));
	x.seen = calloc(cv_tree_count(a->tree) + 1, sizeof(*x.seen));
	if (x.queue == NULL || x.seen == NULL) {
		rc = cv_fail_memory(e);
	} else if (pipe2(ends, O_CLOEXEC) != 0) {
		rc = cv_fail_errno(e, "pipe");
	} else {
		in = ends[0];
		x.out = ends[1];
		rc = expand(&x, in, e);
	}
	cv_closep(&x.out);
	cv_hash_free(&x.hash);
	free(x.queue);
	free(x.seen);
	return rc;
}
