/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_write.c: members of a bundle, hashed while they are written. Must
 * never list bytes that were not the ones written. */
#include "verify/bundle_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/bundle_dir.h"
#include "trust/base/banned.h"

#define CHUNK (256 * 1024)

/* One file being written. */
struct file {
	int fd;
	struct cv_hash *hash;
	uint64_t size;
};

static void
file_drop(struct file *f)
{
	cv_closep(&f->fd);
	cv_hash_free(&f->hash);
}

static int
file_open(struct file *f, int top, const char *path, struct cv_err *e)
{
	*f = (struct file){ .fd = -1 };
	if (cv_dir_parents(top, path, e) != 0 || cv_hash_open(&f->hash, CV_SHA256, e) != 0)
		return -1;
	f->fd = cv_beneath(top, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (f->fd < 0)
		return cv_fail_errno(e, "bundle: cannot write %s", path);
	return 0;
}

static int
file_add(struct file *f, const char *path, const void *p, size_t n, struct cv_err *e)
{
	if (cv_hash_add(f->hash, p, n, e) != 0 || cv_write_all(f->fd, p, n, path, e) != 0)
		return -1;
	f->size += n;
	return 0;
}

/* file_end: compare, protect, list. m: path, role, kind; digest alg 0: any. */
static int
file_end(struct file *f, struct cv_members *members, struct cv_member *m, struct cv_err *e)
{
	char a[CV_DIGEST_TEXT], b[CV_DIGEST_TEXT];
	struct cv_digest got;

	if (cv_hash_end(f->hash, &got, e) != 0)
		return -1;
	if (m->digest.alg == CV_SHA256 && !cv_digest_eq(&m->digest, &got))
		return cv_fail(e, CV_R_DIGEST,
			       "%s: found %s, want %s: it changed after it was verified", m->path,
			       cv_digest_text(&got, a), cv_digest_text(&m->digest, b));
	if (fchmod(f->fd, m->kind == CV_M_EXEC ? 0555 : 0444) != 0)
		return cv_fail_errno(e, "bundle: cannot protect %s", m->path);
	m->digest = got;
	m->size = f->size;
	return members == NULL ? 0 : cv_members_add(members, m, e);
}

int
cv_bw_bytes(struct cv_bwriter *w, const char *path, const char *role, struct cv_span in,
	    struct cv_err *e)
{
	struct cv_member m = { .path = path, .role = role, .kind = CV_M_FILE };
	cv_auto(file_drop) struct file f;

	if (file_open(&f, w->top, path, e) != 0 || file_add(&f, path, in.p, in.n, e) != 0)
		return -1;
	return file_end(&f, w->members, &m, e);
}

int
cv_bw_blob(struct cv_bwriter *w, const char *path, const char *role, struct cv_blob blob,
	   const struct cv_digest *want, struct cv_err *e)
{
	struct cv_member m = { .path = path, .role = role, .kind = CV_M_FILE, .digest = *want };
	cv_auto(cv_freep) char *chunk = malloc(CHUNK);
	cv_auto(file_drop) struct file f = { .fd = -1 };
	uint64_t done = 0;

	if (chunk == NULL)
		return cv_fail_memory(e);
	if (want->alg != CV_SHA256)
		return cv_fail(e, CV_R_UNSUPPORTED, "%s: a digest of another algorithm than sha256",
			       path);
	if (file_open(&f, w->top, path, e) != 0)
		return -1;
	while (done < blob.len) {
		size_t part = blob.len - done < CHUNK ? (size_t)(blob.len - done) : CHUNK;
		ssize_t n = pread(blob.fd, chunk, part, (off_t)(blob.off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cv_fail_errno(e, "bundle: cannot read what becomes %s", path);
		if (n == 0)
			return cv_fail(e, CV_R_CUTOFF, "%s: found %llu bytes, want %llu", path,
				       (unsigned long long)done, (unsigned long long)blob.len);
		if (file_add(&f, path, chunk, (size_t)n, e) != 0)
			return -1;
		done += (uint64_t)n;
	}
	return file_end(&f, w->members, &m, e);
}

/* ---- trees ---- */

/* Where the engine's delivery of a tree stands. */
struct delivery {
	struct cv_bwriter *w;
	const struct cv_r_artifact *a;
	unsigned files;
	char path[CV_MAX_PATH + 128];
	struct file file;
	struct cv_member m;
};

static int
tree_path(struct delivery *d, const char *path, struct cv_err *e)
{
	if (snprintf(d->path, sizeof(d->path), "trees/%s/%s", d->a->name, path) >=
	    (int)sizeof(d->path))
		return cv_fail(e, CV_R_LIMIT, "%s: a path too long for a bundle", d->a->name);
	return 0;
}

static bool
is_file(const struct cv_tree_entry *x)
{
	return x->kind == CV_TREE_FILE || x->kind == CV_TREE_EXEC;
}

/* expected: the entry is one of the verified tree. That it comes once is held by
 * O_EXCL, that all come by counting. */
static int
expected(struct delivery *d, const struct cv_tree_entry *entry, struct cv_err *e)
{
	const struct cv_tree_entry *x;

	if (d->a->tree == NULL) { /* a single file: its digest is the artifact's */
		if (d->files > 0 || !cv_digest_eq(&entry->digest, &d->a->digest) ||
		    cv_tree_path_wrong(entry->path) != NULL)
			return cv_fail(e, CV_R_BUG, "%s: not the verified file", d->a->name);
		return 0;
	}
	x = cv_tree_find(d->a->tree, entry->path);
	if (x == NULL || !is_file(x) || x->kind != entry->kind ||
	    !cv_digest_eq(&x->digest, &entry->digest))
		return cv_fail(e, CV_R_BUG, "%s: a file that is not in the verified tree",
			       d->a->name);
	return 0;
}

static int
sink_file(void *ctx, const struct cv_tree_entry *entry, struct cv_err *e)
{
	struct delivery *d = ctx;

	if (expected(d, entry, e) != 0 || tree_path(d, entry->path, e) != 0)
		return -1;
	d->files++;
	d->m = (struct cv_member){ .path = d->path,
				   .role = "tree",
				   .kind = entry->kind == CV_TREE_EXEC ? CV_M_EXEC : CV_M_FILE,
				   .digest = entry->digest };
	file_drop(&d->file);
	return file_open(&d->file, d->w->top, d->path, e);
}

static int
sink_data(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct delivery *d = ctx;

	return file_add(&d->file, d->path, p, n, e);
}

static int
sink_end(void *ctx, struct cv_err *e)
{
	struct delivery *d = ctx;
	int r = file_end(&d->file, d->w->members, &d->m, e);

	file_drop(&d->file);
	return r;
}

/* rest: links and empty directories, from the verified list alone. */
static int
rest(struct delivery *d, struct cv_err *e)
{
	const struct cv_tree *t = d->a->tree;
	size_t i;

	for (i = 0; i < cv_tree_count(t); i++) {
		const struct cv_tree_entry *x = cv_tree_at(t, i);
		struct cv_member m = { .path = d->path, .role = "tree" };

		if (is_file(x))
			continue;
		if (tree_path(d, x->path, e) != 0 || cv_dir_parents(d->w->top, d->path, e) != 0)
			return -1;
		if (x->kind == CV_TREE_LINK) {
			m.kind = CV_M_LINK;
			m.digest = x->digest;
			m.size = x->size;
			m.target = x->target;
			if (symlinkat(x->target, d->w->top, d->path) != 0)
				return cv_fail_errno(e, "bundle: cannot link %s", d->path);
		} else {
			m.kind = CV_M_DIR;
			if (mkdirat(d->w->top, d->path, 0700) != 0)
				return cv_fail_errno(e, "bundle: cannot make %s", d->path);
		}
		if (cv_members_add(d->w->members, &m, e) != 0)
			return -1;
	}
	return 0;
}

int
cv_bw_tree(struct cv_bwriter *w, const struct cv_request *rq, const struct cv_r_artifact *a,
	   struct cv_err *e)
{
	struct delivery d = { .w = w, .a = a, .file = { .fd = -1 } };
	const struct cv_tree_sink sink = {
		.ctx = &d, .file = sink_file, .data = sink_data, .end = sink_end
	};
	size_t want = a->tree != NULL ? cv_tree_files(a->tree) : 1;
	int r = cv_engine_tree(rq, a, &sink, e);

	file_drop(&d.file);
	if (r != 0)
		return -1;
	if (d.files != want)
		return cv_fail(e, CV_R_BUG, "%s: found %u files, want %zu", a->name, d.files, want);
	return a->tree != NULL ? rest(&d, e) : 0;
}
