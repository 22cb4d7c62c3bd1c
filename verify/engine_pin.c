/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_pin.c: what was found against what the lock and the agent file pin.
 * Every pinned value counts: one that differs anywhere is a lock for something
 * else.
 */
#include "verify/engine_int.h"

#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static void
differs(struct cv_job *j, const char *what, const char *want, const char *found)
{
	struct cv_finding f = cv_finding_no("lock.digest-mismatch", CV_R_DIGEST);

	j->differs = true;
	cv_finding_expected(&f, "%s %s", what, want);
	cv_finding_found(&f, "%s %s", what, found);
	cv_finding_where(&f, "%s:%u", j->run->rq->lock->file, j->locked->pos.line);
	cv_job_say(j, &f);
}

/* digests: equal, or both not there. */
static void
digests(struct cv_job *j, const char *what, const struct cv_digest *want,
	const struct cv_digest *found)
{
	char w[CV_DIGEST_TEXT], f[CV_DIGEST_TEXT];

	if (want->alg == CV_ALG_NONE && found->alg == CV_ALG_NONE)
		return;
	if (!cv_digest_eq(want, found))
		differs(j, what, cv_digest_text(want, w), cv_digest_text(found, f));
}

static void
sizes(struct cv_job *j, const char *what, uint64_t want, uint64_t found)
{
	char w[32], f[32];

	if (want == found)
		return;
	cv_text_fmt(w, sizeof(w), "%llu", (unsigned long long)want);
	cv_text_fmt(f, sizeof(f), "%llu", (unsigned long long)found);
	differs(j, what, w, f);
}

static void
texts(struct cv_job *j, const char *what, const char *want, const char *found)
{
	if (want == NULL)
		want = "";
	if (found == NULL)
		found = "";
	if (strcmp(want, found) != 0)
		differs(j, what, want, found);
}

static void
layers(struct cv_job *j)
{
	const struct cv_lock_artifact *l = j->locked;
	const struct cv_r_artifact *a = j->a;
	char what[48];
	size_t i;

	sizes(j, "number of layers", l->nlayers, a->nlayers);
	for (i = 0; i < l->nlayers && i < a->nlayers; i++) {
		cv_text_fmt(what, sizeof(what), "layer %zu", i + 1);
		digests(j, what, &l->layers[i].digest, &a->layers[i].digest);
		cv_text_fmt(what, sizeof(what), "diffID of layer %zu", i + 1);
		digests(j, what, &l->layers[i].diffid, &a->layers[i].diffid);
		cv_text_fmt(what, sizeof(what), "size of layer %zu", i + 1);
		sizes(j, what, l->layers[i].size, a->layers[i].size);
		cv_text_fmt(what, sizeof(what), "media type of layer %zu", i + 1);
		texts(j, what, l->layers[i].media, a->layers[i].media);
	}
}

/* first_file: the first file that differs, so that a person knows where to look. */
static void
first_file(struct cv_job *j, char *out, size_t size)
{
	const struct cv_tree *l = j->locked->tree, *a = j->a->tree;
	size_t i;

	out[0] = '\0';
	if (l == NULL || a == NULL)
		return;
	for (i = 0; i < cv_tree_count(l); i++) {
		const struct cv_tree_entry *x = cv_tree_at(l, i);
		const struct cv_tree_entry *y = cv_tree_find(a, x->path);

		if (y == NULL) {
			cv_text_fmt(out, size, "%s is not there any more", x->path);
			return;
		}
		if (y->kind != x->kind || y->size != x->size ||
		    (x->digest.alg != CV_ALG_NONE && !cv_digest_eq(&x->digest, &y->digest))) {
			cv_text_fmt(out, size, "%s differs", x->path);
			return;
		}
	}
	for (i = 0; i < cv_tree_count(a); i++) {
		if (cv_tree_find(l, cv_tree_at(a, i)->path) != NULL)
			continue;
		cv_text_fmt(out, size, "%s was added", cv_tree_at(a, i)->path);
		return;
	}
}

static void
identity(struct cv_job *j)
{
	const struct cv_lock_artifact *l = j->locked;
	struct cv_finding f = cv_finding_no("lock.digest-mismatch", CV_R_DIGEST);
	char text[CV_DIGEST_TEXT];

	if (cv_digest_eq(&l->digest, &j->a->digest)) {
		/* the same bytes: their size can only be wrong in the lock */
		sizes(j, "size", l->size, j->a->size);
		return;
	}
	j->differs = true;
	cv_finding_expected(&f, "%s", cv_digest_text(&l->digest, text));
	cv_finding_found(&f, "%s", cv_digest_text(&j->a->digest, text));
	cv_finding_where(&f, "%s:%u", j->run->rq->lock->file, l->pos.line);
	first_file(j, f.note, sizeof(f.note));
	cv_job_say(j, &f);
}

void
cv_pin_compare(struct cv_job *j)
{
	const struct cv_lock_artifact *l = j->locked;
	const struct cv_r_artifact *a = j->a;

	if (j->run->rq->mode != CV_MODE_VERIFY)
		return;
	if (l == NULL) {
		cv_job_na(j, "lock.digest-mismatch");
		return;
	}
	identity(j);
	texts(j, "media type", l->media, a->media);
	if (j->decl->type == CV_A_IMAGE) {
		digests(j, "index", &l->index, &a->index);
		digests(j, "manifest", &l->manifest, &a->manifest);
		digests(j, "config", &l->config, &a->config);
		texts(j, "platform", l->platform, a->platform);
		layers(j);
	} else {
		digests(j, "archive", &l->archive, &a->archive);
		texts(j, "package", l->package, a->package);
		texts(j, "version", l->version, a->version);
	}
	if (j->differs)
		return;
	j->compared = true;
	cv_job_pass(j, "lock.digest-mismatch");
}

void
cv_pin_asked(struct cv_job *j, const struct cv_digest *found)
{
	char want[CV_DIGEST_TEXT], text[CV_DIGEST_TEXT];

	if (j->decl->digest.alg == CV_ALG_NONE)
		return;
	if (cv_digest_eq(&j->decl->digest, found)) {
		cv_job_pass(j, "fetch.digest-mismatch");
		return;
	}
	j->differs = true;
	cv_job_no(j, "fetch.digest-mismatch", CV_R_DIGEST, cv_digest_text(&j->decl->digest, want),
		  "%s", cv_digest_text(found, text));
}
