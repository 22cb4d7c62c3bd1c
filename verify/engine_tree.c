/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_tree.c: the bytes of a verified artifact once more, for a bundle. They
 * come from where they came from the first time, so each file is hashed again
 * on its way and nothing is believed of the time between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/engine_int.h"
#include "verify/local.h"

#include "trust/base/banned.h"

#define WINDOW (256 * 1024)

/* copy: exactly the entry's bytes, and its digest. */
static int
copy(const struct cv_request *rq, const struct cv_tree_entry *x, struct cv_blob blob,
     const struct cv_tree_sink *sink, struct cv_err *e)
{
	cv_auto(cv_hash_free) struct cv_hash *hash = NULL;
	cv_auto(cv_freep) uint8_t *b = malloc(WINDOW);
	uint64_t done = 0;
	struct cv_digest d;

	if (b == NULL)
		return cv_fail_memory(e);
	if (blob.len != x->size)
		return cv_fail(e, CV_R_DIGEST, "%s: %llu bytes, want %llu", x->path,
			       (unsigned long long)blob.len, (unsigned long long)x->size);
	if (cv_hash_open(&hash, x->digest.alg, e) != 0 || sink->file(sink->ctx, x, e) != 0)
		return -1;
	while (done < blob.len) {
		size_t want = blob.len - done < WINDOW ? (size_t)(blob.len - done) : WINDOW;
		ssize_t n = pread(blob.fd, b, want, (off_t)(blob.off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? cv_fail_errno(e, "%s: read", x->path)
				     : cv_fail(e, CV_R_DIGEST, "%s: became shorter", x->path);
		if (cv_local_stopped(rq->deadline, rq->cancel_fd, e) != 0 ||
		    cv_hash_add(hash, b, (size_t)n, e) != 0 ||
		    sink->data(sink->ctx, b, (size_t)n, e) != 0)
			return -1;
		done += (uint64_t)n;
	}
	if (cv_hash_end(hash, &d, e) != 0)
		return -1;
	if (!cv_digest_eq(&d, &x->digest))
		return cv_fail(e, CV_R_DIGEST, "%s: is not what was verified", x->path);
	return sink->end(sink->ctx, e);
}

static int
copy_local(const struct cv_request *rq, const char *path, const struct cv_tree_entry *x,
	   const struct cv_tree_sink *sink, struct cv_err *e)
{
	struct cv_blob blob = CV_NO_BLOB;
	const char *check;
	int rc;

	rc = cv_local_file(rq->base_fd, path, UINT64_MAX, &blob, &check, e);
	if (rc == 0)
		return cv_fail(e, CV_R_DIGEST, "%s: is not there any more", path);
	if (rc < 0)
		return -1;
	rc = copy(rq, x, blob, sink, e);
	cv_closep(&blob.fd);
	return rc;
}

/* copy_dir: the files of a local directory, in the tree's order. */
static int
copy_dir(const struct cv_request *rq, const struct cv_r_artifact *a,
	 const struct cv_tree_sink *sink, struct cv_err *e)
{
	cv_auto(cv_freep) char *path = malloc(2 * CV_MAX_PATH + 2);
	const char *dir = a->decl->path;
	size_t i;

	if (path == NULL)
		return cv_fail_memory(e);
	for (i = 0; i < cv_tree_count(a->tree); i++) {
		const struct cv_tree_entry *x = cv_tree_at(a->tree, i);

		if (x->kind != CV_TREE_FILE && x->kind != CV_TREE_EXEC)
			continue;
		cv_text_fmt(path, 2 * CV_MAX_PATH + 2, "%s%s%s", strcmp(dir, ".") == 0 ? "" : dir,
			    strcmp(dir, ".") == 0 ? "" : "/", x->path);
		if (copy_local(rq, path, x, sink, e) != 0)
			return -1;
	}
	return 0;
}

/* copy_single: an artifact that is one file; its entry is named as the last
 * component of its path or URL. */
static int
copy_single(const struct cv_request *rq, const struct cv_r_artifact *a,
	    const struct cv_tree_sink *sink, struct cv_err *e)
{
	const char *from = a->decl->origin == CV_O_PATH ? a->decl->path : a->decl->asked;
	const char *slash = strrchr(from, '/');
	struct cv_tree_entry x = { .path = slash != NULL && slash[1] != '\0' ? slash + 1 : from,
				   .kind = CV_TREE_FILE,
				   .size = a->size,
				   .digest = a->digest };

	if (a->decl->origin == CV_O_PATH)
		return copy_local(rq, a->decl->path, &x, sink, e);
	if (a->archive_blob.fd < 0)
		return cv_fail(e, CV_R_BUG, "%s: its bytes were not kept", a->name);
	return copy(rq, &x, a->archive_blob, sink, e);
}

int
cv_engine_tree(const struct cv_request *rq, const struct cv_r_artifact *a,
	       const struct cv_tree_sink *sink, struct cv_err *e)
{
	if (a->digest.alg == CV_ALG_NONE || a->decl->type == CV_A_IMAGE)
		return cv_fail(e, CV_R_BUG, "%s: has no tree", a->name);
	if (a->archive.alg != CV_ALG_NONE)
		return cv_engine_expand(rq, a, sink, e);
	return a->tree != NULL ? copy_dir(rq, a, sink, e) : copy_single(rq, a, sink, e);
}
